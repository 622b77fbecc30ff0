"""What a check of a very long vector takes: time, and memory beyond the user's own.

It must not know other tools.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from tests.benchmarks.coupled_chain import coupled_chain
from tests.benchmarks.docs_page import markdown_table
from tests.benchmarks.fresh_process import peak_resident_memory, run_in_fresh_process
from tests.benchmarks.number_format import format_number
from tests.benchmarks.rivals.ours import report
from tests.benchmarks.screening.flat_network import flatten
from tests.benchmarks.screening.gradient_mistakes import MISTAKES, NOTHING
from tests.benchmarks.screening.named_entries import ALL_ROWS, named_entries_of
from tests.benchmarks.timing import least_seconds

__all__ = ["LongVectorCheck", "check_long_vectors", "long_vector_table"]

SIZES = (100_000, 1_000_000, 10_000_000)

CLAIMS = (NOTHING, "one entry 1% off", "an opposite pair", "8 entries x 1.5")

#: Entries of a first check, by which is loaded what is loaded at first use.
FIRST = 20_000


@dataclass(frozen=True)
class LongVectorCheck:
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


def check_long_vectors(sizes: Sequence[int] = SIZES) -> Iterator[LongVectorCheck]:
    """Yield what each check takes, in a fresh process."""
    for size in sizes:
        for mistake in CLAIMS:
            yield run_in_fresh_process(_check, size, mistake)


def _check(size: int, mistake: str) -> LongVectorCheck:
    first = flatten(coupled_chain(FIRST))
    report(first.forward, first.claim(MISTAKES[NOTHING], 0)[0], first.point)
    made = flatten(coupled_chain(size))
    claim, wrong = made.claim(MISTAKES[mistake], 0)
    check = partial(report, made.forward, claim, made.point, max_rows=ALL_ROWS)
    found, resident = peak_resident_memory(check)
    (parameter,) = found.parameters
    return LongVectorCheck(
        size=size,
        mistake=mistake,
        verdict=found.verdict,
        exact=np.array_equal(named_entries_of(parameter), wrong),
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
COLUMNS: dict[str, Callable[[LongVectorCheck], str]] = {
    "entries": lambda it: f"{it.size:,}",
    "wrong": lambda it: it.mistake,
    "verdict": lambda it: it.verdict,
    "named exactly": lambda it: "-" if it.mistake == NOTHING else "yes" if it.exact else "no",
    "evaluations": lambda it: f"{it.evaluations}",
    "seconds": lambda it: format_number(it.seconds),
    "of these, evaluations": lambda it: f"{it.evaluations * it.forward / it.seconds:.0%}",
    "memory, tracemalloc": lambda it: f"{it.traced:.1f}",
    "resident": lambda it: f"{it.resident:.1f}",
}


def long_vector_table(found: Sequence[LongVectorCheck]) -> Iterator[str]:
    """Yield the lines of a table with a row for each check."""
    rows = [[fill(each) for fill in COLUMNS.values()] for each in found]
    yield from markdown_table(list(COLUMNS), rows)
