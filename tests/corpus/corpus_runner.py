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

from tests.corpus.claim_check import (
    Claim,
    ClaimResult,
    check_claim,
    claims_about,
    exception_result,
)
from tests.corpus.families.all_families import FAMILIES
from tests.corpus.family import Case, Family

__all__ = [
    "HALVES",
    "ClaimChecker",
    "check_families",
    "check_or_record_exception",
    "choose_families",
    "run_in_processes",
    "without_warnings",
]

Task = TypeVar("Task")
Result = TypeVar("Result")

#: What makes a trial of a claim.
ClaimChecker = Callable[[Family, int, Case, Claim], ClaimResult]

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


def run_in_processes(
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


def check_families(
    families: Iterable[Family],
    seeds: Iterable[int],
    jobs: int,
    attempt: ClaimChecker = check_claim,
    most: int | None = None,
) -> list[ClaimResult]:
    """Try every claim about every case, or the first few: the correct one comes first."""
    return run_in_processes(_try_case, list(product(families, seeds, [attempt], [most])), jobs)


def _try_case(task: tuple[Family, int, ClaimChecker, int | None]) -> list[ClaimResult]:
    family, seed, attempt, most = task
    with without_warnings():
        return [
            check_or_record_exception(attempt, family, seed, case, claim)
            for case, claim in islice(claims_about(family, seed), most)
        ]


@contextmanager
def without_warnings() -> Iterator[None]:
    """Let functions overflow and warn without a word."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def check_or_record_exception(
    attempt: ClaimChecker, family: Family, seed: int, case: Case, claim: Claim
) -> ClaimResult:
    """Try one claim; an exception that comes out of the check is what became of it."""
    try:
        return attempt(family, seed, case, claim)
    except Exception as error:  # noqa: BLE001  # no exception of a check may end the report
        return exception_result(family, seed, claim, error)
