"""Coordinates that show nothing one by one: dead units, unused entries, rows not looked up.

It must not look at one coordinate at a time: moving all of them at once, and
far, shows in a few evaluations that none of them matters.
"""

from __future__ import annotations

import numpy as np

from pytest_gradcheck.numerics.directions import along, signed_direction
from pytest_gradcheck.numerics.function import Function
from pytest_gradcheck.numerics.measurement import Floats, Indices
from pytest_gradcheck.numerics.pairs import NOISE_FACTOR

__all__ = ["bound_together"]

#: How far all of them are moved, in units of their scales: near enough one of
#: them that a unit that is off stays off.
REACHES = (0.3, 0.1, 0.1 / 3)

#: Each is this many times smaller than the one before.
RATIO = 3.0

#: No coordinate moves by less than this share of its scale.
LEAST = 0.5


def bound_together(function: Function, indices: Indices, rng: np.random.Generator) -> Floats:
    """Bound derivatives that seem to vanish by moving all their coordinates at once.

    A step that is safe for one coordinate says little of a derivative that should
    vanish: its bound is the noise over the step. Coordinates that do nothing can be
    moved far, and together; random weights keep them from cancelling each other.

    Parameters
    ----------
    function : Function
        What is measured.
    indices : ndarray of int, shape (k,)
        Coordinates that moved nothing by themselves.
    rng : numpy.random.Generator
        Draws the weights.

    Returns
    -------
    ndarray, shape (k, m)
        Bounds on the size of each derivative. Costs six evaluations.
    """
    scale = function.scales.meaningful(indices)
    direction = np.zeros_like(function.point)
    direction[indices] = signed_direction(scale, rng)
    steps = np.array([*REACHES, *(-reach for reach in REACHES)])
    outputs = along(function.evaluate, function.point, direction, steps.tolist())
    right, left = outputs[: len(REACHES)], outputs[len(REACHES) :]
    reach = np.array(REACHES)[:, None]
    slope = (right - left) / (2 * reach)
    finer = slope[1:] + (slope[1:] - slope[:-1]) / (RATIO**2 - 1)
    doubt = np.abs(finer - slope[1:]) + NOISE_FACTOR * function.noise / reach[1:]
    size = np.min(np.where(np.isfinite(finer), np.abs(finer) + doubt, np.inf), axis=0)
    return np.asarray(size / (LEAST * scale[:, None]))
