"""Whether a failing check says the right cause.

``python -m tests.benchmarks.causes`` injects every bug of the catalogue into the right claims of
the handwritten functions and of the trust corpus, wherever it makes sense, edits the code of the
handwritten functions, and checks each. It prints by bug and by function how often the right cause
was said, the right one beside a wrong one, none, or a wrong one; and how often any was said of
errors that have none. Options:

``--set handwritten|corpus|special|edits``
    Only these; repeatable. Special bugs have functions of their own.
``--half first|all``, ``--function NAME``
    Half of the handwritten functions, or these; repeatable.
``--module NAME``, ``--seeds 1``
    Modules of families of the corpus, and cases of each family.
``--bug NAME``
    These bugs; repeatable.
``--mode full|fast``
    Sweeps or screens.
``--jobs 1``
    Processes.
``--failures FILE``
    Write every bug whose cause was not said, with what was said.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from tests.benchmarks.causes.cause_results import (
    CauseResult,
    edit_results,
    injected_results,
    special_results,
)
from tests.benchmarks.causes.cause_tables import failures, print_table
from tests.benchmarks.causes.claimed_gradients import Subject
from tests.benchmarks.causes.corpus_subjects import CorpusSubject
from tests.benchmarks.causes.gradient_bugs import BUGS, NOISE
from tests.benchmarks.causes.handwritten_subjects import HandwrittenSubject
from tests.benchmarks.causes.special_bugs import SPECIAL_BUGS
from tests.corpus.corpus_runner import choose_families, run_in_processes
from tests.handwritten_backward.all_functions import HALVES, functions_of
from tests.handwritten_backward.handwritten_function import HandwrittenFunction

SETS = ("handwritten", "corpus", "special", "edits")

#: Points at which each special bug is checked.
SPECIAL_SEEDS = range(5)


def main() -> None:
    """Check all bugs and print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--set", choices=SETS, action="append")
    parser.add_argument("--half", choices=[*HALVES, "all"], default="all")
    parser.add_argument("--function", action="append")
    parser.add_argument("--module", action="append", default=[])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--bug", action="append")
    parser.add_argument("--mode", choices=["full", "fast"], default="full")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--failures", type=Path)
    given = parser.parse_args()
    results = [result for name in given.set or SETS for result in _results(name, given)]
    noise = {bug.name for bug in NOISE}
    caused = [r for r in results if r.bug not in noise and r.right]
    without = [r for r in results if r.bug in noise or not r.right]
    caused.sort(key=lambda r: _order(r.bug))
    print_table("bug", [(r.bug, r) for r in caused])
    print_table("function", sorted(((r.subject, r) for r in caused), key=lambda pair: pair[0]))
    print_table("without a pattern", [(r.bug, r) for r in without])
    if given.failures is not None:
        given.failures.write_text(failures(caused, without))


def _order(bug: str) -> int:
    names = [*(bug.name for bug in BUGS), *(bug.name for bug in SPECIAL_BUGS)]
    return names.index(bug) if bug in names else len(names)


def _results(name: str, given: argparse.Namespace) -> list[CauseResult]:
    """Return the results of one of the sets."""
    options = {"mode": given.mode}
    functions = [
        f for f in functions_of(given.half) if given.function is None or f.name in given.function
    ]
    if name == "special":
        chosen = [b.name for b in SPECIAL_BUGS if given.bug is None or b.name in given.bug]
        return run_in_processes(partial(_special, options), chosen, given.jobs)
    if name == "edits":
        with tempfile.TemporaryDirectory() as directory:
            work = partial(_edits, Path(directory), options)
            return run_in_processes(work, functions, given.jobs)
    bugs = [b.name for b in (*BUGS, *NOISE) if given.bug is None or b.name in given.bug]
    subjects: list[Subject] = [HandwrittenSubject(f.name, f.path) for f in functions]
    if name == "corpus":
        subjects = list(_corpus(given.module, given.seeds))
    return run_in_processes(partial(_injected, bugs, options), subjects, given.jobs)


def _corpus(modules: Sequence[str], seeds: int) -> Iterator[CorpusSubject]:
    families = [f for f in choose_families("all", (), modules) if not f.noisy]
    return (CorpusSubject(family, seed) for family, seed in product(families, range(seeds)))


# Bugs go to other processes by their names: their functions cannot be pickled.


def _special(options: dict[str, Any], name: str) -> list[CauseResult]:
    bug = next(bug for bug in SPECIAL_BUGS if bug.name == name)
    return special_results(bug, SPECIAL_SEEDS, **options)


def _edits(
    directory: Path, options: dict[str, Any], function: HandwrittenFunction
) -> list[CauseResult]:
    return list(edit_results(function, directory, **options))


def _injected(
    names: Sequence[str], options: dict[str, Any], subject: Subject
) -> list[CauseResult]:
    bugs = [bug for bug in (*BUGS, *NOISE) if bug.name in names]
    return list(injected_results(subject, bugs, **options))


if __name__ == "__main__":
    main()
