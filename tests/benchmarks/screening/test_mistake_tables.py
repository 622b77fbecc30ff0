"""Tables of checks with mistakes."""

from tests.benchmarks.screening.gradient_mistakes import NOTHING
from tests.benchmarks.screening.mistake_results import MistakeResult
from tests.benchmarks.screening.mistake_tables import mistake_table, other_outcomes_table


def result(mistake: str, verdict: str, **changed: int) -> MistakeResult:
    """Return the result of a check with one wrong entry, which is not missed."""
    figures = {
        "evaluations": 13,
        "wrong": 1,
        "missed": 0,
        "others_named": 0,
        "missed_above_resolution": 0,
        "parameters_with_invisible_errors": 0,
    }
    return MistakeResult("small", "float64", mistake, 0, verdict, **(figures | changed))


def cells(line: str) -> list[str]:
    """Return the cells of a row."""
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_row_counts_what_was_called_wrong_and_named() -> None:
    """It also has the smallest, median and largest number of evaluations."""
    name = "one entry 1% off"
    results = [
        result(name, "wrong"),
        result(name, "wrong", missed=1, others_named=2, evaluations=30),
        result(name, "correct", missed=1, evaluations=10),
    ]
    *_, row = mistake_table(results)
    assert cells(row) == [name, "2 of 3", "1 of 3", "1 of 3", "10", "13", "30"]


def test_correct_gradient_has_no_count_of_named_errors() -> None:
    """There is nothing to name."""
    *_, row = mistake_table([result(NOTHING, "correct", wrong=0)])
    assert cells(row)[:4] == [NOTHING, "0 of 1", "-", "0 of 1"]


def test_other_outcomes_are_listed() -> None:
    """An inconclusive verdict on a correct gradient is one of them."""
    other = result(NOTHING, "inconclusive", wrong=0)
    lines = list(other_outcomes_table([result("a row x 1.5", "wrong"), other]))
    assert len(lines) == 3
    assert cells(lines[-1])[1:4] == [NOTHING, "0", "inconclusive"]
    assert list(other_outcomes_table([result("a row x 1.5", "wrong")])) == [
        "There was no other outcome."
    ]
