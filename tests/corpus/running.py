"""Running work over families and seeds in several processes, always in the same order.

It must not count or print; it returns what became of each claim.
"""

from __future__ import annotations

import multiprocessing
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from itertools import islice, product
from typing import TypeVar

import numpy as np

from tests.corpus.families.everything import FAMILIES
from tests.corpus.family import Case, Family
from tests.corpus.trial import Claim, Trial, claims, raised, try_claim

__all__ = [
    "HALVES",
    "Attempt",
    "choose_families",
    "in_processes",
    "quiet",
    "try_families",
    "try_one",
]

Task = TypeVar("Task")
Result = TypeVar("Result")

#: What makes a trial of a claim.
Attempt = Callable[[Family, int, Case, Claim], Trial]

#: What may be asked for, and whether its families are those for tuning.
HALVES = {"untuned": (False,), "tuned": (True,), "all": (False, True)}


def choose_families(
    half: str, names: Sequence[str] = (), modules: Sequence[str] = ()
) -> list[Family]:
    """Return the families of a half, or those that are named, whichever half they are of.

    A family is named by its own name or by that of its module.

    Raises
    ------
    ValueError
        When a name is not that of a family, or of a module of families.
    """
    _refuse_unknown("family", names, {family.name for family in FAMILIES})
    _refuse_unknown("module of families", modules, {family.module for family in FAMILIES})
    if names or modules:
        return [f for f in FAMILIES if f.name in names or f.module in modules]
    return [family for family in FAMILIES if family.tuned in HALVES[half]]


def _refuse_unknown(kind: str, names: Sequence[str], known: set[str]) -> None:
    unknown = set(names) - known
    if unknown:
        raise ValueError(f"no {kind} is called {', '.join(sorted(unknown))}")


def in_processes(
    work: Callable[[Task], list[Result]], tasks: Iterable[Task], jobs: int
) -> list[Result]:
    """Return the results of all tasks, in the order of the tasks; one job needs no process.

    Processes start afresh: libraries with threads of their own do not survive a fork.
    """
    if jobs == 1:
        return [result for task in tasks for result in work(task)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        return [result for results in pool.map(work, tasks) for result in results]


def try_families(
    families: Iterable[Family],
    seeds: Iterable[int],
    jobs: int,
    attempt: Attempt = try_claim,
    most: int | None = None,
) -> list[Trial]:
    """Try every claim about every case, or the first few: the correct one comes first."""
    return in_processes(_try_case, list(product(families, seeds, [attempt], [most])), jobs)


def _try_case(task: tuple[Family, int, Attempt, int | None]) -> list[Trial]:
    family, seed, attempt, most = task
    with quiet():
        return [
            try_one(attempt, family, seed, case, claim)
            for case, claim in islice(claims(family, seed), most)
        ]


@contextmanager
def quiet() -> Iterator[None]:
    """Let functions overflow and warn without a word."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def try_one(attempt: Attempt, family: Family, seed: int, case: Case, claim: Claim) -> Trial:
    """Try one claim; an exception that comes out of the check is what became of it."""
    try:
        return attempt(family, seed, case, claim)
    except Exception as error:  # noqa: BLE001  # no exception of a check may end the report
        return raised(family, seed, claim, error)
