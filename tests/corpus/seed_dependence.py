"""Dependence of a check's outcome on its seed.

The correct claim about a case is checked under many seeds. Case and claim stay the same; only the
random directions and steps of the check change, as they do when a test is renamed.
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
    """The outcomes of the correct claim about one case.

    Attributes
    ----------
    family, seed : str, int
        The case.
    outcomes : tuple of (str, int)
        Each outcome and the number of seeds of the check that gave it, the most frequent first.
    """

    family: str
    seed: int
    outcomes: tuple[tuple[str, int], ...]

    @property
    def depends(self) -> bool:
        """Whether the outcome differs between seeds of the check."""
        return len(self.outcomes) > 1


def check_under_many_seeds(
    families: Iterable[Family], seeds: Iterable[int], times: int, jobs: int, check: ClaimChecker
) -> list[SeedDependence]:
    """Check the correct claim about every case under `times` seeds of the check."""
    return run_in_processes(
        _outcomes_of_case, list(product(families, seeds, [times], [check])), jobs
    )


def _outcomes_of_case(task: tuple[Family, int, int, ClaimChecker]) -> list[SeedDependence]:
    family, seed, times, check = task
    with without_warnings():
        case, correct = next(claims_about(family, seed))
        results = [
            check_or_record_exception(check, family, check_seed, case, correct)
            for check_seed in range(times)
        ]
    outcomes = Counter(map(_outcome, results)).most_common()
    return [SeedDependence(family.name, seed, tuple(outcomes))]


def _outcome(result: ClaimResult) -> str:
    if result.passed or result.verdict == "wrong":
        return result.verdict
    return f"{result.verdict}, fails"


def seed_dependence_table(cases: Sequence[SeedDependence], times: int) -> Iterator[str]:
    """Yield a line with the number of cases that depend on the seed, then a line for each."""
    depending = [case for case in cases if case.depends]
    yield (
        f"correct claims under {times} seeds of the check: the outcome depends on the seed "
        f"in {len(depending):,} of {len(cases):,} cases"
    )
    for case in depending:
        outcomes = "; ".join(f"{outcome}: {number}" for outcome, number in case.outcomes)
        yield f"~ {case.family}, seed {case.seed}: {outcomes}"
