"""Which tools are put beside ours, and the table of what each did at each size.

Importing this imports every one of them. It must not measure anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.benchmarks.docs_page import markdown_table
from tests.benchmarks.number_format import format_duration, format_number, format_short_time
from tests.benchmarks.rivals.ours import OURS
from tests.benchmarks.rivals.rival import Rival
from tests.benchmarks.rivals.with_autograd import AUTOGRAD
from tests.benchmarks.rivals.with_error_estimates import JACOBI, NUMDIFFTOOLS
from tests.benchmarks.rivals.with_jax import JAX
from tests.benchmarks.rivals.with_scipy import RANDOM, RELATIVE
from tests.benchmarks.rivals.with_torch import FAST, SLOW
from tests.benchmarks.screening.tool_measurements import SkippedTool, ToolMeasurement

__all__ = ["TOOLS", "tool_tables"]

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


def tool_tables(found: Sequence[ToolMeasurement | SkippedTool]) -> Iterator[str]:
    """Yield the lines of a table for each size."""
    for number, size in enumerate(dict.fromkeys(each.size for each in found)):
        if number:
            yield ""
        own = [each for each in found if each.size == size]
        (unit,) = (e for e in own if isinstance(e, ToolMeasurement) and e.rival == OURS.name)
        yield (
            f"{size:,} parameters; one evaluation takes {format_short_time(unit.forward)}, "
            f"a check of ours {format_short_time(unit.seconds)}:"
        )
        yield ""
        yield from markdown_table(HEADINGS, [_row(each, unit.seconds) for each in own])


def _row(found: ToolMeasurement | SkippedTool, unit: float) -> list[str]:
    if isinstance(found, SkippedTool):
        ratio = format_number(found.seconds / unit)
        would = f"not asked: about {ratio} ({format_duration(found.seconds)})"
        return [found.rival, f"about {found.evaluations:,}", would, "", "", "", ""]
    return [
        found.rival,
        f"{found.evaluations:,}",
        format_number(found.seconds / unit),
        "-" if found.size < FEW else format_number(found.memory),
        f"{found.alarms} of {found.correct}",
        f"{found.caught} of {found.wrong}" + (f", {found.late} late" if found.late else ""),
        found.names,
    ]
