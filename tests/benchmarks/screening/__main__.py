"""What fast mode costs for a million parameters, which mistakes it names, and how others do.

``python -m tests.benchmarks.screening PART`` makes one part of a page of the docs, prints it and
writes it there. The parts are

``mistakes``: every kind of mistake in the gradients of four networks, in float64 and in float32;
some 40 minutes on two cores;

``hard``: an entry wrong in places where it is easily overlooked; a few minutes;

``rivals``: other tools beside ours, which are in the dependency group ``rivals``; half an hour;

``large``: ten million parameters; some minutes.

Another sample, by an option, is printed and not written: ``--seeds 5``, ``--quick`` (one seed; of
rivals, the smaller sizes). ``--jobs 2`` says how many processes there may be.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.screening.hard_cases import HARD_CASES
from tests.benchmarks.screening.long_vectors import check_long_vectors, long_vector_table
from tests.benchmarks.screening.mistake_results import (
    NETWORKS,
    check_all_mistakes,
    check_hard_cases,
)
from tests.benchmarks.screening.scale_page import hard_part, mistakes_part, rewritten, tools_part

PAGE = Path(__file__).parents[3] / "docs" / "explanation" / "scale.md"

#: One thread in each process: they are as many as there is room for.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def mistakes(seeds: int, jobs: int) -> str:
    """Make every mistake, and return the part of the page about them."""
    return mistakes_part(check_all_mistakes(NETWORKS, ["float64", "float32"], range(seeds), jobs))


def hard(seeds: int, jobs: int) -> str:
    """Try the hard places, and return the part of the page about them."""
    return hard_part(check_hard_cases(HARD_CASES, range(seeds), jobs))


def rivals(seeds: int, jobs: int) -> str:
    """Ask every tool, and return the part of the page about them."""
    from tests.benchmarks.screening.flat_network import NETWORKS_BY_SIZE
    from tests.benchmarks.screening.tool_measurements import measure_tools
    from tests.benchmarks.screening.tool_tables import TOOLS, tool_tables

    networks = NETWORKS_BY_SIZE[:2] if seeds == 1 else NETWORKS_BY_SIZE
    found = measure_tools(TOOLS, networks, seeds)
    return tools_part(tool_tables(list(found)), [tool.package for tool in TOOLS])


def large(seeds: int, jobs: int) -> str:
    """Check long vectors, and return the part of the page about them."""
    return tools_part(long_vector_table(list(check_long_vectors())), ["pytest-gradcheck"])


@dataclass(frozen=True)
class Part:
    """A part of the page: ``make(seeds, jobs)``, and the seeds of what is written."""

    make: Callable[[int, int], str]
    seeds: int


PARTS = {
    "mistakes": Part(mistakes, 20),
    "hard": Part(hard, 100),
    "rivals": Part(rivals, 5),
    "large": Part(large, 1),
}


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description="What fast mode finds in a million parameters.")
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="one seed")
    chosen = parser.parse_args()
    for variable in THREADS:
        os.environ.setdefault(variable, "1")
    part = PARTS[chosen.part]
    seeds = 1 if chosen.quick else chosen.seeds or part.seeds
    text = part.make(seeds, chosen.jobs)
    print(text)
    if seeds == part.seeds:
        known = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
        PAGE.write_text(rewritten(known, **{chosen.part: text}), encoding="utf-8")


if __name__ == "__main__":
    main()
