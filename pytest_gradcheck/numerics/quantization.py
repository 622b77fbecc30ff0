"""Plateaus and quantization steps of outputs along a line: rounding, thresholds, counts.

An output that is rounded, or piecewise constant, keeps its value bit by bit over small steps. The
place where it first changes is found by bisection: a quantized output jumps there, a rectifier
sets out continuously. The height of the jump is the quantization step of the output.

It does not estimate a derivative.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pytest_gradcheck.numerics.line_restriction import Line
from pytest_gradcheck.numerics.measurement import Floats

__all__ = ["Plateau", "find_plateau", "find_quantization_steps"]

#: Halvings of the interval in which an output changes first.
BISECTIONS = 24

#: A change is a jump when this share of it is left after bisection; at a kink it shrinks away.
JUMP_SHARE = 1e-2

#: Changes up to so many times the noise are not examined.
HIDDEN = 8.0


@dataclass(frozen=True, slots=True)
class Plateau:
    """How far outputs keep their values, bit by bit; fields of shape (m,).

    Attributes
    ----------
    half_width : ndarray
        The largest relative step up to which no sampled step, on either side, changes the
        output; 0 where the smallest does.
    jump : ndarray
        By how much the next larger step changes it; 0 where none does.
    """

    half_width: Floats
    jump: Floats

    def without_continuous_changes(self, heights: Floats, noise: Floats) -> Plateau:
        """Return the plateaus with a jump of 0 where the output changes continuously.

        Parameters
        ----------
        heights : ndarray, shape (m,)
            Quantization steps, see `find_quantization_steps`.
        noise : ndarray, shape (m,)
            The noise below which none was looked for.

        Examples
        --------
        >>> plateau = Plateau(np.array([0.1, 0.1]), np.array([0.5, 0.5]))
        >>> plateau.without_continuous_changes(np.array([0.0, 0.5]), np.full(2, 1e-9)).jump
        array([0. , 0.5])
        """
        continuous = (heights == 0) & (self.jump > HIDDEN * noise)
        return replace(self, jump=np.where(continuous, 0.0, self.jump))


def find_plateau(base: Floats, *, right: Floats, left: Floats, steps: Floats) -> Plateau:
    """Find how far outputs keep their values; parameters as of `find_quantization_steps`.

    Examples
    --------
    >>> base, steps = np.array([2.0]), np.array([0.3, 0.1, 0.01])
    >>> right, left = 2 + (steps[:, None] > 0.2), 2 + 0 * steps[:, None]
    >>> find_plateau(base, right=right, left=left, steps=steps)
    Plateau(half_width=array([0.1]), jump=array([1.]))
    """
    change = np.maximum(np.abs(right - base), np.abs(left - base))
    # An output that is undefined at a step does not keep its value there.
    changes = np.vstack([np.where(np.isnan(change), np.inf, change), np.zeros_like(base)])
    unchanged = np.logical_and.accumulate(changes[::-1] == 0)[::-1]
    first = np.argmax(unchanged, axis=0)
    columns = np.arange(base.size)
    return Plateau(
        np.append(steps, 0.0)[first], np.where(first > 0, changes[first - 1, columns], 0.0)
    )


def find_quantization_steps(
    line: Line, base: Floats, noise: Floats, *, right: Floats, left: Floats, steps: Floats
) -> Floats:
    """Find the height of the jumps that outputs change by, 0 where they change continuously.

    An output that small steps leave unchanged, and larger ones change, is either
    constant around the point, as a rectifier below its threshold, or quantized. Bisection
    decides between the two: a quantized output jumps at the place where it first changes.

    Parameters
    ----------
    line : Line
        Where to evaluate.
    base, noise : ndarray, shape (m,)
        Outputs at the point and their noise; changes that it explains are not examined.
    right, left : ndarray, shape (k, m)
        Outputs at ``+steps`` and ``-steps``.
    steps : ndarray, shape (k,)
        Relative steps, largest first.

    Returns
    -------
    ndarray, shape (m,)
        The quantization step of each output. Costs 24 evaluations for each
        side and output in question.
    """
    heights = np.zeros_like(base)
    for side, outputs in ((1.0, right), (-1.0, left)):
        changes = outputs != base
        first = len(steps) - 1 - np.argmax(changes[::-1], axis=0)
        changed = np.take_along_axis(outputs, first[None], axis=0)[0]
        flat = ~changes[-1] & changes.any(axis=0) & (np.abs(changed - base) > HIDDEN * noise)
        columns = np.flatnonzero(flat)
        if not columns.size:
            continue
        constant, reached, first = base[columns], changed[columns], first[columns]
        low, high = steps[first + 1], steps[first]
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            value = line.each(side * middle, columns)
            unchanged = value == constant
            low, high = np.where(unchanged, middle, low), np.where(unchanged, high, middle)
            reached = np.where(unchanged, reached, value)
        height = np.abs(reached - constant)
        is_jump = height >= JUMP_SHARE * np.abs(changed[columns] - constant)
        heights[columns] = np.where(
            is_jump, np.maximum(heights[columns], height), heights[columns]
        )
    return heights
