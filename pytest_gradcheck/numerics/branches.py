"""Functions that jump between smooth branches: solvers that stop, adaptive steps.

It must not estimate derivatives; it says how far those of a branch may be off.
"""

from __future__ import annotations

from math import comb

import numpy as np

from pytest_gradcheck.numerics.directions import along, signed_direction
from pytest_gradcheck.numerics.function import Function
from pytest_gradcheck.numerics.lines import DirectionLine
from pytest_gradcheck.numerics.measurement import EPS, Booleans, Floats

__all__ = ["branch_slopes", "breaks_nearby"]

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

#: Jumps far below what the function varies by are looked for at so many points to each side,
#: so far apart along one direction and another, in differences of this order: where they
#: are so many times the median.
FINE_POINTS = 250
FINE_SPACINGS = (1e-3, 4e-3)
FINE_ORDER = 4
ROUGHER = 1e3

#: So many places are halved so often; values there must be this close to one of the curves on
#: both sides, in units of how far these are apart. Slopes that differ by this share are those
#: of a solver whose steps are limited, not of a rectifier.
PLACES = 8
HALVINGS = 32
MEETING = 0.1
TINY_BEND = 1e-4

#: Jumps by more than this share of what the function varies by are no solver's.
TINY_JUMP = 1e-2


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


def breaks_nearby(function: Function, rng: np.random.Generator) -> Booleans:
    """Tell which outputs jump somewhere near the point, or bend abruptly, by ever so little.

    A solver that adapts its steps takes one more here than there: its result jumps by far
    less than its error, which is much the same on both sides; or it bends, where the
    length of a step reaches a limit.

    Parameters
    ----------
    function : Function
        What is measured.
    rng : numpy.random.Generator
        Draws the directions to look in.

    Returns
    -------
    ndarray of bool, shape (m,)
        Costs 500 evaluations, or 1,000 where the first direction shows none, and up to 500
        for each output that is rougher in places.
    """
    found = np.zeros(function.base.shape, dtype=bool)
    for spacing in FINE_SPACINGS:
        direction = signed_direction(function.scales.own(slice(None)), rng)
        line = DirectionLine(function.evaluate, function.point, direction)
        found |= _breaks_along(line, function, spacing)
        if found.all():
            break
    return found


def _breaks_along(line: DirectionLine, function: Function, spacing: float) -> Booleans:
    """Tell which outputs break between places that are so far apart along a line."""
    steps: Floats = spacing * np.arange(-FINE_POINTS, FINE_POINTS + 1.0)
    values = np.insert(line.at(steps[steps != 0])[1], FINE_POINTS, function.base, axis=0)
    found = np.zeros(function.base.shape, dtype=bool)
    with np.errstate(all="ignore"):
        rough = np.abs(np.diff(values, n=FINE_ORDER, axis=0))
        rough[~np.isfinite(rough)] = 0.0
        least = np.maximum(ROUGHER * np.median(rough, axis=0), VISIBLE * function.noise)
    for output in np.flatnonzero((rough > least).any(axis=0)).tolist():
        around = rough[:, output].copy()
        for _ in range(PLACES):
            first = int(np.argmax(around))
            if around[first] <= least[output]:
                break
            around[max(first - FINE_ORDER, 0) : first + FINE_ORDER + 1] = 0.0
            # Of a jump, the two differences in the middle are the largest, and alike.
            places = (first + 1, first + 2)
            if any(_is_break(line, steps, values[:, output], at, output) for at in places):
                found[output] = True
                break
    return found


def _is_break(line: DirectionLine, steps: Floats, values: Floats, at: int, output: int) -> bool:
    """Tell whether two smooth curves meet between two of the places, with a tiny misfit.

    Each runs through the four values to one side, and what lies between is on one of the two
    however close one looks. They are apart where they meet, or differ by a slope that is a tiny
    share of that of either: a rectifier bends more, and the steep part of a smooth step is on
    neither.
    """
    left, right = slice(at - 3, at + 1), slice(at + 1, at + 5)
    if at < 3 or at + 5 > steps.size:
        return False
    origin, unit = steps[at], steps[at + 1] - steps[at]

    def curve(side: slice) -> np.polynomial.Polynomial:
        return np.polynomial.Polynomial.fit(
            (steps[side] - origin) / unit, values[side], FINE_ORDER - 1, domain=[-3, 4]
        )

    before, behind = curve(left), curve(right)
    low, high, first = 0.0, 1.0, abs(behind(0.5) - before(0.5))
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        there = float(line.at(np.array([origin + middle * unit]))[1][0, output])
        height = abs(behind(middle) - before(middle))
        on_left, on_right = abs(there - before(middle)), abs(there - behind(middle))
        if not min(on_left, on_right) <= MEETING * max(height, MEETING * first):
            return False
        low, high = (middle, high) if on_left < on_right else (low, middle)
    slope, bend = before.deriv()(low), behind.deriv()(low) - before.deriv()(low)
    height = abs(behind(low) - before(low))
    if height > TINY_JUMP * np.nanmax(np.abs(values - values[steps.size // 2])):
        return False
    is_high = height >= AS_HIGH * first
    return bool(is_high or abs(bend) <= TINY_BEND * abs(slope))
