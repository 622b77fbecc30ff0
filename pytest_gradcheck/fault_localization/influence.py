"""Influence: which values of backward change when another one is changed.

A verified gradient is evidence for what it was computed from: an error there would be seen in it.
That holds only as far as it depends on these values, which the source does not tell. A sum over
what adds up to zero depends on nothing. So the value is changed, and backward is executed again.

It does not know which values are verified.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.backward.claims import Claim
from pytest_gradcheck.binding.gradient_problem import Problem
from pytest_gradcheck.fault_localization.execution_steps import (
    Activation,
    Step,
    Steps,
    UserCode,
)
from pytest_gradcheck.fault_localization.frame_events import frame_events
from pytest_gradcheck.fault_localization.intermediate_derivatives import is_same, owns, rebind
from pytest_gradcheck.fault_localization.recorded_values import Recorder, Version
from pytest_gradcheck.fault_localization.variables import Path, resolve

__all__ = ["Influence"]

#: The relative change of a value, and that of another one which shows that it is influenced.
CHANGE = 1e-3
INFLUENCED = 1e-6

Place = tuple[Step, Path]


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
        """Return whether verified gradients show that a value has no error: two evaluations.

        They do if they change when the value is changed, be it by a factor or at random, and
        have as many entries together: a sum alone hides an exchange of entries.

        Parameters
        ----------
        version : Version
            The value.
        right : collection of Version
            Verified gradients.
        is_multiple : bool
            Whether the value is known to be a multiple of a gradient. Then only a factor can be
            wrong: one evaluation.
        """
        scaled = self._changed(version, CHANGE * np.ones(version.value.shape))
        shown = [other for other in right if other in scaled]
        if is_multiple or not shown:
            return bool(shown)
        rng = np.random.default_rng(version.value.size)
        changed = self._changed(version, CHANGE * rng.uniform(-1, 1, version.value.shape))
        return sum(other.value.size for other in shown if other in changed) >= version.value.size

    def claim_with(self, version: Version, factor: float) -> Claim | None:
        """Return what backward claims where ``1 + factor`` times a value is there instead."""
        return self._run(Recorder(), version, np.full(version.value.shape, factor))

    def _changed(self, version: Version, factors: NDArray[np.float64]) -> set[Version]:
        """Return the values that change when one is multiplied."""
        recorder = Recorder()
        self._run(recorder, version, factors)
        after = _by_place(recorder)
        return {
            found
            for place, found in self._before.items()
            if place in after and _differ(found.value, after[place].value)
        }

    def _run(
        self, recorder: Recorder, version: Version, factors: NDArray[np.float64]
    ) -> Claim | None:
        """Execute forward and backward where a value is changed."""
        self.evaluations += 1
        changing = _ChangingRecorder(recorder, version, factors)
        try:
            with frame_events(Steps(self._code, changing), self._code.follows):
                return self._problem.claim_at(self._problem.here)
        finally:
            changing.put_back()


class _ChangingRecorder:
    """Records an execution in which a value is multiplied after the step that made it."""

    def __init__(self, recorder: Recorder, version: Version, factors: NDArray[np.float64]) -> None:
        self._recorder, self._version, self._factors = recorder, version, factors
        self._changed: tuple[NDArray[Any], NDArray[Any]] | None = None
        self._made_in: int | None = None

    def enter(self, activation: Activation) -> None:
        """Record a call."""
        self._recorder.enter(activation)

    def begin(self, activation: Activation, step: Step) -> None:
        """Record what is read; before that, change the value if it was just made."""
        self._recorder.begin(activation, step)
        if self._made_in == activation.number:
            self._made_in = None
            self._change(activation)

    def end(self, activation: Activation, step: Step, returned: Any) -> None:
        """Record what was made."""
        self._recorder.end(activation, step, returned)
        if self._version.place is not None and self._version.place[0] == step:
            self._made_in = activation.number

    def _change(self, activation: Activation) -> None:
        path = self._version.path
        value = resolve(activation.frame, path)
        if not is_same(value, self._version):
            return
        change = value * self._factors
        if isinstance(value, np.ndarray) and owns(value):
            self._changed = value, value.copy()
            value += change.astype(value.dtype)
        else:
            rebind(activation.frame, path, value + change)

    def put_back(self) -> None:
        """Put back what was changed in place: it may be the user's."""
        if self._changed is not None:
            array, before = self._changed
            array[...] = before


def _by_place(recorder: Recorder) -> Mapping[Place, Version]:
    return {(v.step, v.path): v for v in recorder.versions if v.step is not None}


def _differ(before: NDArray[Any], after: NDArray[Any]) -> bool:
    """Return whether a value has changed by more than rounding."""
    if before.shape != after.shape or before.dtype.kind not in "fc":
        return False
    change = float(np.linalg.norm(np.ravel(after - before)))
    return change > INFLUENCED * float(np.linalg.norm(np.ravel(before)))
