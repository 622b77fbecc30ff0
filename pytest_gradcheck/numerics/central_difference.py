"""Central differences with respect to single coordinates, at balanced or fixed steps.

A central difference ``(f(x + h) - f(x - h)) / 2h`` errs by ``f''' h^2 / 6`` and by the noise of
the function over h. The step that balances the two is the cube root of the relative noise (P. E.
Gill, W. Murray, M. H. Wright, Practical Optimization, 1981, section 8.6). The second difference of
the same values shows curvature, a kink or a jump.

It does not decide whether a difference is accurate enough.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from pytest_gradcheck.numerics.coordinate_scales import row_medians
from pytest_gradcheck.numerics.function import Function
from pytest_gradcheck.numerics.measurement import EPS, Booleans, Floats, Indices, Measurement

__all__ = [
    "NOISE_FACTOR",
    "CentralPairs",
    "balanced_steps",
    "fixed_step_differences",
    "measure_pairs",
    "measure_shifted",
]


#: Balanced steps lie between these, relative to the scale.
SMALLEST_STEP = 1e-7
LARGEST_STEP = 1e-2

#: Steps are larger where noise would change the claimed derivative by more than this share, up to
#: this many scales: a coordinate may be close to zero by chance.
NOISE_SHARE = 1e-4
LARGEST_FOR_NOISE = 0.1

#: Bound on the noise of a difference of two values, in units of the noise of one.
NOISE_FACTOR = 4.0


@dataclass(frozen=True, slots=True)
class CentralPairs:
    """Central differences of m outputs with respect to k coordinates.

    Attributes
    ----------
    step : ndarray, shape (k,)
        Absolute steps actually taken.
    value : ndarray, shape (k, m)
        Central differences.
    right, left : ndarray, shape (k, m)
        Slopes to each side, NaN where the function is undefined there.
    bend : ndarray, shape (k, m)
        ``(f(x + h) + f(x - h) - 2 f(x)) / h``: the slope to the right minus the slope to
        the left.
    noise : ndarray, shape (k, m)
        Bound on the error of `value` by noise.
    """

    step: Floats
    value: Floats
    right: Floats
    left: Floats
    bend: Floats
    noise: Floats

    @property
    def unchanged(self) -> Booleans:
        """Where the function is unchanged, bit by bit, on both sides."""
        return np.asarray((self.right == 0) & (self.left == 0))

    def take(self, rows: Booleans | Indices) -> CentralPairs:
        """Return the differences with respect to some of the coordinates."""
        return CentralPairs(*(getattr(self, field.name)[rows] for field in fields(self)))


def balanced_steps(function: Function, claim: Floats, scale: Floats) -> Floats:
    """Return steps that balance noise against truncation.

    The noise is taken relative to ``f'''``, which is assumed to be of a size between the function
    and its change by the coordinate.

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
        Absolute steps. A coordinate has one step for all outputs, the median.
    """
    with np.errstate(all="ignore"):
        change = np.abs(claim) * scale[:, None]
        value = np.abs(function.base)
        # A coordinate that changes the function little is likely to bend it little, too.
        size = np.where((change > 0) & (change < value), np.sqrt(change * value), value)
        size = np.maximum(size, change)
        relative = np.where(size > 0, function.noise / size, np.nan)
        balanced = np.cbrt(_middle(relative))
        balanced = np.minimum(np.maximum(balanced, SMALLEST_STEP), LARGEST_STEP)
        needed = NOISE_FACTOR * function.noise / (NOISE_SHARE * change)
        needed = _middle(np.where(change > 0, needed, np.nan))
    least = np.where(needed <= LARGEST_FOR_NOISE, needed, 0.0)
    return np.asarray(np.maximum(balanced, least) * scale)


def _middle(values: Floats) -> Floats:
    """Return the median of each row without NaN, 0 where no value is finite."""
    known = np.isfinite(values).any(axis=1)
    return np.where(known, row_medians(values, otherwise=0.0), 0.0)


def measure_pairs(function: Function, indices: Indices, steps: Floats) -> CentralPairs:
    """Measure central differences with respect to each of `indices`.

    Parameters
    ----------
    function : Function
        What is measured; its point is changed one coordinate at a time, and restored.
    indices : ndarray of int, shape (k,)
        The coordinates.
    steps : ndarray, shape (k,)
        Absolute steps.

    Returns
    -------
    CentralPairs
        Costs two evaluations each.
    """
    base = function.base
    count, twice = indices.size, np.concatenate([indices, indices])
    taken, outputs = measure_shifted(function, twice, np.concatenate([steps, -steps]))
    right_step, left_step, right, left = (
        taken[:count],
        taken[count:],
        outputs[:count],
        outputs[count:],
    )
    step = (right_step - left_step)[:, None] / 2
    with np.errstate(all="ignore"):
        bend = ((right - base) + (left - base)) / step
        # Rounding makes the two steps unequal: some of the bend enters into the value.
        unequal = np.abs(bend * (right_step + left_step)[:, None] / (2 * step))
        unequal[~np.isfinite(unequal)] = 0.0
        rounding = EPS * np.fmax(np.abs(right), np.abs(left))
        return CentralPairs(
            step=step[:, 0],
            value=(right - left) / (2 * step),
            right=(right - base) / right_step[:, None],
            left=(left - base) / left_step[:, None],
            bend=bend,
            noise=NOISE_FACTOR * np.fmax(function.noise, rounding) / step + unequal,
        )


def measure_shifted(function: Function, indices: Indices, steps: Floats) -> tuple[Floats, Floats]:
    """Evaluate with each of `indices` changed by a step, one at a time.

    Parameters
    ----------
    function : Function
        What is measured; its point is changed one coordinate at a time, and restored.
    indices : ndarray of int, shape (k,)
        The coordinates.
    steps : ndarray, shape (k,)
        Absolute steps, with signs.

    Returns
    -------
    taken : ndarray, shape (k,)
        The steps actually taken.
    outputs : ndarray, shape (k, m)
        The outputs; one evaluation each.
    """
    original = function.point[indices]
    shifted = original + steps
    return shifted - original, function.evaluate_at(indices, shifted)


def fixed_step_differences(function: Function, found: Measurement, step: float) -> Measurement:
    """Replace values by central differences at a fixed step, with bounds on their errors.

    `torch.autograd.gradcheck` takes such differences without a bound.

    Parameters
    ----------
    function : Function
        What is measured.
    found : Measurement
        The same derivatives, with error bounds.
    step : float
        The absolute step of every coordinate.

    Returns
    -------
    Measurement
        ``(f(x + step) - f(x - step)) / (2 step)`` for every coordinate. The bound is the
        difference from the given derivative plus the bound of that. Costs two evaluations
        for each coordinate.
    """
    size = function.point.size
    pairs = measure_pairs(function, np.arange(size), np.full(size, step))
    with np.errstate(all="ignore"):
        bound = np.abs(pairs.value - found.value) + found.bound
    return Measurement(pairs.value, bound, pairs.step, found.status, found.kinks, found.steepest)
