"""Claims at a kink: which of the values between both slopes a backward may give there.

It must not evaluate anything or know names; numbers in, the name of a convention out.
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

#: A combination of several kinks is at most so many times as far from the mean of both slopes
#: as the largest that is seen at a few points around them.
FAR = 3.0


class SubgradientChoice(Enum):
    """What a claim at a kink is; the value says it of a claim."""

    SLOPE = "one of the slopes left and right of it"
    ZERO = "zero, between the slopes left and right of it"
    MEAN = "the mean of the slopes left and right of it"
    SUM = "the sum of the slopes left and right of it"
    SEVERAL = "a combination of slopes, of several kinks at once"


def classify_subgradient(
    claim: float, slopes: tuple[float, float], *, mean: float, allowed: float
) -> SubgradientChoice | None:
    """Tell which convention a claim at a kink follows, by both slopes alone.

    Any value between the slopes is a subgradient of a convex function (F. H. Clarke,
    Optimization and Nonsmooth Analysis, 1983), and so is the gradient of one side that is off
    by some percent. What people write is one of a few values.

    Parameters
    ----------
    claim : float
        What backward says.
    slopes : tuple of float
        The smaller and the larger one, each widened by its own error.
    mean : float
        Of both.
    allowed : float
        How far a claim may be from any of these.

    Returns
    -------
    Convention or None
        One of the slopes, zero (``sign(0)``), their mean (``heaviside(0, 0.5)``), or their sum:
        what several kinks at once give, ``max(w * a, 0)`` over data ``a`` of both signs, each
        taken on its active side. None for every other value.

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
    """Tell whether claims to the left and to the right of a kink are the slopes there.

    Parameters
    ----------
    sides : tuple of float
        Claims at points on both sides.
    slopes, allowed
        As for `classify_subgradient`.

    Examples
    --------
    >>> are_one_sided_slopes((1.0, 0.0), (0.0, 1.0), allowed=1e-9)
    True
    >>> are_one_sided_slopes((0.99, 0.0), (0.0, 1.0), allowed=1e-9)
    False
    """
    apart = (abs(a - b) for a, b in zip(sorted(sides), slopes, strict=True))
    return max(apart) <= 2 * allowed


def explained_by_several_kinks(
    around: Floats, slopes: tuple[float, float], *, claim: float, allowed: float
) -> bool:
    """Tell whether several kinks at once explain a claim.

    Where all coordinates are moved a little several kinks come apart: beside some of them and
    not others the derivative is none of both slopes. A claim is a sum with one side of each
    taken; where their slopes change by amounts of both signs it may lie outside both slopes.

    Parameters
    ----------
    around : ndarray, shape (k,)
        Claims at points around the kink, all coordinates moved.
    slopes, claim, allowed
        As for `classify_subgradient`.

    Returns
    -------
    bool
        Whether kinks come apart, and the claim is not far from what is seen of them.

    Examples
    --------
    >>> explained_by_several_kinks(np.array([0.0, 1.0, 1.0]), (0.0, 1.0), claim=0.4, allowed=1e-9)
    False
    >>> explained_by_several_kinks(np.array([0.0, 0.3, 1.0]), (0.0, 1.0), claim=0.4, allowed=1e-9)
    True
    """
    low, high = slopes
    apart = (np.abs(around - low) > 2 * allowed) & (np.abs(around - high) > 2 * allowed)
    mean = (low + high) / 2
    seen = max(high - low, float(np.abs(around - mean).max(initial=0.0)))
    return bool(apart.any() and abs(claim - mean) <= FAR * seen)
