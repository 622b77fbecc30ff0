"""What a check could not have seen: gradients that vanish, points that hide a kind of error.

It must not evaluate anything or know names; arrays in, findings out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Slices", "common_value", "hides_transpose", "whole_slices"]

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Slices:
    """Whole slices of an array along one axis.

    Attributes
    ----------
    axis : int
        Which.
    indices : tuple of int
        Where on it, increasing.
    covered : int
        How many entries lie in them.
    """

    axis: int
    indices: tuple[int, ...]
    covered: int


def whole_slices(where: Booleans) -> Slices | None:
    """Find the rows, columns or other slices of an array that are True throughout.

    Parameters
    ----------
    where : ndarray of bool
        In the shape of a parameter.

    Returns
    -------
    Slices or None
        Along the axis on which they cover most; None where no slice is whole.

    Examples
    --------
    >>> whole_slices(np.array([[True, True], [True, False]]))
    Slices(axis=0, indices=(0,), covered=2)
    """
    found: list[Slices] = []
    for axis, length in enumerate(where.shape):
        if length == 1:
            continue
        others = tuple(k for k in range(where.ndim) if k != axis)
        indices = np.flatnonzero(where.all(axis=others))
        if indices.size:
            found.append(
                Slices(axis, tuple(indices.tolist()), indices.size * where.size // length)
            )
    return max(found, key=lambda slices: slices.covered, default=None)


def common_value(point: Floats) -> float | None:
    """Return the one number that all coordinates are; None where they differ.

    One coordinate alone counts only where it is zero: then it hides the terms that
    it multiplies.

    Examples
    --------
    >>> points = np.zeros(3), np.array([0.5, 0.5]), np.array([0.5])
    >>> tuple(common_value(point) for point in points)
    (0.0, 0.5, None)
    """
    if not point.size or (point != point[0]).any():
        return None
    return float(point[0]) if point.size > 1 or point[0] == 0 else None


def hides_transpose(point: Floats, shape: Sequence[int]) -> bool:
    """Tell a square matrix that is its own transpose.

    Examples
    --------
    >>> hides_transpose(np.array([1.0, 2.0, 2.0, 3.0]), (2, 2))
    True
    """
    if len(shape) != 2 or shape[0] != shape[1] or shape[0] < 2:
        return False
    matrix = point.reshape(*shape, -1)
    return bool(np.array_equal(matrix, matrix.swapaxes(0, 1)))
