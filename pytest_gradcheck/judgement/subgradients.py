"""Subgradients at a kink: which values between the one-sided slopes a backward may return.

Any value between the slopes is a subgradient of a convex function (F. H. Clarke, Optimization
and Nonsmooth Analysis, 1983), and so is a one-sided derivative that is wrong by some percent.
Therefore only the choices that people make are accepted: one slope, zero, the mean, or a sum
over several kinks. This module does not evaluate functions, and it does not know names.
"""

from __future__ import annotations

from enum import Enum

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "SubgradientChoice",
    "are_one_sided_slopes",
    "classify_subgradient",
    "explained_by_several_kinks",
]

Floats = NDArray[np.float64]

#: A claim at several kinks is at most this many times as far from the mean slope as the claims
#: at a few points around them.
FARTHEST_RATIO = 3.0


class SubgradientChoice(Enum):
    """The subgradient that a claim at a kink is; the value completes "the claim is ..."."""

    SLOPE = "one of the slopes left and right of it"
    ZERO = "zero, between the slopes left and right of it"
    MEAN = "the mean of the slopes left and right of it"
    SUM = "the sum of the slopes left and right of it"
    SEVERAL = "a combination of slopes, of several kinks at once"


def classify_subgradient(
    claim: float, slopes: tuple[float, float], *, mean: float, allowed: float
) -> SubgradientChoice | None:
    """Return which subgradient a claim at a kink is, given both slopes.

    Parameters
    ----------
    claim : float
        The derivative that backward claims.
    slopes : tuple of float
        The smaller and the larger one-sided slope, each widened by its own error.
    mean : float
        The mean of both.
    allowed : float
        The allowed distance between the claim and an accepted value.

    Returns
    -------
    SubgradientChoice or None
        One of the slopes, zero (``sign(0)``), their mean (``heaviside(0, 0.5)``), or their
        sum. A sum of kinks at one point has the sum of slopes: ``max(w * a, 0)`` at ``w = 0``
        over data ``a`` of both signs, each taken on its active side. None for other values.

    Examples
    --------
    >>> classify_subgradient(0.0, (-0.3, 0.7), mean=0.2, allowed=1e-9).value
    'zero, between the slopes left and right of it'
    >>> classify_subgradient(0.693, (-0.3, 0.7), mean=0.2, allowed=1e-9) is None
    True
    """
    low, high = slopes
    # The slopes are widened by their errors.
    if min(abs(claim - low), abs(high - claim)) <= 2 * allowed:
        return SubgradientChoice.SLOPE
    if not low <= claim <= high:
        return None
    if claim == 0:
        return SubgradientChoice.ZERO
    if abs(claim - mean) <= allowed:
        return SubgradientChoice.MEAN
    if abs(claim - 2 * mean) <= 2 * allowed:
        return SubgradientChoice.SUM
    return None


def are_one_sided_slopes(
    sides: tuple[float, float], slopes: tuple[float, float], *, allowed: float
) -> bool:
    """Return whether the claims on both sides of a kink equal the one-sided slopes.

    Parameters
    ----------
    sides : tuple of float
        Claims at a point to the left and at one to the right.
    slopes, allowed
        As for `classify_subgradient`.

    Examples
    --------
    >>> are_one_sided_slopes((1.0, 0.0), (0.0, 1.0), allowed=1e-9)
    True
    >>> are_one_sided_slopes((0.99, 0.0), (0.0, 1.0), allowed=1e-9)
    False
    """
    distances = (abs(a - b) for a, b in zip(sorted(sides), slopes, strict=True))
    return max(distances) <= 2 * allowed


def explained_by_several_kinks(
    around: Floats, slopes: tuple[float, float], *, claim: float, allowed: float
) -> bool:
    """Return whether several kinks at one point explain a claim.

    A random move of all coordinates separates the kinks: it crosses some of them and not
    others, so that the derivative there is neither slope. The claim is a sum that takes one
    side of each kink. If their slopes change by amounts of both signs, it may lie outside the
    two slopes.

    Parameters
    ----------
    around : ndarray, shape (k,)
        Claims at points around the kink, with all coordinates moved.
    slopes, claim, allowed
        As for `classify_subgradient`.

    Returns
    -------
    bool
        Whether the kinks separate and the claim is not far from the claims around them.

    Examples
    --------
    >>> explained_by_several_kinks(np.array([0.0, 1.0, 1.0]), (0.0, 1.0), claim=0.4, allowed=1e-9)
    False
    >>> explained_by_several_kinks(np.array([0.0, 0.3, 1.0]), (0.0, 1.0), claim=0.4, allowed=1e-9)
    True
    """
    low, high = slopes
    is_separated = (np.abs(around - low) > 2 * allowed) & (np.abs(around - high) > 2 * allowed)
    mean = (low + high) / 2
    largest = max(high - low, float(np.abs(around - mean).max(initial=0.0)))
    return bool(is_separated.any() and abs(claim - mean) <= FARTHEST_RATIO * largest)
