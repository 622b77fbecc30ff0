"""What is counted of claims, and said of a suite."""

from __future__ import annotations

from typing import Any

from tests.benchmarks.suites.check_result import CheckResult, Outcome
from tests.benchmarks.suites.suite_result import SuiteResult
from tests.benchmarks.suites.suite_tables import count_table, exception_table
from tests.benchmarks.suites.suites_page import suite_section


def answer(outcome: Outcome) -> CheckResult:
    """Return one that took 4 evaluations."""
    return CheckResult(outcome, "", 4, 0.002)


def trial(ours: Outcome = "correct", false: Outcome = "wrong", **changed: Any) -> SuiteResult:
    """Return one that theirs accepts."""
    known: dict[str, Any] = {
        "suite": "scipy", "test": "a/test_b.py::test_c", "checker": "check_grad", "number": 0,
        "entries": 2, "accepted": True, "evaluations": 3, "seconds": 0.001,
        "ours": answer(ours), "is_right": None, "falsified": (answer("wrong"), answer(false)),
    }  # fmt: skip
    return SuiteResult(**(known | changed))


def row(*trials: SuiteResult) -> dict[str, str]:
    """Return the only row of the table."""
    headings, _, cells = (
        [c.strip() for c in line.split("|")[1:-1]] for line in count_table(trials)
    )
    return dict(zip(headings, cells, strict=True))


def test_costs_are_medians_of_both() -> None:
    """Evaluations and milliseconds."""
    found = row(trial(), trial(), trial(evaluations=100))
    assert [found[name] for name in ("evaluations, theirs", "evaluations, ours")] == ["3", "4"]
    assert [found[name] for name in ("ms, theirs", "ms, ours")] == ["1.0", "2.0"]


def test_only_right_claims_are_accused() -> None:
    """A claim that is not right, or that nobody can know, is no false alarm."""
    found = row(*(trial("wrong", is_right=known) for known in (True, False, None)))
    assert (found["right, accused"], found["right, failing"], found["ours passes"]) == (
        "1", "1", "0",
    )  # fmt: skip


def test_what_theirs_rejects_does_not_fail_beside_it() -> None:
    """A right claim that both fail is no difference between the two."""
    found = row(
        trial("inconclusive", is_right=True),
        trial("inconclusive", is_right=True, accepted=False),
    )
    assert found["right, failing"] == "1"


def test_passes_of_false_claims_are_counted_of_those_made() -> None:
    """A claim without a visible entry is not asked about."""
    found = row(trial(false="in part"), trial(), trial(falsified=(None, None)))
    assert (found["passed, 1.0% off"], found["passed, 0.1% off"]) == ("0 of 2", "1 of 2")


def test_crashes_of_false_claims_count() -> None:
    """A crash is one, whatever was claimed."""
    assert row(trial(false="crashed"), trial("crashed"))["crashed"] == "2"


def test_other_outcomes_are_listed() -> None:
    """What may be right and fails, what is false and passes; not what both reject."""
    odd = [trial("inconclusive", is_right=True), trial(false="in part")]
    agreed = trial("wrong", is_right=False, accepted=False)
    _, _, *rows = exception_table([trial(), agreed, *odd])
    cells = [[c.strip() for c in line.split("|")[2:-1]] for line in rows]
    assert cells == [
        ["0", "right", "passes", "inconclusive"],
        ["0", "0.1% off", "-", "in part"],
    ]
    assert list(exception_table([trial()])) == ["There is none."]


def test_part_says_how_many_claims_and_tests() -> None:
    """Under the package's name."""
    text = suite_section("scipy", [trial(), trial(number=1)])
    assert text.startswith("## scipy\n\n")
    assert "2 claims in 1 tests" in text
