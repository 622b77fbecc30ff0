"""Coordinates that move nothing: dead units, entries that are not used, rows not looked up.

It must not look at one coordinate at a time: moving all of them at once shows
in two evaluations that none of them matters.
"""

from __future__ import annotations

import numpy as np

from pytest_gradcheck.numerics.measurement import Evaluate, Floats, Indices
from pytest_gradcheck.numerics.noise import signed_direction

__all__ = ["bound_if_still"]

#: How far all of them are moved, in units of their scales.
REACH = 0.1

#: No coordinate moves by less than this share of its scale; noise takes part twice.
LEAST = 0.5
NOISES = 4.0


def bound_if_still(
    evaluate: Evaluate,
    point: Floats,
    *,
    indices: Indices,
    base: Floats,
    noise: Floats,
    scale: Floats,
    rng: np.random.Generator,
) -> Floats | None:
    """Bound derivatives that are zero by moving all their coordinates at once.

    A step that is safe for one coordinate says little of a derivative that should
    vanish: its bound is the noise over the step. Coordinates that do nothing can be
    moved far, and together; random weights keep them from cancelling each other.

    Parameters
    ----------
    evaluate : callable
        ``evaluate(point) -> outputs, shape (m,)``.
    point : ndarray, shape (n,)
        Where; left as it is.
    indices : ndarray of int, shape (k,)
        Coordinates that moved nothing by themselves.
    base, noise : ndarray, shape (m,)
        Outputs at the point and their noise.
    scale : ndarray, shape (k,)
        Their scales.
    rng : numpy.random.Generator
        Draws the weights.

    Returns
    -------
    ndarray, shape (k, m), or None
        Bounds on the size of each derivative; None where the outputs do move.
        Costs two evaluations.
    """
    step = REACH * signed_direction(scale, rng)
    moved = point.copy()
    moved[indices] += step
    right = evaluate(moved)
    moved[indices] = point[indices] - step
    left = evaluate(moved)
    if np.all(np.maximum(np.abs(right - base), np.abs(left - base)) <= noise):
        return np.asarray(NOISES * noise / (LEAST * REACH * scale[:, None]))
    return None
