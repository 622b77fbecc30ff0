"""Tables of the results of a suite: counts and costs, and the claims that went wrong.

The module does not check claims.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence

from tests.benchmarks.docs_page import markdown_table
from tests.benchmarks.suites.check_result import CheckResult
from tests.benchmarks.suites.suite_result import ERRORS, SuiteResult

__all__ = ["count_table", "exception_table"]

Results = Sequence[SuiteResult]

#: What is printed for `SuiteResult.is_right`.
IS_RIGHT = {True: "right", False: "not right", None: "unknown"}


def is_right(result: SuiteResult) -> bool:
    """Return whether a claim is right, as far as is known: `check_gradient` passes or it is."""
    return result.ours.passed or result.is_right is True


def _is_called_wrong(result: SuiteResult) -> bool:
    return result.ours.outcome == "wrong" and is_right(result)


def _fails(result: SuiteResult) -> bool:
    return result.accepted and not result.ours.passed and is_right(result)


def _crashed(result: SuiteResult) -> bool:
    return "crashed" in {check.outcome for check in (result.ours, *_checks_of_wrong(result))}


def _checks_of_wrong(result: SuiteResult) -> list[CheckResult]:
    return [check for check in result.falsified if check is not None]


def _count(holds: Callable[[SuiteResult], bool]) -> Callable[[Results], str]:
    return lambda results: f"{sum(map(holds, results)):,}"


def _passed(number: int) -> Callable[[Results], str]:
    def fill(results: Results) -> str:
        checks = [result.falsified[number] for result in results]
        made = [check for check in checks if check is not None]
        return f"{sum(check.passed for check in made):,} of {len(made):,}"

    return fill


def _median(figure: Callable[[SuiteResult], float], form: str) -> Callable[[Results], str]:
    return lambda results: format(statistics.median(map(figure, results)), form)


#: The columns of the table of a suite: the heading, and the cell for the results of a checker.
COLUMNS: dict[str, Callable[[Results], str]] = {
    "claims": lambda results: f"{len(results):,}",
    "theirs passes": _count(lambda result: result.accepted),
    "ours passes": _count(lambda result: result.ours.passed),
    "right, called wrong": _count(_is_called_wrong),
    "right, failing": _count(_fails),
    "crashed": _count(_crashed),
    **{f"passed, {error:.1%} off": _passed(number) for number, error in enumerate(ERRORS)},
    "evaluations, theirs": _median(lambda result: result.evaluations, ",.0f"),
    "evaluations, ours": _median(lambda result: result.ours.evaluations, ",.0f"),
    "ms, theirs": _median(lambda result: 1000 * result.seconds, ",.1f"),
    "ms, ours": _median(lambda result: 1000 * result.ours.seconds, ",.1f"),
}


def count_table(results: Results) -> Iterator[str]:
    """Yield the lines of the table of one suite, with a row for each of its checkers."""
    rows = []
    for checker in dict.fromkeys(result.checker for result in results):
        of_checker = [result for result in results if result.checker == checker]
        rows.append([f"`{checker}`", *(cell(of_checker) for cell in COLUMNS.values())])
    yield from markdown_table(["their checker", *COLUMNS], rows)


def exception_table(results: Results) -> Iterator[str]:
    """Yield the lines of a table of the claims that went wrong.

    These are claims that fail and are right or pass the suite's own check, and claims with a
    wrong entry that are called neither wrong nor inconclusive.
    """
    rows = [row for result in results for row in _exceptions(result)]
    if rows:
        yield from markdown_table(["test", "claim", "the claim is", "theirs", "ours"], rows)
    else:
        yield "There is none."


def _exceptions(result: SuiteResult) -> Iterator[list[str]]:
    name = f"`{result.test.rpartition('/')[2]}`"
    number = str(result.number)
    if not result.ours.passed and (result.accepted or result.is_right):
        theirs = "passes" if result.accepted else "fails"
        yield [name, number, IS_RIGHT[result.is_right], theirs, result.ours.outcome]
    for error, check in zip(ERRORS, result.falsified, strict=True):
        if check is not None and check.outcome not in {"wrong", "inconclusive"}:
            yield [name, number, f"{error:.1%} off", "-", check.outcome]
