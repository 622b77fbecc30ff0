"""What a check of a very long vector takes: time, and memory beyond the user's own.

It must not know other tools.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from tests.benchmarks.apart import apart, resident_peak
from tests.benchmarks.chain import chain
from tests.benchmarks.figures import figure
from tests.benchmarks.markdown import table
from tests.benchmarks.rivals.ours import report
from tests.benchmarks.screening.flat import flat
from tests.benchmarks.screening.mistakes import MISTAKES, NOTHING
from tests.benchmarks.screening.naming import ROWS, named_in
from tests.benchmarks.timing import least_seconds

__all__ = ["Large", "check_large", "large_table"]

SIZES = (100_000, 1_000_000, 10_000_000)

CLAIMS = (NOTHING, "one entry 1% off", "an opposite pair", "8 entries x 1.5")

#: Entries of a first check, by which is loaded what is loaded at first use.
FIRST = 20_000


@dataclass(frozen=True)
class Large:
    """What a check took.

    Attributes
    ----------
    size, mistake : int, str
        Of what.
    verdict, exact : str, bool
        Of the report, and whether it names all that is wrong and nothing else.
    evaluations, seconds, forward : int, float, float
        Calls of forward, what the check took, and what one call takes by itself.
    traced, resident : float
        Peaks of memory beyond what there was before, in vectors: of what Python and numpy
        allocate, and of the whole process.
    """

    size: int
    mistake: str
    verdict: str
    exact: bool
    evaluations: int
    seconds: float
    forward: float
    traced: float
    resident: float


def check_large(sizes: Sequence[int] = SIZES) -> Iterator[Large]:
    """Yield what each check takes, in a fresh process."""
    for size in sizes:
        for mistake in CLAIMS:
            yield apart(_check, size, mistake)


def _check(size: int, mistake: str) -> Large:
    first = flat(chain(FIRST))
    report(first.forward, first.claim(MISTAKES[NOTHING], 0)[0], first.point)
    made = flat(chain(size))
    claim, wrong = made.claim(MISTAKES[mistake], 0)
    check = partial(report, made.forward, claim, made.point, max_rows=ROWS)
    found, resident = resident_peak(check)
    (parameter,) = found.parameters
    return Large(
        size=size,
        mistake=mistake,
        verdict=found.verdict,
        exact=np.array_equal(named_in(parameter), wrong),
        evaluations=found.evaluations,
        seconds=found.seconds,
        forward=least_seconds(lambda: made.forward(made.point)),
        traced=_traced_peak(check) / made.point.nbytes,
        resident=resident / made.point.nbytes,
    )


def _traced_peak(work: Callable[[], object]) -> int:
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


#: The headings of the table, and how a check fills each column.
COLUMNS: dict[str, Callable[[Large], str]] = {
    "entries": lambda it: f"{it.size:,}",
    "wrong": lambda it: it.mistake,
    "verdict": lambda it: it.verdict,
    "named exactly": lambda it: "-" if it.mistake == NOTHING else "yes" if it.exact else "no",
    "evaluations": lambda it: f"{it.evaluations}",
    "seconds": lambda it: figure(it.seconds),
    "of these, evaluations": lambda it: f"{it.evaluations * it.forward / it.seconds:.0%}",
    "memory, tracemalloc": lambda it: f"{it.traced:.1f}",
    "resident": lambda it: f"{it.resident:.1f}",
}


def large_table(found: Sequence[Large]) -> Iterator[str]:
    """Yield the lines of a table with a row for each check."""
    rows = [[fill(each) for fill in COLUMNS.values()] for each in found]
    yield from table(list(COLUMNS), rows)
