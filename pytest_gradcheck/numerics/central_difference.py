"""Central pairs: the function a step to the left and to the right of the point.

It must not decide whether a pair is good enough; it says what the pair shows.
"""

# MERGED The classic recipe: plain central differences at one fixed step, with bounds they never
# had.
#
# It must not choose steps; it is given one, and a measurement that knows better.

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from pytest_gradcheck.numerics.function import Function
from pytest_gradcheck.numerics.measurement import EPS, Booleans, Floats, Indices, Measurement
from pytest_gradcheck.numerics.step_size import row_medians

__all__ = [
    "NOISE_FACTOR",
    "CentralPairs",
    "balanced_steps",
    "fixed_step_differences",
    "measure_pairs",
    "measure_shifted",
]


#: Balanced steps stay between these, relative to the scale.
SMALLEST_STEP = 1e-7
LARGEST_STEP = 1e-2

#: Where noise would do more than this share to the claimed derivative steps are larger,
#: up to this many scales: a coordinate may be close to zero by chance.
QUIET_ENOUGH = 1e-4
LARGEST_FOR_NOISE = 0.1

#: The noise of a difference of two values, in units of the noise of one, with room.
NOISE_FACTOR = 4.0


@dataclass(frozen=True, slots=True)
class CentralPairs:
    """What central pairs at k coordinates show of m outputs.

    Attributes
    ----------
    step : ndarray, shape (k,)
        Absolute steps, as really taken.
    value : ndarray, shape (k, m)
        Central differences.
    right, left : ndarray, shape (k, m)
        Slopes to each side, NaN where the function is undefined there.
    bend : ndarray, shape (k, m)
        ``(f(x + h) + f(x - h) - 2 f(x)) / h``: how much the slope to the right
        exceeds the slope to the left.
    noise : ndarray, shape (k, m)
        Bound on what noise alone may do to `value`.
    """

    step: Floats
    value: Floats
    right: Floats
    left: Floats
    bend: Floats
    noise: Floats

    @property
    def unchanged(self) -> Booleans:
        """Where the function did not move at all, not by a bit."""
        return np.asarray((self.right == 0) & (self.left == 0))

    def take(self, rows: Booleans | Indices) -> CentralPairs:
        """Return the pairs of some of the coordinates."""
        return CentralPairs(*(getattr(self, field.name)[rows] for field in fields(self)))


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
        balanced = np.cbrt(_middle(relative))
        balanced = np.minimum(np.maximum(balanced, SMALLEST_STEP), LARGEST_STEP)
        needed = NOISE_FACTOR * function.noise / (QUIET_ENOUGH * change)
        needed = _middle(np.where(change > 0, needed, np.nan))
    least = np.where(needed <= LARGEST_FOR_NOISE, needed, 0.0)
    return np.asarray(np.maximum(balanced, least) * scale)


def _middle(values: Floats) -> Floats:
    """Return the median of each row without what is not known, the least where nothing is."""
    known = np.isfinite(values).any(axis=1)
    return np.where(known, row_medians(values, otherwise=0.0), 0.0)


def measure_pairs(function: Function, indices: Indices, steps: Floats) -> CentralPairs:
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
    CentralPairs
        Two evaluations each.
    """
    base = function.base
    count, twice = indices.size, np.concatenate([indices, indices])
    taken, outputs = measure_shifted(function, twice, np.concatenate([steps, -steps]))
    right, left, above, below = taken[:count], taken[count:], outputs[:count], outputs[count:]
    taken = (right - left)[:, None] / 2
    with np.errstate(all="ignore"):
        bend = ((above - base) + (below - base)) / taken
        # Steps to both sides are not quite equal, so that some of the bend is in the value.
        uneven = np.abs(bend * (right + left)[:, None] / (2 * taken))
        uneven[~np.isfinite(uneven)] = 0.0
        rounding = EPS * np.fmax(np.abs(above), np.abs(below))
        return CentralPairs(
            step=taken[:, 0],
            value=(above - below) / (2 * taken),
            right=(above - base) / right[:, None],
            left=(below - base) / left[:, None],
            bend=bend,
            noise=NOISE_FACTOR * np.fmax(function.noise, rounding) / taken + uneven,
        )


def measure_shifted(function: Function, indices: Indices, steps: Floats) -> tuple[Floats, Floats]:
    """Evaluate a step away along each of `indices`, one at a time.

    Parameters
    ----------
    function : Function
        What is measured; its point is changed one coordinate at a time, and put back.
    indices : ndarray of int, shape (k,)
        The coordinates.
    steps : ndarray, shape (k,)
        Absolute steps, with their signs.

    Returns
    -------
    taken : ndarray, shape (k,)
        The steps that were really taken.
    outputs : ndarray, shape (k, m)
        Outputs there. One evaluation each.
    """
    here = function.point[indices]
    there = here + steps
    return there - here, function.evaluate_at(indices, there)


def fixed_step_differences(function: Function, found: Measurement, step: float) -> Measurement:
    """Replace values by central differences at a fixed step.

    Parameters
    ----------
    function : Function
        What is measured.
    found : Measurement
        The same derivatives, with error bounds.
    step : float
        Absolute step of every coordinate.

    Returns
    -------
    Measurement
        ``(f(x + step) - f(x - step)) / (2 step)`` for every coordinate, with
        bounds on how far that is from the derivative: its distance from what
        was found, and what that may be off by. Costs two evaluations for each.
    """
    size = function.point.size
    pairs = measure_pairs(function, np.arange(size), np.full(size, step))
    with np.errstate(all="ignore"):
        bound = np.abs(pairs.value - found.value) + found.bound
    return Measurement(pairs.value, bound, pairs.step, found.status, found.kinks, found.steepest)
