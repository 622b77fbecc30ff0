"""How much outputs vary around the point: what a vanishing derivative is small against.

It must not know derivatives.
"""

from __future__ import annotations

import numpy as np

from pytest_gradcheck.numerics.directions import along, signed_direction
from pytest_gradcheck.numerics.function import Function
from pytest_gradcheck.numerics.measurement import Floats

__all__ = ["output_sizes"]

#: How far to go for another value, in units of the scales.
AWAY = 0.1


def output_sizes(function: Function, rng: np.random.Generator) -> Floats:
    """Return by how much every output varies around the point.

    Where a gradient vanishes, at an optimum say, a bound on it is small or large
    only against that: the value itself may hold an offset a million times larger.

    Parameters
    ----------
    function : Function
        What is measured.
    rng : numpy.random.Generator
        Draws the direction to look in.

    Returns
    -------
    ndarray, shape (m,)
        Of an output that does not vary its magnitude. Costs one evaluation.
    """
    direction = signed_direction(function.scales.own(slice(None)), rng)
    with np.errstate(all="ignore"):
        there = along(function.evaluate, function.point, direction, [AWAY])[0]
        change = np.abs(there - function.base)
    known = np.isfinite(change) & (change > 0)
    return np.where(known, change, np.abs(function.base))
