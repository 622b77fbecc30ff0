"""The summary of a record on a terminal: a line with totals, and a table of checks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pytest_gradcheck.report.formatting import format_difference, format_table
from pytest_gradcheck.report.inert_text import without_middle
from pytest_gradcheck.run_record.record import (
    Check,
    Record,
    RecordedTest,
    failed_checks,
    lost_tests,
    totals,
    unchecked_tests,
)

__all__ = ["format_seconds", "lost_line", "summary_line", "summary_table", "unchecked_lines"]

#: The most checks in the table, and the most tests that are listed by name.
TABLE_ROWS = 20
LISTED_TESTS = 10

#: The most characters of a node id.
NODEID_LENGTH = 200

#: From so many seconds on, fractions do not matter.
WHOLE_SECONDS = 10.0


def summary_line(record: Record) -> str:
    """Return one line with the totals of a record."""
    all_checks = totals(record)
    counts = [
        f"{count:,} {verdict}"
        for verdict, count in (
            ("correct", all_checks.correct),
            ("wrong", all_checks.wrong),
            ("inconclusive", all_checks.inconclusive),
        )
        if count
    ]
    listed = ", ".join([_count(all_checks.checks, "check"), *counts])
    cost = _count(all_checks.evaluations, "evaluation")
    return f"gradcheck: {listed}; {cost}, {format_seconds(all_checks.seconds)}"


def unchecked_lines(record: Record) -> Iterator[str]:
    """Yield lines on the tests that should have completed a check and did not."""
    unchecked = list(unchecked_tests(record))
    if not unchecked:
        return
    has = "test has" if len(unchecked) == 1 else "tests have"
    yield (
        f"gradcheck: {len(unchecked):,} {has} the gradcheck fixture and completed no check "
        "(an error under strict):"
    )
    for test in unchecked[:LISTED_TESTS]:
        yield f"    {without_middle(test['nodeid'], NODEID_LENGTH)}"
    if len(unchecked) > LISTED_TESTS:
        yield f"    ... and {len(unchecked) - LISTED_TESTS:,} more"


def lost_line(record: Record) -> str:
    """Return a line on the tests that ended without their check; empty if there are none."""
    outcomes = Counter(test["outcome"] for test in lost_tests(record))
    if not outcomes:
        return ""
    count = sum(outcomes.values())
    tests = "1 test" if count == 1 else f"{count:,} tests"
    listed = ", ".join(f"{number:,} {outcome}" for outcome, number in sorted(outcomes.items()))
    return f"gradcheck: {tests} ended without a completed check ({listed})"


def summary_table(record: Record, rows: int | None = TABLE_ROWS) -> Iterator[str]:
    """Yield a table of the checks, those that failed first, worst first, then the slowest.

    Parameters
    ----------
    record : Record
        The record.
    rows : int or None, optional
        The most checks in it; None for all.
    """
    failed = list(failed_checks(record))
    identities = {id(check) for _, check in failed}
    others = [
        (test, check)
        for test in record["tests"]
        for check in test["checks"]
        if id(check) not in identities
    ]
    others.sort(key=lambda pair: -float(pair[1]["seconds"]))
    checks = [*failed, *others]
    shown = checks[:rows]
    if not shown:
        return
    heading = ("test", "backward", "entries", "difference", "evaluations", "seconds", "verdict")
    cells = [heading, *(_row(test, check) for test, check in shown)]
    yield from format_table(cells, (False, False, True, True, True, True, False))
    if len(checks) > len(shown):
        yield f"... and {len(checks) - len(shown):,} more (-v shows all)"


def _row(test: RecordedTest, check: Check) -> tuple[str, ...]:
    return (
        without_middle(test["nodeid"], NODEID_LENGTH),
        without_middle(check["backward"], 24),
        f"{sum(parameter['checked'] for parameter in check['parameters']):,}",
        format_difference(float(check["relative_difference"])),
        f"{check['evaluations']:,}",
        f"{float(check['seconds']):.2g}",
        check["verdict"],
    )


def format_seconds(seconds: float) -> str:
    """Return a time with two digits, or in whole seconds.

    Examples
    --------
    >>> format_seconds(1.234), format_seconds(0.00123), format_seconds(75.3)
    ('1.2 s', '0.0012 s', '75 s')
    """
    if seconds >= WHOLE_SECONDS:
        return f"{seconds:,.0f} s"
    return f"{seconds:.2g} s"


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
