"""Time and memory of a check of a very long vector.

Memory is counted beyond the user's own point, claim and function. The module does not know other
tools.
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

#: Entries of a first check, whose imports and caches must not count.
WARM_UP_SIZE = 20_000


@dataclass(frozen=True)
class LongVectorCheck:
    """The result and the costs of one check.

    Attributes
    ----------
    size, mistake : int, str
        The number of entries, and the mistake in the gradient.
    verdict, exact : str, bool
        The verdict, and whether the report names all that is wrong and nothing else.
    evaluations, seconds, forward : int, float, float
        Calls of forward, seconds of the check, and seconds of one call by itself.
    traced, resident : float
        The growth of memory at its peak, in vectors: of the allocations of Python and numpy, and
        of the whole process.
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

    @property
    def forward_share(self) -> float:
        """The share of the time that is spent in forward."""
        return self.evaluations * self.forward / self.seconds


def check_long_vectors(sizes: Sequence[int] = SIZES) -> Iterator[LongVectorCheck]:
    """Yield the result of each check; each runs in a fresh process."""
    for size in sizes:
        for mistake in CLAIMS:
            yield run_in_fresh_process(_check, size, mistake)


def _check(size: int, mistake: str) -> LongVectorCheck:
    warm_up = flatten(coupled_chain(WARM_UP_SIZE))
    report(warm_up.forward, warm_up.claim(MISTAKES[NOTHING], 0)[0], warm_up.point)
    flat = flatten(coupled_chain(size))
    claim, wrong = flat.claim(MISTAKES[mistake], 0)
    check = partial(report, flat.forward, claim, flat.point, max_rows=ALL_ROWS)
    checked, resident = peak_resident_memory(check)
    (parameter,) = checked.parameters
    return LongVectorCheck(
        size=size,
        mistake=mistake,
        verdict=checked.verdict,
        exact=np.array_equal(named_entries_of(parameter), wrong),
        evaluations=checked.evaluations,
        seconds=checked.seconds,
        forward=least_seconds(lambda: flat.forward(flat.point)),
        traced=_traced_peak(check) / flat.point.nbytes,
        resident=resident / flat.point.nbytes,
    )


def _traced_peak(work: Callable[[], object]) -> int:
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def _named_exactly(check: LongVectorCheck) -> str:
    if check.mistake == NOTHING:
        return "-"
    return "yes" if check.exact else "no"


#: The columns of the table: the heading, and the cell of a check.
COLUMNS: dict[str, Callable[[LongVectorCheck], str]] = {
    "entries": lambda check: f"{check.size:,}",
    "wrong": lambda check: check.mistake,
    "verdict": lambda check: check.verdict,
    "named exactly": _named_exactly,
    "evaluations": lambda check: f"{check.evaluations}",
    "seconds": lambda check: format_number(check.seconds),
    "of these, evaluations": lambda check: f"{check.forward_share:.0%}",
    "memory, tracemalloc": lambda check: f"{check.traced:.1f}",
    "resident": lambda check: f"{check.resident:.1f}",
}


def long_vector_table(checks: Sequence[LongVectorCheck]) -> Iterator[str]:
    """Yield the lines of a table with a row for each check."""
    rows = [[cell(check) for cell in COLUMNS.values()] for check in checks]
    yield from markdown_table(list(COLUMNS), rows)
