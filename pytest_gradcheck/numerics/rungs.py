"""Outputs at geometrically decreasing steps along a line, to both sides of the point.

It must not estimate anything: it goes there, and says what is left when a line is taken out.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from pytest_gradcheck.numerics.lines import Line
from pytest_gradcheck.numerics.measurement import EPS, Floats

__all__ = ["RATIO", "RUNGS", "Rungs", "sample"]

#: Each rung's step is this many times smaller than the one before.
RATIO = 4.0

#: Relative steps, from where a function is still itself to where rounding reigns.
RUNGS: Floats = 0.3 * RATIO ** -np.arange(20.0)

#: More of them, where a function still bends at the last by so many roundings: it varies over
#: a length a billionth of what steps are measured in.
MORE_RUNGS: Floats = RUNGS[-1] * RATIO ** -np.arange(1.0, 5.0)
BENT = 1e4
FALLING = 8.0


@dataclass(frozen=True, slots=True)
class Rungs:
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


def sample(line: Line, base: Floats) -> Rungs:
    """Evaluate at all rungs, and at more where the last are not small enough for a limit.

    Parameters
    ----------
    line : Line
        Where to evaluate.
    base : ndarray, shape (m,)
        Outputs at the point.

    Returns
    -------
    Rungs
        Costs 40 evaluations, eight more where the function still bends at the last rungs.
    """
    rungs = _rungs(line, base, RUNGS)
    with np.errstate(all="ignore"):
        # Of the very last rung the even part alone is known.
        larger, last = rungs.bend[-3:-1]
    if not np.any((larger > FALLING * last) & (last > BENT * EPS * np.abs(base))):
        return rungs
    more = _rungs(line, base, MORE_RUNGS)
    sides = (field.name for field in fields(Rungs) if field.name != "base")
    return Rungs(
        base, *(np.concatenate([getattr(r, side) for r in (rungs, more)]) for side in sides)
    )


def _rungs(line: Line, base: Floats, steps: Floats) -> Rungs:
    taken, outputs = line.at(np.concatenate([steps, -steps]))
    count = steps.size
    right, left = slice(None, count), slice(count, None)
    return Rungs(base, steps, taken[right], -taken[left], outputs[right], outputs[left])
