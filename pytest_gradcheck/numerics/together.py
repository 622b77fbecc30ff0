"""Coordinates that show little one by one: dead units, unused entries, small ones among large.

It must not look at one coordinate at a time: moving all of them at once, and
far, shows in a few evaluations whether any of their claims is off.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pytest_gradcheck.numerics.directions import signed_direction
from pytest_gradcheck.numerics.function import Function
from pytest_gradcheck.numerics.measurement import EPS, Floats, Indices
from pytest_gradcheck.numerics.pairs import NOISE_FACTOR

__all__ = ["bound_together"]

#: How far all of them are moved, in units of their scales: near enough one of
#: them that a unit that is off stays off.
REACHES = (0.3, 0.1, 0.1 / 3)

#: Each is this many times smaller than the one before.
RATIO = 3.0

#: How many directions have to agree that no claim is off.
DIRECTIONS = 2

#: No coordinate moves by less than this share of its scale.
LEAST = 0.5


def bound_together(
    function: Function, indices: Indices, claim: Floats, rng: np.random.Generator
) -> Floats:
    """Bound how far claims are off by moving all their coordinates at once.

    A step that is safe for one coordinate may show nothing but noise. Coordinates
    that do little can be moved far, and together; random weights keep what is wrong
    with one from cancelling what is wrong with another.

    Parameters
    ----------
    function : Function
        What is measured.
    indices : ndarray of int, shape (k,)
        Coordinates that showed nothing against their claims by themselves.
    claim : ndarray, shape (k, m)
        Their claimed derivatives.
    rng : numpy.random.Generator
        Draws the weights.

    Returns
    -------
    ndarray, shape (k, m)
        Bounds on the error of each claim; infinite where together they are off, by
        more than noise explains. Costs six evaluations, and six along another
        direction to confirm that nothing cancels by chance.
    """
    scale = function.scales.meaningful(indices)
    least = np.zeros_like(function.base)
    for _ in range(DIRECTIONS):
        direction = signed_direction(scale, rng)
        least = np.maximum(least, _off(function, indices, claim, direction))
        if not np.isfinite(least).any():
            break
    return np.asarray(least / (LEAST * scale[:, None]))


def _off(function: Function, indices: Indices, claim: Floats, direction: Floats) -> Floats:
    """Bound how far claims are off along a direction, infinite where they clearly are."""
    right = _moved(function, indices, direction, 1.0)
    left = _moved(function, indices, direction, -1.0)
    reach = np.array(REACHES)[:, None]
    slope = (right - left) / (2 * reach)
    finer = slope[1:] + (slope[1:] - slope[:-1]) / (RATIO**2 - 1)
    apart = np.abs(finer[1] - finer[0])
    doubt = np.stack([apart, np.fmin(apart, np.abs(finer[1] - slope[2]))])
    doubt += NOISE_FACTOR * function.noise / reach[1:] + EPS * np.abs(direction) @ np.abs(claim)
    off = np.abs(finer - direction @ claim)
    return np.asarray(np.min(np.where(off <= doubt, off + doubt, np.inf), axis=0))


def _moved(function: Function, indices: Indices, direction: Floats, sign: float) -> Floats:
    """Evaluate with some coordinates moved to each reach, in place; shape (reaches, m)."""
    point, here = function.point, function.point[indices]

    def places() -> Iterator[Floats]:
        for reach in REACHES:
            point[indices] = here + sign * reach * direction
            yield point

    try:
        return function.evaluate(places())
    finally:
        point[indices] = here
