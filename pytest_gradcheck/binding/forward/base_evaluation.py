"""The evaluation of forward at the user's own point.

It makes the working copy of the arguments and calls forward once. A forward that is given
float32 and follows the type of its parameters is evaluated in float64: there a finite
difference has twice as many digits. It may follow its arguments only: attributes may be read by a
name that is not known. It does not call forward anywhere else.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import ExitStack, suppress
from dataclasses import dataclass

import numpy as np

from pytest_gradcheck.binding.call.resolved_call import CallCounts, ResolvedCall
from pytest_gradcheck.binding.forward.call_environment import CallEnvironment
from pytest_gradcheck.binding.forward.forward_function import ForwardFunction
from pytest_gradcheck.binding.forward.outputs import Output
from pytest_gradcheck.binding.forward.passed_leaves import LOW_PRECISION
from pytest_gradcheck.binding.forward.side_effects import refuse_changed_arguments
from pytest_gradcheck.binding.forward.working_copy import FULL_PRECISION, WorkingCopy
from pytest_gradcheck.binding.random_state.replay import Replay
from pytest_gradcheck.binding.values.parameters import dtype_name
from pytest_gradcheck.binding.values.pytree import Leaf

__all__ = ["BaseEvaluation", "evaluate_at_base"]


@dataclass(frozen=True, slots=True)
class BaseEvaluation:
    """Forward at the user's own point.

    Attributes
    ----------
    forward : ForwardFunction
        Forward as a function of the point.
    output : Output
        What it returned.
    restored : tuple of str
        Unchecked arguments that the call changed in place; from now on they are copied anew
        for each call.
    """

    forward: ForwardFunction
    output: Output
    restored: tuple[str, ...]

    @property
    def working_copy(self) -> WorkingCopy:
        """The arguments that forward is called with."""
        return self.forward.working_copy


def evaluate_at_base(
    resolved: ResolvedCall, replay: Replay, environment: CallEnvironment, *, lifts: bool = True
) -> BaseEvaluation:
    """Evaluate forward at the user's own point.

    Parameters
    ----------
    resolved : ResolvedCall
        The call.
    replay : Replay
        Afterwards it knows which random generators moved.
    environment : CallEnvironment
        Where forward is called.
    lifts : bool
        Whether to try forward in float64; otherwise it is called in the types of the user.

    Returns
    -------
    BaseEvaluation
        With the working copy in float64, where forward follows.

    Raises
    ------
    GradcheckUsageError
        When forward returns nothing that has a derivative, or changes a checked argument.
    """
    forward, output = _evaluate_in_best_precision(
        resolved, replay, environment, CallCounts(), lifts=lifts
    )
    refuse_changed_arguments(forward.working_copy, forward.name)
    replay.observe()
    return BaseEvaluation(forward, output, forward.working_copy.restore_changed())


def _evaluate_in_best_precision(
    resolved: ResolvedCall,
    replay: Replay,
    environment: CallEnvironment,
    counts: CallCounts,
    *,
    lifts: bool,
) -> tuple[ForwardFunction, Output]:
    """Evaluate forward in float64 where its output follows the type of its parameters."""

    def function(lift: Collection[str]) -> ForwardFunction:
        working_copy = WorkingCopy(
            resolved.arguments,
            resolved.leaves,
            resolved.displaced,
            owner=resolved.owner,
            lift=lift,
        )
        return ForwardFunction(
            resolved.forward,
            resolved.forward_name,
            working_copy,
            environment=environment,
            returns=resolved.returns,
            counts=counts,
        )

    low = [leaf.name for leaf in resolved.leaves if _is_low(leaf)] if lifts else []
    arguments = [name for name in low if not name.startswith("self.")]
    for lift in [low, arguments] if len(arguments) < len(low) else [low]:
        if not lift:
            break
        # Forward may accept its own type only.
        with suppress(Exception), ExitStack() as attempt:
            forward = function(lift)
            attempt.callback(forward.working_copy.put_attributes_back)
            output = forward.call()
            replay.observe()
            if _follows(forward, output):
                attempt.pop_all()
                return forward, output
        replay.observe()  # what the attempt has drawn is drawn again
    forward = function(())
    return forward, forward.call()


def _is_low(leaf: Leaf) -> bool:
    return dtype_name(leaf.array.dtype) in LOW_PRECISION


def _follows(forward: ForwardFunction, output: Output) -> bool:
    """Return whether an output is as precise as float64, and depends on lifted values alone."""
    # An output in long double is as precise as float64 for this purpose.
    return bool(
        np.finfo(output.dtype).eps <= FULL_PRECISION
    ) and not forward.reads_replaced_attributes(output)
