"""Systematic errors of a few roundings, in numbers of low precision whose exact values are known.

A single number may be off by several roundings, since rounding errors add up. Many numbers are off
in both directions: rounding to nearest has no preferred sign, and the errors of a right function
scatter about zero (N. J. Higham and T. Mary, SIAM J. Sci. Comput. 41, A2815, 2019). So statistics
over many entries find what no entry shows. This module does not evaluate functions, and it does
not know names: it works on arrays.

Examples
--------
>>> rng = np.random.default_rng(0)
>>> exact = rng.normal(size=2000)
>>> rounded = exact.astype(np.float16).astype(float)
>>> find_systematic(rounded - exact, exact, 2.0**-10)
()
>>> low = (exact * (1 - 4 * 2.0**-10)).astype(np.float16).astype(float)
>>> [error.kind for error in find_systematic(low - exact, exact, 2.0**-10)]
['shifted']
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["SystematicError", "find_systematic", "size_in_roundings"]

Floats = NDArray[np.float64]
Kind = Literal["shifted", "truncated", "imprecise"]

#: By so many roundings all entries may be off together: a factor that they share, such as a mean's
#: 1 / N or a constant in their type, is up to half a rounding off, and so is what it is made of.
SHARED_ROUNDINGS = 1.0

#: They may be off together by this multiple of the scatter of their errors, too: what is shared is
#: made in as many roundings as what is not.
SHARED_SCATTER = 2.0

#: Fewer entries are no statistics.
FEWEST_ENTRIES = 16

#: The standard error of a line is too small if it is that of few entries; so many are needed in
#: any case to find truncation.
FEWEST_ON_A_LINE = 128

#: A statistic differs from its expectation by so many of its standard errors: by chance once in
#: 1.7 million cases.
SIGNIFICANT = 5.0

#: The standard error of a median, in those of the mean of normal numbers.
MEDIAN_ERROR = 1.2533

#: The standard deviation of normal numbers over their median absolute deviation.
NORMAL_SPREAD = 1.4826

#: The median absolute deviation of numbers rounded to nearest, in units in the last place.
NEAREST_SPREAD = 0.25

#: Errors within so many units in the last place show how numbers were rounded in the end.
MOST_UNITS = 1.5

#: Rounding to nearest is off by half a unit, and exact values are known to a small part of one.
NEAREST_UNITS = 0.51

#: Truncation makes numbers half a unit in the last place too small. Half of that is found.
TRUNCATION = 0.25

#: Truncated numbers are within a unit on one side of the exact ones. The rounding of what a kernel
#: computes in a longer type moves some of them a little beyond.
ROUNDED_INSIDE, NEARLY_ALL = 0.05, 0.98

#: A kernel is imprecise if its errors are this many times those of a plain implementation in its
#: type: the rule of the tests of FlashAttention (T. Dao and others).
PLAIN_FACTOR = 2.0

#: The least error that a plain implementation is credited with, in roundings: that of rounding to
#: nearest alone, uniform within half a rounding.
NEAREST_SIZE = 12**-0.5

#: The smallest normal numbers of float16, whose roundings are absolute below; any other type has a
#: range that gradients do not leave.
FLOAT16_ROUNDING, FLOAT16_NORMAL, LEAST_NORMAL = 2.0**-10, 2.0**-14, 2.0**-126


@dataclass(frozen=True, slots=True)
class SystematicError:
    """What many entries have in common that rounding does not explain.

    Attributes
    ----------
    kind : {"shifted", "truncated", "imprecise"}
        Off together by a factor; rounded toward zero; or far less exact than a plain
        implementation in the same type.
    amount : float
        Relative, in roundings; of ``imprecise`` the ratio of the two errors.
    allowed : float
        The amount that rounding allows.
    count : int
        The number of entries that show it.
    """

    kind: Kind
    amount: float
    allowed: float
    count: int


def find_systematic(
    error: Floats,
    exact: Floats,
    rounding: float,
    *,
    uncertainty: Floats | float = 0.0,
    plain: Floats | None = None,
) -> tuple[SystematicError, ...]:
    """Return the systematic errors of numbers of low precision.

    Parameters
    ----------
    error, exact : ndarray, shape (n,)
        The errors of the numbers, and the exact ones.
    rounding : float
        The relative rounding of their type: the distance from one to the next number.
    uncertainty : ndarray, shape (n,), or float
        Bounds on the errors of the exact numbers.
    plain : ndarray, shape (n,), or None
        The errors of a plain implementation in the same type.

    Returns
    -------
    tuple of SystematicError
        At most two: an error of the numbers as a whole, and one beside the plain ones.
    """
    normal = FLOAT16_NORMAL if rounding == FLOAT16_ROUNDING else LEAST_NORMAL
    size = np.abs(exact)
    usable = np.isfinite(error) & (size >= normal)
    usable &= np.broadcast_to(uncertainty, size.shape) <= NEAREST_SPREAD * rounding * size
    error, exact, size = error[usable], exact[usable], size[usable]
    plain = None if plain is None else plain[usable]
    found = [_imprecise(error, plain, size, rounding)]
    relative = error * np.sign(exact) / (rounding * size)
    significand = 2 * np.frexp(size)[0]
    distinct = _distinct(exact, relative)
    relative, significand = relative[distinct], significand[distinct]
    if relative.size >= FEWEST_ENTRIES:
        theirs = None if plain is None else plain * np.sign(exact) / (rounding * size)
        allowance = 0.0 if theirs is None else PLAIN_FACTOR * abs(float(np.median(theirs)))
        shifted = _shifted(relative, significand, allowance)
        found.append(shifted or _truncated(relative, significand))
    return tuple(each for each in found if each is not None)


def size_in_roundings(error: Floats, exact: Floats, rounding: float) -> float:
    """Return the root mean square of errors, in roundings of the largest number.

    Examples
    --------
    >>> size_in_roundings(np.array([3.0, -4.0]), np.array([2.0, 10.0]), 0.5)
    0.7071067811865476
    """
    largest = float(np.abs(exact).max(initial=0.0))
    if not largest:
        return 0.0
    return float(np.sqrt(np.mean((error / (rounding * largest)) ** 2)))


def _distinct(exact: Floats, relative: Floats) -> NDArray[np.intp]:
    """Return the places of numbers that are not the same as others: copies are no evidence."""
    pairs = np.stack([exact.astype(np.float32), np.round(relative, 3)], axis=1)
    return np.unique(pairs, axis=0, return_index=True)[1]


def _shifted(relative: Floats, significand: Floats, allowance: float) -> SystematicError | None:
    """Return by how much entries are off together, where rounding does not allow that."""
    shift = float(np.median(relative))
    spread = NORMAL_SPREAD * _deviation(relative)
    uncertain = SIGNIFICANT * MEDIAN_ERROR * spread / np.sqrt(relative.size)
    inside = _deviation((relative - shift) * significand)
    scatter = NORMAL_SPREAD * np.sqrt(max(inside**2 - NEAREST_SPREAD**2, 0.0))
    allowed = max(SHARED_ROUNDINGS + SHARED_SCATTER * scatter, allowance)
    if abs(shift) - uncertain <= allowed:
        return None
    return SystematicError("shifted", shift, allowed, relative.size)


def _deviation(values: Floats) -> float:
    """Return the median absolute deviation from the median."""
    return float(np.median(np.abs(values - np.median(values))))


def _truncated(relative: Floats, significand: Floats) -> SystematicError | None:
    """Return whether entries were rounded toward zero, or away from it, instead of to nearest.

    The error of that is half a unit in the last place, for numbers with any significand. An error
    that all numbers share is a multiple of the significand, in these units. A line separates the
    two; its standard error is that of H. White (Econometrica 48, 817, 1980).
    """
    units = relative * significand
    if _are_nearest(units, significand) or not _are_on_one_side(units):
        return None
    near = np.abs(units - np.median(units)) <= MOST_UNITS
    units, terms = units[near], np.stack([np.ones(near.sum()), significand[near]], axis=1)
    if units.size < FEWEST_ON_A_LINE or np.ptp(significand[near]) < TRUNCATION:
        return None
    inverse = np.linalg.inv(terms.T @ terms)
    fitted = inverse @ terms.T @ units
    rest = units - terms @ fitted
    covariance = inverse @ (terms.T * rest**2) @ terms @ inverse
    constant, uncertain = float(fitted[0]), SIGNIFICANT * float(np.sqrt(covariance[0, 0]))
    if abs(constant) <= max(TRUNCATION, uncertain):
        return None
    return SystematicError("truncated", constant, TRUNCATION, units.size)


def _are_on_one_side(units: Floats) -> bool:
    """Return whether nearly all numbers are within a unit on one side of the exact ones.

    That is what truncation does. The errors of a library's function may have a mean that is not
    zero, too, but they have both signs.
    """
    toward = np.mean((units >= -1 - ROUNDED_INSIDE) & (units <= ROUNDED_INSIDE))
    away = np.mean((units >= -ROUNDED_INSIDE) & (units <= 1 + ROUNDED_INSIDE))
    return bool(max(toward, away) >= NEARLY_ALL)


def _are_nearest(units: Floats, significand: Floats) -> bool:
    """Return whether all numbers are those next to a multiple of the exact ones, by one factor.

    A product with a rounded 0.1 has five different rounding errors only, which no line describes.
    """
    lowest = ((units - NEAREST_UNITS) / significand).max()
    highest = ((units + NEAREST_UNITS) / significand).min()
    return bool(lowest <= min(highest, SHARED_ROUNDINGS) and highest >= -SHARED_ROUNDINGS)


def _imprecise(
    error: Floats, plain: Floats | None, size: Floats, rounding: float
) -> SystematicError | None:
    """Return how much larger errors are than those of a plain implementation, if they are."""
    if plain is None or error.size < FEWEST_ENTRIES:
        return None
    least = NEAREST_SIZE * rounding * float(np.sqrt(np.mean(size**2)))
    theirs = max(float(np.sqrt(np.mean(plain**2))), least)
    ratio = float(np.sqrt(np.mean(error**2))) / theirs
    larger = int((np.abs(error) > np.abs(plain)).sum())
    # As many are larger as are smaller, by chance, with a standard error of half the root.
    if ratio <= PLAIN_FACTOR or larger <= (error.size + SIGNIFICANT * np.sqrt(error.size)) / 2:
        return None
    return SystematicError("imprecise", ratio, PLAIN_FACTOR, error.size)
