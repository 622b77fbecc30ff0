"""The cost at start-up, which every pytest run pays where the plugin is installed."""

from pathlib import Path

import pytest

import pytest_gradcheck

PACKAGE = Path(pytest_gradcheck.__file__).parent
ALWAYS_LOADED = ("__init__", "hookspec", "plugin", "session_state")

CONFTEST = """
import sys

def pytest_sessionfinish():
    ours = sorted(m for m in sys.modules if m.startswith("pytest_gradcheck"))
    sys.stderr.write(f"LOADED {ours} numpy={'numpy' in sys.modules}")
"""


def test_run_without_gradcheck_loads_four_small_modules_and_no_numpy(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run without a check imports no other module, then or later."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile("def test_it(): pass\ndef test_fails(): assert 0")
    result = pytester.runpytest_subprocess("-p", "gradcheck")
    result.assert_outcomes(passed=1, failed=1)
    (line,) = [line for line in result.errlines if line.startswith("LOADED")]
    expected = ["pytest_gradcheck", *(f"pytest_gradcheck.{name}" for name in ALWAYS_LOADED[1:])]
    assert line == f"LOADED {expected} numpy=False"


def test_modules_that_are_always_loaded_are_short() -> None:
    """They have fewer than 480 lines together."""
    lines = [len((PACKAGE / f"{name}.py").read_text().splitlines()) for name in ALWAYS_LOADED]
    assert sum(lines) < 480
