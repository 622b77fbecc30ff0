"""Answers of tools about the claims of the corpus, with their costs.

The module does not count answers.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from tests.benchmarks.call_counter import CallCounter
from tests.benchmarks.rivals.rival import Rival
from tests.corpus.claim_check import Claim, claims_about
from tests.corpus.corpus_runner import run_in_processes
from tests.corpus.family import Case, Family

__all__ = ["ToolAnswer", "ask_all_tools", "ask_tool"]


@dataclass(frozen=True)
class ToolAnswer:
    """The answer of a tool about one claim.

    Attributes
    ----------
    rival, family, mutant, seed : str, str, str, int
        The tool and the claim.
    error, visible : float, bool
        The relative error of the claim, and whether it is visible in forward's values.
    accepted : bool
        Whether the tool accepts the claim.
    exception : str
        The type of the exception that the tool raised; empty where it raised none.
    evaluations : int
        Calls of forward.
    """

    rival: str
    family: str
    mutant: str
    seed: int
    error: float
    visible: bool
    accepted: bool
    exception: str
    evaluations: int


def ask_tool(rival: Rival, family: str, seed: int, case: Case, claim: Claim) -> ToolAnswer:
    """Return the answer of a tool about a claim, at the point in float64."""
    counted = CallCounter(case.forward)
    gradient, point = (np.array(a, dtype=np.float64) for a in (claim.gradient, case.point))
    accepted, exception = False, ""
    try:
        accepted = rival.accepts(counted, gradient, point)
    except Exception as error:  # noqa: BLE001  # any exception is a rejection
        exception = type(error).__name__
    return ToolAnswer(
        rival=rival.name,
        family=family,
        mutant=claim.mutant,
        seed=seed,
        error=claim.error,
        visible=claim.visible,
        accepted=accepted,
        exception=exception,
        evaluations=counted.calls,
    )


def ask_all_tools(
    rivals: Sequence[Rival], families: Iterable[Family], seeds: Iterable[int], jobs: int
) -> list[ToolAnswer]:
    """Return the answers of all tools about every claim of every case."""
    return run_in_processes(_ask_about_case, list(product([tuple(rivals)], families, seeds)), jobs)


def _ask_about_case(task: tuple[tuple[Rival, ...], Family, int]) -> list[ToolAnswer]:
    rivals, family, seed = task
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return [
            ask_tool(rival, family.name, seed, case, claim)
            for case, claim in claims_about(family, seed)
            for rival in rivals
        ]
