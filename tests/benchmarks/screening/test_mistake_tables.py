"""What is counted of trials and tools, and which part of the page it becomes."""

import pytest

from tests.benchmarks.docs_page import markdown_table
from tests.benchmarks.screening.gradient_mistakes import NOTHING
from tests.benchmarks.screening.mistake_results import MistakeResult
from tests.benchmarks.screening.mistake_tables import mistake_table, other_outcomes_table
from tests.benchmarks.screening.scale_page import MISSING, parts, rewritten
from tests.benchmarks.screening.tool_measurements import ToolMeasurement, expected_cost


def trial(mistake: str, verdict: str, **changed: int) -> MistakeResult:
    """Return a trial of which nothing is missed."""
    figures = {"evaluations": 13, "wrong": 1, "missed": 0, "innocent": 0, "unsaid": 0, "unseen": 0}
    return MistakeResult("small", "float64", mistake, 0, verdict, **(figures | changed))


def cells(line: str) -> list[str]:
    """Return the cells of a row."""
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_row_counts_what_was_called_and_named() -> None:
    """And the evaluations, least, median and most."""
    name = "one entry 1% off"
    own = [trial(name, "wrong"), trial(name, "wrong", missed=1, innocent=2, evaluations=30)]
    own.append(trial(name, "correct", missed=1, evaluations=10))
    *_, row = mistake_table(own)
    assert cells(row) == [name, "2 of 3", "1 of 3", "1 of 3", "10", "13", "30"]


def test_nothing_can_not_be_named() -> None:
    """A correct gradient has a column less."""
    *_, row = mistake_table([trial(NOTHING, "correct", wrong=0)])
    assert cells(row)[:4] == [NOTHING, "0 of 1", "-", "0 of 1"]


def test_whatever_went_otherwise_is_listed() -> None:
    """An inconclusive correct gradient is, too."""
    odd = trial(NOTHING, "inconclusive", wrong=0)
    lines = list(other_outcomes_table([trial("a row x 1.5", "wrong"), odd]))
    assert len(lines) == 3
    assert cells(lines[-1])[1:4] == [NOTHING, "0", "inconclusive"]
    assert list(other_outcomes_table([trial("a row x 1.5", "wrong")])) == [
        "There was no other outcome."
    ]


def test_columns_are_aligned() -> None:
    """For who reads it as text."""
    assert list(markdown_table(["a", "bc"], [["def", "g"]])) == [
        "| a   | bc |",
        "| --- | -- |",
        "| def | g  |",
    ]


@pytest.mark.parametrize(("evaluations", "now", "seconds"), [(4, 4, 0.02), (2000, 20_000, 100.0)])
def test_time_grows_with_entries_where_each_is_moved(
    evaluations: int, now: int, seconds: float
) -> None:
    """Otherwise only as one forward does; what is beside it stays as it is."""
    took = evaluations * 0.003
    known = ToolMeasurement("tool", 1000, 0.001, evaluations, took, 1.0, 1, 0, 1, 1, 0, "no")
    found = expected_cost(known, 10_000, 0.003)
    assert found[0] == now
    assert found[1] == pytest.approx(seconds)


def test_one_part_of_the_page_is_replaced() -> None:
    """The other one stays."""
    page = rewritten(rewritten("", mistakes="one\n\ntwo"), rivals="three")
    others = {"hard": MISSING, "large": MISSING}
    assert parts(page) == {"mistakes": "one\n\ntwo", "rivals": "three", **others}
    assert parts(rewritten(page, mistakes="four"))["rivals"] == "three"
