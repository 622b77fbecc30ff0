"""Reference gradients of the corpus: central differences in 60-digit arithmetic.

Forward is evaluated with numbers of mpmath. The step is 1e-25 of an entry, so that the
truncation error of ``(f(x + h) - f(x - h)) / (2 h)`` is about 1e-50 and some 30 digits survive
the subtraction. The module does not use the gradient that a case claims.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import mpmath
import numpy as np

from tests.corpus.family import Array, Case

__all__ = ["exact_gradient"]

#: Decimal digits of every number, in addition to the decades between the largest and the smallest
#: entry of a point.
DIGITS = 60

#: The step, relative to an entry.
STEP = mpmath.mpf(10) ** -25

#: Elementwise functions: numpy's name, which is also the method that numpy calls on the elements
#: of an object array, and mpmath's name.
ELEMENTWISE_FUNCTIONS = {
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
    """Return an mpmath context whose numbers numpy's elementwise functions accept."""
    context = mpmath.MPContext()
    for name, function in ELEMENTWISE_FUNCTIONS.items():
        setattr(context.mpf, name, _method(getattr(context, function)))
    return context


def _method(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def method(number: Any) -> Any:
        return function(number)

    return method


CONTEXT = _context()


class HighPrecisionArray(np.ndarray[Any, np.dtype[Any]]):
    """An object array of mpmath numbers that ignores casts to a lower precision."""

    def astype(self, *arguments: Any, **options: Any) -> Any:
        """Return the array unchanged: a reference has no rounding by a cast."""
        return self


def exact_gradient(case: Case) -> Array:
    """Return the gradient of forward, without rounding.

    Forward must be written in arithmetic and numpy's elementwise functions. Casts in it are
    ignored.

    Parameters
    ----------
    case : Case
        A function and a point.

    Returns
    -------
    ndarray of float64
        The gradient, of the shape of the point.
    """
    sizes = np.abs(case.point[case.point != 0]).astype(np.float64)
    spread = np.log10(max(sizes.max(), 1.0)) - np.log10(sizes.min()) if sizes.size else 0.0
    with CONTEXT.workdps(DIGITS + math.ceil(max(spread, 0))):
        point = np.array([CONTEXT.mpf(float(v)) for v in case.point.ravel()], dtype=object)
        slopes = list(_slopes(case, point))
    return np.array(slopes, dtype=np.float64).reshape(case.point.shape)


def _slopes(case: Case, point: Array) -> Iterator[float]:
    """Yield the central difference with respect to each entry."""
    for i, number in enumerate(point):
        step = STEP * (abs(number) or 1)
        values = []
        for entry in (number + step, number - step):
            moved = point.copy()
            moved[i] = entry
            values.append(case.forward(moved.reshape(case.point.shape).view(HighPrecisionArray)))
        yield float((values[0] - values[1]) / (2 * step))
