"""The summary of a record on a terminal."""

from pytest_gradcheck.renderings.summary import (
    lost_line,
    summary_line,
    summary_table,
    unchecked_lines,
)
from tests.run_record.builders import a_record, a_test, check, wrong


def test_line_has_the_totals() -> None:
    """Verdicts that do not occur are left out."""
    many = [check(evaluations=1000, seconds=0.1)] * 38
    doubtful = check(verdict="inconclusive")
    record = a_record(a_test("a", *many, wrong(), wrong(), doubtful))
    assert summary_line(record) == (
        "gradcheck: 41 checks, 38 correct, 2 wrong, 1 inconclusive; 38,060 evaluations, 5.3 s"
    )
    one = a_record(a_test("a", check(evaluations=1)))
    assert summary_line(one) == "gradcheck: 1 check, 1 correct; 1 evaluation, 0.5 s"


def test_table_begins_with_failures_and_goes_on_with_the_slowest() -> None:
    """Failures come worst first; the others slowest first."""
    record = a_record(
        a_test("fast", check(seconds=0.01)),
        a_test("wrong", wrong(5.0), outcome="failed"),
        a_test("slow", check(seconds=2.0)),
        a_test("worse", wrong(50.0, relative_difference=float("nan")), outcome="error"),
    )
    assert list(summary_table(record)) == [
        "test   backward  entries  difference  evaluations  seconds  verdict",
        "worse  backward        3           -           20      0.5  wrong",
        "wrong  backward        3     1.0e-09           20      0.5  wrong",
        "slow   backward        3     1.0e-09           20        2  correct",
        "fast   backward        3     1.0e-09           20     0.01  correct",
    ]


def test_table_is_cut() -> None:
    """It says how many checks it does not show."""
    record = a_record(a_test("a", *[check()] * 30))
    assert list(summary_table(record, 5))[-1] == "... and 25 more (-v shows all)"
    assert len(list(summary_table(record, None))) == 31
    assert list(summary_table(a_record())) == []


def test_unchecked_tests_are_listed() -> None:
    """At most ten, whose names are not long."""
    tests = [a_test(f"{k:02}{'n' * 1000}") for k in range(12)]
    first, *listed, more = unchecked_lines(a_record(*tests))
    assert first.startswith("gradcheck: 12 tests have the gradcheck fixture and completed no")
    assert len(listed) == 10
    assert max(map(len, listed)) <= 204
    assert more == "    ... and 2 more"
    assert list(unchecked_lines(a_record(a_test("a", check())))) == []


def test_lost_checks_are_counted_by_outcome() -> None:
    """Nothing is said where none are lost."""
    lost = [a_test(f"{k}", outcome="not run") for k in range(3)]
    record = a_record(*lost, a_test("crashed", outcome="crashed"))
    expected = "gradcheck: 4 tests ended without a completed check (1 crashed, 3 not run)"
    assert lost_line(record) == expected
    assert lost_line(a_record(a_test("a", check()))) == ""
