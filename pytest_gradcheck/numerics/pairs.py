"""Central pairs: the function a step to the left and to the right of the point.

It must not decide whether a pair is good enough; it says what the pair shows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pytest_gradcheck.numerics.function import Function
from pytest_gradcheck.numerics.measurement import Booleans, Floats, Indices

__all__ = ["Pairs", "balanced_steps", "measure_pairs"]

#: Balanced steps stay between these, relative to the scale.
SMALLEST_STEP = 1e-7
LARGEST_STEP = 1e-2

#: The noise of a difference of two values, in units of the noise of one, with room.
NOISE_FACTOR = 4.0


@dataclass(frozen=True, slots=True)
class Pairs:
    """What central pairs at k coordinates show of m outputs.

    Attributes
    ----------
    step : ndarray, shape (k,)
        Absolute steps, as really taken.
    value : ndarray, shape (k, m)
        Central differences.
    bend : ndarray, shape (k, m)
        ``(f(x + h) + f(x - h) - 2 f(x)) / h``: how much the slope to the right
        exceeds the slope to the left.
    noise : ndarray, shape (k, m)
        Bound on what noise alone may do to `value`.
    """

    step: Floats
    value: Floats
    bend: Floats
    noise: Floats

    def take(self, rows: Booleans) -> Pairs:
        """Return the pairs of some of the coordinates."""
        return Pairs(self.step[rows], self.value[rows], self.bend[rows], self.noise[rows])


def balanced_steps(function: Function, claim: Floats, scale: Floats) -> Floats:
    """Return steps that balance noise against truncation.

    A central difference errs by ``noise / h`` and ``h^2 f''' / 6``. With f'''
    of a size between the function and its change by the coordinate, the cube
    root of the relative noise balances them (P. E. Gill, W. Murray, M. H.
    Wright, Practical Optimization, 1981, section 8.6).

    Parameters
    ----------
    function : Function
        What is measured.
    claim : ndarray, shape (k, m)
        Claimed derivatives.
    scale : ndarray, shape (k,)
        Scales of the coordinates.

    Returns
    -------
    ndarray, shape (k,)
        Absolute steps. One step serves all outputs of a coordinate: that of the
        median output.
    """
    with np.errstate(all="ignore"):
        change = np.abs(claim) * scale[:, None]
        value = np.abs(function.base)
        # A coordinate that moves the function little is likely to bend it little, too.
        size = np.where((change > 0) & (change < value), np.sqrt(change * value), value)
        size = np.maximum(size, change)
        relative = np.where(size > 0, function.noise / size, np.nan)
        known = np.isfinite(relative)
        relative = np.where(known.any(axis=1, keepdims=True), relative, SMALLEST_STEP**2)
        middle = relative[:, 0] if relative.shape[1] == 1 else np.nanmedian(relative, axis=1)
    step: Floats = np.clip(np.cbrt(middle), SMALLEST_STEP, LARGEST_STEP) * scale
    return step


def measure_pairs(function: Function, indices: Indices, steps: Floats) -> Pairs:
    """Evaluate a central pair at each of `indices`.

    Parameters
    ----------
    function : Function
        What is measured; its point is changed one coordinate at a time, and put back.
    indices : ndarray of int, shape (k,)
        The coordinates.
    steps : ndarray, shape (k,)
        Absolute steps.

    Returns
    -------
    Pairs
        Two evaluations each.
    """
    evaluate, point, base = function.evaluate, function.point, function.base
    here = point[indices]
    right, left = here + steps, here - steps
    above = np.empty((indices.size, base.size))
    below = np.empty_like(above)
    places = zip(indices.tolist(), here.tolist(), right.tolist(), left.tolist(), strict=True)
    for k, (index, middle, up, down) in enumerate(places):
        try:
            point[index] = up
            above[k] = evaluate(point)
            point[index] = down
            below[k] = evaluate(point)
        finally:
            point[index] = middle
    taken = (right - left)[:, None] / 2
    with np.errstate(all="ignore"):
        return Pairs(
            taken[:, 0],
            (above - below) / (2 * taken),
            ((above - base) + (below - base)) / taken,
            NOISE_FACTOR * function.noise / taken,
        )
