"""The benchmark of what likely causes cost."""

import pytest

from tests.benchmarks.causes.pattern_cost import cost_of


@pytest.mark.parametrize("bug", ["factor", "by log W", "row"])
def test_bugs_are_found(bug: str) -> None:
    """The check of a small matrix fails, and its causes take some time."""
    seconds, forward, report = cost_of(bug, 20)
    assert not report.passed
    assert min(seconds, forward) > 0
