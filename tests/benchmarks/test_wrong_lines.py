"""Outcomes of the benchmark of wrong lines."""

from __future__ import annotations

import pytest

from pytest_gradcheck.report.report_data import SourceLocation, WrongLine
from tests.benchmarks.wrong_lines import Outcome, outcome_of
from tests.handwritten_backward.source_edits import Edit


@pytest.mark.parametrize(
    ("named", "outcome"),
    [
        ([], "nothing"),
        ([(4, 5)], "alone"),
        ([(5, 5)], "alone"),
        ([(3, 5)], "range"),
        ([(5, 7)], "range"),
        ([(4, 7)], "wrong"),
        ([(6, 6)], "wrong"),
        ([(4, 5), (8, 8)], "wrong"),
    ],
)
def test_outcome(named: list[tuple[int, int]], outcome: Outcome) -> None:
    """The edited statement is on lines 4 and 5; any place without it is wrong."""
    edit = Edit("sign", "backward", 4, 5, "", "", "")
    places = [SourceLocation("nn.py", a, b, "backward", "") for a, b in named]
    assert outcome_of(edit, [WrongLine(place, (), (), ()) for place in places]) == outcome


@pytest.mark.parametrize(
    ("named", "outcome"),
    [([(5, 5), (9, 9)], "range"), ([(3, 3), (9, 9)], "wrong"), ([(4, 5), (8, 9)], "wrong")],
)
def test_alternatives_are_a_range(named: list[tuple[int, int]], outcome: Outcome) -> None:
    """They have three lines together at most, and one of them is the edited statement."""
    edit = Edit("sign", "backward", 4, 5, "", "", "")
    first, *others = (SourceLocation("nn.py", a, b, "backward", "") for a, b in named)
    line = WrongLine(first, (), (), (), tuple(others))
    assert outcome_of(edit, [line]) == outcome
