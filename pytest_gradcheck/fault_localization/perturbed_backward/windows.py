"""Windows: parts of data that backward takes by slices, such as ``x[1:-1]``.

A slice may begin at the wrong entry, but it makes nothing else than another window of the same
array. There are few of them, so that each can be tried. It does not execute anything.
"""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["other_windows"]

#: Arrays with more windows of a shape are left out.
MOST_WINDOWS = 8


def other_windows(value: NDArray[Any], data: NDArray[Any]) -> list[NDArray[Any]]:
    """Return the other windows of an array that have the shape of one.

    Parameters
    ----------
    value : ndarray
        What may be a window.
    data : ndarray
        The array that it may be one of.

    Returns
    -------
    list of ndarray
        None at all if it is no window of the array, or if there are too many.

    Examples
    --------
    >>> x = np.array([1.0, 2.0, 3.0])
    >>> other_windows(x[:2], x)
    [array([2., 3.])]
    >>> other_windows(2 * x[:2], x)
    []
    """
    if value.ndim != data.ndim or not value.size or value.shape == data.shape:
        return []
    offsets = [range(n - m + 1) for n, m in zip(data.shape, value.shape, strict=True)]
    if prod(map(len, offsets)) > MOST_WINDOWS:
        return []
    windows = [
        data[tuple(slice(k, k + m) for k, m in zip(begin, value.shape, strict=True))]
        for begin in product(*offsets)
    ]
    others = [window for window in windows if not np.array_equal(window, value)]
    return others if len(others) < len(windows) else []
