"""The sets of bugs: which bugs are injected into which functions.

Bugs go to other processes by their names, as their functions cannot be pickled.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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
from tests.benchmarks.causes.claimed_gradients import Subject
from tests.benchmarks.causes.corpus_subjects import CorpusSubject
from tests.benchmarks.causes.gradient_bugs import BUGS, NOISE
from tests.benchmarks.causes.handwritten_subjects import HandwrittenSubject
from tests.benchmarks.causes.special_bugs import SPECIAL_BUGS
from tests.corpus.corpus_runner import choose_families, run_in_processes
from tests.handwritten_backward.all_functions import functions_of
from tests.handwritten_backward.handwritten_function import HandwrittenFunction

__all__ = ["SETS", "Sample"]

#: Points at which each special bug is checked.
SPECIAL_SEEDS = range(5)

Options = Mapping[str, Any]


@dataclass(frozen=True)
class Sample:
    """Which part of the sets to check.

    Attributes
    ----------
    groups : sequence of str
        Groups of handwritten functions.
    functions : sequence of str or None
        These of them only.
    modules : sequence of str
        Modules of families of the corpus; all if there are none.
    seeds : int
        Cases of each family.
    bugs : sequence of str or None
        These bugs only.
    every : int
        The step through the functions that bugs are injected into: 1 takes all of them.
    """

    groups: Sequence[str]
    functions: Sequence[str] | None
    modules: Sequence[str]
    seeds: int
    bugs: Sequence[str] | None
    every: int = 1

    def handwritten(self) -> list[HandwrittenFunction]:
        """Return the handwritten functions."""
        functions = functions_of(self.groups)
        return [f for f in functions if self.functions is None or f.name in self.functions]

    def has(self, bug: str) -> bool:
        """Return whether a bug is in the sample."""
        return self.bugs is None or bug in self.bugs


def _check_handwritten(sample: Sample, options: Options, jobs: int) -> list[CauseResult]:
    subjects = [HandwrittenSubject(f.name, f.path) for f in sample.handwritten()]
    return _inject(sample, options, jobs, subjects)


def _check_corpus(sample: Sample, options: Options, jobs: int) -> list[CauseResult]:
    families = [f for f in choose_families("all", (), sample.modules) if not f.noisy]
    cases = product(families, range(sample.seeds))
    return _inject(sample, options, jobs, [CorpusSubject(*case) for case in cases])


def _inject(
    sample: Sample, options: Options, jobs: int, subjects: Sequence[Subject]
) -> list[CauseResult]:
    names = [bug.name for bug in (*BUGS, *NOISE) if sample.has(bug.name)]
    return run_in_processes(partial(_injected, names, options), subjects[:: sample.every], jobs)


def _injected(names: Sequence[str], options: Options, subject: Subject) -> list[CauseResult]:
    bugs = [bug for bug in (*BUGS, *NOISE) if bug.name in names]
    return list(injected_results(subject, bugs, **options))


def _check_special(sample: Sample, options: Options, jobs: int) -> list[CauseResult]:
    names = [bug.name for bug in SPECIAL_BUGS if sample.has(bug.name)]
    return run_in_processes(partial(_special, options), names, jobs)


def _special(options: Options, name: str) -> list[CauseResult]:
    bug = next(bug for bug in SPECIAL_BUGS if bug.name == name)
    return special_results(bug, SPECIAL_SEEDS, **options)


def _check_edits(sample: Sample, options: Options, jobs: int) -> list[CauseResult]:
    with tempfile.TemporaryDirectory() as directory:
        work = partial(_edits, Path(directory), options)
        return run_in_processes(work, sample.handwritten(), jobs)


def _edits(directory: Path, options: Options, function: HandwrittenFunction) -> list[CauseResult]:
    return list(edit_results(function, directory, **options))


#: How to check each set: ``check(sample, options, jobs)``.
SETS: dict[str, Callable[[Sample, Options, int], list[CauseResult]]] = {
    "handwritten": _check_handwritten,
    "corpus": _check_corpus,
    "special": _check_special,
    "edits": _check_edits,
}
