"""How much outputs vary around the point: what a vanishing derivative is small against.

It must not know derivatives.
"""

from __future__ import annotations

import numpy as np

from pytest_gradcheck.numerics.directions import along
from pytest_gradcheck.numerics.measurement import Evaluate, Floats

__all__ = ["AWAY", "output_sizes", "sizes_of"]

#: How far to go for another value, in units of the scales.
AWAY = 0.1


def output_sizes(evaluate: Evaluate, point: Floats, *, base: Floats, direction: Floats) -> Floats:
    """Return by how much every output varies around the point.

    Where a gradient vanishes, at an optimum say, a bound on it is small or large
    only against that: the value itself may hold an offset a million times larger.

    Parameters
    ----------
    evaluate : callable
        The function, ``evaluate(points) -> outputs``.
    point : ndarray, shape (n,)
        Where; left as it is.
    base : ndarray, shape (m,)
        Outputs at the point.
    direction : ndarray, shape (n,)
        Along which to look: a random one, of the natural size of a step.

    Returns
    -------
    ndarray, shape (m,)
        Of an output that does not vary its magnitude. Costs one evaluation.
    """
    return sizes_of(along(evaluate, point, direction, [AWAY])[0], base)


def sizes_of(away: Floats, base: Floats) -> Floats:
    """Return by how much outputs vary, from those at a place `AWAY` from the point, shape (m,).

    Examples
    --------
    >>> sizes_of(np.array([2.5, 3.0, np.nan]), np.array([2.0, 3.0, -4.0]))
    array([0.5, 3. , 4. ])
    """
    with np.errstate(all="ignore"):
        change = np.abs(away - base)
    return np.where(np.isfinite(change) & (change > 0), change, np.abs(base))
