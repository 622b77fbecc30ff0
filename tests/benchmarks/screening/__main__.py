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

from tests.benchmarks.screening.large import check_large, large_table
from tests.benchmarks.screening.page import hard_part, mistakes_part, rewritten, tools_part
from tests.benchmarks.screening.places import PLACES
from tests.benchmarks.screening.trials import NETWORKS, try_all, try_places

PAGE = Path(__file__).parents[3] / "docs" / "explanation" / "scale.md"

#: One thread in each process: they are as many as there is room for.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def mistakes(seeds: int, jobs: int) -> str:
    """Make every mistake, and return the part of the page about them."""
    return mistakes_part(try_all(NETWORKS, ["float64", "float32"], range(seeds), jobs))


def hard(seeds: int, jobs: int) -> str:
    """Try the hard places, and return the part of the page about them."""
    return hard_part(try_places(PLACES, range(seeds), jobs))


def rivals(seeds: int, jobs: int) -> str:
    """Ask every tool, and return the part of the page about them."""
    from tests.benchmarks.screening.beside import TOOLS, beside
    from tests.benchmarks.screening.efforts import efforts
    from tests.benchmarks.screening.flat import SUBJECTS

    found = efforts(TOOLS, SUBJECTS[:2] if seeds == 1 else SUBJECTS, seeds)
    return tools_part(beside(list(found)), [tool.package for tool in TOOLS])


def large(seeds: int, jobs: int) -> str:
    """Check long vectors, and return the part of the page about them."""
    return tools_part(large_table(list(check_large())), ["pytest-gradcheck"])


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
