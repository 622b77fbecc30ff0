"""Repeatability: forward and backward called a second time at the user's own point.

A derivative means something only for functions that return the same for the same arguments.
The second calls also show which random generators both of them draw from, and how much noise
there is in the outputs. They are compared up to rounding; it does not measure that noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_gradcheck.binding.backward.backward_function import BackwardResult
from pytest_gradcheck.binding.backward.base_claim import BaseClaim
from pytest_gradcheck.binding.backward.claim_difference import find_difference
from pytest_gradcheck.binding.backward.random_backward import Draws, draws_of_backward
from pytest_gradcheck.binding.forward.base_evaluation import BaseEvaluation
from pytest_gradcheck.binding.forward.outputs import Output
from pytest_gradcheck.binding.forward.side_effects import (
    REPEATABLE,
    refuse_changed_arguments,
    refuse_unrepeatable,
)
from pytest_gradcheck.binding.random_state.replay import Replay
from pytest_gradcheck.binding.values.parameters import Parameter
from pytest_gradcheck.errors import GradcheckUsageError

__all__ = ["Repetition", "repeat_at_base"]

ADDS = (
    "The second call differs by the first: it adds to an array that is still filled. Let it "
    "assign (grad = ...) where it adds (grad += ...), or begin with zeros in every call."
)

DIFFERS = (
    "If it adds to an array that is still filled, let it assign; if it draws random numbers, say "
    "replay=generator; if it keeps state between calls, reset that in forward."
)


@dataclass(frozen=True, slots=True)
class Repetition:
    """The second evaluation at the user's own point.

    Attributes
    ----------
    output : Output
        What forward returned this time.
    replayed : tuple of str
        Random generators that forward moved both times; from now on they are put back before
        each call.
    draws : Draws
        The random numbers that backward draws itself.
    """

    output: Output
    replayed: tuple[str, ...]
    draws: Draws


def repeat_at_base(base: BaseEvaluation, claimed: BaseClaim, replay: Replay) -> Repetition:
    """Evaluate forward and call backward a second time.

    Parameters
    ----------
    base, claimed : BaseEvaluation, BaseClaim
        The first time.
    replay : Replay
        Puts the random generators back that moved then.

    Returns
    -------
    Repetition
        The second time.

    Raises
    ------
    GradcheckUsageError
        When forward or backward returns something else, or changes a checked argument.
    """
    forward, working_copy = base.forward, base.working_copy
    backward = claimed.backward
    output = forward.call()
    refuse_changed_arguments(working_copy, forward.name)
    replayed = replay.confirm()
    by_forward = replay.drawn()
    refuse_unrepeatable(base.output, output, forward.name, replayed)
    with forward.environment.silenced:
        result = backward.call(output, claimed.given)
        by_backward = replay.drawn() if backward.is_called else {}
        refuse_changed_arguments(working_copy, backward.name)
        try:
            _refuse_unrepeatable(claimed.result, result, working_copy.parameters, backward.name)
        except GradcheckUsageError:
            # Where another generator has moved, the whole check is made once more with all of
            # them replayed.
            if not replay.moved():
                raise
        draws = draws_of_backward(
            base, claimed, replay, by_forward=by_forward, by_backward=by_backward
        )
    return Repetition(output, replayed, draws)


def _refuse_unrepeatable(
    first: BackwardResult,
    second: BackwardResult,
    parameters: Sequence[Parameter],
    backward_name: str,
) -> None:
    """Raise where the two claims differ by more than rounding.

    Parameters
    ----------
    first, second : BackwardResult
        What backward claimed, given the same.
    parameters : sequence of Parameter
        In the order of the point.
    backward_name : str
        For the message.

    Raises
    ------
    GradcheckUsageError
        With a hint of its own where the second call added to the first.
    """
    if first.kind != second.kind:
        raise GradcheckUsageError(
            f"{backward_name} is not repeatable: called twice with the same arguments it returned "
            f"gradients of other shapes ({first.kind}, then {second.kind})."
        )
    difference = find_difference(first, second, parameters, REPEATABLE)
    if difference is not None:
        raise GradcheckUsageError(
            f"{backward_name} is not repeatable: called twice with the same arguments it gave "
            f"{difference}. " + (ADDS if difference.is_double else DIFFERS)
        )
