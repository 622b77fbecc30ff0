"""Derivatives of a case's forward in sixty digits: what its gradient is held against.

It must not know any tool, nor the gradient that a case claims.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import mpmath
import numpy as np

from tests.corpus.family import Array, Case

__all__ = ["exact_gradient"]

#: Digits of every number, beside those between the largest and the smallest of a point: a
#: difference over 1e-25 of a number then has 30 right ones.
DIGITS = 60
STEP = mpmath.mpf(10) ** -25

#: What numpy asks of the entries of an array of objects, by its name and mpmath's.
ELEMENTARY = {
    "sin": "sin",
    "cos": "cos",
    "tan": "tan",
    "arcsin": "asin",
    "arctan": "atan",
    "sinh": "sinh",
    "cosh": "cosh",
    "tanh": "tanh",
    "exp": "exp",
    "expm1": "expm1",
    "log": "log",
    "log1p": "log1p",
    "sqrt": "sqrt",
    "floor": "floor",
    "ceil": "ceil",
    "rint": "nint",
}


def _context() -> Any:
    """Return a context of mpmath whose numbers numpy's functions can be called with."""
    context = mpmath.MPContext()
    for name, function in ELEMENTARY.items():
        setattr(context.mpf, name, _method(getattr(context, function)))
    return context


def _method(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def method(number: Any) -> Any:
        return function(number)

    return method


CONTEXT = _context()


class HighPrecisionArray(np.ndarray[Any, np.dtype[Any]]):
    """An array of such numbers, which no type of fewer digits is taken from."""

    def astype(self, *arguments: Any, **options: Any) -> Any:
        """Return it as it is: what a cast would round away is not meant."""
        return self


def exact_gradient(case: Case) -> Array:
    """Return the derivative of what forward means, without rounding.

    Forward is called with arrays of numbers of sixty digits, so that it has to be
    written in arithmetic and numpy's elementwise functions; casts are left out.
    """
    sizes = np.abs(case.point[case.point != 0]).astype(np.float64)
    spread = np.log10(max(sizes.max(), 1.0)) - np.log10(sizes.min()) if sizes.size else 0.0
    with CONTEXT.workdps(DIGITS + math.ceil(max(spread, 0))):
        point = np.array([CONTEXT.mpf(float(v)) for v in case.point.ravel()], dtype=object)
        slopes = list(_slopes(case, point))
    return np.array(slopes, dtype=np.float64).reshape(case.point.shape)


def _slopes(case: Case, point: Array) -> Iterator[float]:
    """Yield the central difference for each entry."""
    for i, number in enumerate(point):
        step = STEP * (abs(number) or 1)
        values = []
        for moved in (number + step, number - step):
            beside = point.copy()
            beside[i] = moved
            values.append(case.forward(beside.reshape(case.point.shape).view(HighPrecisionArray)))
        yield float((values[0] - values[1]) / (2 * step))
