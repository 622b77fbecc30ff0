"""Functions that a polynomial follows to the last digit as far as the point is from zero.

It must not look for breaks: it tells cheaply where there can be none.
"""

from __future__ import annotations

import numpy as np

from pytest_gradcheck.numerics.directions import along, signed_direction
from pytest_gradcheck.numerics.function import Function
from pytest_gradcheck.numerics.measurement import EPS, Booleans, Floats

__all__ = ["are_analytic"]

#: Degrees of the polynomials, one after the other, and how many directions they are tried along.
DEGREES = (32, 64, 128)
DIRECTIONS = 2

#: The coefficients of this last share of the degrees have to be below so many times the noise.
#: A jump leaves two thirds of its height over the degree in all of them.
LAST = 1 / 8
HIDDEN = 4.0

#: Higher degrees are tried where they fall by more than this from half the degree on: those of
#: a kink fall by four.
FALLING = 8.0


def are_analytic(function: Function, rng: np.random.Generator) -> Booleans:
    """Tell which outputs have no jump, nor a kink, along lines through the point.

    Coefficients of Chebyshev's polynomials fall geometrically for an analytic function, and
    no faster than one over their degree, or its square, where it jumps or bends (L. N.
    Trefethen, Approximation Theory and Approximation Practice, 2013, chapters 7 and 8).

    Parameters
    ----------
    function : Function
        What is looked at.
    rng : numpy.random.Generator
        Draws the directions to look in.

    Returns
    -------
    ndarray of bool, shape (m,)
        From minus once to plus once the scale of each coordinate. Costs 33 to 129
        evaluations along each of two directions, one where it shows that no output is.
    """
    result = np.ones(function.base.shape, dtype=bool)
    for _ in range(DIRECTIONS):
        direction = signed_direction(function.scales.own(slice(None)), rng)
        with np.errstate(all="ignore"):
            result &= _are_followed(function, direction)
        if not result.any():
            break
    return result


def _are_followed(function: Function, direction: Floats) -> Booleans:
    """Tell which outputs a polynomial follows along a direction."""
    values = np.empty((0, function.base.size))
    for degree in DEGREES:
        nodes = np.cos(np.pi * np.arange(degree + 1.0) / degree)
        known = values
        values = np.empty((degree + 1, function.base.size))
        new = slice(1, None, 2) if len(known) else slice(None)
        values[::2][: len(known)] = known
        values[new] = along(function.evaluate, function.point, direction, nodes[new].tolist())
        noise = np.fmax(function.noise, EPS * np.abs(values).max(axis=0))
        share, size = round(LAST * degree), np.abs(_coefficients(values))
        last = size[-share:].max(axis=0)
        followed = np.asarray(last <= HIDDEN * noise)
        falling = FALLING * last < size[degree // 2 - share : degree // 2].max(axis=0)
        if not (falling & ~followed).any():
            break
    return followed


def _coefficients(values: Floats) -> Floats:
    """Return the coefficients of Chebyshev's polynomials from values at their extrema.

    Examples
    --------
    >>> nodes = np.cos(np.pi * np.arange(5) / 4)
    >>> abs(_coefficients((3.0 + 8 * nodes**4)[:, None])[:, 0]).round(9)
    array([6., 0., 4., 0., 1.])
    """
    degree = len(values) - 1
    both = np.concatenate([values, values[-2:0:-1]])
    coefficients: Floats = np.fft.rfft(both, axis=0).real / degree
    coefficients[[0, -1]] /= 2
    return coefficients
