"""Functions that move in steps: values rounded to a grid, thresholds, counts.

It must not estimate derivatives; it finds how large the steps are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pytest_gradcheck.numerics.line_restriction import Line
from pytest_gradcheck.numerics.measurement import Floats

__all__ = ["Plateau", "find_plateau", "find_quantization_steps"]

#: Halvings between a step that moves nothing and one that does.
BISECTIONS = 24

#: A move that sets in at a kink shrinks away under bisection; a step keeps this share of it.
SUDDEN = 1e-2

#: A first move this small, in units of the noise, needs no explanation.
HIDDEN = 8.0


@dataclass(frozen=True, slots=True)
class Plateau:
    """How far outputs keep their values, bit by bit; fields of shape (m,).

    Attributes
    ----------
    reach : ndarray
        The largest relative step to both sides up to which none of the steps moves the
        output; 0 where the smallest does.
    move : ndarray
        By how much the next larger one moves it; 0 where none does.
    """

    reach: Floats
    move: Floats

    def jumping(self, heights: Floats, noise: Floats) -> Plateau:
        """Return the same without the moves of outputs that set out gently.

        Parameters
        ----------
        heights, noise : ndarray, shape (m,)
            Heights of the jumps, see `find_quantization_steps`, and the noise, below which no
            jump was looked for.

        Examples
        --------
        >>> level = Plateau(np.array([0.1, 0.1]), np.array([0.5, 0.5]))
        >>> level.jumping(np.array([0.0, 0.5]), np.full(2, 1e-9)).move
        array([0. , 0.5])
        """
        gentle = (heights == 0) & (self.move > HIDDEN * noise)
        return replace(self, move=np.where(gentle, 0.0, self.move))


def find_plateau(base: Floats, *, right: Floats, left: Floats, steps: Floats) -> Plateau:
    """Find how far outputs keep their values; arguments as those of `find_quantization_steps`.

    Examples
    --------
    >>> base, steps = np.array([2.0]), np.array([0.3, 0.1, 0.01])
    >>> right, left = 2 + (steps[:, None] > 0.2), 2 + 0 * steps[:, None]
    >>> find_plateau(base, right=right, left=left, steps=steps)
    Plateau(reach=array([0.1]), move=array([1.]))
    """
    size = np.maximum(np.abs(right - base), np.abs(left - base))
    # A step at which the function is undefined is none at which it keeps its value.
    moves = np.vstack([np.where(np.isnan(size), np.inf, size), np.zeros_like(base)])
    still = np.logical_and.accumulate(moves[::-1] == 0)[::-1]
    first = np.argmax(still, axis=0)
    columns = np.arange(base.size)
    return Plateau(
        np.append(steps, 0.0)[first], np.where(first > 0, moves[first - 1, columns], 0.0)
    )


def find_quantization_steps(
    line: Line, base: Floats, noise: Floats, *, right: Floats, left: Floats, steps: Floats
) -> Floats:
    """Find the height of the steps that outputs move in, 0 where they move smoothly.

    An output that does not move at all under small steps, yet does under larger
    ones, is either constant around the point (a rectifier that is off) or
    rounded. The place where it starts moving tells: a rounded value jumps there.

    Parameters
    ----------
    line : Line
        Where to evaluate.
    base, noise : ndarray, shape (m,)
        Outputs at the point and their noise; lower steps are no concern.
    right, left : ndarray, shape (k, m)
        Outputs at ``+steps`` and ``-steps``.
    steps : ndarray, shape (k,)
        Relative steps, largest first.

    Returns
    -------
    ndarray, shape (m,)
        The height of one step of each output. Costs 24 evaluations for each
        side and output in question.
    """
    heights = np.zeros_like(base)
    for side, outputs in ((1.0, right), (-1.0, left)):
        moves = outputs != base
        first = len(steps) - 1 - np.argmax(moves[::-1], axis=0)
        moved = np.take_along_axis(outputs, first[None], axis=0)[0]
        flat_below = ~moves[-1] & moves.any(axis=0) & (np.abs(moved - base) > HIDDEN * noise)
        columns = np.flatnonzero(flat_below)
        if not columns.size:
            continue
        here, reached, first = base[columns], moved[columns], first[columns]
        low, high = steps[first + 1], steps[first]
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            there = line.each(side * middle, columns)
            still = there == here
            low, high = np.where(still, middle, low), np.where(still, high, middle)
            reached = np.where(still, reached, there)
        height = np.abs(reached - here)
        sudden = height >= SUDDEN * np.abs(moved[columns] - here)
        heights[columns] = np.where(sudden, np.maximum(heights[columns], height), heights[columns])
    return heights
