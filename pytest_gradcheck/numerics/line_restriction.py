"""Outputs at geometrically decreasing steps along a line, to both sides of the point.

It must not estimate anything: it goes there, and says what is left when a line is taken out.
"""

# MERGED Lines through the point: the function along one coordinate or one direction.
#
# It must not difference or judge; it only goes there and comes back.

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


class Line(Protocol):
    """The function along a line, parametrised by a relative step."""

    @property
    def unit(self) -> float:
        """The absolute length of a relative step of 1."""
        ...  # pragma: no cover

    def at(self, steps: Floats) -> tuple[Floats, Floats]:
        """Return the absolute steps really taken, shape (k,), and the outputs there, (k, m)."""
        ...  # pragma: no cover

    def each(self, steps: Floats, columns: Indices) -> Floats:
        """Return some outputs, each at a step of its own, shape (k,); one evaluation each."""
        pairs = zip(steps.tolist(), columns.tolist(), strict=True)
        return np.array([self.at(np.array([step]))[1][0, column] for step, column in pairs])


@dataclass(frozen=True, slots=True)
class CoordinateLine(Line):
    """The function along coordinate `index` of `point`, which is changed and put back."""

    evaluate: Evaluate
    point: Floats
    index: int
    unit: float

    def at(self, steps: Floats) -> tuple[Floats, Floats]:
        """Return the absolute steps really taken and the outputs there."""
        here = self.point[self.index]
        there = here + steps * self.unit
        try:
            return there - here, self.evaluate(self._places(there))
        finally:
            self.point[self.index] = here

    def _places(self, there: Floats) -> Iterator[Floats]:
        for value in there.tolist():
            self.point[self.index] = value
            yield self.point


@dataclass(frozen=True, slots=True)
class DirectionLine(Line):
    """The function along `direction`; a step of 1 is the whole direction."""

    evaluate: Evaluate
    point: Floats
    direction: Floats

    @property
    def unit(self) -> float:
        """The absolute length of a relative step of 1: the direction itself."""
        return 1.0

    def at(self, steps: Floats) -> tuple[Floats, Floats]:
        """Return the steps and the outputs there."""
        return steps, evaluate_along(self.evaluate, self.point, self.direction, steps.tolist())


#: Each rung's step is this many times smaller than the one before.
RATIO = 4.0

#: Relative steps, from where a function is still itself to where rounding reigns.
RELATIVE_STEPS: Floats = 0.3 * RATIO ** -np.arange(20.0)

#: More of them, where a function still bends at the last by so many roundings: it varies over
#: a length a billionth of what steps are measured in.
MORE_RUNGS: Floats = RELATIVE_STEPS[-1] * RATIO ** -np.arange(1.0, 5.0)
BENT = 1e4
FALLING = 8.0


@dataclass(frozen=True, slots=True)
class LineSamples:
    """Outputs on both sides of the point, at k steps, the largest first.

    Attributes
    ----------
    base : ndarray, shape (m,)
        Outputs at the point.
    relative : ndarray, shape (k,)
        Steps in units of the line.
    right_step, left_step : ndarray, shape (k,)
        Absolute steps, as really taken; all positive.
    right, left : ndarray, shape (k, m)
        Outputs there.
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
    def even(self) -> Floats:
        """``f(x + h) + f(x - h) - 2 f(x)``: zero for a line, h^2 f'' for a curve, h at a kink."""
        return (self.right - self.base) + (self.left - self.base)

    @property
    def bend(self) -> Floats:
        """What is left of each rung when a straight line is taken out, in units of outputs.

        The even part of an odd function is zero; then its slope tells, compared with the next.
        """
        step, central = self.step, self.central
        change = np.abs(np.diff(central, axis=0)) * step[:-1]
        bend = np.abs(self.even)
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
    """Evaluate at all rungs, and at more where the last are not small enough for a limit.

    Parameters
    ----------
    line : Line
        Where to evaluate.
    base : ndarray, shape (m,)
        Outputs at the point.

    Returns
    -------
    LineSamples
        Costs 40 evaluations, eight more where the function still bends at the last rungs.
    """
    rungs = _rungs(line, base, RELATIVE_STEPS)
    with np.errstate(all="ignore"):
        # Of the very last rung the even part alone is known.
        larger, last = rungs.bend[-3:-1]
    if not np.any((larger > FALLING * last) & (last > BENT * EPS * np.abs(base))):
        return rungs
    more = _rungs(line, base, MORE_RUNGS)
    sides = (field.name for field in fields(LineSamples) if field.name != "base")
    return LineSamples(
        base, *(np.concatenate([getattr(r, side) for r in (rungs, more)]) for side in sides)
    )


def _rungs(line: Line, base: Floats, steps: Floats) -> LineSamples:
    taken, outputs = line.at(np.concatenate([steps, -steps]))
    count = steps.size
    right, left = slice(None, count), slice(count, None)
    return LineSamples(base, steps, taken[right], -taken[left], outputs[right], outputs[left])
