"""The line of progress on a real terminal."""

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
    """Return a function that runs the suite on a terminal and returns its output."""
    pytester.makepyfile(test_suite=SUITE)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")

    def run(*args: str) -> str:
        command = [sys.executable, "-m", "pytest", "-p", "no:randomly", "-p", "no:asyncio", *args]
        child = pytester.spawn(" ".join(command))
        child.expect_exact("1 passed", timeout=60)
        return str(child.before.decode())

    return run


# Opening a terminal forks, and JAX warns of forks if another test has imported it.
@pytest.mark.filterwarnings(r"ignore:os\.fork\(\) was called:RuntimeWarning")
@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo terminals")
class TestTerminal:
    """The output to a terminal."""

    def test_line_follows_the_output_of_pytest_and_is_erased(self, shown: Shown) -> None:
        """Captured output stays captured, and the dot is where it would have been."""
        output = shown()
        assert f"{KEEP}{ERASE} gradcheck of slow: 10 of 20 entries, " in output
        assert f"{BACK}{ERASE}" in output
        before = output.partition(KEEP)[0]
        assert before.endswith("test_suite.py ")
        assert "captured" not in output

    def test_silent_on_ci(self, shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
        """A log on CI may look like a terminal."""
        monkeypatch.setenv("CI", "true")
        assert KEEP not in shown()

    def test_silent_under_xdist(self, shown: Shown) -> None:
        """Workers have no terminal."""
        assert KEEP not in shown("-n", "1")

    def test_silent_on_a_dumb_terminal(
        self, shown: Shown, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It would show control characters."""
        monkeypatch.setenv("TERM", "dumb")
        assert KEEP not in shown()


def test_silent_without_a_terminal(pytester: pytest.Pytester) -> None:
    """Output to a file has no line of progress."""
    pytester.makepyfile(test_suite=SUITE)
    result = pytester.runpytest_subprocess("-p", "no:randomly", "-p", "no:asyncio")
    result.assert_outcomes(passed=1)
    assert "gradcheck of" not in result.stdout.str()
