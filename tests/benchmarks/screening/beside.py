"""Which tools are put beside ours, and the table of what each did at each size.

Importing this imports every one of them. It must not measure anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.benchmarks.markdown import table
from tests.benchmarks.rivals.ours import OURS
from tests.benchmarks.rivals.rival import Rival
from tests.benchmarks.rivals.with_autograd import AUTOGRAD
from tests.benchmarks.rivals.with_estimates import JACOBI, NUMDIFFTOOLS
from tests.benchmarks.rivals.with_jax import JAX
from tests.benchmarks.rivals.with_scipy import RANDOM, RELATIVE
from tests.benchmarks.rivals.with_torch import FAST, SLOW
from tests.benchmarks.screening.efforts import Effort, Skipped

__all__ = ["TOOLS", "beside", "duration"]

TOOLS: tuple[Rival, ...] = (
    OURS,
    SLOW,
    FAST,
    JAX,
    AUTOGRAD,
    RELATIVE,
    RANDOM,
    NUMDIFFTOOLS,
    JACOBI,
)

#: tracemalloc sees arrays of numpy only, and these have their own.
UNSEEN = {SLOW.name, FAST.name, JAX.name}

#: Below so many parameters the objects of any check are larger than vectors of them.
FEW = 5_000

HEADINGS = (
    "tool",
    "evaluations",
    "time, ours = 1",
    "memory, in vectors",
    "accepts the correct one",
    "catches one entry 1% off",
    "names it",
)


def beside(found: Sequence[Effort | Skipped]) -> Iterator[str]:
    """Yield the lines of a table for each size."""
    for size in dict.fromkeys(each.size for each in found):
        own = [each for each in found if each.size == size]
        yield f"{size:,} parameters:"
        yield ""
        yield from table(HEADINGS, _rows(own))
        yield ""


def _rows(found: Sequence[Effort | Skipped]) -> list[list[str]]:
    (unit,) = (e.seconds for e in found if e.rival == OURS.name)
    return [
        _asked(each, unit) if isinstance(each, Effort) else _skipped(each, unit) for each in found
    ]


def _asked(effort: Effort, unit: float) -> list[str]:
    caught = f"{effort.caught} of {effort.drawn}"
    return [
        effort.rival,
        f"{effort.evaluations:,}",
        _figure(effort.seconds / unit),
        _memory(effort),
        "yes" if effort.accepts else "no",
        caught if effort.accepts else f"{caught}, as the correct one",
        effort.names,
    ]


def _skipped(skipped: Skipped, unit: float) -> list[str]:
    why = f"not asked: about {duration(skipped.seconds)}"
    return [skipped.rival, why, f"about {skipped.seconds / unit:,.0f}", "", "", "", ""]


def _memory(effort: Effort) -> str:
    if effort.size < FEW:
        return "-"
    least = "at least " if effort.rival in UNSEEN else ""
    return f"{least}{_figure(effort.memory)}"


def _figure(number: float) -> str:
    if number < 0.1:
        return f"{number:.1g}"
    return f"{number:,.1f}" if number < 10 else f"{number:,.0f}"


def duration(seconds: float) -> str:
    """Say how long something takes.

    Examples
    --------
    >>> duration(90), duration(200), duration(20_000)
    ('90 seconds', '3 minutes', '6 hours')
    """
    if seconds < 120:
        return f"{seconds:.0f} seconds"
    if seconds < 3600:
        return f"{seconds / 60:.0f} minutes"
    hours = seconds / 3600
    return f"{hours:,.0f} hours" if hours < 48 else f"{hours / 24:,.0f} days"
