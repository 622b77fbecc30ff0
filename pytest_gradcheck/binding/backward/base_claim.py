"""The claim of backward at the user's own point.

It does not draw what backward is given, nor call it a second time. Where the claim has the wrong
shape, forward is evaluated near the point, so that no correction is proposed that is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pytest_gradcheck.binding.backward.backward_function import (
    BackwardFunction,
    BackwardInput,
    BackwardResult,
)
from pytest_gradcheck.binding.backward.claims import Claim
from pytest_gradcheck.binding.backward.shape_mismatch import ShapeMismatchError, explain_shape
from pytest_gradcheck.binding.backward.trial_derivative import TrialDerivative
from pytest_gradcheck.binding.forward.base_evaluation import BaseEvaluation
from pytest_gradcheck.binding.forward.side_effects import refuse_changed_arguments
from pytest_gradcheck.errors import GradcheckUsageError
from pytest_gradcheck.report.report_data import Kind

__all__ = ["BaseClaim", "claim_at_base"]


@dataclass(frozen=True, slots=True)
class BaseClaim:
    """What backward claims at the user's own point.

    Attributes
    ----------
    backward : BackwardFunction
        Backward as a function of what it is given.
    given : BackwardInput
        The cotangent or tangent that it was given.
    result : BackwardResult
        What it returned.
    claim : Claim
        The claim in it: a copy, which later calls of backward cannot change.
    restored : tuple of str
        Unchecked arguments that the call changed in place; from now on they are copied anew
        for each call.
    """

    backward: BackwardFunction
    given: BackwardInput
    result: BackwardResult
    claim: Claim
    restored: tuple[str, ...]

    @property
    def kind(self) -> Kind:
        """Which derivative backward claims to be."""
        return self.result.kind


def claim_at_base(
    base: BaseEvaluation, backward: BackwardFunction, given: BackwardInput
) -> BaseClaim:
    """Call backward at the user's own point.

    Parameters
    ----------
    base : BaseEvaluation
        Forward there; it was the last to be called.
    backward : BackwardFunction
        What to call.
    given : BackwardInput
        What to give it in addition to the arguments of forward.

    Returns
    -------
    BaseClaim
        With a copy of the claim.

    Raises
    ------
    GradcheckUsageError
        When backward returns no claim that can be read, or changes a checked argument.
    """
    try:
        result = backward.call(base.output, given)
    except ShapeMismatchError as mismatch:
        trial = TrialDerivative(
            base.forward,
            mismatch.output,
            base.output.blocks,
            cotangent=given.cotangent,
            convention=backward.convention,
        )
        hint = explain_shape(mismatch, trial)
        raise GradcheckUsageError(f"{mismatch.args[0]} {hint}".rstrip()) from None
    claim = result.claim.snapshot()
    refuse_changed_arguments(base.working_copy, backward.name)
    # Backward is given what forward left: what that changed is not said twice.
    changed = (name for name in base.working_copy.restore_changed() if name not in base.restored)
    restored = (*changed,)
    return BaseClaim(backward, given, replace(result, claim=claim), claim, restored)
