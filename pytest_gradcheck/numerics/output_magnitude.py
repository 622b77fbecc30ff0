"""How much outputs vary around the point: what a vanishing derivative is small against.

It must not know derivatives.
"""

from __future__ import annotations

import numpy as np

from pytest_gradcheck.numerics.measurement import EPS, Evaluate, Floats, Measurement
from pytest_gradcheck.numerics.random_directions import evaluate_along

__all__ = ["VARIATION_STEP", "consistent_sizes", "output_sizes", "sizes_from_outputs"]

#: How far to go for another value, in units of the scales.
VARIATION_STEP = 0.1

#: A change is no measure of anything unless it is this many times the noise.
TOLD = 100.0

#: An output is nothing but noise where it is no more than this many times it, and what
#: rounding leaves of terms of order one that cancel where it is below this.
NOISY = 8.0
CANCELLED = 1e-12


def output_sizes(
    evaluate: Evaluate, point: Floats, *, base: Floats, noise: Floats, direction: Floats
) -> Floats:
    """Return by how much every output varies around the point.

    Where a gradient vanishes, at an optimum say, a bound on it is small or large
    only against that: the value itself may hold an offset a million times larger.

    Parameters
    ----------
    evaluate : callable
        The function, ``evaluate(points) -> outputs``.
    point : ndarray, shape (n,)
        Where; left as it is.
    base, noise : ndarray, shape (m,)
        Outputs at the point, and their noise.
    direction : ndarray, shape (n,)
        Along which to look: a random one, of the natural size of a step.

    Returns
    -------
    ndarray, shape (m,)
        Of an output that does not vary its magnitude. Costs one evaluation.
    """
    return sizes_from_outputs(
        evaluate_along(evaluate, point, direction, [VARIATION_STEP])[0], base, noise
    )


def sizes_from_outputs(away: Floats, base: Floats, noise: Floats) -> Floats:
    """Return how much outputs vary, given those `VARIATION_STEP` away from the point, shape (m,).

    What small is measured against must itself be far above rounding. A sum that is the
    same everywhere changes by its rounding; then its magnitude is what counts, or, where
    it is itself what rounding leaves of terms that cancel, theirs.

    Examples
    --------
    >>> base, noise = np.array([2.0, 3.0, -4.0, 0.0]), np.array([1e-9, 1e-9, 1e-9, EPS])
    >>> sizes_from_outputs(np.array([2.5, 3.0 + 1e-8, np.nan, 2 * EPS]), base, noise)
    array([0.5, 3. , 4. , 1. ])
    """
    with np.errstate(all="ignore"):
        change, value = np.abs(away - base), np.abs(base)
        blank = (np.fmax(value, change) <= NOISY * noise) & (noise <= CANCELLED)
        value = np.where(blank, noise / EPS, value)
        return np.where(np.isfinite(change) & (change > TOLD * noise), change, value)


def consistent_sizes(sizes: Floats, found: Measurement, scale: Floats) -> Floats:
    """Return sizes that no derivative contradicts, shape (m,).

    Along one direction changes by several coordinates may cancel. By a coordinate alone an
    output changes by as much as its derivative says.

    Parameters
    ----------
    sizes : ndarray, shape (m,)
        By how much outputs vary, see `output_sizes`.
    found : Measurement
        Derivatives of m outputs by n coordinates.
    scale : ndarray, shape (n,)
        Scales of the coordinates.

    Examples
    --------
    >>> found = Measurement.blank(2, 1)
    >>> found.value[:, 0] = 5.0, -5.0
    >>> consistent_sizes(np.array([0.01]), found, np.array([1.0, 2.0]))
    array([1.])
    """
    with np.errstate(all="ignore"):
        slopes = np.where(np.abs(found.value) > found.bound, np.abs(found.value), 0.0)
        slopes *= VARIATION_STEP * scale[:, None]
    slopes[~np.isfinite(slopes)] = 0.0
    return np.asarray(np.maximum(sizes, slopes.max(axis=0, initial=0.0)))
