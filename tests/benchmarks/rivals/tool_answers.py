"""Asking every tool about every claim of the corpus.

It must not count; it returns what each tool said and what that cost.
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
    """What a tool said of one claim.

    Attributes
    ----------
    rival, family, mutant, seed : str, str, str, int
        Which tool, which claim.
    error, visible : float, bool
        How wrong the claim is, and whether forward can show it.
    accepted : bool
        Whether the tool accepts it.
    refusal : str
        The type of the exception by which it does not, else empty.
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
    refusal: str
    evaluations: int


def ask_tool(rival: Rival, family: str, seed: int, case: Case, claim: Claim) -> ToolAnswer:
    """Ask one tool about one claim, at the point in float64."""
    counted = CallCounter(case.forward)
    gradient, point = (np.array(a, dtype=np.float64) for a in (claim.gradient, case.point))
    accepted, refusal = False, ""
    try:
        accepted = rival.accepts(counted, gradient, point)
    except Exception as error:  # noqa: BLE001  # whatever a tool raises, it does not accept
        refusal = type(error).__name__
    return ToolAnswer(
        rival=rival.name,
        family=family,
        mutant=claim.mutant,
        seed=seed,
        error=claim.error,
        visible=claim.visible,
        accepted=accepted,
        refusal=refusal,
        evaluations=counted.calls,
    )


def ask_all_tools(
    rivals: Sequence[Rival], families: Iterable[Family], seeds: Iterable[int], jobs: int
) -> list[ToolAnswer]:
    """Ask tools about every claim of every case."""
    return run_in_processes(_attempt_case, list(product([tuple(rivals)], families, seeds)), jobs)


def _attempt_case(task: tuple[tuple[Rival, ...], Family, int]) -> list[ToolAnswer]:
    rivals, family, seed = task
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return [
            ask_tool(rival, family.name, seed, case, claim)
            for case, claim in claims_about(family, seed)
            for rival in rivals
        ]
