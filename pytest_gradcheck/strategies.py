"""Strategies of Hypothesis for parameters, which avoid points where a derivative shows nothing.

At zero the gradients of squares, products and norms vanish or do not exist, and between two equal
entries a maximum has a kink. This module needs Hypothesis.

Examples
--------
>>> import numpy as np
>>> from hypothesis import given
>>> from pytest_gradcheck import gradcheck
>>> from pytest_gradcheck.strategies import parameters
>>> @given(x=parameters(3))
... def test_norm(x):
...     gradcheck(np.linalg.norm, lambda x: x / np.linalg.norm(x), x)
>>> test_norm()
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from pytest_gradcheck.errors import GradcheckUsageError

__all__ = ["parameters"]

#: Entries are multiples of this share of the interval, and fewer of it for large arrays.
GRID = 1 / 256
GRID_POINTS_PER_ENTRY = 4

#: How far entries are from the numbers to avoid, as a share of the interval.
DISTANCE = 1 / 32


def parameters(
    shape: int | Sequence[int] | st.SearchStrategy[tuple[int, ...]],
    *,
    low: float = -2.0,
    high: float = 2.0,
    avoid: Sequence[float] = (0.0,),
    dtype: Any = np.float64,
) -> st.SearchStrategy[NDArray[Any]]:
    """Return a strategy for arrays whose entries differ, and are away from some numbers.

    Parameters
    ----------
    shape : int, tuple of int, or strategy of tuples
        The shape of the arrays.
    low, high : float
        The interval of the entries.
    avoid : sequence of float
        Numbers that no entry comes close to: where forward has a kink, or its gradient vanishes.
    dtype : dtype
        The type of the arrays, a floating one.

    Returns
    -------
    SearchStrategy
        Arrays that shrink to small entries of few digits. No two entries are equal, and none is
        within 1/32 of the interval of a number to avoid.

    Raises
    ------
    GradcheckUsageError
        If nothing of the interval remains.
    """
    if isinstance(shape, st.SearchStrategy):
        return shape.flatmap(
            lambda drawn: parameters(drawn, low=low, high=high, avoid=avoid, dtype=dtype)
        )
    axes = (shape,) if isinstance(shape, int) else tuple(shape)
    width = high - low
    if not (np.isfinite(width) and width > 0):
        raise GradcheckUsageError(f"low={low} must be less than high={high}, both finite.")
    size = int(np.prod(axes, dtype=np.intp))
    step = width * min(GRID, 1 / (GRID_POINTS_PER_ENTRY * max(size, 1)))
    first, last = ceil(low / step), floor(high / step)
    near = [
        (ceil((a - width * DISTANCE) / step), floor((a + width * DISTANCE) / step)) for a in avoid
    ]
    allowed = _parts(first, last, near)
    if sum(end - begin + 1 for begin, end in allowed) < size:
        raise GradcheckUsageError(
            f"avoid={tuple(avoid)} leaves too little of the interval from {low} to {high} for "
            f"{size} entries."
        )
    elements = st.one_of([st.integers(begin, end) for begin, end in allowed])
    grid = arrays.arrays(np.int64, axes, elements=elements, unique=True)
    return grid.map(lambda multiples: (multiples * step).astype(dtype))


def _parts(first: int, last: int, near: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return what remains of an interval of integers without others, those near zero first."""
    parts, begin = list[tuple[int, int]](), first
    for low, high in sorted(near):
        if begin < low <= last + 1:
            parts.append((begin, min(low - 1, last)))
        begin = max(begin, high + 1)
    if begin <= last:
        parts.append((begin, last))
    return sorted(parts, key=lambda part: min(map(abs, part)))
