"""Tables of checks with mistakes: counts for each mistake, and the checks that went wrong.

A hard case is a mistake like any other. The module does not check gradients.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence

from tests.benchmarks.docs_page import markdown_table
from tests.benchmarks.screening.mistake_results import MistakeResult

__all__ = ["mistake_table", "other_outcomes_table"]

Results = Sequence[MistakeResult]

HEADINGS = ("called wrong", "named exactly", "others named")
EVALUATIONS = ("evaluations, least", "median", "most")

#: The columns of the table of other outcomes: the heading, and the cell of a result.
OUTCOMES: dict[str, Callable[[MistakeResult], str]] = {
    "network": lambda result: result.network,
    "mistake": lambda result: result.mistake,
    "seed": lambda result: f"{result.seed}",
    "verdict": lambda result: result.verdict,
    "wrong": lambda result: f"{result.wrong:,}",
    "not named": lambda result: f"{result.missed:,}",
    "of these above the resolution": lambda result: f"{result.missed_above_resolution:,}",
    "others named": lambda result: f"{result.others_named:,}",
}


def mistake_table(results: Results, row_heading: str = "mistake") -> Iterator[str]:
    """Yield the lines of a table with a row for each mistake, over all networks and seeds.

    Parameters
    ----------
    results : sequence of MistakeResult
        In the order of the rows.
    row_heading : str
        The heading of the first column.
    """
    rows = [
        _row(mistake, [result for result in results if result.mistake == mistake])
        for mistake in dict.fromkeys(result.mistake for result in results)
    ]
    yield from markdown_table([row_heading, *HEADINGS, *EVALUATIONS], rows)


def _row(mistake: str, results: Results) -> list[str]:
    costs = [result.evaluations for result in results]
    exact = sum(result.exact for result in results)
    return [
        mistake,
        _out_of(sum(result.detected for result in results), results),
        _out_of(exact, results) if any(result.wrong for result in results) else "-",
        _out_of(sum(result.others_named > 0 for result in results), results),
        f"{min(costs)}",
        f"{statistics.median(costs):.0f}",
        f"{max(costs)}",
    ]


def _out_of(number: int, results: Results) -> str:
    return f"{number} of {len(results)}"


def other_outcomes_table(results: Results) -> Iterator[str]:
    """Yield the lines of a table of the checks that did not name exactly what is wrong.

    A correct gradient that is not called correct is listed as well.
    """
    others = [r for r in results if not r.exact or (not r.wrong and r.verdict != "correct")]
    if not others:
        yield "There was no other outcome."
        return
    rows = [[cell(result) for cell in OUTCOMES.values()] for result in others]
    yield from markdown_table(list(OUTCOMES), rows)
