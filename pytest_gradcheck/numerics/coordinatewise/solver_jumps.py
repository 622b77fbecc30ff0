"""Jumps and kinks of a function near the point, and the errors they leave in its derivatives.

The result of a solver that stops at a tolerance, or adapts its steps, is smooth between places
where it takes one iteration more than before; there it jumps or has a kink. The derivative of a
smooth branch differs from that of the exact solution, whatever the step (H. G. Bock, in Modelling
of Chemical Reaction Systems, 1981, 102). Three questions are answered, along random directions:

- `are_analytic`: can there be no jump or kink at all? The Chebyshev coefficients of an analytic
  function fall geometrically, those of others no faster than a power of their degree.
- `branch_slope_errors`: by how much may the derivative of a branch be wrong? By what its jumps
  make up for, since the error of a result stays bounded.
- `find_discontinuities`: where does the function jump or bend abruptly, by however little?

Jumps are found in differences of high order, which annihilate polynomials (R. Archibald, A. Gelb,
J. Yoon, SIAM J. Numer. Anal. 43 (2005) 259), and confirmed by magnification: a jump keeps its
height, a kink, the edge of a root and an oscillation do not.

It does not estimate a derivative.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import comb

import numpy as np

from pytest_gradcheck.numerics.function import Function
from pytest_gradcheck.numerics.line_restriction import DirectionLine
from pytest_gradcheck.numerics.measurement import EPS, Booleans, Floats
from pytest_gradcheck.numerics.random_directions import evaluate_along, signed_direction

__all__ = [
    "LARGEST_SOLVER_ERROR",
    "Discontinuities",
    "are_analytic",
    "branch_slope_errors",
    "find_discontinuities",
]


#: Degrees of the interpolating polynomials, tried in turn, and the number of directions.
DEGREES = (32, 64, 128)
POLYNOMIAL_DIRECTIONS = 2

#: The coefficients of this last share of the degrees must be below so many times the noise. A
#: jump leaves two thirds of its height over the degree in all of them.
LAST_SHARE = 1 / 8
HIDDEN = 4.0

#: A higher degree is tried where coefficients fall by more than this from half the degree on:
#: those of a kink fall by four.
FALLING = 8.0

#: Branches are looked for in so many equispaced samples to each side, with this spacing in units
#: of the scale, along up to so many directions: a branch may be as long as the point is large.
POINTS = 50
SPACING = 0.02
DIRECTIONS = 4

#: Differences of this order are next to nothing for smooth values, and at most 2^8 times the
#: noise; the factor leaves room for more noise further away. The differences around a jump add up
#: to so many times its height.
ORDER = 8
VISIBLE = 100.0 * 2**ORDER
AMPLIFICATION = float(sum(comb(ORDER - 1, k) for k in range(ORDER)))

#: Factors of successive magnifications, and the number of samples to each side at each.
MAGNIFICATIONS = (8, 16, 16, 16)
MAGNIFIED_POINTS = (32, 24, 24, 24)

#: A jump has this share of its height after two magnifications. The edge of a root has a sixteenth
#: of it, a kink less, an oscillation nothing.
SAME_HEIGHT = 0.3

#: The derivative of a branch differs by up to so many times its jumps per length.
SLOPE_FACTOR = 100.0

#: Tiny jumps are looked for in so many samples to each side, with these spacings along one
#: direction after the other, where differences of this order exceed so many times their median.
FINE_POINTS = 250
FINE_SPACINGS = (1e-3, 4e-3, 1e-3, 4e-3, 1e-3)
FINE_ORDER = 4
ROUGHER = 10.0

#: How many rough intervals of an output are examined, and how often each is bisected.
INTERVALS = 12
BISECTIONS = 32

#: Values belong to a smooth curve up to this share of the distance of two curves.
MEETING = 0.1

#: Slopes that differ by this share are those of a solver whose steps are limited, not of a
#: rectifier; up to the second share they may be.
TINY_BEND = 1e-4
SMALL_BEND = 5e-3

#: Slopes beside a kink, and claims, are evaluated at this distance from it in units of the
#: interval; they must differ by this share of what those of the two curves do.
SLOPE_DISTANCE = 1e-3
CONFIRMED_SHARE = 0.5

#: One of several jumps in an interval may be this much smaller than their sum.
SMALLEST_JUMP = 1e-2

#: A jump by more than this share of the variation of the function is not that of a solver.
TINY_JUMP = 1e-2

#: The error that a solver leaves in a derivative is up to so many times the difference of slopes
#: at a discontinuity, but no more than this share of the largest derivative.
BEND_FACTOR = 100.0
LARGEST_SOLVER_ERROR = 1 / 3


def are_analytic(function: Function, rng: np.random.Generator) -> Booleans:
    """Return which outputs have neither a jump nor a kink along lines through the point.

    The Chebyshev coefficients of an analytic function fall geometrically; where it jumps or has
    a kink they fall no faster than one over the degree, or over its square (L. N. Trefethen,
    Approximation Theory and Approximation Practice, 2013, chapters 7 and 8). An output is taken
    to be analytic where the last coefficients are below its noise.

    Parameters
    ----------
    function : Function
        What is examined.
    rng : numpy.random.Generator
        Draws the directions.

    Returns
    -------
    ndarray of bool, shape (m,)
        For lines from minus to plus the scale of each coordinate. Costs 33 to 129 evaluations
        along each of two directions, or along one where no output is analytic.
    """
    result = np.ones(function.base.shape, dtype=bool)
    for _ in range(POLYNOMIAL_DIRECTIONS):
        direction = signed_direction(function.scales.own(slice(None)), rng)
        with np.errstate(all="ignore"):
            result &= _are_polynomials(function, direction)
        if not result.any():
            break
    return result


def _are_polynomials(function: Function, direction: Floats) -> Booleans:
    """Return which outputs a polynomial interpolates up to their noise along a direction."""
    values = np.empty((0, function.base.size))
    for degree in DEGREES:
        nodes = np.cos(np.pi * np.arange(degree + 1.0) / degree)
        known = values
        values = np.empty((degree + 1, function.base.size))
        new = slice(1, None, 2) if len(known) else slice(None)
        values[::2][: len(known)] = known
        values[new] = evaluate_along(
            function.evaluate, function.point, direction, nodes[new].tolist()
        )
        noise = np.fmax(function.noise, EPS * np.abs(values).max(axis=0))
        share, size = round(LAST_SHARE * degree), np.abs(_coefficients(values))
        last = size[-share:].max(axis=0)
        interpolated = np.asarray(last <= HIDDEN * noise)
        falling = FALLING * last < size[degree // 2 - share : degree // 2].max(axis=0)
        if not (falling & ~interpolated).any():
            break
    return interpolated


def _coefficients(values: Floats) -> Floats:
    """Return Chebyshev coefficients from values at the extrema of the polynomial.

    Examples
    --------
    >>> nodes = np.cos(np.pi * np.arange(5) / 4)
    >>> abs(_coefficients((3.0 + 8 * nodes**4)[:, None])[:, 0]).round(9)
    array([6., 0., 4., 0., 1.])
    """
    degree = len(values) - 1
    periodic = np.concatenate([values, values[-2:0:-1]])
    coefficients: Floats = np.fft.rfft(periodic, axis=0).real / degree
    coefficients[[0, -1]] /= 2
    return coefficients


def branch_slope_errors(function: Function, limit: Floats, rng: np.random.Generator) -> Floats:
    """Bound by how much the derivative of a smooth branch may differ from that of the whole.

    A solver that stops at a tolerance takes one iteration more here than there. Between such
    places its result has a derivative that no smaller step improves. Since the error of the
    result stays bounded, the error of its slope and its jumps cancel in the long run.

    Parameters
    ----------
    function : Function
        What is measured.
    limit : ndarray, shape (m,)
        Larger slopes belong to jumps that no tolerance leaves, such as poles and thresholds.
    rng : numpy.random.Generator
        Draws the directions.

    Returns
    -------
    ndarray, shape (m,)
        Slopes per relative step, 0 where there is no jump nearby. Costs 100
        evaluations for each of up to four directions, and 212 more for each output
        that seems to jump.
    """
    slopes = np.zeros_like(function.base)
    for _ in range(DIRECTIONS):
        direction = signed_direction(function.scales.own(slice(None)), rng)
        with np.errstate(all="ignore"):
            found = SLOPE_FACTOR * _jumps_per_length(function, direction)
        slopes = np.maximum(slopes, np.where(found <= limit, found, 0.0))
        if slopes.all():
            break
    return slopes


def _jumps_per_length(function: Function, direction: Floats) -> Floats:
    """Return the sum of the jumps along a direction over its length, 0 where there are none."""
    rough = _roughness(function, direction, 0.0, SPACING, POINTS)
    slopes = np.zeros_like(function.base)
    for output in np.flatnonzero(rough.any(axis=0)).tolist():
        if _has_jump(function, direction, rough[:, output], output):
            slopes[output] = rough[:, output].sum() / AMPLIFICATION / (2 * POINTS * SPACING)
    return slopes


def _roughness(
    function: Function, direction: Floats, centre: float, spacing: float, points: int
) -> Floats:
    """Return the differences of samples around a step where they are above noise, else 0.

    The shape is (2 points + 1 - order, m).
    """
    steps = centre + spacing * np.arange(-points, points + 1)
    values = evaluate_along(function.evaluate, function.point, direction, steps.tolist())
    rough = np.abs(np.diff(values, n=ORDER, axis=0))
    largest = np.where(np.isfinite(values), np.abs(values), 0.0).max(axis=0)
    noise = np.maximum(function.noise, EPS * largest)
    return np.where(np.isfinite(rough) & (rough > VISIBLE * noise), rough, 0.0)


def _has_jump(function: Function, direction: Floats, rough: Floats, output: int) -> bool:
    """Return whether the roughest place of an output is as rough when magnified."""
    centre, spacing, points, highest = 0.0, SPACING, POINTS, [float(rough.max())]
    for factor, magnified_points in zip(MAGNIFICATIONS, MAGNIFIED_POINTS, strict=True):
        centre += spacing * (int(np.argmax(rough)) + ORDER / 2 - points)
        spacing, points = spacing / factor, magnified_points
        rough = _roughness(function, direction, centre, spacing, points)[:, output]
        highest.append(float(rough.max()))
        if highest[-1] == 0:
            return False
    return highest[-1] > SAME_HEIGHT * highest[-3]


@dataclass(frozen=True, slots=True)
class Discontinuities:
    """Which outputs jump or bend abruptly nearby, and by how much their slopes differ there.

    Attributes
    ----------
    found : ndarray of bool, shape (m,)
        Which outputs have a discontinuity that may be that of a solver.
    bends : ndarray, shape (m,)
        The largest difference of the slopes on both sides of a discontinuity, or of a small
        kink, per relative step of all coordinates.
    """

    found: Booleans
    bends: Floats

    def explain(self, error: Floats, largest: Floats) -> Booleans:
        """Return which errors may be those that a solver leaves in all derivatives.

        Parameters
        ----------
        error : ndarray, shape (..., m)
            Differences of claims and measurements, per relative step.
        largest : ndarray, shape (m,)
            The largest derivatives, per relative step: a solver gets their sign right.
        """
        limit = np.minimum(BEND_FACTOR * self.bends, LARGEST_SOLVER_ERROR * largest)
        return np.asarray(error <= limit)


def find_discontinuities(function: Function, rng: np.random.Generator) -> Discontinuities:
    """Find places near the point where outputs jump or bend abruptly, by however little.

    A solver that adapts its steps takes one more here than there. Its result jumps by far
    less than its error, which is much the same on both sides, or it has a kink where the
    length of a step reaches a limit.

    Parameters
    ----------
    function : Function
        What is measured.
    rng : numpy.random.Generator
        Draws the directions.

    Returns
    -------
    Discontinuities
        Costs 1,000 evaluations, up to 2,500 where two directions show none, and up to 1,000 for
        each output with rough intervals.
    """
    found, bends = np.zeros(function.base.shape, dtype=bool), np.zeros(function.base.shape)
    for number, spacing in enumerate(FINE_SPACINGS):
        if number > 1 and bends.all():
            break
        direction = signed_direction(function.scales.own(slice(None)), rng)
        line = DirectionLine(function.evaluate, function.point, direction)
        for output, bend, is_discontinuity in _discontinuities_along(line, function, spacing):
            found[output] |= is_discontinuity
            bends[output] = max(bends[output], bend)
    return Discontinuities(found, bends)


def _discontinuities_along(
    line: DirectionLine, function: Function, spacing: float
) -> Iterator[tuple[int, float, bool]]:
    """Yield outputs, the bend in one of their rough intervals, and if it is a discontinuity."""
    steps: Floats = spacing * np.arange(-FINE_POINTS, FINE_POINTS + 1.0)
    values = np.insert(line.at(steps[steps != 0])[1], FINE_POINTS, function.base, axis=0)
    with np.errstate(all="ignore"):
        rough = np.abs(np.diff(values, n=FINE_ORDER, axis=0))
        rough[~np.isfinite(rough)] = 0.0
        least = np.maximum(ROUGHER * np.median(rough, axis=0), VISIBLE * function.noise)
    for output in np.flatnonzero((rough > least).any(axis=0)).tolist():
        remaining = rough[:, output].copy()
        for _ in range(INTERVALS):
            first = int(np.argmax(remaining))
            if remaining[first] <= least[output]:
                break
            remaining[max(first - FINE_ORDER, 0) : first + FINE_ORDER + 1] = 0.0
            # The two differences in the middle of a jump are the largest, and alike.
            for index in (first + 1, first + 2):
                if index < 3 or index + 5 > steps.size:
                    continue
                interval = _Interval(function, line, steps, values[:, output], index, output)
                found = interval.between_curves() or interval.jump()
                if found is not None:
                    yield output, *found
                    break


@dataclass(frozen=True, slots=True)
class _Interval:
    """The interval after the sample `index` of a line, in which an output is rough.

    Positions in it are shares of its length.
    """

    function: Function
    line: DirectionLine
    steps: Floats
    values: Floats
    index: int
    output: int

    @property
    def length(self) -> float:
        return float(self.steps[self.index + 1] - self.steps[self.index])

    def value(self, position: float) -> float:
        """Return the output at a position; one evaluation."""
        step = np.array([self.steps[self.index] + position * self.length])
        return float(self.line.at(step)[1][0, self.output])

    def variation(self) -> float:
        """Return the median distance of the samples from the value at the point."""
        middle = self.values[self.steps.size // 2]
        return float(np.nanmedian(np.abs(self.values - middle)))

    def typical_slope(self) -> float:
        """Return the slope that corresponds to the variation."""
        return 2 * self.variation() / abs(float(self.steps[0]))

    def curve(self, side: slice) -> np.polynomial.Polynomial:
        """Return the cubic through the four samples on one side."""
        return np.polynomial.Polynomial.fit(
            (self.steps[side] - self.steps[self.index]) / self.length,
            self.values[side],
            FINE_ORDER - 1,
            domain=[-3, 4],
        )

    def between_curves(self) -> tuple[float, bool] | None:
        """Return the bend where two smooth curves meet, and if it is a discontinuity.

        All values in the interval belong to the curve on the left or to that on the right. Where
        one replaces the other they are apart, a jump, or their slopes differ by a tiny share,
        a kink. The slopes of a rectifier differ by more, and the steep part of a smoothed
        step belongs to neither curve.
        """
        index = self.index
        left = self.curve(slice(index - 3, index + 1))
        right = self.curve(slice(index + 1, index + 5))
        low, high, first = 0.0, 1.0, abs(right(0.5) - left(0.5))
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            value, height = self.value(middle), abs(right(middle) - left(middle))
            from_left, from_right = abs(value - left(middle)), abs(value - right(middle))
            if not min(from_left, from_right) <= MEETING * max(height, MEETING * first):
                return None
            low, high = (middle, high) if from_left < from_right else (low, middle)
        slope, height = abs(left.deriv()(low)) / self.length, abs(right(low) - left(low))
        bend = abs(right.deriv()(low) - left.deriv()(low)) / self.length
        typical = self.typical_slope()
        if height >= SAME_HEIGHT * first:
            return (min(bend, typical), True) if height <= TINY_JUMP * self.variation() else None
        # Curves through several kinks meet where there is no discontinuity.
        if (
            bend > typical
            or self.bend(low) < CONFIRMED_SHARE * bend
            or (is_claimed := self.is_claimed(low, bend))
        ):
            return None
        if is_claimed is None:
            return (bend, bend <= TINY_BEND * slope) if bend <= SMALL_BEND * typical else None
        return bend, True

    def bend(self, position: float) -> float:
        """Return the difference of the slopes on both sides of a position; four evaluations."""
        offsets = (-2.0, -1.0, 1.0, 2.0)
        values = [self.value(position + SLOPE_DISTANCE * offset) for offset in offsets]
        left, _, right = np.diff(values) / (SLOPE_DISTANCE * self.length)
        return float(abs(right - left))

    def is_claimed(self, position: float, bend: float) -> bool | None:
        """Return whether the claimed slope jumps at a position, as the slope of the output does.

        It does where the function itself has a kink. It does not where a solver takes one step
        more, since a continuous adjoint does not contain the steps. None where the claim is the
        same everywhere, or cannot be evaluated.
        """
        if self.function.claimed_slopes is None:
            return None
        step = self.steps[self.index] + position * self.length
        slopes = []
        offsets = np.array([-3.0, -1.0, 1.0, 3.0])
        for there in (0.0, *(step + SLOPE_DISTANCE * self.length * offsets)):
            point = self.line.point + there * self.line.direction
            slope = self.function.claimed_slopes(point, self.line.direction)
            if slope is None:
                return None
            slopes.append(float(slope[self.output]))
        at_point, *around = slopes
        before, across, behind = np.diff(around)
        jump = abs(across - (before + behind) / 2)
        return None if around[0] == at_point else bool(jump > MEETING * bend)

    def jump(self) -> tuple[float, bool] | None:
        """Return the slope that corresponds to a jump, and that it is a discontinuity.

        A jump is the difference of two values that remains however close they are. Jumps may be
        so dense that no smooth curve lies between them; then this is the difference of slopes.
        """
        index, values = self.index, self.values
        slope = float(values[index + 4] - values[index - 3]) / 7
        left, right = float(values[index]), float(values[index + 1]) - slope
        low, high, first = 0.0, 1.0, abs(right - left)
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            value = self.value(middle) - slope * middle
            if abs(value - left) > abs(right - value):
                high, right = middle, value
            else:
                low, left = middle, value
            if not abs(right - left) >= SMALLEST_JUMP * first:
                return None
        height = abs(right - left)
        if not VISIBLE * self.function.noise[self.output] < height <= TINY_JUMP * self.variation():
            return None
        return min(height / (2 * FINE_ORDER * self.length), self.typical_slope()), True
