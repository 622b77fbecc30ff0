"""Runs over families and seeds, in several processes.

Results come in the order of the tasks, whatever the number of processes. The module does not
count or print results.
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

#: ``check(family, seed, case, claim)`` returns the result of a claim.
ClaimChecker = Callable[[Family, int, Case, Claim], ClaimResult]

#: Names of the two halves of the corpus and of their union; the values of `Family.tuned` in each.
HALVES = {"untuned": (False,), "tuned": (True,), "all": (False, True)}


def choose_families(
    half: str, names: Sequence[str] = (), modules: Sequence[str] = ()
) -> list[Family]:
    """Return the families of one half of the corpus, or those that are named.

    Parameters
    ----------
    half : str
        A key of `HALVES`; ignored where families or modules are named.
    names, modules : sequence of str
        Names of families, and of modules of families.

    Returns
    -------
    list of Family
        In the order of the corpus.

    Raises
    ------
    ValueError
        When there is no family or no module of that name.
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
    """Return the results of all tasks, in the order of the tasks.

    A single job runs in this process. Other processes are spawned, not forked, because libraries
    with threads of their own do not survive a fork.

    Parameters
    ----------
    work : callable
        Returns the list of results of one task; picklable.
    tasks : iterable
        The tasks; picklable.
    jobs : int
        The number of processes.
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
    check: ClaimChecker = check_claim,
    most: int | None = None,
) -> list[ClaimResult]:
    """Check the claims about every case.

    Parameters
    ----------
    families : iterable of Family
        The families.
    seeds : iterable of int
        The seeds; each gives a case of every family.
    jobs : int
        The number of processes.
    check : callable
        Checks one claim.
    most : int, optional
        How many claims about each case to check. The first is the correct one.
    """
    return run_in_processes(_check_case, list(product(families, seeds, [check], [most])), jobs)


def _check_case(task: tuple[Family, int, ClaimChecker, int | None]) -> list[ClaimResult]:
    family, seed, check, most = task
    with without_warnings():
        return [
            check_or_record_exception(check, family, seed, case, claim)
            for case, claim in islice(claims_about(family, seed), most)
        ]


@contextmanager
def without_warnings() -> Iterator[None]:
    """Ignore warnings and floating-point errors of the functions checked."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def check_or_record_exception(
    check: ClaimChecker, family: Family, seed: int, case: Case, claim: Claim
) -> ClaimResult:
    """Check one claim; an exception of the check becomes its result."""
    try:
        return check(family, seed, case, claim)
    except Exception as error:  # noqa: BLE001  # no exception of a check may end the run
        return exception_result(family, seed, claim, error)
