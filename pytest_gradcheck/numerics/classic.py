"""The classic recipe: plain central differences at one fixed step, with bounds they never had.

It must not choose steps; it is given one, and a measurement that knows better.
"""

from __future__ import annotations

import numpy as np

from pytest_gradcheck.numerics.function import Function
from pytest_gradcheck.numerics.measurement import Measurement
from pytest_gradcheck.numerics.pairs import measure_pairs

__all__ = ["refit"]


def refit(function: Function, found: Measurement, step: float) -> Measurement:
    """Replace values by central differences at a fixed step.

    Parameters
    ----------
    function : Function
        What is measured.
    found : Measurement
        The same derivatives, with error bounds.
    step : float
        Absolute step of every coordinate.

    Returns
    -------
    Measurement
        ``(f(x + step) - f(x - step)) / (2 step)`` for every coordinate, with
        bounds on how far that is from the derivative: its distance from what
        was found, and what that may be off by. Costs two evaluations for each.
    """
    size = function.point.size
    pairs = measure_pairs(function, np.arange(size), np.full(size, step))
    with np.errstate(all="ignore"):
        bound = np.abs(pairs.value - found.value) + found.bound
    return Measurement(pairs.value, bound, pairs.step, found.status, found.kinks, found.steepest)
