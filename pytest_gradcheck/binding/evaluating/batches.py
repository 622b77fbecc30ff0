"""Points in batches: copies of what is good until the next is asked for.

It must not evaluate anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np

from pytest_gradcheck.binding.blocks import Vector

__all__ = ["batches", "fitting"]


def batches(points: Iterable[Vector], length: int) -> Iterator[Vector]:
    """Yield up to `length` points at a time, as a new array of shape (k, n).

    Examples
    --------
    >>> [batch.tolist() for batch in batches(np.eye(3), 2)]
    [[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], [[0.0, 0.0, 1.0]]]
    """
    points = iter(points)
    for first in points:
        batch = np.empty((length, first.size))
        batch[0] = first
        count = 1
        for point in islice(points, length - 1):
            batch[count] = point
            count += 1
        yield batch[:count]


def fitting(size: int, room: int) -> int:
    """Return how many points of `size` numbers fit into `room` bytes, at least one."""
    return max(1, room // (np.dtype(np.float64).itemsize * max(size, 1)))
