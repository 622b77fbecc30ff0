"""One right claim under many seeds of the check: whether its outcome depends on them.

The case stays as it is; only the random directions and steps of the check change,
as they do when a test is renamed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from tests.corpus.family import Family
from tests.corpus.running import Attempt, in_processes, quiet, try_one
from tests.corpus.trial import Trial, claims

__all__ = ["Reseeded", "reseed_families", "seed_table"]


@dataclass(frozen=True)
class Reseeded:
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


def reseed_families(
    families: Iterable[Family], seeds: Iterable[int], times: int, jobs: int, attempt: Attempt
) -> list[Reseeded]:
    """Check the right claim about every case under so many seeds."""
    return in_processes(_reseed, list(product(families, seeds, [times], [attempt])), jobs)


def _reseed(task: tuple[Family, int, int, Attempt]) -> list[Reseeded]:
    family, seed, times, attempt = task
    with quiet():
        case, right = next(claims(family, seed))
        trials = [try_one(attempt, family, other, case, right) for other in range(times)]
    return [Reseeded(family.name, seed, tuple(Counter(map(_outcome, trials)).most_common()))]


def _outcome(trial: Trial) -> str:
    return trial.verdict if trial.passed or trial.verdict == "wrong" else f"{trial.verdict}, fails"


def seed_table(cases: Sequence[Reseeded], times: int) -> Iterator[str]:
    """Yield a line on how many cases depend on the seed, and one on each that does."""
    depending = [case for case in cases if case.depends]
    yield (
        f"correct claims under {times} seeds of the check: the outcome depends on the seed "
        f"in {len(depending):,} of {len(cases):,} cases"
    )
    for case in depending:
        found = "; ".join(f"{outcome}: {number}" for outcome, number in case.outcomes)
        yield f"~ {case.family}, seed {case.seed}: {found}"
