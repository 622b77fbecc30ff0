"""Trials to count in tests."""

from __future__ import annotations

from dataclasses import replace

from tests.corpus.claim_check import CORRECT, ClaimResult

__all__ = ["claim_result"]

RIGHT = ClaimResult(
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
    """Return what becomes of a correct claim that passes, but for `changes`."""
    return replace(RIGHT, **changes)  # type: ignore[arg-type]  # each as its field has it
