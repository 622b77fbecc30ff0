"""Fast mode at a million parameters: its costs, the mistakes it names, and other tools.

``python -m tests.benchmarks.screening PART`` makes one section of a page of the docs, prints it
and writes it there. The parts are:

``mistakes``
    Every kind of mistake in the gradients of four networks, in float64 and in float32; some 40
    minutes on two cores.
``hard``
    A wrong entry in places where it is easily overlooked; a few minutes.
``rivals``
    Comparison with other tools, which are in the dependency group ``rivals``; half an hour.
``large``
    Ten million parameters; some minutes.

Another number of seeds is printed and not written: ``--seeds 5``, or ``--quick`` for one seed
(and, of ``rivals``, the smaller networks). ``--jobs 2`` is the number of processes.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.docs_page import replace_section
from tests.benchmarks.screening.hard_cases import HARD_CASES
from tests.benchmarks.screening.long_vectors import check_long_vectors, long_vector_table
from tests.benchmarks.screening.mistake_results import (
    NETWORKS,
    check_all_mistakes,
    check_hard_cases,
)
from tests.benchmarks.screening.scale_sections import (
    hard_section,
    mistakes_section,
    tools_section,
)

PAGE = Path(__file__).parents[3] / "docs" / "explanation" / "scale.md"

#: Variables that set the threads of a process. It gets one, because there are several processes.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def mistakes(seeds: int, jobs: int) -> str:
    """Check every network with every mistake, and return the section."""
    results = check_all_mistakes(NETWORKS, ["float64", "float32"], range(seeds), jobs)
    return mistakes_section(results)


def hard(seeds: int, jobs: int) -> str:
    """Check the hard cases, and return the section."""
    return hard_section(check_hard_cases(HARD_CASES, range(seeds), jobs))


def rivals(seeds: int, jobs: int) -> str:
    """Measure every tool, and return the section."""
    from tests.benchmarks.screening.flat_network import NETWORKS_BY_SIZE
    from tests.benchmarks.screening.tool_measurements import measure_tools
    from tests.benchmarks.screening.tool_tables import TOOLS, tool_tables

    networks = NETWORKS_BY_SIZE[:2] if seeds == 1 else NETWORKS_BY_SIZE
    measurements = measure_tools(TOOLS, networks, seeds)
    return tools_section(tool_tables(list(measurements)), [tool.package for tool in TOOLS])


def large(seeds: int, jobs: int) -> str:
    """Check long vectors, and return the section."""
    return tools_section(long_vector_table(list(check_long_vectors())), ["pytest-gradcheck"])


@dataclass(frozen=True)
class Section:
    """A section of the page: ``make(seeds, jobs)``, and the number of seeds that is published."""

    make: Callable[[int, int], str]
    seeds: int


SECTIONS = {
    "mistakes": Section(mistakes, 20),
    "hard": Section(hard, 100),
    "rivals": Section(rivals, 5),
    "large": Section(large, 1),
}


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description="Fast mode at a million parameters.")
    parser.add_argument("part", choices=SECTIONS)
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="one seed")
    chosen = parser.parse_args()
    for variable in THREADS:
        os.environ.setdefault(variable, "1")
    section = SECTIONS[chosen.part]
    seeds = 1 if chosen.quick else chosen.seeds or section.seeds
    text = section.make(seeds, chosen.jobs)
    print(text)
    if seeds == section.seeds:
        replace_section(PAGE, chosen.part, text.splitlines())


if __name__ == "__main__":
    main()
