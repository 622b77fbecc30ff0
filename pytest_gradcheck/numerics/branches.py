"""Functions that jump between smooth branches: solvers that stop, adaptive steps.

It must not estimate derivatives; it says how far those of a branch may be off.
"""

from __future__ import annotations

from math import comb

import numpy as np

from pytest_gradcheck.numerics.directions import along, signed_direction
from pytest_gradcheck.numerics.function import Function
from pytest_gradcheck.numerics.measurement import EPS, Floats

__all__ = ["branch_slopes"]

#: So many points to each side of the point, so far apart in units of the scale, along
#: up to so many random directions: a branch may be as long as the point is far from zero.
POINTS = 50
SPACING = 0.02
DIRECTIONS = 4

#: Smooth values leave nothing in differences of this order ...
ORDER = 8

#: ... but noise, 2^8 times at most, and more of it further away; a jump is seen above that.
VISIBLE = 100.0 * 2**ORDER

#: A jump leaves so many times its height in all differences together.
SPREAD = float(sum(comb(ORDER - 1, k) for k in range(ORDER)))

#: Looks closer: how much closer each, and at how many points to each side.
CLOSER = (8, 16, 16, 16)
AROUND = (32, 24, 24, 24)

#: From so close that it is alone, a jump is as high from closer by; after two looks the
#: edge of a root is a sixteenth as high, a kink less, an oscillation gone.
AS_HIGH = 0.3

#: The slope of a branch is off by what its jumps make good per length, or so many times that.
SHARES = 100.0


def branch_slopes(function: Function, limit: Floats, rng: np.random.Generator) -> Floats:
    """Bound how much the slope of a branch may differ from that of the whole.

    A solver that is stopped at a tolerance takes one iteration more here than
    there; between such places its result is smooth, with a derivative that no
    smaller step improves. It is off by what the next jumps will make good: the
    error of the result stays bounded, so its slope and its jumps cancel in the
    long run. A jump keeps its height however closely it is looked at, which a
    kink and an oscillation do not.

    Parameters
    ----------
    function : Function
        What is measured.
    limit : ndarray, shape (m,)
        Larger slopes are of jumps that no tolerance leaves: poles, thresholds.
    rng : numpy.random.Generator
        Draws the directions to look in.

    Returns
    -------
    ndarray, shape (m,)
        Slopes per relative step, 0 where there is no jump nearby. Costs 100
        evaluations for each of up to four directions, 212 more for each output
        that does not look smooth.
    """
    slopes = np.zeros_like(function.base)
    for _ in range(DIRECTIONS):
        direction = signed_direction(function.scales.own(slice(None)), rng)
        with np.errstate(all="ignore"):
            found = SHARES * _look(function, direction)
        slopes = np.maximum(slopes, np.where(found <= limit, found, 0.0))
        if slopes.all():
            break
    return slopes


def _look(function: Function, direction: Floats) -> Floats:
    """Return the heights of jumps per length along a direction, 0 where there are none."""
    rough = _roughness(function, direction, 0.0, SPACING, POINTS)
    slopes = np.zeros_like(function.base)
    for output in np.flatnonzero(rough.any(axis=0)).tolist():
        if _has_jump(function, direction, rough[:, output], output):
            slopes[output] = rough[:, output].sum() / SPREAD / (2 * POINTS * SPACING)
    return slopes


def _roughness(
    function: Function, direction: Floats, centre: float, spacing: float, points: int
) -> Floats:
    """Return the high differences of values around a place where they are above noise, else 0.

    The shape is (2 points + 1 - order, m).
    """
    steps = centre + spacing * np.arange(-points, points + 1)
    values = along(function.evaluate, function.point, direction, steps.tolist())
    rough = np.abs(np.diff(values, n=ORDER, axis=0))
    largest = np.where(np.isfinite(values), np.abs(values), 0.0).max(axis=0)
    noise = np.maximum(function.noise, EPS * largest)
    return np.where(np.isfinite(rough) & (rough > VISIBLE * noise), rough, 0.0)


def _has_jump(function: Function, direction: Floats, rough: Floats, output: int) -> bool:
    """Tell whether the roughest place is as rough from closer by."""
    centre, spacing, points, highest = 0.0, SPACING, POINTS, [float(rough.max())]
    for closer, around in zip(CLOSER, AROUND, strict=True):
        centre += spacing * (int(np.argmax(rough)) + ORDER / 2 - points)
        spacing, points = spacing / closer, around
        rough = _roughness(function, direction, centre, spacing, points)[:, output]
        highest.append(float(rough.max()))
        if highest[-1] == 0:
            return False
    return highest[-1] > AS_HIGH * highest[-3]
