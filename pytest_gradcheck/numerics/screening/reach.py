"""How far a claimed slope can go before it leads out of what the function takes on.

It must not measure a derivative. What it is told by far places is a hint: a value that is not
known there is left out.
"""

from __future__ import annotations

import numpy as np

from pytest_gradcheck.numerics.claims import Claims
from pytest_gradcheck.numerics.measurement import EPS, Floats
from pytest_gradcheck.numerics.parts import parts
from pytest_gradcheck.numerics.scale import claimed_length
from pytest_gradcheck.numerics.size import AWAY

__all__ = ["extents", "grain", "reaches"]

#: A change of fewer roundings of an output says nothing about how much it varies.
ROUNDINGS = 1e4

#: An output may be close to zero by chance: it extends over at least this share of what it
#: varies by.
NEVER_LESS = float(np.sqrt(EPS))

#: The shortest reach, as a share of a coordinate: numbers are too far apart for the steps of
#: shorter ones.
SHORTEST = 1e-7


def extents(away: Floats, base: Floats) -> Floats:
    """Return what outputs extend over around the point, shape (m,).

    It is the magnitude of an output, or how much it varies where that is less: it may hold an
    offset.

    Parameters
    ----------
    away : ndarray, shape (k, m)
        Outputs at places `AWAY` from the point.
    base : ndarray, shape (m,)
        Those at the point.

    Examples
    --------
    >>> extents(np.array([[2.5, 1000.1, np.nan]]), np.array([2.0, 1000.0, -4.0])).round(9)
    array([0.5, 0.1, 4. ])
    """
    with np.errstate(all="ignore"):
        change = np.abs(away - base)
    change = np.where(np.isfinite(change), change, 0.0).max(axis=0)
    size = np.abs(base)
    least = np.maximum(size, NEVER_LESS * change)
    return np.where(change > ROUNDINGS * EPS * size, np.minimum(change, least), size)


def reaches(claims: Claims, point: Floats, extent: Floats) -> Floats:
    """Return how far each coordinate may go before what is claimed of it makes no sense.

    Over `AWAY` of a scale a slope that holds changes an output by no more than it extends
    over. Where a claim says more the function is not straight for so long: it oscillates,
    saturates or has a peak, over a length that the claim knows. A claim that is too large
    leads to short steps, over which it shows all the same, since what it says is large beside
    noise; one that is too small says nothing.

    Parameters
    ----------
    claims : Claims
        Claimed derivatives of m outputs.
    point : ndarray, shape (n,)
        Where.
    extent : ndarray, shape (m,)
        What outputs extend over, see `extents`.

    Returns
    -------
    ndarray, shape (n,)
        See `claimed_length`; infinite where claims say nothing.
    """
    reach = np.empty(point.size)
    for part in parts(0, point.size):
        reach[part] = claimed_length(claims.rows(part.start, part.stop), extent / AWAY)
    return np.maximum(reach, SHORTEST * np.abs(point))


def grain(point: Floats, limits: Floats | None) -> float:
    """Return how far numbers are apart where a point is, in units of how far it is moved.

    Examples
    --------
    >>> bool(grain(np.array([1.0, 1e6]), np.array([4.0, 100.0])) == 1e4 * EPS)
    True
    """
    if limits is None:
        return EPS
    shares = (np.abs(point[part]) / limits[part] for part in parts(0, point.size))
    return EPS * max([1.0, *(float(share.max(initial=0.0)) for share in shares)])
