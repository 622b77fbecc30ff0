"""Functions that jump between smooth branches: solvers that stop, adaptive steps.

It must not estimate derivatives; it says how far those of a branch may be off.
"""

from __future__ import annotations

import numpy as np

from pytest_gradcheck.numerics.lines import DirectionLine
from pytest_gradcheck.numerics.measurement import Evaluate, Floats
from pytest_gradcheck.numerics.noise import signed_direction

__all__ = ["branch_slopes"]

#: So many points to each side of the point.
POINTS = 6

#: So far apart, relatively, along a new direction each: branches may be short or long.
SPACINGS = (0.03, 0.1, 0.03, 0.1)

#: Smooth values leave nothing in differences of this order ...
ORDER = 6

#: ... but noise, 2^6 times at most; a jump is seen far above that.
VISIBLE = 50.0 * 2**ORDER

#: Halvings between a point before a jump and one behind it.
BISECTIONS = 16


def branch_slopes(
    evaluate: Evaluate,
    point: Floats,
    *,
    base: Floats,
    noise: Floats,
    scale: Floats,
    rng: np.random.Generator,
) -> Floats:
    """Bound how much the slope of a branch may differ from that of the whole.

    A solver that is stopped at a tolerance takes one iteration more here than
    there; between such places its result is smooth, with a derivative that no
    smaller step improves, yet off by up to the height of the jumps over the length
    of a branch. A jump keeps its height however closely it is enclosed, which a
    kink and an oscillation do not.

    Parameters
    ----------
    evaluate : callable
        ``evaluate(point) -> outputs, shape (m,)``.
    point : ndarray, shape (n,)
        Where; left as it is.
    base, noise : ndarray, shape (m,)
        Outputs at the point and their noise.
    scale : ndarray, shape (n,)
        Natural size of a step in each coordinate.
    rng : numpy.random.Generator
        Draws the direction to look in.

    Returns
    -------
    ndarray, shape (m,)
        Slopes per relative step, 0 where there is no jump nearby. Costs 48
        evaluations, 16 more for each output that does not look smooth.
    """
    slopes = np.zeros_like(base)
    for spacing in SPACINGS:
        direction = spacing * signed_direction(scale, rng)
        line = DirectionLine(evaluate, point, direction)
        with np.errstate(all="ignore"):
            slopes = np.maximum(slopes, _look(line, base, noise) / spacing)
        if slopes.all():
            break
    return slopes


def _look(line: DirectionLine, base: Floats, noise: Floats) -> Floats:
    """Return the slopes along a line whose unit is the spacing of the points."""
    values = np.stack([line.at(k)[1] if k else base for k in range(-POINTS, POINTS + 1)])
    left_over = np.abs(np.diff(values, n=ORDER, axis=0))
    left_over[~np.isfinite(left_over)] = 0.0
    slopes = np.zeros_like(base)
    for output in np.flatnonzero((left_over > VISIBLE * noise).any(axis=0)).tolist():
        # A jump leaves most where it is in the middle of the differenced points.
        first = int(np.argmax(left_over[:, output])) + ORDER // 2 - 1
        height, place = _enclose(line, values[:, output], first, output)
        if height > VISIBLE * noise[output]:
            slopes[output] = height / max(place, 1.0)
    return slopes


def _enclose(line: DirectionLine, values: Floats, first: int, output: int) -> tuple[float, float]:
    """Enclose what lies between point `first` and the next but one.

    Returns
    -------
    height : float
        Of the jump there, 0 where there is none.
    place : float
        How far from the point.
    """
    if first < POINTS:  # from the right, so that the longer side foretells
        line = DirectionLine(line.evaluate, line.point, -line.direction)
        values, first = values[::-1], len(values) - 3 - first
    known = np.arange(first + 1.0 - ORDER, first + 1.0) - POINTS

    def apart(distance: float) -> float:
        """Return how far the value is from what the points before the interval foretell."""
        foretold = _extrapolate(known, values[first + 1 - ORDER : first + 1], distance)
        return float(line.at(distance)[1][output]) - foretold

    low, high = known[-1], known[-1] + 2
    before, behind = 0.0, apart(high)
    departure = abs(behind)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        here = apart(middle)
        if abs(here) > departure / 2:
            high, behind = middle, here
        else:
            low, before = middle, here
    height = abs(behind - before)
    return (height if height > departure / 4 else 0.0), abs(high)


def _extrapolate(known: Floats, values: Floats, where: float) -> float:
    """Return the polynomial through `values` at `known`, at `where` (Lagrange)."""
    weights = [
        np.prod((where - np.delete(known, j)) / (known[j] - np.delete(known, j)))
        for j in range(known.size)
    ]
    return float(np.dot(weights, values))
