"""One right claim under many seeds of the check: whether its outcome depends on them.

The case stays as it is; only the random directions and steps of the check change,
as they do when a test is renamed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from tests.corpus.claim_check import ClaimResult, claims_about
from tests.corpus.corpus_runner import (
    ClaimChecker,
    check_or_record_exception,
    run_in_processes,
    without_warnings,
)
from tests.corpus.family import Family

__all__ = ["SeedDependence", "check_under_many_seeds", "seed_dependence_table"]


@dataclass(frozen=True)
class SeedDependence:
    """What became of the right claim about one case.

    Attributes
    ----------
    family, seed : str, int
        Which case.
    outcomes : tuple of (str, int) pairs
        Each outcome and under how many seeds of the check it came, the most frequent
        first.
    """

    family: str
    seed: int
    outcomes: tuple[tuple[str, int], ...]

    @property
    def depends(self) -> bool:
        """Whether the outcome is another under another seed."""
        return len(self.outcomes) > 1


def check_under_many_seeds(
    families: Iterable[Family], seeds: Iterable[int], times: int, jobs: int, attempt: ClaimChecker
) -> list[SeedDependence]:
    """Check the right claim about every case under so many seeds."""
    return run_in_processes(_reseed, list(product(families, seeds, [times], [attempt])), jobs)


def _reseed(task: tuple[Family, int, int, ClaimChecker]) -> list[SeedDependence]:
    family, seed, times, attempt = task
    with without_warnings():
        case, right = next(claims_about(family, seed))
        trials = [
            check_or_record_exception(attempt, family, other, case, right)
            for other in range(times)
        ]
    return [SeedDependence(family.name, seed, tuple(Counter(map(_outcome, trials)).most_common()))]


def _outcome(trial: ClaimResult) -> str:
    return trial.verdict if trial.passed or trial.verdict == "wrong" else f"{trial.verdict}, fails"


def seed_dependence_table(cases: Sequence[SeedDependence], times: int) -> Iterator[str]:
    """Yield a line on how many cases depend on the seed, and one on each that does."""
    depending = [case for case in cases if case.depends]
    yield (
        f"correct claims under {times} seeds of the check: the outcome depends on the seed "
        f"in {len(depending):,} of {len(cases):,} cases"
    )
    for case in depending:
        found = "; ".join(f"{outcome}: {number}" for outcome, number in case.outcomes)
        yield f"~ {case.family}, seed {case.seed}: {found}"
