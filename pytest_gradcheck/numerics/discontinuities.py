"""Functions that jump between smooth branches: solvers that stop, adaptive steps.

It must not estimate derivatives; it says how far those of a branch may be off.
"""

# MERGED Functions that a polynomial follows to the last digit as far as the point is from zero.
#
# It must not look for breaks: it tells cheaply where there can be none.

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import comb

import numpy as np

from pytest_gradcheck.numerics.function import Function
from pytest_gradcheck.numerics.line_restriction import DirectionLine
from pytest_gradcheck.numerics.measurement import EPS, Booleans, Floats
from pytest_gradcheck.numerics.random_directions import evaluate_along, signed_direction

__all__ = ["Discontinuities", "are_analytic", "branch_slope_errors", "find_discontinuities"]


#: Degrees of the polynomials, one after the other, and how many directions they are tried along.
DEGREES = (32, 64, 128)
POLYNOMIAL_DIRECTIONS = 2

#: The coefficients of this last share of the degrees have to be below so many times the noise.
#: A jump leaves two thirds of its height over the degree in all of them.
LAST = 1 / 8
HIDDEN = 4.0

#: Higher degrees are tried where they fall by more than this from half the degree on: those of
#: a kink fall by four.
FALLING = 8.0


def are_analytic(function: Function, rng: np.random.Generator) -> Booleans:
    """Tell which outputs have no jump, nor a kink, along lines through the point.

    Coefficients of Chebyshev's polynomials fall geometrically for an analytic function, and
    no faster than one over their degree, or its square, where it jumps or bends (L. N.
    Trefethen, Approximation Theory and Approximation Practice, 2013, chapters 7 and 8).

    Parameters
    ----------
    function : Function
        What is looked at.
    rng : numpy.random.Generator
        Draws the directions to look in.

    Returns
    -------
    ndarray of bool, shape (m,)
        From minus once to plus once the scale of each coordinate. Costs 33 to 129
        evaluations along each of two directions, one where it shows that no output is.
    """
    result = np.ones(function.base.shape, dtype=bool)
    for _ in range(POLYNOMIAL_DIRECTIONS):
        direction = signed_direction(function.scales.own(slice(None)), rng)
        with np.errstate(all="ignore"):
            result &= _are_followed(function, direction)
        if not result.any():
            break
    return result


def _are_followed(function: Function, direction: Floats) -> Booleans:
    """Tell which outputs a polynomial follows along a direction."""
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
        share, size = round(LAST * degree), np.abs(_coefficients(values))
        last = size[-share:].max(axis=0)
        followed = np.asarray(last <= HIDDEN * noise)
        falling = FALLING * last < size[degree // 2 - share : degree // 2].max(axis=0)
        if not (falling & ~followed).any():
            break
    return followed


def _coefficients(values: Floats) -> Floats:
    """Return the coefficients of Chebyshev's polynomials from values at their extrema.

    Examples
    --------
    >>> nodes = np.cos(np.pi * np.arange(5) / 4)
    >>> abs(_coefficients((3.0 + 8 * nodes**4)[:, None])[:, 0]).round(9)
    array([6., 0., 4., 0., 1.])
    """
    degree = len(values) - 1
    both = np.concatenate([values, values[-2:0:-1]])
    coefficients: Floats = np.fft.rfft(both, axis=0).real / degree
    coefficients[[0, -1]] /= 2
    return coefficients


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
#: so far apart along one direction and another, and others where these show none, in
#: differences of this order: where they are so many times the median.
FINE_POINTS = 250
FINE_SPACINGS = (1e-3, 4e-3, 1e-3, 4e-3, 1e-3)
FINE_ORDER = 4
ROUGHER = 10.0

#: So many places are halved so often; values there must be this close to one of the curves on
#: both sides, in units of how far these are apart. Slopes that differ by a tiny share are those
#: of a solver whose steps are limited, not of a rectifier; by a small one they may be.
PLACES = 12
HALVINGS = 32
MEETING = 0.1
TINY_BEND = 1e-4
SMALL_BEND = 5e-3

#: So far from where an output bends its slopes are read, and backward is asked, in units of how
#: far places are apart; the slopes differ by this share of what the two curves do.
BESIDE = 1e-3
SEEN = 0.5

#: A jump among others may be so much smaller than all that lie between two places.
SMALLER = 1e-2

#: Jumps by more than this share of what the function varies by are no solver's.
TINY_JUMP = 1e-2

#: A solver's error may do so many times to a derivative what it does to slopes where it breaks;
#: but no more than this share of the largest.
BENDS = 100.0
LARGEST_SOLVER_ERROR = 1 / 3


def branch_slope_errors(function: Function, limit: Floats, rng: np.random.Generator) -> Floats:
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
    values = evaluate_along(function.evaluate, function.point, direction, steps.tolist())
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


@dataclass(frozen=True, slots=True)
class Discontinuities:
    """Where the outputs break nearby, and what that says of their slopes.

    Attributes
    ----------
    found : ndarray of bool, shape (m,)
        Which outputs jump somewhere near the point, or bend abruptly, by ever so little.
    bends : ndarray, shape (m,)
        The most that slopes to both sides of a break differ by, or of a bend that is but
        small, per relative step of all coordinates: a solver's error does this to a slope
        here, and something else there.
    """

    found: Booleans
    bends: Floats

    def explain(self, error: Floats, largest: Floats) -> Booleans:
        """Tell which errors may be those that a solver leaves in all derivatives.

        Parameters
        ----------
        error : ndarray, shape (..., m)
            By how much claims and measurements differ, per relative step.
        largest : ndarray, shape (m,)
            The largest derivatives, per relative step: a solver gets their sign right.
        """
        limit = np.minimum(BENDS * self.bends, LARGEST_SOLVER_ERROR * largest)
        return np.asarray(error <= limit)


def find_discontinuities(function: Function, rng: np.random.Generator) -> Discontinuities:
    """Look for places near the point where outputs jump, or bend abruptly, by ever so little.

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
    Discontinuities
        Costs 1,000 evaluations, up to 2,500 where two directions show none, and up to 1,000 for
        each output that is rougher in places.
    """
    found, bends = np.zeros(function.base.shape, dtype=bool), np.zeros(function.base.shape)
    for number, spacing in enumerate(FINE_SPACINGS):
        if number > 1 and bends.all():
            break
        direction = signed_direction(function.scales.own(slice(None)), rng)
        line = DirectionLine(function.evaluate, function.point, direction)
        for output, bend, is_break in _breaks_along(line, function, spacing):
            found[output] |= is_break
            bends[output] = max(bends[output], bend)
    return Discontinuities(found, bends)


def _breaks_along(
    line: DirectionLine, function: Function, spacing: float
) -> Iterator[tuple[int, float, bool]]:
    """Yield outputs, how they bend between places so far apart, and whether they break there."""
    steps: Floats = spacing * np.arange(-FINE_POINTS, FINE_POINTS + 1.0)
    values = np.insert(line.at(steps[steps != 0])[1], FINE_POINTS, function.base, axis=0)
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
            for at in (first + 1, first + 2):
                if at < 3 or at + 5 > steps.size:
                    continue
                place = _Place(function, line, steps, values[:, output], at, output)
                found = place.between_curves() or place.jump()
                if found is not None:
                    yield output, *found
                    break


@dataclass(frozen=True, slots=True)
class _Place:
    """Between two of the steps along a line, where an output is rough."""

    function: Function
    line: DirectionLine
    steps: Floats
    values: Floats
    at: int
    output: int

    @property
    def unit(self) -> float:
        return float(self.steps[self.at + 1] - self.steps[self.at])

    def value(self, share: float) -> float:
        """Return the output at a share of the way between the two steps."""
        there = np.array([self.steps[self.at] + share * self.unit])
        return float(self.line.at(there)[1][0, self.output])

    def variation(self) -> float:
        """Return by how much values usually differ from that at the point."""
        middle = self.values[self.steps.size // 2]
        return float(np.nanmedian(np.abs(self.values - middle)))

    def usual_slope(self) -> float:
        """Return the slope that values usually differ by."""
        return 2 * self.variation() / abs(float(self.steps[0]))

    def curve(self, side: slice) -> np.polynomial.Polynomial:
        """Return the smooth curve through the four values to one side."""
        return np.polynomial.Polynomial.fit(
            (self.steps[side] - self.steps[self.at]) / self.unit,
            self.values[side],
            FINE_ORDER - 1,
            domain=[-3, 4],
        )

    def between_curves(self) -> tuple[float, bool] | None:
        """Return how much the output bends where two smooth curves meet, and if it breaks.

        What lies between is on one of the two however close one looks. They are apart where
        they meet, or differ by a slope that is a tiny share of that of either: a rectifier
        bends more, and the steep part of a smooth step is on neither.
        """
        at = self.at
        before, behind = self.curve(slice(at - 3, at + 1)), self.curve(slice(at + 1, at + 5))
        low, high, first = 0.0, 1.0, abs(behind(0.5) - before(0.5))
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            there, height = self.value(middle), abs(behind(middle) - before(middle))
            on_left, on_right = abs(there - before(middle)), abs(there - behind(middle))
            if not min(on_left, on_right) <= MEETING * max(height, MEETING * first):
                return None
            low, high = (middle, high) if on_left < on_right else (low, middle)
        slope, height = abs(before.deriv()(low)) / self.unit, abs(behind(low) - before(low))
        bend = abs(behind.deriv()(low) - before.deriv()(low)) / self.unit
        usual = self.usual_slope()
        if height >= AS_HIGH * first:
            return (min(bend, usual), True) if height <= TINY_JUMP * self.variation() else None
        # Curves through several breaks meet where there is none.
        if (
            bend > usual
            or self.bend(low) < SEEN * bend
            or (is_claimed := self.is_claimed(low, bend))
        ):
            return None
        if is_claimed is None:
            return (bend, bend <= TINY_BEND * slope) if bend <= SMALL_BEND * usual else None
        return bend, True

    def bend(self, share: float) -> float:
        """Return by how much the slopes to both sides of a share of the way differ."""
        values = [self.value(share + BESIDE * far) for far in (-2.0, -1.0, 1.0, 2.0)]
        left, _, right = np.diff(values) / (BESIDE * self.unit)
        return float(abs(right - left))

    def is_claimed(self, share: float, bend: float) -> bool | None:
        """Tell whether backward bends where the output does.

        It does where the function has a kink, and not where a solver takes another step, of which
        a continuous adjoint knows nothing. None where backward is the same everywhere, or cannot
        be asked.
        """
        if self.function.claimed_slopes is None:
            return None
        step = self.steps[self.at] + share * self.unit
        slopes = []
        for there in (0.0, *(step + BESIDE * self.unit * np.array([-3.0, -1.0, 1.0, 3.0]))):
            point = self.line.point + there * self.line.direction
            slope = self.function.claimed_slopes(point, self.line.direction)
            if slope is None:
                return None
            slopes.append(float(slope[self.output]))
        here, *beside = slopes
        before, across, behind = np.diff(beside)
        jump = abs(across - (before + behind) / 2)
        return None if beside[0] == here else bool(jump > MEETING * bend)

    def jump(self) -> tuple[float, bool] | None:
        """Return the slope of a jump: what is left between two values however close they are.

        Where jumps are so many that no curve leads from one to the next, slopes differ as
        they have it.
        """
        at, values = self.at, self.values
        slope = float(values[at + 4] - values[at - 3]) / 7
        left, right = float(values[at]), float(values[at + 1]) - slope
        low, high, first = 0.0, 1.0, abs(right - left)
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            there = self.value(middle) - slope * middle
            if abs(there - left) > abs(right - there):
                high, right = middle, there
            else:
                low, left = middle, there
            if not abs(right - left) >= SMALLER * first:
                return None
        height = abs(right - left)
        if not VISIBLE * self.function.noise[self.output] < height <= TINY_JUMP * self.variation():
            return None
        return min(height / (2 * FINE_ORDER * self.unit), self.usual_slope()), True
