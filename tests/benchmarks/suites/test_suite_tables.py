"""Tables of the results of a suite, and its section of the page."""

from __future__ import annotations

from typing import Any

from tests.benchmarks.suites.check_result import CheckResult, Outcome
from tests.benchmarks.suites.suite_result import SuiteResult
from tests.benchmarks.suites.suite_tables import count_table, exception_table
from tests.benchmarks.suites.suites_page import suite_section


def check(outcome: Outcome) -> CheckResult:
    """Return the result of a check that took 4 evaluations."""
    return CheckResult(outcome, "", 4, 0.002)


def result(ours: Outcome = "correct", wrong: Outcome = "wrong", **changed: Any) -> SuiteResult:
    """Return the result of a claim that passes the suite's own check."""
    fields: dict[str, Any] = {
        "suite": "scipy", "test": "a/test_b.py::test_c", "checker": "check_grad", "number": 0,
        "entries": 2, "accepted": True, "evaluations": 3, "seconds": 0.001,
        "ours": check(ours), "is_right": None, "falsified": (check("wrong"), check(wrong)),
    }  # fmt: skip
    return SuiteResult(**(fields | changed))


def row(*results: SuiteResult) -> dict[str, str]:
    """Return the only row of the table."""
    headings, _, cells = (
        [c.strip() for c in line.split("|")[1:-1]] for line in count_table(results)
    )
    return dict(zip(headings, cells, strict=True))


def test_costs_are_medians_of_both() -> None:
    """Evaluations and milliseconds of both checkers are medians over all claims."""
    found = row(result(), result(), result(evaluations=100))
    assert [found[name] for name in ("evaluations, theirs", "evaluations, ours")] == ["3", "4"]
    assert [found[name] for name in ("ms, theirs", "ms, ours")] == ["1.0", "2.0"]


def test_only_right_claims_are_false_alarms() -> None:
    """A claim that is not right, or unknown, and is called wrong is no false alarm."""
    found = row(*(result("wrong", is_right=known) for known in (True, False, None)))
    assert (found["right, called wrong"], found["right, failing"], found["ours passes"]) == (
        "1", "1", "0",
    )  # fmt: skip


def test_claim_that_both_checks_reject_is_not_counted_as_failing() -> None:
    """Only right claims that pass the suite's own check are counted."""
    found = row(
        result("inconclusive", is_right=True),
        result("inconclusive", is_right=True, accepted=False),
    )
    assert found["right, failing"] == "1"


def test_passes_of_wrong_entries_are_out_of_those_made() -> None:
    """A claim without a visible entry is in no total."""
    found = row(result(wrong="in part"), result(), result(falsified=(None, None)))
    assert (found["passed, 1.0% off"], found["passed, 0.1% off"]) == ("0 of 2", "1 of 2")


def test_crashes_with_a_wrong_entry_count() -> None:
    """A crash counts for the claim as it is and with a wrong entry."""
    assert row(result(wrong="crashed"), result("crashed"))["crashed"] == "2"


def test_claims_that_went_wrong_are_listed() -> None:
    """A right claim that fails and a wrong entry that passes; not a claim that both reject."""
    odd = [result("inconclusive", is_right=True), result(wrong="in part")]
    agreed = result("wrong", is_right=False, accepted=False)
    _, _, *rows = exception_table([result(), agreed, *odd])
    cells = [[c.strip() for c in line.split("|")[2:-1]] for line in rows]
    assert cells == [
        ["0", "right", "passes", "inconclusive"],
        ["0", "0.1% off", "-", "in part"],
    ]
    assert list(exception_table([result()])) == ["There is none."]


def test_section_has_the_number_of_claims_and_tests() -> None:
    """Its title is the name of the package."""
    text = suite_section("scipy", [result(), result(number=1)])
    assert text.startswith("## scipy\n\n")
    assert "2 claims in 1 tests" in text
