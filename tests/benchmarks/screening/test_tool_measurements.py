"""Expected costs of tools, and the limits that the page states."""

import pytest

from tests.benchmarks.screening.__main__ import PAGE
from tests.benchmarks.screening.tool_measurements import (
    CLAIM_LIMIT,
    SIZE_LIMIT,
    ToolMeasurement,
    expected_cost,
)


@pytest.mark.parametrize(("evaluations", "now", "seconds"), [(4, 4, 0.02), (2000, 20_000, 100.0)])
def test_time_grows_with_entries_where_each_is_moved(
    evaluations: int, now: int, seconds: float
) -> None:
    """Otherwise only the time of forward grows; the time beside it stays the same."""
    took = evaluations * 0.003
    known = ToolMeasurement("tool", 1000, 0.001, evaluations, took, 1.0, 1, 0, 1, 1, 0, "no")
    found = expected_cost(known, 10_000, 0.003)
    assert found[0] == now
    assert found[1] == pytest.approx(seconds)


def test_page_states_the_time_limits() -> None:
    """Its prose is written by hand."""
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    assert f"until {SIZE_LIMIT:.0f} s are over" in text
    assert f"more than {CLAIM_LIMIT:.0f} s for one claim" in text
