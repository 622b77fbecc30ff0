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

__all__ = ["TOOLS", "beside", "duration", "short_time"]

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

#: Below so many parameters a process grows by what else it does.
FEW = 50_000

HEADINGS = (
    "tool",
    "evaluations",
    "time, ours = 1",
    "memory, in vectors",
    "false alarms",
    "wrong ones caught",
    "names what is wrong",
)


def beside(found: Sequence[Effort | Skipped]) -> Iterator[str]:
    """Yield the lines of a table for each size."""
    for size in dict.fromkeys(each.size for each in found):
        own = [each for each in found if each.size == size]
        (unit,) = (e for e in own if isinstance(e, Effort) and e.rival == OURS.name)
        yield (
            f"{size:,} parameters; one evaluation takes {short_time(unit.forward)}, "
            f"a check of ours {short_time(unit.seconds)}:"
        )
        yield ""
        yield from table(HEADINGS, [_row(each, unit.seconds) for each in own])
        yield ""


def _row(found: Effort | Skipped, unit: float) -> list[str]:
    if isinstance(found, Skipped):
        would = f"not asked: about {_figure(found.seconds / unit)} ({duration(found.seconds)})"
        return [found.rival, f"about {found.evaluations:,}", would, "", "", "", ""]
    return [
        found.rival,
        f"{found.evaluations:,}",
        _figure(found.seconds / unit),
        "-" if found.size < FEW else _figure(found.memory),
        f"{found.alarms} of {found.correct}",
        f"{found.caught} of {found.wrong}",
        found.names,
    ]


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


def short_time(seconds: float) -> str:
    """Say how long something takes that is soon done.

    Examples
    --------
    >>> short_time(0.00002), short_time(0.0123), short_time(3.21)
    ('20 us', '12 ms', '3.2 s')
    """
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} us"
    return f"{seconds * 1e3:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
