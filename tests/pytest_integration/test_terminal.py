"""Progress on a terminal: a real one."""

import sys
from collections.abc import Callable

import pytest

SUITE = """
import time
import numpy as np
import pytest_gradcheck.report_builder.progress as progress

progress.DELAY = progress.INTERVAL = 0.0

def slow(x):
    time.sleep(0.001)
    return np.sin(x).sum()

def test_slow(gradcheck):
    print("captured")
    gradcheck(slow, np.cos, np.ones(20))
"""

Shown = Callable[..., str]

KEEP, BACK, ERASE = "\x1b7", "\x1b8", "\x1b[K"


@pytest.fixture
def shown(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Shown:
    """Return a function that runs the suite on a terminal and returns all that is written."""
    pytester.makepyfile(test_suite=SUITE)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("BUILD_NUMBER", raising=False)

    def run(*args: str) -> str:
        command = [sys.executable, "-m", "pytest", "-p", "no:randomly", "-p", "no:asyncio", *args]
        child = pytester.spawn(" ".join(command))
        child.expect_exact("1 passed", timeout=60)
        return str(child.before.decode())

    return run


# A terminal is opened by a fork, of which JAX warns wherever a test has imported it before.
@pytest.mark.filterwarnings(r"ignore:os\.fork\(\) was called:RuntimeWarning")
@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo terminals")
class TestTerminal:
    """What is written to a terminal."""

    def test_line_stands_behind_pytests_own_and_is_erased(self, shown: Shown) -> None:
        """What is captured stays so; the dot follows where it would have been."""
        output = shown()
        assert f"{KEEP}{ERASE} gradcheck of slow: 10 of 20 entries, " in output
        assert f"{BACK}{ERASE}" in output
        before = output.partition(KEEP)[0]
        assert before.endswith("test_suite.py ")
        assert "captured" not in output

    def test_silent_on_ci(self, shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
        """A log that looks like a terminal is not watched."""
        monkeypatch.setenv("CI", "true")
        assert KEEP not in shown()

    def test_silent_under_xdist(self, shown: Shown) -> None:
        """Workers have no terminal."""
        assert KEEP not in shown("-n", "1")

    def test_silent_where_terminals_cannot(
        self, shown: Shown, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A dumb one shows control characters as they are."""
        monkeypatch.setenv("TERM", "dumb")
        assert KEEP not in shown()


def test_silent_where_output_is_no_terminal(pytester: pytest.Pytester) -> None:
    """Nothing is added to a file."""
    pytester.makepyfile(test_suite=SUITE)
    result = pytester.runpytest_subprocess("-p", "no:randomly", "-p", "no:asyncio")
    result.assert_outcomes(passed=1)
    assert "gradcheck of" not in result.stdout.str()
