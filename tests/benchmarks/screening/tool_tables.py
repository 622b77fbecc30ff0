"""The tools that are compared on flat networks, and a table of their measurements for each size.

Importing this module imports every tool. It does not measure anything.
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

#: For fewer parameters the growth of a process is mostly unrelated to them.
FEWEST_FOR_MEMORY = 50_000

HEADINGS = (
    "tool",
    "evaluations",
    "time, ours = 1",
    "memory, in vectors",
    "false alarms",
    "wrong ones found",
    "names what is wrong",
)


def tool_tables(measurements: Sequence[ToolMeasurement | SkippedTool]) -> Iterator[str]:
    """Yield the lines of a table for each size, with a row for each tool."""
    for number, size in enumerate(dict.fromkeys(each.size for each in measurements)):
        if number:
            yield ""
        of_size = [each for each in measurements if each.size == size]
        (ours,) = (m for m in of_size if isinstance(m, ToolMeasurement) and m.rival == OURS.name)
        yield (
            f"{size:,} parameters; one evaluation takes {format_short_time(ours.forward)}, "
            f"a check of ours {format_short_time(ours.seconds)}:"
        )
        yield ""
        yield from markdown_table(HEADINGS, [_row(each, ours.seconds) for each in of_size])


def _row(tool: ToolMeasurement | SkippedTool, our_seconds: float) -> list[str]:
    ratio = format_number(tool.seconds / our_seconds)
    if isinstance(tool, SkippedTool):
        time = f"not run: about {ratio} ({format_duration(tool.seconds)})"
        return [tool.rival, f"about {tool.evaluations:,}", time, "", "", "", ""]
    timed_out = f", {tool.timed_out} timed out" if tool.timed_out else ""
    return [
        tool.rival,
        f"{tool.evaluations:,}",
        ratio,
        "-" if tool.size < FEWEST_FOR_MEMORY else format_number(tool.memory),
        f"{tool.alarms} of {tool.correct}",
        f"{tool.found} of {tool.wrong}{timed_out}",
        tool.names,
    ]
