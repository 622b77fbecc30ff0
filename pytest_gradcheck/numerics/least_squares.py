"""Claims that drown in rounding, verified by regression: many far values average noise away.

Polynomials are fitted by least squares to values along a line; their slope at the point errs
by the noise over the length of the line and the square root of how many values there are.
For a given number the error is least where these gather around the extremes of a Chebyshev
polynomial (P. G. Hoel and A. Levine, Ann. Math. Statist. 35 (1964) 1553). A slope that
forward's rounding hides from every pair may show there, all the more as all coordinates move.

It must not accuse: it measures near the claims, and says nothing where these are off.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

import numpy as np
from numpy.polynomial import chebyshev

from pytest_gradcheck.numerics.function import Function
from pytest_gradcheck.numerics.measurement import Booleans, Floats, Measurement, Status
from pytest_gradcheck.numerics.random_directions import evaluate_along, signed_direction
from pytest_gradcheck.numerics.step_size import claimed_length_scale

__all__ = [
    "SlopeFit",
    "fit_slopes",
    "scattered_points",
    "verified_tolerance",
    "verify_by_regression",
    "verify_noisy_arrays",
]

#: How far from the point values are taken, in units of the scales: less where no polynomial
#: fits them, or the function is undefined.
REACHES = (0.5, 0.3, 0.15, 0.07, 0.03)

#: Few values may hide at one reach that no polynomial fits many; then the next one is tried.
ATTEMPTS = 2

#: Coordinates below this may be small for no reason: then they are moved as if it were this.
SMALL = 0.1

#: A claim is verified when its bound is below this share of it, or of what is allowed.
RESOLVED = 3e-4
ALLOWED = 0.5

#: Averaging may show derivatives that do so many times the noise over their scales.
VISIBLE = 300.0

#: How many directions have to agree that no claim is off.
DIRECTIONS = 2

#: Degrees of two polynomials: by how much their slopes differ is what the first leaves out.
DEGREE = 4
HIGHER = 6

#: The slope at 0 of each Chebyshev polynomial.
SLOPES = np.array([0.0, 1.0, 0.0, -3.0, 0.0, 5.0, 0.0])

#: The extremes of the fifth, shares of the values that are taken around each, and how far
#: around: so many times more than are needed to see whether polynomials fit.
EXTREMES = np.cos(np.pi * np.arange(3) / 5)
SHARES = (1, 2, 10)
AROUND = 0.2
TIMES = 6

#: Where bounds are larger than they have to be by no more than this, so many times more values
#: are taken.
PROMISING = 3.0
MORE = 4

#: A slope errs by so many standard errors.
ERRORS = 2.0

#: Claims agree with a slope that is so many times its bound away: nothing is said of others.
AGREES = 2.0

#: A fit leaves noise where the squares of what neighbours differ by are no less than this
#: share of what they are in the mean where they are independent (J. von Neumann, Ann. Math.
#: Statist. 12 (1941) 367).
INDEPENDENT = 0.6


@dataclass(frozen=True, slots=True)
class SlopeFit:
    """Derivatives of m outputs along a line; fields of shape (m,).

    Attributes
    ----------
    slope, bound : ndarray
        With a bound on what noise and truncation do to it, infinite where what the fit leaves
        is no noise.
    is_noise : ndarray of bool
        Where truncation does no more to it than noise.
    """

    slope: Floats
    bound: Floats
    is_noise: Booleans

    def or_nearer(self, nearer: SlopeFit) -> SlopeFit:
        """Return this, or what a fit to nearer values shows where that is better known."""
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
    """Verify arrays of which noise leaves nothing verified by regression.

    Parameters
    ----------
    function : Function
        What is measured.
    claims : callable
        ``claims(start, stop)`` returns the claimed derivatives, shape (stop - start, m).
    found : Measurement
        What pairs and ladders showed of all coordinates; takes what is verified.
    agreement, rng
        See `verify_by_regression`, which this costs for each such array.
    """
    for start, stop in pairwise([*function.scales.starts.tolist(), function.point.size]):
        part = slice(start, stop)
        claim, value, bound = claims(start, stop), found.value[part], found.bound[part]
        error, size = np.abs(value - claim), np.maximum(np.abs(claim), np.abs(value))
        moves = np.abs(claim) * np.maximum(function.scales.meaningful(part), SMALL)[:, None]
        is_open = (bound > verified_tolerance(agreement) * size) & (error <= 2 * bound)
        is_open &= found.status[part] == Status.SMOOTH.value
        if is_open.all() and (moves >= VISIBLE * function.noise).any():
            fitted, unseen = verify_by_regression(
                function, part, claim, agreement=agreement, rng=rng
            )
            better = unseen < bound
            found.value[part] = np.where(better, fitted, value)
            found.bound[part] = np.where(better, unseen, bound)


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
        Draws directions and places.

    Returns
    -------
    value, bound : ndarray, shape (k, m)
        Derivatives, each as it is if the claims beside it are right, and bounds on their errors
        and those of the claims, unless several cancel by chance along both directions.
        Infinite where that verifies no claim. Costs 182 evaluations along each of two directions
        where polynomials fit far out, more where they do not: 26 for each reach, and 156 where
        that shows late. One direction is enough where it verifies nothing; where coordinates
        are small they are then moved further; and where a little is missing to verify one of
        them four times as many values are taken.
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
            value, bound = _near(claim, np.array(directions), fits, agreement)
            beyond = _beyond(claim, bound, agreement)
            if beyond > PROMISING:
                break
        if beyond > 1 and small:
            scale, small = np.maximum(scale, SMALL), False
        elif 1 < beyond < PROMISING and times == TIMES:
            times *= MORE
        else:
            return value, bound if beyond <= 1 else np.full_like(bound, np.inf)


def _near(
    claim: Floats, directions: Floats, fits: Sequence[SlopeFit], agreement: float
) -> tuple[Floats, Floats]:
    """Return each derivative as the worst of the directions shows it if other claims are right."""
    error = np.array([fit.bound for fit in fits])
    off = np.array([fit.slope for fit in fits]) - directions @ claim
    allowed = AGREES * error + agreement * (np.abs(directions) @ np.abs(claim))
    unseen = np.where(np.abs(off) <= allowed, np.abs(off) + error, np.inf)
    bounds = unseen[:, None] / np.abs(directions)[:, :, None]
    worst = bounds.argmax(axis=0)[None]
    value = claim + np.take_along_axis(off[:, None] / directions[:, :, None], worst, axis=0)[0]
    return value, np.take_along_axis(bounds, worst, axis=0)[0]


def verified_tolerance(agreement: float) -> float:
    """Return the share of a derivative that a bound may have which verifies its claim."""
    return max(RESOLVED, ALLOWED * agreement)


def _beyond(claim: Floats, bound: Floats, agreement: float) -> float:
    """Return how many times larger than it has to be the least of bounds is."""
    known = claim != 0
    needed = verified_tolerance(agreement) * np.abs(claim[known])
    return float(np.min(bound[known] / needed, initial=np.inf))


def _fit_along(
    function: Function, coordinates: slice, moves: Floats, rng: np.random.Generator, times: int
) -> SlopeFit:
    """Fit derivatives along a direction, from as far out as polynomials are good for."""
    direction = np.zeros_like(function.point)
    direction[coordinates] = moves

    def fit(reach: float, times: int) -> SlopeFit:
        places = reach * scattered_points(rng, times)
        values = evaluate_along(function.evaluate, function.point, direction, places.tolist())
        return fit_slopes(places, values)

    unknown = np.full(function.base.shape, np.inf)
    best = SlopeFit(np.zeros_like(unknown), unknown, np.isnan(unknown))
    fitting = (r for r in REACHES if r == REACHES[-1] or fit(r, 1).is_noise.all())
    for reach in islice(fitting, ATTEMPTS):
        best = best.or_nearer(fit(reach, times))
        if best.is_noise.all():
            break
    return best


def fit_slopes(places: Floats, values: Floats) -> SlopeFit:
    """Fit derivatives at 0 to noisy values along a line.

    Parameters
    ----------
    places : ndarray, shape (n,)
        Ascending, about 0.
    values : ndarray, shape (n, m)
        There, of m outputs.

    Examples
    --------
    >>> places = scattered_points(np.random.default_rng(0), 4)
    >>> fit = fit_slopes(places, np.round(2.345 * places + places**3, 2)[:, None])
    >>> abs(fit.slope - 2.345) < fit.bound, fit.bound < 0.01, fit.is_noise
    (array([ True]), array([ True]), array([ True]))
    """
    reach = np.abs(places).max()
    terms = chebyshev.chebvander(places / reach, HIGHER)
    weights = SLOPES[: DEGREE + 1] @ np.linalg.pinv(terms[:, : DEGREE + 1])
    defined = np.isfinite(values).all(axis=0)
    values = np.where(defined, values, 0.0)
    values -= np.median(values, axis=0)
    slope, coefficients = weights @ values, np.linalg.pinv(terms) @ values
    left = values - terms @ coefficients
    square = (left**2).sum(axis=0)
    noise = ERRORS * np.sqrt(square / (places.size - HIGHER - 1) * (weights @ weights))
    truncation = np.abs(SLOPES @ coefficients - slope)
    independent = (np.diff(left, axis=0) ** 2).sum(axis=0) >= 2 * INDEPENDENT * square
    known = defined & independent & (square > 0)
    bound = np.where(known, noise + truncation, np.inf)
    return SlopeFit(slope / reach, bound / reach, known & (truncation <= noise))


def scattered_points(rng: np.random.Generator, times: int) -> Floats:
    """Draw places around the extremes of the fifth Chebyshev polynomial, ascending.

    Each is in a cell of its own, somewhere: even spacing might keep step with the stairs that
    rounding makes.
    """
    sides = []
    for extreme, share in zip(EXTREMES, SHARES, strict=True):
        count = share * times
        for end in (extreme, -extreme):
            cells = (np.arange(count) + rng.uniform(size=count)) / count
            sides.append(end * (1 + AROUND * (2 * cells - 1)))
    return np.sort(np.concatenate(sides))
