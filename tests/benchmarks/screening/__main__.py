"""What fast mode costs for a million parameters, and which mistakes it names.

``python -m tests.benchmarks.screening`` makes every kind of mistake in the gradients of four
networks, prints what was found, in float64 and in float32, and writes that to the docs. It takes
some 25 minutes on two cores; another sample, by an option, is printed and not written:

``--seeds 20`` (of float32 a quarter), ``--quick`` (one seed), ``--jobs 2``.

``--rivals`` puts other tools beside it instead, which are in the dependency group ``rivals``; with
``--quick`` only at the smaller sizes.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from tests.benchmarks.screening.page import rewritten, rivals_part, screening_part
from tests.benchmarks.screening.trials import NETWORKS, try_all

PAGE = Path(__file__).parents[3] / "docs" / "explanation" / "scale.md"

SEEDS = 20

#: A check in float32 takes longer.
FEWER = 4

#: One thread in each process: they are as many as there is room for.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def screening(seeds: int, jobs: int) -> str:
    """Make every mistake, and return the part of the page about them."""
    trials = try_all(NETWORKS, ["float64"], range(seeds), jobs)
    trials += try_all(NETWORKS, ["float32"], range(-(-seeds // FEWER)), jobs)
    return screening_part(trials)


def rivals(*, quick: bool) -> str:
    """Ask every tool, and return the part of the page about them."""
    from tests.benchmarks.screening.beside import TOOLS, beside
    from tests.benchmarks.screening.efforts import efforts
    from tests.benchmarks.screening.flat import SIZES

    found = efforts(TOOLS, SIZES[:2] if quick else SIZES)
    return rivals_part(beside(list(found)), [tool.package for tool in TOOLS])


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description="What fast mode finds in a million parameters.")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="a glance, that is not written")
    parser.add_argument("--rivals", action="store_true", help="other tools beside ours")
    chosen = parser.parse_args()
    for variable in THREADS:
        os.environ.setdefault(variable, "1")
    name = "rivals" if chosen.rivals else "screening"
    seeds = 1 if chosen.quick else chosen.seeds
    part = rivals(quick=chosen.quick) if chosen.rivals else screening(seeds, chosen.jobs)
    print(part)
    if not chosen.quick and (chosen.rivals or seeds == SEEDS):
        known = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
        PAGE.write_text(rewritten(known, **{name: part}), encoding="utf-8")


if __name__ == "__main__":
    main()
