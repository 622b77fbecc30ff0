"""Derivatives with respect to intermediate values of forward, by central differences.

Forward is called once more, and just after the step that made a value, a multiple of a direction
is added to it. What the output does is the derivative by that value along the direction, as it is
for a parameter. Or the value is perturbed during one later step only, which gives the part of the
derivative that comes from there. The same evaluations show how every later value of forward
responds.

It does not know what backward claims.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.fault_localization.execution.execution_steps import (
    Activation,
    Step,
    Steps,
    UserCode,
)
from pytest_gradcheck.fault_localization.execution.frame_events import frame_events
from pytest_gradcheck.fault_localization.execution.perturbation import Perturbation
from pytest_gradcheck.fault_localization.execution.recorded_values import Moment, Version
from pytest_gradcheck.fault_localization.execution.variables import Path, resolve
from pytest_gradcheck.numerics.random_directions import signed_direction

__all__ = [
    "Directions",
    "IntermediateDerivative",
    "Measurements",
    "Slopes",
    "Target",
    "Watched",
    "is_symmetric",
]

Floats = NDArray[np.float64]

#: Values by the step, and the moment, at which they are found first.
Watched = Mapping[tuple[Step, Moment], Collection[tuple[Version, Path]]]

#: Directions along which each derivative is measured.
DIRECTIONS = 2

#: Bounds on the noise of outputs, and of single entries of other values, in roundings.
NOISE = 64.0
NOISE_OF_ENTRIES = 4.0

#: Bound on the truncation of a difference, relative to the derivative: at least the first, and
#: so many times the square of the relative step.
TRUNCATION = 1e-5
CURVATURE = 10.0

#: Entries that are so many times larger than the median stand for infinity.
INFINITE = 1e6

#: Matrices are symmetric if their triangles differ by less than this share of the largest entry.
SYMMETRIC = 1e-9

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
        The step before, after or during which it is perturbed; None for a parameter.
    moment : Moment
        Which of these. What is perturbed during a step is put back after it.
    part : slice or None
        The coordinates of a parameter.
    """

    version: Version
    path: Path
    step: Step | None
    moment: Moment = "after"
    part: slice | None = None

    @property
    def key(self) -> tuple[Version, Step | None, Moment]:
        """What identifies it."""
        return self.version, self.step, self.moment

    @property
    def is_use(self) -> bool:
        """Whether it is only one use of the value."""
        return self.moment == "during"


@dataclass(frozen=True, slots=True)
class Slopes:
    """Derivatives along directions, with bounds on their errors; shape (directions,)."""

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
    responses : mapping of Version to ndarray, shape (directions, *shape)
        Those of later values of forward.
    response_bounds : mapping of Version to float
        A bound on the errors of their entries.
    truncation : float
        A bound on the truncation, relative to the derivative.
    directions : ndarray, shape (directions, *shape)
        Along which the value was perturbed.
    """

    target: Target
    output: Slopes
    responses: Mapping[Version, Floats]
    response_bounds: Mapping[Version, float]
    truncation: float
    directions: Floats

    @property
    def unmoved(self) -> set[Version]:
        """The later values that do not respond."""
        return {version for version, response in self.responses.items() if not response.any()}

    def is_identity(self, intermediate: Version) -> bool:
        """Return whether a later value responds as the value itself does."""
        if intermediate is self.target.version:
            return True
        response = self.responses[intermediate]
        return response.shape == self.directions.shape and bool(
            np.allclose(response, self.directions, rtol=1e-6)
        )

    def weighted(self, intermediate: Version, weights: Floats) -> Slopes:
        """Return the derivative of the sum of a later value's entries with weights."""
        response = self.responses[intermediate].reshape(len(self.directions), -1)
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
    watched : mapping of (Step, Moment) to collection of (Version, Path)
        The values whose responses are wanted, by when they are there first.
    evaluations : int
        Of forward, so far.
    """

    evaluate: Callable[[Floats], float]
    point: Floats
    code: UserCode
    directions: Directions
    epsilon: float
    size: float
    watched: Watched
    evaluations: int = 0

    def measure(self, target: Target, along: Floats | None = None) -> IntermediateDerivative:
        """Measure the derivative by one value: two evaluations for each direction.

        Parameters
        ----------
        target : Target
            The value.
        along : ndarray, shape (directions, *shape), optional
            Other directions than those of its shape, with entries of at most 1 in size.
        """
        value = target.version.value
        directions = self._directions_by(target) if along is None else along
        scale = float(np.sqrt(np.mean(np.square(_usual(value))))) or 1.0
        step = scale * self.epsilon ** (1 / 3)
        truncation = max(TRUNCATION, CURVATURE * self.epsilon ** (2 / 3))
        runs = [
            (self._run(target, step * direction), self._run(target, -step * direction))
            for direction in directions
        ]
        with np.errstate(all="ignore"):
            slopes = np.array([(right.output - left.output) / (2 * step) for right, left in runs])
            outputs = np.abs([run.output for pair in runs for run in pair])
            self.size = float(np.nanmax([self.size, *outputs, *np.abs(slopes * scale)]))
            bounds = NOISE * self.epsilon * self.size / step + truncation * np.abs(slopes)
            responses = _responses(runs, step)
        bounds = np.where(np.isfinite(bounds), bounds, np.inf)
        errors = {
            version: NOISE_OF_ENTRIES
            * self.epsilon
            * float(np.abs(_usual(version.value)).max(initial=0.0))
            / step
            for version in responses
        }
        return IntermediateDerivative(
            target, Slopes(slopes, bounds), responses, errors, truncation, directions
        )

    def _directions_by(self, target: Target) -> Floats:
        """Return the directions of a value; symmetric ones if it is symmetric.

        Forward may read one triangle only, where backward computes as if it had read both.
        """
        value = target.version.value
        directions = self.directions.of(value.shape)
        if target.step is None or not is_symmetric(value):
            return directions
        return np.asarray((directions + directions.swapaxes(-1, -2)) / 2)

    def through(self, use: Target, source: IntermediateDerivative) -> Slopes | None:
        """Measure the part of a derivative that goes through one use of a later value.

        Costs four evaluations; none where the value does not respond, and the result is None.
        """
        response = source.responses.get(use.version)
        if response is None and np.array_equal(use.version.value, source.target.version.value):
            response = self.directions.of(use.version.value.shape)
        if response is None:
            return None
        sizes = np.abs(response).reshape(DIRECTIONS, -1).max(axis=1, initial=0.0)
        if not sizes.all():
            return None
        shape = (DIRECTIONS, *(1 for _ in use.version.value.shape))
        slopes = self.measure(use, response / sizes.reshape(shape)).output
        return Slopes(slopes.values * sizes, slopes.bounds * sizes)

    def _run(self, target: Target, change: Floats) -> _Run:
        """Call forward where a value is changed."""
        run, point = _Run(target, change, self.watched), self.point
        self.evaluations += 1
        if target.step is None:
            point = point.copy()
            point[target.part] += change.reshape(-1)
            run.perturbation.is_made = True
        try:
            events = frame_events(Steps(self.code, run), self.code.follows)
            with np.errstate(all="ignore"), run.perturbation.undone(), events:
                output = self.evaluate(point)
        except Exception:  # noqa: BLE001  # the user did not choose this point
            return run
        if run.perturbation.is_made:
            run.output = output
        return run


def is_symmetric(value: NDArray[Any]) -> bool:
    """Return whether a value is a symmetric matrix, and no diagonal one."""
    if value.ndim != 2 or value.shape[0] != value.shape[1] or not value.any():
        return False
    difference = np.abs(value - value.T).max(initial=0.0)
    return bool(difference <= SYMMETRIC * np.abs(value).max() and value.shape[0] > 1)


def _usual(value: NDArray[Any]) -> Floats:
    """Return the entries of a value without those that stand for infinity, as where a mask is."""
    entries: Floats = value.reshape(-1).astype(np.float64)
    sizes = np.abs(entries)
    if not sizes.any():
        return entries
    return np.asarray(entries[sizes <= INFINITE * np.median(sizes[sizes > 0])])


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
    """One execution of forward, in which a value is changed at a step."""

    def __init__(self, target: Target, change: Floats, watched: Watched) -> None:
        self.output = np.nan
        self.seen: dict[Version, Floats] = {}
        self.perturbation = Perturbation(target.version, lambda value: value + change)
        self._target, self._watched = target, watched

    def enter(self, activation: Activation) -> None:
        """Do nothing at calls."""

    def begin(self, activation: Activation, step: Step) -> None:
        """See what is there before a step, and change the value then if it is to be."""
        if activation.phase == 1:
            self._see(activation, step, "before")
            if self._target.moment != "after" and step == self._target.step:
                self.perturbation.make_in_place(activation.frame, self._target.path)

    def end(self, activation: Activation, step: Step, returned: Any) -> None:
        """See what is there after a step, and change the value then, or put it back."""
        del returned
        if activation.phase == 1:
            self._see(activation, step, "after")
            if step == self._target.step and self._target.moment == "after":
                self.perturbation.make(activation.frame, self._target.path)
            elif step == self._target.step and self._target.moment == "during":
                self.perturbation.undo()

    def _see(self, activation: Activation, step: Step, moment: Moment) -> None:
        """Copy the values that are found first at some moment, if others were changed before."""
        if self.perturbation.is_made:
            for version, path in self._watched.get((step, moment), ()):
                value = resolve(activation.frame, path)
                if np.shape(value) == version.value.shape:
                    self.seen[version] = np.array(value, dtype=np.float64)
