"""What the checks of a record amount to."""

from pytest_gradcheck.run_record.record import (
    failed_checks,
    lost_tests,
    totals,
    unchecked_tests,
)
from tests.run_record.builders import a_record, a_test, check, wrong


def test_totals_count_checks_by_verdict() -> None:
    """Verdicts, evaluations and times are added up over all tests."""
    doubtful = check(verdict="inconclusive", seconds=1.0)
    record = a_record(a_test("a", check(), wrong(), outcome="failed"), a_test("b", doubtful))
    found = totals(record)
    assert (found.checks, found.correct, found.wrong, found.inconclusive) == (3, 1, 1, 1)
    assert (found.failed, found.evaluations, found.seconds) == (1, 60, 2.0)


def test_failed_checks_come_worst_first() -> None:
    """NaN is worse than any number, and a wrong check is worse than an inconclusive one."""
    doubtful = wrong(1e9, verdict="inconclusive")
    checks = [doubtful, wrong(5.0), check(), wrong(float("nan")), wrong(7.0)]
    record = a_record(a_test("a", *checks, outcome="failed"))
    deviations = [found["worst"][0]["deviation"] for _, found in failed_checks(record)]
    assert [str(deviation) for deviation in deviations] == ["nan", "7.0", "5.0", "1000000000.0"]


def test_numbers_may_be_names() -> None:
    """A record from a file has names where JSON has no number."""
    record = a_record(a_test("a", wrong("Infinity", seconds="NaN"), outcome="failed"))
    assert len(list(failed_checks(record))) == 1
    assert totals(record).failed == 1


def test_unchecked_tests_passed_and_should_have_checked() -> None:
    """A skipped test, one that failed and one that need not check are not among them."""
    tests = [
        a_test("unchecked"),
        a_test("checked", check()),
        a_test("skipped", outcome="skipped"),
        a_test("failed", outcome="failed"),
        a_test("through a fixture", expected=False),
    ]
    assert [test["nodeid"] for test in unchecked_tests(a_record(*tests))] == ["unchecked"]


def test_wrong_checks_of_tests_that_passed_are_no_failures() -> None:
    """They were made on purpose."""
    record = a_record(a_test("a", wrong()), a_test("b", wrong(), outcome="xfailed"))
    assert list(failed_checks(record)) == []
    assert (totals(record).wrong, totals(record).failed) == (2, 0)


def test_lost_tests_ended_without_their_check() -> None:
    """They did not run to the end, or failed before the check was made."""
    tests = [
        a_test("crashed", outcome="crashed"),
        a_test("not run", outcome="not run"),
        a_test("usage", outcome="failed"),
        a_test("wrong", wrong(), outcome="failed"),
        a_test("unchecked"),
    ]
    names = [test["nodeid"] for test in lost_tests(a_record(*tests))]
    assert names == ["crashed", "not run", "usage"]
