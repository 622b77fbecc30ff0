"""Wrong lines under coverage, in threads and in other processes."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from pytest_gradcheck import check_gradient
from tests.fault_localization.functions import W, X, line_of, two_layers, wrong_two_layers

SUITE = """
    import numpy as np

    def forward(w):
        r = 2 * w
        return np.sum(r**2)

    def backward(w):
        r = 2 * w
        dr = 3 * r
        return 2 * dr

    def test_it(gradcheck):
        gradcheck(forward, backward, np.arange(1.0, 4.0))
"""


def test_threads_have_lines_of_their_own() -> None:
    """Events of other threads are not theirs."""

    def lines(_: int) -> list[int]:
        report = check_gradient(two_layers, wrong_two_layers, X, W, wrt="p")
        return [wrong.location.first_line for wrong in report.wrong_lines]

    expected = [line_of(wrong_two_layers, "dz1 =")]
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lines, range(4)))
    # From Python 3.12 on there are two identifiers for tools, and a thread without one is silent.
    assert all(one in (expected, []) for one in found)
    assert expected in found


@pytest.mark.parametrize("run", [("-n", "1"), ()], ids=["xdist", "alone"])
def test_line_is_in_the_message(pytester: pytest.Pytester, run: tuple[str, ...]) -> None:
    """In processes of xdist as without them."""
    if run:
        pytest.importorskip("xdist")
    pytester.makepyfile(test_suite=SUITE)
    result = pytester.runpytest_subprocess(*run)
    result.stdout.fnmatch_lines(["*goes wrong at test_suite.py:9*"])


def test_coverage_is_as_before(pytester: pytest.Pytester) -> None:
    """It measures every line, does not complain, and the wrong line is found."""
    pytest.importorskip("coverage")
    pytester.makepyfile(test_suite=SUITE)
    coverage = (sys.executable, "-m", "coverage")
    result = pytester.run(*coverage, "run", "--source=.", "-m", "pytest")
    result.stdout.fnmatch_lines(["*goes wrong at test_suite.py:9*"])
    assert "trace function changed" not in (result.stdout.str() + result.stderr.str()).lower()
    report = pytester.run(*coverage, "report")
    report.stdout.fnmatch_lines(["test_suite.py*100%"])


def test_tools_of_monitoring_are_free_afterwards() -> None:
    """From Python 3.12 on an identifier is taken only as long as something is executed."""
    check_gradient(two_layers, wrong_two_layers, X, W, wrt="p")
    monitoring = getattr(sys, "monitoring", None)
    if monitoring is not None:
        assert monitoring.get_tool(3) is None
        assert monitoring.get_tool(4) is None
