"""Derivatives with respect to intermediate values of forward, by central differences.

Forward is called once more, and just after the step that made a value, a multiple of a direction
is added to it. What the output does is the derivative by that value along the direction, as it is
for a parameter. Or the value is perturbed during one later step only, which gives the part of the
derivative that comes from there. The same evaluations show how every later value of forward
responds. A value is changed in place where nothing else shares its memory, else its variable is
bound to a perturbed copy, where Python allows that.

It does not know what backward claims.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.fault_localization.execution_steps import Activation, Step, Steps, UserCode
from pytest_gradcheck.fault_localization.frame_events import CAN_REBIND, frame_events
from pytest_gradcheck.fault_localization.recorded_values import Version
from pytest_gradcheck.fault_localization.variables import Path, is_number, resolve
from pytest_gradcheck.numerics.random_directions import signed_direction

__all__ = [
    "Directions",
    "IntermediateDerivative",
    "Measurements",
    "Slopes",
    "Target",
    "is_same",
    "owns",
    "rebind",
]

Floats = NDArray[np.float64]

#: Directions along which each derivative is measured.
DIRECTIONS = 2

#: Bound on the noise of outputs, in roundings.
NOISE = 64.0

#: Bound on the truncation of a difference, relative to the derivative: at least the first, and
#: so many times the square of the relative step.
TRUNCATION = 1e-6
CURVATURE = 10.0

#: The errors of many entries of a response partly cancel: this share of their sum remains.
REMAINING = 0.1


@dataclass(frozen=True, slots=True)
class Target:
    """A value of forward, or a parameter, that can be perturbed.

    Attributes
    ----------
    version : Version
        The value.
    path : Path
        Where it is.
    step : Step or None
        The step after which it is perturbed; None for a parameter.
    is_use : bool
        Whether it is perturbed during the step only, and then put back.
    part : slice or None
        The coordinates of a parameter.
    """

    version: Version
    path: Path
    step: Step | None
    is_use: bool = False
    part: slice | None = None

    @property
    def key(self) -> tuple[Version, Step | None, bool]:
        """What identifies it."""
        return self.version, self.step, self.is_use


@dataclass(frozen=True, slots=True)
class Slopes:
    """Derivatives along the directions, with bounds on their errors; shape (DIRECTIONS,)."""

    values: Floats
    bounds: Floats

    @property
    def digits(self) -> float:
        """How many digits are known along the direction where least are."""
        with np.errstate(all="ignore"):
            shares = np.nan_to_num(np.abs(self.values) / self.bounds, nan=0.0)
        return float(np.log10(np.maximum(shares, 1.0)).min())


@dataclass(frozen=True, slots=True)
class IntermediateDerivative:
    """The derivative by one value, along directions.

    Attributes
    ----------
    target : Target
        What was perturbed.
    output : Slopes
        The derivative of the output.
    responses : mapping of Version to ndarray, shape (DIRECTIONS, *shape)
        Those of later values of forward.
    response_bounds : mapping of Version to float
        A bound on the errors of their entries.
    truncation : float
        A bound on the truncation, relative to the derivative.
    """

    target: Target
    output: Slopes
    responses: Mapping[Version, Floats]
    response_bounds: Mapping[Version, float]
    truncation: float

    def weighted(self, intermediate: Version, weights: Floats) -> Slopes:
        """Return the derivative of the sum of a later value's entries with weights."""
        response = self.responses[intermediate].reshape(DIRECTIONS, -1)
        weights = weights.reshape(-1)
        values = response @ weights
        error = self.response_bounds[intermediate] * np.abs(weights).sum()
        return Slopes(
            values, error + REMAINING * self.truncation * (np.abs(response) @ np.abs(weights))
        )


class Directions:
    """Random directions, the same for all values of a shape."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._drawn: dict[tuple[int, ...], Floats] = {}

    def of(self, shape: tuple[int, ...]) -> Floats:
        """Return directions, shape (DIRECTIONS, *shape), with entries around 1 in size."""
        if shape not in self._drawn:
            rng = np.random.default_rng([self._seed, *shape])
            self._drawn[shape] = signed_direction(np.ones((DIRECTIONS, *shape)), rng)
        return self._drawn[shape]

    def along(self, value: NDArray[Any]) -> Floats:
        """Return the products of a value with the directions of its shape."""
        directions = self.of(value.shape).reshape(DIRECTIONS, -1)
        return np.asarray(directions @ value.reshape(-1).astype(np.float64))


@dataclass(slots=True)
class Measurements:
    """Measures derivatives by intermediate values of forward.

    Attributes
    ----------
    evaluate : callable
        Calls forward at a point, and returns its output, reduced to one number.
    point : ndarray of float64, shape (n,)
        The base point.
    code : UserCode
        What is followed.
    directions : Directions
        Along which to measure.
    epsilon : float
        The relative rounding of the least precise value of forward.
    size : float
        How large outputs are.
    watched : mapping of Step to list of (Version, Path)
        The values whose responses are wanted, by the steps after which they are there.
    evaluations : int
        Of forward, so far.
    """

    evaluate: Callable[[Floats], float]
    point: Floats
    code: UserCode
    directions: Directions
    epsilon: float
    size: float
    watched: Mapping[Step, Collection[tuple[Version, Path]]]
    evaluations: int = 0

    def measure(self, target: Target) -> IntermediateDerivative:
        """Measure the derivative by one value: four evaluations."""
        value = target.version.value
        scale = float(np.sqrt(np.mean(np.square(value, dtype=np.float64)))) or 1.0
        step = scale * self.epsilon ** (1 / 3)
        truncation = max(TRUNCATION, CURVATURE * self.epsilon ** (2 / 3))
        runs = [
            (self._run(target, step * direction), self._run(target, -step * direction))
            for direction in self.directions.of(value.shape)
        ]
        with np.errstate(all="ignore"):
            slopes = np.array([(right.output - left.output) / (2 * step) for right, left in runs])
            outputs = np.abs([run.output for pair in runs for run in pair])
            self.size = float(np.nanmax([self.size, *outputs, *np.abs(slopes * scale)]))
            bounds = NOISE * self.epsilon * self.size / step + truncation * np.abs(slopes)
            responses = _responses(runs, step)
        bounds = np.where(np.isfinite(bounds), bounds, np.inf)
        errors = {
            version: NOISE
            / 16
            * self.epsilon
            * float(np.abs(version.value).max(initial=0.0))
            / step
            for version in responses
        }
        return IntermediateDerivative(
            target, Slopes(slopes, bounds), responses, errors, truncation
        )

    def _run(self, target: Target, change: Floats) -> _Run:
        """Call forward where a value is changed."""
        run, point = _Run(target, change, self.watched), self.point
        self.evaluations += 1
        if target.step is None:
            point = point.copy()
            point[target.part] += change.reshape(-1)
            run.is_made = True
        try:
            events = frame_events(Steps(self.code, run), self.code.follows)
            with np.errstate(all="ignore"), run.undone(), events:
                output = self.evaluate(point)
        except Exception:  # noqa: BLE001  # the user did not choose this point
            return run
        if run.is_made:
            run.output = output
        return run


def _responses(runs: list[tuple[_Run, _Run]], step: float) -> dict[Version, Floats]:
    first = runs[0][0].seen
    return {
        version: np.stack(
            [(right.seen[version] - left.seen[version]) / (2 * step) for right, left in runs]
        )
        for version in first
        if all(version in run.seen for pair in runs for run in pair)
    }


class _Run:
    """One execution of forward, in which a value is changed at a step, and put back."""

    def __init__(
        self,
        target: Target,
        change: Floats,
        watched: Mapping[Step, Collection[tuple[Version, Path]]],
    ) -> None:
        self.output = np.nan
        self.seen: dict[Version, Floats] = {}
        self.is_made = False
        self._target, self._change, self._watched = target, change, watched
        self._changed: tuple[NDArray[Any], NDArray[Any]] | None = None

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Put back, at the end, what was changed in place."""
        try:
            yield
        finally:
            self._put_back()

    def enter(self, activation: Activation) -> None:
        """Do nothing at calls."""

    def begin(self, activation: Activation, step: Step) -> None:
        """Change the value before the step during which it is perturbed."""
        if self._target.is_use and self._is_at(activation, step):
            self._change_value(activation)

    def end(self, activation: Activation, step: Step, returned: Any) -> None:
        """Put the value back after that step; or change it after the step that made it."""
        del returned
        if activation.phase != 1:
            return
        if self.is_made:
            for version, path in self._watched.get(step, ()):
                value = resolve(activation.frame, path)
                if np.shape(value) == version.value.shape:
                    self.seen[version] = np.array(value, dtype=np.float64)
        if self._is_at(activation, step):
            if self._target.is_use:
                self._put_back()
            else:
                self._change_value(activation)

    def _is_at(self, activation: Activation, step: Step) -> bool:
        return step == self._target.step and activation.phase == 1

    def _change_value(self, activation: Activation) -> None:
        path, version, is_use = self._target.path, self._target.version, self._target.is_use
        value = resolve(activation.frame, path)
        if is_same(value, version):
            if not is_use and not (isinstance(value, np.ndarray) and owns(value)):
                self.is_made = rebind(activation.frame, path, value + self._change)
            elif isinstance(value, np.ndarray) and value.flags.writeable:
                self._changed = (value, value.copy())
                value += self._change.astype(value.dtype)
                self.is_made = True

    def _put_back(self) -> None:
        if self._changed is not None:
            array, before = self._changed
            array[...] = before
            self._changed = None


def rebind(frame: FrameType, path: Path, after: Any) -> bool:
    """Bind a variable to a perturbed number or array of its type; return whether that is done."""
    if not CAN_REBIND or path.accessors:
        return False
    before: Any = frame.f_locals[path.name]
    after = after.astype(before.dtype) if isinstance(before, np.ndarray) else type(before)(after)
    frame.f_locals[path.name] = after
    return True


def owns(array: NDArray[Any]) -> bool:
    """Return whether an array can be changed, and is no view of another one's memory."""
    return array.base is None and bool(array.flags.owndata) and bool(array.flags.writeable)


def is_same(value: Any, version: Version) -> bool:
    """Return whether a value is the one that was recorded."""
    if not isinstance(value, np.ndarray) and not is_number(value):
        return False
    return np.shape(value) == version.value.shape and bool(
        np.allclose(value, version.value, rtol=1e-9, atol=0.0, equal_nan=True)
    )
