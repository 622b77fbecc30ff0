"""The magnitude of outputs: by how much they vary around the point.

It is the reference for a derivative that vanishes. It is estimated from one evaluation a tenth of
the scales away, along a random direction, and raised to what measured derivatives imply. The value
itself is no such reference: it may hold an offset a million times larger.

It does not estimate a derivative.
"""

from __future__ import annotations

import numpy as np

from pytest_gradcheck.numerics.measurement import EPS, Evaluate, Floats, Measurement
from pytest_gradcheck.numerics.random_directions import evaluate_along

__all__ = ["VARIATION_STEP", "consistent_sizes", "output_sizes", "sizes_from_outputs"]

#: The step to the other value, in units of the scales.
VARIATION_STEP = 0.1

#: A change is significant when it exceeds the noise by this factor.
SIGNIFICANT = 100.0

#: An output is the rounding of terms that cancel when it is below this factor times its noise,
#: and the noise below that of terms of order one.
NOISY = 8.0
CANCELLED = 1e-12


def output_sizes(
    evaluate: Evaluate, point: Floats, *, base: Floats, noise: Floats, direction: Floats
) -> Floats:
    """Return by how much every output varies around the point.

    Parameters
    ----------
    evaluate : callable
        The function, ``evaluate(points) -> outputs``.
    point : ndarray, shape (n,)
        Where; not changed.
    base, noise : ndarray, shape (m,)
        Outputs at the point, and their noise.
    direction : ndarray, shape (n,)
        A random direction with entries of the natural size of a step.

    Returns
    -------
    ndarray, shape (m,)
        The absolute value of an output where it does not vary. Costs one evaluation.
    """
    return sizes_from_outputs(
        evaluate_along(evaluate, point, direction, [VARIATION_STEP])[0], base, noise
    )


def sizes_from_outputs(away: Floats, base: Floats, noise: Floats) -> Floats:
    """Return how much outputs vary, given those `VARIATION_STEP` away from the point, shape (m,).

    A change that noise explains is no variation: a sum that is constant changes by its rounding.
    Then the absolute value of the output is returned or, where that is itself the rounding of
    terms that cancel, the size of the terms.

    Examples
    --------
    >>> base, noise = np.array([2.0, 3.0, -4.0, 0.0]), np.array([1e-9, 1e-9, 1e-9, EPS])
    >>> sizes_from_outputs(np.array([2.5, 3.0 + 1e-8, np.nan, 2 * EPS]), base, noise)
    array([0.5, 3. , 4. , 1. ])
    """
    with np.errstate(all="ignore"):
        change, value = np.abs(away - base), np.abs(base)
        cancelled = (np.fmax(value, change) <= NOISY * noise) & (noise <= CANCELLED)
        value = np.where(cancelled, noise / EPS, value)
        return np.where(np.isfinite(change) & (change > SIGNIFICANT * noise), change, value)


def consistent_sizes(sizes: Floats, found: Measurement, scale: Floats) -> Floats:
    """Return sizes raised to the changes that measured derivatives imply, shape (m,).

    Along one direction, changes by several coordinates may cancel; along a single coordinate an
    output changes by its derivative times the step.

    Parameters
    ----------
    sizes : ndarray, shape (m,)
        By how much outputs vary, see `output_sizes`.
    found : Measurement
        Derivatives of m outputs with respect to n coordinates.
    scale : ndarray, shape (n,)
        The scales of the coordinates.

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
