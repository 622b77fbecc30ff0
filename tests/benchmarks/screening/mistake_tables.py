"""What trials came to: a table with a row for each mistake, and whatever went otherwise.

A hard place is a mistake like any other.
It must not check anything.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence

from tests.benchmarks.docs_page import markdown_table
from tests.benchmarks.screening.mistake_results import MistakeResult

__all__ = ["mistake_table", "other_outcomes_table"]

Trials = Sequence[MistakeResult]

HEADINGS = ("called wrong", "named exactly", "innocents named")
EVALUATIONS = ("evaluations, least", "median", "most")

#: The headings of the table of other outcomes, and how a trial fills each column.
OUTCOMES: dict[str, Callable[[MistakeResult], str]] = {
    "network": lambda trial: trial.network,
    "mistake": lambda trial: trial.mistake,
    "seed": lambda trial: f"{trial.seed}",
    "verdict": lambda trial: trial.verdict,
    "wrong": lambda trial: f"{trial.wrong:,}",
    "not named": lambda trial: f"{trial.missed:,}",
    "of these above what is seen": lambda trial: f"{trial.unsaid:,}",
    "innocents": lambda trial: f"{trial.innocent:,}",
}


def mistake_table(trials: Trials, what: str = "mistake") -> Iterator[str]:
    """Yield the lines of the table, over all networks and seeds.

    Parameters
    ----------
    trials : sequence of MistakeResult
        In the order of the rows.
    what : str
        What a row is of.
    """
    rows = [
        _row(mistake, [trial for trial in trials if trial.mistake == mistake])
        for mistake in dict.fromkeys(trial.mistake for trial in trials)
    ]
    yield from markdown_table([what, *HEADINGS, *EVALUATIONS], rows)


def _row(mistake: str, trials: Trials) -> list[str]:
    costs = [trial.evaluations for trial in trials]
    exact = sum(trial.exact for trial in trials)
    return [
        mistake,
        _of(sum(trial.detected for trial in trials), trials),
        _of(exact, trials) if any(trial.wrong for trial in trials) else "-",
        _of(sum(trial.innocent > 0 for trial in trials), trials),
        f"{min(costs)}",
        f"{statistics.median(costs):.0f}",
        f"{max(costs)}",
    ]


def _of(number: int, trials: Trials) -> str:
    return f"{number} of {len(trials)}"


def other_outcomes_table(trials: Trials) -> Iterator[str]:
    """Yield the lines of a table of the trials in which not all was named, or too much.

    A correct gradient that is not called correct is one, too.
    """
    odd = [t for t in trials if not t.exact or (not t.wrong and t.verdict != "correct")]
    if not odd:
        yield "There was no other outcome."
        return
    rows = [[fill(trial) for fill in OUTCOMES.values()] for trial in odd]
    yield from markdown_table(list(OUTCOMES), rows)
