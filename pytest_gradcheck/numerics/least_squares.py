"""Least-squares fits of polynomials to many noisy values, to verify noise-dominated claims.

The slope of a polynomial fitted to values along a line errs by the noise over the length of the
line and the square root of the number of values. For a given number the error is smallest where
they are taken at the extrema of a Chebyshev polynomial (W. J. Studden, Ann. Math. Statist. 39
(1968) 1435). A slope that rounding hides from every central pair may be measured so, the better as
all coordinates of an array are moved at once.

It does not refute a claim: it measures derivatives near their claims, and bounds nothing where
these are wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

import numpy as np
from numpy.polynomial import chebyshev

from pytest_gradcheck.numerics.coordinate_scales import claimed_length_scale
from pytest_gradcheck.numerics.function import Function
from pytest_gradcheck.numerics.measurement import Booleans, Floats, Measurement, Status
from pytest_gradcheck.numerics.random_directions import evaluate_along, signed_direction

__all__ = [
    "SlopeFit",
    "fit_slopes",
    "scattered_points",
    "verified_tolerance",
    "verify_by_regression",
    "verify_noisy_arrays",
]

#: The length of the line on each side, in units of the scales: less where no polynomial fits the
#: values, or the function is undefined.
LENGTHS = (0.5, 0.3, 0.15, 0.07, 0.03)

#: Few values may fit a polynomial at a length at which many do not; so many lengths are tried.
ATTEMPTS = 2

#: Coordinates below this may be small by chance: they are then moved as if they were this large.
SMALL = 0.1

#: A claim is verified when its bound is below this share of it, or of the agreement.
RESOLVED = 3e-4
ALLOWED = 0.5

#: Derivatives may be measured when they change the output by so many times the noise over the
#: scale of a coordinate.
VISIBLE = 300.0

#: The number of directions along which claims must agree.
DIRECTIONS = 2

#: The degree of the fit, and a higher one: the difference of their slopes estimates the truncation
#: error of the first.
DEGREE = 4
HIGHER_DEGREE = 6

#: The derivatives at 0 of the Chebyshev polynomials.
SLOPES = np.array([0.0, 1.0, 0.0, -3.0, 0.0, 5.0, 0.0])

#: The extrema of the fifth of them on one side, shares of the values around each, and the relative
#: width of the intervals around them. So many times the shares are taken where few values fit.
EXTREMA = np.cos(np.pi * np.arange(3) / 5)
SHARES = (1, 2, 10)
WIDTH = 0.2
TIMES = 6

#: Where bounds are too large by no more than this factor, so many times more values are taken.
PROMISING = 3.0
MORE = 4

#: The bound of a slope in standard errors.
STANDARD_ERRORS = 2.0

#: Claims agree with a slope up to so many times its bound; nothing is said of others.
AGREES = 2.0

#: The residuals of a fit are independent noise when the mean square of successive differences is
#: at least this share of its expectation (J. von Neumann, Ann. Math. Statist. 12 (1941) 367).
INDEPENDENT = 0.6


@dataclass(frozen=True, slots=True)
class SlopeFit:
    """Derivatives of m outputs along a line; fields of shape (m,).

    Attributes
    ----------
    slope, bound : ndarray
        The derivatives, and bounds on their errors by noise and truncation; infinite where the
        residuals are not independent noise.
    is_noise : ndarray of bool
        Where the truncation error is no larger than that by noise.
    """

    slope: Floats
    bound: Floats
    is_noise: Booleans

    def or_nearer(self, nearer: SlopeFit) -> SlopeFit:
        """Return this fit, or one to nearer values where that has a smaller bound."""
        better = nearer.bound < self.bound
        return SlopeFit(
            np.where(better, nearer.slope, self.slope),
            np.where(better, nearer.bound, self.bound),
            nearer.is_noise,
        )


def verify_noisy_arrays(
    function: Function,
    claims: Callable[[int, int], Floats],
    found: Measurement,
    *,
    agreement: float,
    rng: np.random.Generator,
) -> None:
    """Verify arrays by regression of which noise leaves no claim verified.

    Parameters
    ----------
    function : Function
        What is measured.
    claims : callable
        ``claims(start, stop)`` returns the claimed derivatives, shape (stop - start, m).
    found : Measurement
        The derivatives by central differences; replaced where a fit has a smaller bound.
    agreement, rng
        See `verify_by_regression`, which is called for each such array.
    """
    for start, stop in pairwise([*function.scales.starts.tolist(), function.point.size]):
        part = slice(start, stop)
        claim, value, bound = claims(start, stop), found.value[part], found.bound[part]
        error, size = np.abs(value - claim), np.maximum(np.abs(claim), np.abs(value))
        change = np.abs(claim) * np.maximum(function.scales.meaningful(part), SMALL)[:, None]
        is_open = (bound > verified_tolerance(agreement) * size) & (error <= 2 * bound)
        is_open &= found.status[part] == Status.SMOOTH.value
        if is_open.all() and (change >= VISIBLE * function.noise).any():
            fitted, fitted_bound = verify_by_regression(
                function, part, claim, agreement=agreement, rng=rng
            )
            better = fitted_bound < bound
            found.value[part] = np.where(better, fitted, value)
            found.bound[part] = np.where(better, fitted_bound, bound)


def verify_by_regression(
    function: Function,
    coordinates: slice,
    claim: Floats,
    *,
    agreement: float,
    rng: np.random.Generator,
) -> tuple[Floats, Floats]:
    """Measure derivatives near their claims by fits along directions that move all at once.

    Parameters
    ----------
    function : Function
        What is measured.
    coordinates : slice
        Those of one array, whose claims are too noisy to verify one by one.
    claim : ndarray, shape (k, m)
        Their claimed derivatives.
    agreement : float
        Relative difference at which claim and measurement agree.
    rng : numpy.random.Generator
        Draws directions and points.

    Returns
    -------
    value, bound : ndarray, shape (k, m)
        Each derivative as it is if the other claims are right. The bound holds for its error
        and for that of the claim, unless errors cancel along both directions by chance. It is
        infinite where no claim is verified.

        Costs 182 evaluations along each of two directions where a polynomial fits far from the
        point. Where it does not, each length costs 26 more, and 156 if many values show that.
        The second direction is spared where the first verifies nothing. Small
        coordinates are then moved further, and where a bound is nearly small enough four times
        as many values are taken.
    """
    scales = function.scales
    scale = np.maximum(scales.meaningful(coordinates), scales.typical(coordinates))
    size = np.maximum(np.abs(function.base), function.sizes)
    scale = np.minimum(scale, claimed_length_scale(claim, size))
    small, times = bool((scale < SMALL).any()), TIMES
    while True:
        directions, fits = list[Floats](), list[SlopeFit]()
        while len(fits) < DIRECTIONS:
            directions.append(signed_direction(scale, rng))
            fits.append(_fit_along(function, coordinates, directions[-1], rng, times))
            value, bound = _largest_bounds(claim, np.array(directions), fits, agreement)
            ratio = _ratio_to_tolerance(claim, bound, agreement)
            if ratio > PROMISING:
                break
        if ratio > 1 and small:
            scale, small = np.maximum(scale, SMALL), False
        elif 1 < ratio < PROMISING and times == TIMES:
            times *= MORE
        else:
            return value, bound if ratio <= 1 else np.full_like(bound, np.inf)


def _largest_bounds(
    claim: Floats, directions: Floats, fits: Sequence[SlopeFit], agreement: float
) -> tuple[Floats, Floats]:
    """Return each derivative from the direction with the largest bound, other claims right."""
    fit_bound = np.array([fit.bound for fit in fits])
    difference = np.array([fit.slope for fit in fits]) - directions @ claim
    allowed = AGREES * fit_bound + agreement * (np.abs(directions) @ np.abs(claim))
    error = np.where(np.abs(difference) <= allowed, np.abs(difference) + fit_bound, np.inf)
    bounds = error[:, None] / np.abs(directions)[:, :, None]
    worst = bounds.argmax(axis=0)[None]
    differences = difference[:, None] / directions[:, :, None]
    value = claim + np.take_along_axis(differences, worst, axis=0)[0]
    return value, np.take_along_axis(bounds, worst, axis=0)[0]


def verified_tolerance(agreement: float) -> float:
    """Return the share of a derivative that a bound must not exceed to verify its claim."""
    return max(RESOLVED, ALLOWED * agreement)


def _ratio_to_tolerance(claim: Floats, bound: Floats, agreement: float) -> float:
    """Return the smallest bound in units of what verifies its claim."""
    nonzero = claim != 0
    needed = verified_tolerance(agreement) * np.abs(claim[nonzero])
    return float(np.min(bound[nonzero] / needed, initial=np.inf))


def _fit_along(
    function: Function, coordinates: slice, entries: Floats, rng: np.random.Generator, times: int
) -> SlopeFit:
    """Fit derivatives along a direction, over the largest lengths at which polynomials fit."""
    direction = np.zeros_like(function.point)
    direction[coordinates] = entries

    def fit(length: float, times: int) -> SlopeFit:
        points = length * scattered_points(rng, times)
        values = evaluate_along(function.evaluate, function.point, direction, points.tolist())
        return fit_slopes(points, values)

    unknown = np.full(function.base.shape, np.inf)
    best = SlopeFit(np.zeros_like(unknown), unknown, np.isnan(unknown))
    fitting = (
        length for length in LENGTHS if length == LENGTHS[-1] or fit(length, 1).is_noise.all()
    )
    for length in islice(fitting, ATTEMPTS):
        best = best.or_nearer(fit(length, times))
        if best.is_noise.all():
            break
    return best


def fit_slopes(points: Floats, values: Floats) -> SlopeFit:
    """Fit derivatives at 0 to noisy values along a line.

    Parameters
    ----------
    points : ndarray, shape (n,)
        Ascending, around 0.
    values : ndarray, shape (n, m)
        The values of m outputs there.

    Examples
    --------
    >>> points = scattered_points(np.random.default_rng(0), 4)
    >>> fit = fit_slopes(points, np.round(2.345 * points + points**3, 2)[:, None])
    >>> abs(fit.slope - 2.345) < fit.bound, fit.bound < 0.01, fit.is_noise
    (array([ True]), array([ True]), array([ True]))
    """
    length = np.abs(points).max()
    terms = chebyshev.chebvander(points / length, HIGHER_DEGREE)
    weights = SLOPES[: DEGREE + 1] @ np.linalg.pinv(terms[:, : DEGREE + 1])
    defined = np.isfinite(values).all(axis=0)
    values = np.where(defined, values, 0.0)
    values -= np.median(values, axis=0)
    slope, coefficients = weights @ values, np.linalg.pinv(terms) @ values
    residuals = values - terms @ coefficients
    square = (residuals**2).sum(axis=0)
    freedom = points.size - HIGHER_DEGREE - 1
    noise = STANDARD_ERRORS * np.sqrt(square / freedom * (weights @ weights))
    truncation = np.abs(SLOPES @ coefficients - slope)
    independent = (np.diff(residuals, axis=0) ** 2).sum(axis=0) >= 2 * INDEPENDENT * square
    known = defined & independent & (square > 0)
    bound = np.where(known, noise + truncation, np.inf)
    return SlopeFit(slope / length, bound / length, known & (truncation <= noise))


def scattered_points(rng: np.random.Generator, times: int) -> Floats:
    """Draw points around the extrema of the fifth Chebyshev polynomial, ascending.

    Each is drawn uniformly from a cell of its own: equispaced points might resonate with the
    plateaus that rounding makes.
    """
    sides = []
    for extremum, share in zip(EXTREMA, SHARES, strict=True):
        count = share * times
        for centre in (extremum, -extremum):
            cells = (np.arange(count) + rng.uniform(size=count)) / count
            sides.append(centre * (1 + WIDTH * (2 * cells - 1)))
    return np.sort(np.concatenate(sides))
