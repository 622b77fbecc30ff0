"""The restriction of a function to a line, and its samples at geometrically decreasing steps.

A line through the point moves one coordinate, or all of them along a direction. It is sampled at
the steps ``h_k = 0.3 * 4^-k``, in units of the line, on both sides of the point. Central
differences, slopes to either side and second differences are derived from these samples.

It does not estimate a derivative.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np

from pytest_gradcheck.numerics.measurement import EPS, Evaluate, Floats, Indices
from pytest_gradcheck.numerics.random_directions import evaluate_along

__all__ = [
    "RATIO",
    "RELATIVE_STEPS",
    "CoordinateLine",
    "DirectionLine",
    "Line",
    "LineSamples",
    "sample",
]

#: Each step is this many times smaller than the one before.
RATIO = 4.0

#: Relative steps, from those at which truncation dominates to those at which rounding does.
RELATIVE_STEPS: Floats = 0.3 * RATIO ** -np.arange(20.0)

#: Further steps, for functions that vary over a billionth of the unit of the line.
SMALLER_STEPS: Floats = RELATIVE_STEPS[-1] * RATIO ** -np.arange(1.0, 5.0)

#: They are taken where the deviation from a straight line still falls by this factor per step,
#: and is this many roundings at the last one.
FALLING = 8.0
RESOLVED = 1e4


class Line(Protocol):
    """The function along a line, parametrized by a relative step."""

    @property
    def unit(self) -> float:
        """The absolute length of a relative step of 1."""
        ...  # pragma: no cover

    def at(self, steps: Floats) -> tuple[Floats, Floats]:
        """Return the absolute steps actually taken, shape (k,), and the outputs, shape (k, m)."""
        ...  # pragma: no cover

    def each(self, steps: Floats, columns: Indices) -> Floats:
        """Return some outputs, each at a step of its own, shape (k,); one evaluation each."""
        pairs = zip(steps.tolist(), columns.tolist(), strict=True)
        return np.array([self.at(np.array([step]))[1][0, column] for step, column in pairs])


@dataclass(frozen=True, slots=True)
class CoordinateLine(Line):
    """The function along coordinate `index` of `point`, which is changed and restored."""

    evaluate: Evaluate
    point: Floats
    index: int
    unit: float

    def at(self, steps: Floats) -> tuple[Floats, Floats]:
        """Return the absolute steps actually taken and the outputs."""
        original = self.point[self.index]
        shifted = original + steps * self.unit
        try:
            return shifted - original, self.evaluate(self._points(shifted))
        finally:
            self.point[self.index] = original

    def _points(self, shifted: Floats) -> Iterator[Floats]:
        for value in shifted.tolist():
            self.point[self.index] = value
            yield self.point


@dataclass(frozen=True, slots=True)
class DirectionLine(Line):
    """The function along `direction`; a relative step of 1 is the whole direction."""

    evaluate: Evaluate
    point: Floats
    direction: Floats

    @property
    def unit(self) -> float:
        """The absolute length of a relative step of 1, measured in directions."""
        return 1.0

    def at(self, steps: Floats) -> tuple[Floats, Floats]:
        """Return the steps and the outputs."""
        return steps, evaluate_along(self.evaluate, self.point, self.direction, steps.tolist())


@dataclass(frozen=True, slots=True)
class LineSamples:
    """Outputs on both sides of the point at k steps, the largest first.

    Attributes
    ----------
    base : ndarray, shape (m,)
        Outputs at the point.
    relative : ndarray, shape (k,)
        Steps in units of the line.
    right_step, left_step : ndarray, shape (k,)
        Absolute steps actually taken; all positive.
    right, left : ndarray, shape (k, m)
        Outputs at these steps.
    """

    base: Floats
    relative: Floats
    right_step: Floats
    left_step: Floats
    right: Floats
    left: Floats

    @property
    def step(self) -> Floats:
        """The absolute steps, shape (k, 1)."""
        return ((self.right_step + self.left_step) / 2)[:, None]

    @property
    def central(self) -> Floats:
        """Central differences, shape (k, m)."""
        return (self.right - self.left) / (self.right_step + self.left_step)[:, None]

    @property
    def second_difference(self) -> Floats:
        """``f(x + h) + f(x - h) - 2 f(x)``: of order h^2 for a smooth function, h at a kink."""
        return (self.right - self.base) + (self.left - self.base)

    @property
    def bend(self) -> Floats:
        """The deviation from a straight line at each step, in units of the outputs, shape (k, m).

        It is the second difference, or what the central difference changes by to the next smaller
        step, times the step, where that is more: the second difference of an odd function is zero.
        """
        step, central = self.step, self.central
        change = np.abs(np.diff(central, axis=0)) * step[:-1]
        bend = np.abs(self.second_difference)
        bend[:-1] = np.fmax(bend[:-1], change)
        return bend

    @property
    def from_right(self) -> Floats:
        """Slopes to the right, shape (k, m)."""
        return (self.right - self.base) / self.right_step[:, None]

    @property
    def from_left(self) -> Floats:
        """Slopes to the left, shape (k, m)."""
        return (self.base - self.left) / self.left_step[:, None]


def sample(line: Line, base: Floats) -> LineSamples:
    """Evaluate a function at all steps of a line, on both sides of the point.

    Parameters
    ----------
    line : Line
        Where to evaluate.
    base : ndarray, shape (m,)
        Outputs at the point.

    Returns
    -------
    LineSamples
        Costs 40 evaluations, and eight more where the function is not yet linear at the
        smallest steps.
    """
    samples = _sample_at(line, base, RELATIVE_STEPS)
    with np.errstate(all="ignore"):
        # At the smallest step no central difference follows that `bend` could compare with.
        larger, last = samples.bend[-3:-1]
    if not np.any((larger > FALLING * last) & (last > RESOLVED * EPS * np.abs(base))):
        return samples
    smaller = _sample_at(line, base, SMALLER_STEPS)
    names = (field.name for field in fields(LineSamples) if field.name != "base")
    return LineSamples(
        base, *(np.concatenate([getattr(s, name) for s in (samples, smaller)]) for name in names)
    )


def _sample_at(line: Line, base: Floats, steps: Floats) -> LineSamples:
    taken, outputs = line.at(np.concatenate([steps, -steps]))
    count = steps.size
    right, left = slice(None, count), slice(count, None)
    return LineSamples(base, steps, taken[right], -taken[left], outputs[right], outputs[left])
