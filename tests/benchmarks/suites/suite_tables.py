"""What became of the claims of suites, counted.

It must not know how they were found.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence

from tests.benchmarks.docs_page import markdown_table
from tests.benchmarks.suites.check_result import CheckResult
from tests.benchmarks.suites.suite_result import ERRORS, SuiteResult

__all__ = ["count_table", "exception_table"]

Trials = Sequence[SuiteResult]

#: What is known of a claim that ours does not pass.
KNOWN = {True: "right", False: "not right", None: "cannot be told"}


def is_right(trial: SuiteResult) -> bool:
    """Whether there is no reason to think that the claim is wrong."""
    return trial.ours.passed or trial.is_right is True


def _accused(trial: SuiteResult) -> bool:
    return trial.ours.outcome == "wrong" and is_right(trial)


def _fails(trial: SuiteResult) -> bool:
    return trial.accepted and not trial.ours.passed and is_right(trial)


def _crashed(trial: SuiteResult) -> bool:
    return "crashed" in {answer.outcome for answer in (trial.ours, *_asked(trial))}


def _asked(trial: SuiteResult) -> list[CheckResult]:
    return [answer for answer in trial.falsified if answer is not None]


def _count(holds: Callable[[SuiteResult], bool]) -> Callable[[Trials], str]:
    return lambda trials: f"{sum(map(holds, trials)):,}"


def _passed(number: int) -> Callable[[Trials], str]:
    def fill(trials: Trials) -> str:
        answers = [trial.falsified[number] for trial in trials]
        asked = [answer for answer in answers if answer is not None]
        return f"{sum(answer.passed for answer in asked):,} of {len(asked):,}"

    return fill


def _median(figure: Callable[[SuiteResult], float], form: str) -> Callable[[Trials], str]:
    return lambda trials: format(statistics.median(map(figure, trials)), form)


#: The headings of the table of a suite, and how its claims fill each column.
COUNTS: dict[str, Callable[[Trials], str]] = {
    "claims": lambda trials: f"{len(trials):,}",
    "theirs passes": _count(lambda trial: trial.accepted),
    "ours passes": _count(lambda trial: trial.ours.passed),
    "right, accused": _count(_accused),
    "right, failing": _count(_fails),
    "crashed": _count(_crashed),
    **{f"passed, {error:.1%} off": _passed(number) for number, error in enumerate(ERRORS)},
    "evaluations, theirs": _median(lambda trial: trial.evaluations, ",.0f"),
    "evaluations, ours": _median(lambda trial: trial.ours.evaluations, ",.0f"),
    "ms, theirs": _median(lambda trial: 1000 * trial.seconds, ",.1f"),
    "ms, ours": _median(lambda trial: 1000 * trial.ours.seconds, ",.1f"),
}


def count_table(trials: Trials) -> Iterator[str]:
    """Yield the table of one suite, a row for each of its checkers."""
    checkers = dict.fromkeys(trial.checker for trial in trials)
    rows = []
    for checker in checkers:
        own = [trial for trial in trials if trial.checker == checker]
        rows.append([f"`{checker}`", *(fill(own) for fill in COUNTS.values())])
    yield from markdown_table(["their checker", *COUNTS], rows)


def exception_table(trials: Trials) -> Iterator[str]:
    """Yield a table of claims that fail ours and should not, and of false ones that pass."""
    rows = [row for trial in trials for row in _exceptions(trial)]
    if rows:
        headings = ["test", "claim", "which is", "theirs", "ours"]
        yield from markdown_table(headings, rows)
    else:
        yield "There is none."


def _exceptions(trial: SuiteResult) -> Iterator[list[str]]:
    name = f"`{trial.test.rpartition('/')[2]}`"
    theirs = "passes" if trial.accepted else "fails"
    if not trial.ours.passed and (trial.accepted or trial.is_right):
        known = KNOWN[trial.is_right]
        yield [name, str(trial.number), known, theirs, trial.ours.outcome]
    for error, answer in zip(ERRORS, trial.falsified, strict=True):
        if answer is not None and answer.outcome not in {"wrong", "inconclusive"}:
            yield [name, str(trial.number), f"{error:.1%} off", "-", answer.outcome]
