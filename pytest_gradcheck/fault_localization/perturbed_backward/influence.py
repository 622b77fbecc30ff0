"""Influence: which values of backward change when another one is changed, and by how much.

The value is changed and backward is executed again. What a value influences, the source does not
tell: a sum over what adds up to zero depends on nothing. It does not know which values are
verified.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.backward.claims import Claim
from pytest_gradcheck.binding.gradient_problem import Problem
from pytest_gradcheck.fault_localization.execution.execution_steps import (
    Activation,
    Step,
    Steps,
    UserCode,
)
from pytest_gradcheck.fault_localization.execution.frame_events import frame_events
from pytest_gradcheck.fault_localization.execution.perturbation import Perturbation
from pytest_gradcheck.fault_localization.execution.recorded_values import Recorder, Version
from pytest_gradcheck.fault_localization.execution.variables import Path

__all__ = ["CHANGE", "Influence", "Response"]

#: The relative change of a value, and that of another one which shows that it is influenced.
CHANGE = 1e-3
INFLUENCED = 1e-6

#: Two entries of a value are told apart if their effects differ by more than this share.
DIFFERENT = 1e-2


@dataclass(frozen=True, slots=True)
class Response:
    """What happened where a value was changed.

    Attributes
    ----------
    claim : Claim or None
        What backward claims then; None where it could not be called.
    differences : mapping of Version to ndarray
        By how much other values have changed; those that have not are left out.
    """

    claim: Claim | None
    differences: Mapping[Version, NDArray[Any]]


class Influence:
    """Tells what values of backward influence.

    Parameters
    ----------
    recorder : Recorder
        What was recorded without a change.
    code : UserCode
        What is followed.
    problem : Problem
        Calls forward and backward.

    Attributes
    ----------
    evaluations : int
        Calls of forward so far.
    """

    def __init__(self, recorder: Recorder, code: UserCode, problem: Problem) -> None:
        self._before = _by_place(recorder)
        self._code, self._problem = code, problem
        self.evaluations = 0

    def shows(self, version: Version, right: Collection[Version], *, is_multiple: bool) -> bool:
        """Return whether verified values show that a value has no error.

        They do if they change when the value is changed, be it by a factor or at random, and
        have as many entries together, or else tell the entries of the value apart: a sum alone
        hides an exchange of entries. Two evaluations, and one for each axis and one more where
        entries have to be told apart.

        Parameters
        ----------
        version : Version
            The value.
        right : collection of Version
            Values that are verified.
        is_multiple : bool
            Whether the value is known to be a multiple of a gradient. Then only a factor can be
            wrong: one evaluation.
        """
        scaled = self.response(version, CHANGE * version.value).differences
        shown = [other for other in right if other in scaled]
        if is_multiple or not shown:
            return bool(shown)
        rng = np.random.default_rng(version.value.size)
        factors = CHANGE * rng.uniform(-1, 1, version.value.shape)
        changed = self.response(version, factors * version.value).differences
        shown = [other for other in shown if other in changed]
        if sum(other.value.size for other in shown) >= version.value.size:
            return True
        return bool(shown) and self._are_told_apart(version, shown)

    def shows_sign(self, version: Version, right: Collection[Version]) -> bool:
        """Return whether any of some values depends on the sign of another: one evaluation."""
        opposite = self.response(version, -2 * version.value).differences
        return any(other in opposite for other in right)

    def _are_told_apart(self, version: Version, shown: Collection[Version]) -> bool:
        """Return whether neighbours along each axis of a value change others differently."""
        value = version.value
        first = np.unravel_index(int(np.argmax(np.abs(value))), value.shape)
        places = [tuple(first)]
        for axis, length in enumerate(value.shape):
            if length > 1:
                next_one = (first[axis] + 1) % length
                places.append((*first[:axis], next_one, *first[axis + 1 :]))
        effects: list[NDArray[Any]] = []
        for place in places:
            change = np.zeros_like(value)
            change[place] = CHANGE * np.abs(value).max()
            found = self.response(version, change).differences
            effect = [found.get(other, np.zeros_like(other.value)).ravel() for other in shown]
            effects.append(np.concatenate(effect))
        return all(
            np.linalg.norm(effects[i] - others) > DIFFERENT * np.linalg.norm(effects[i]) > 0
            for i in range(len(effects))
            for others in effects[:i]
        )

    def response(self, version: Version, change: NDArray[Any]) -> Response:
        """Execute forward and backward where something is added to a value: one evaluation."""
        self.evaluations += 1
        recorder = Recorder()
        perturbation = Perturbation(version, lambda value: value + change)
        changing = _ChangingRecorder(recorder, version, perturbation)
        with (
            perturbation.undone(),
            frame_events(Steps(self._code, changing), self._code.follows),
        ):
            claim = self._problem.claim_at(self._problem.here)
        after = _by_place(recorder)
        return Response(
            claim,
            {
                found: after[place].value - found.value
                for place, found in self._before.items()
                if place in after and _differ(found.value, after[place].value)
            },
        )


class _ChangingRecorder:
    """Records an execution in which a value is changed as soon as it is there."""

    def __init__(self, recorder: Recorder, version: Version, perturbation: Perturbation) -> None:
        self._recorder, self._version, self._perturbation = recorder, version, perturbation
        self._made_in: int | None = None

    def enter(self, activation: Activation) -> None:
        """Record a call."""
        self._recorder.enter(activation)

    def begin(self, activation: Activation, step: Step) -> None:
        """Record what is read; before that, change the value if it was just made."""
        self._recorder.begin(activation, step)
        if self._made_in == activation.number:
            self._made_in = None
            self._perturbation.make(activation.frame, self._version.path)

    def end(self, activation: Activation, step: Step, returned: Any) -> None:
        """Record what was made."""
        self._recorder.end(activation, step, returned)
        place = self._version.place
        if place is not None and place.moment == "after" and place.step == step:
            self._made_in = activation.number


def _by_place(recorder: Recorder) -> Mapping[tuple[Step, Path], Version]:
    return {(v.step, v.path): v for v in recorder.versions if v.step is not None}


def _differ(before: NDArray[Any], after: NDArray[Any]) -> bool:
    """Return whether a value has changed by more than rounding."""
    if before.shape != after.shape or before.dtype.kind not in "fc":
        return False
    change = float(np.linalg.norm(np.ravel(after - before)))
    return change > INFLUENCED * float(np.linalg.norm(np.ravel(before)))
