"""How large an output is in general, where its value at the point says nothing.

It must not know derivatives; it is what a vanishing one is small against.
"""

from __future__ import annotations

import numpy as np

from pytest_gradcheck.numerics.measurement import Evaluate, Floats
from pytest_gradcheck.numerics.noise import signed_direction

__all__ = ["output_sizes"]

#: How far to go for another value, in units of the scales.
AWAY = 0.1


def output_sizes(
    evaluate: Evaluate, point: Floats, *, base: Floats, scale: Floats, rng: np.random.Generator
) -> Floats:
    """Return the magnitude of every output, of a vanishing one what it is elsewhere.

    A loss at its optimum is 0, and so is its gradient: a bound on that is small
    or large only against what the loss is nearby.

    Parameters
    ----------
    evaluate : callable
        ``evaluate(point) -> outputs, shape (m,)``.
    point : ndarray, shape (n,)
        Where; left as it is.
    base : ndarray, shape (m,)
        Outputs at the point.
    scale : ndarray, shape (n,)
        Natural size of a step in each coordinate.
    rng : numpy.random.Generator
        Draws the direction to look in.

    Returns
    -------
    ndarray, shape (m,)
        Costs one evaluation where an output vanishes, none otherwise.
    """
    size = np.abs(base)
    vanishing = size == 0
    if not vanishing.any():
        return np.asarray(size)
    with np.errstate(all="ignore"):
        elsewhere = np.abs(evaluate(point + AWAY * signed_direction(scale, rng)))
    return np.where(vanishing & np.isfinite(elsewhere), elsewhere, size)
