"""Results of claims, built for the tests of what counts them."""

from __future__ import annotations

from dataclasses import replace

from tests.corpus.claim_check import CORRECT, ClaimResult

__all__ = ["claim_result"]

CORRECT_RESULT = ClaimResult(
    family="quadratic_form",
    mutant=CORRECT,
    seed=0,
    error=0.0,
    visible=False,
    verdict="correct",
    passed=True,
    evaluations=20,
    entries=4,
    outside=0,
    overturned=0,
)


def claim_result(**changes: object) -> ClaimResult:
    """Return the result of a correct claim that passes, with some fields replaced."""
    return replace(CORRECT_RESULT, **changes)  # type: ignore[arg-type]  # of the fields' types
