"""Points at which a check says little: vanishing gradients, equal entries, symmetric matrices.

This module does not evaluate functions, and it does not know names: it works on arrays.
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
        The axis.
    indices : tuple of int
        Indices of the slices along the axis, increasing.
    covered : int
        Number of entries in the slices.
    """

    axis: int
    indices: tuple[int, ...]
    covered: int


def whole_slices(where: Booleans) -> Slices | None:
    """Find the rows, columns or other slices of an array that are True throughout.

    Parameters
    ----------
    where : ndarray of bool
        One value for each entry of a parameter.

    Returns
    -------
    Slices or None
        Those along the axis on which they cover most entries; None if no slice is True
        throughout.

    Examples
    --------
    >>> whole_slices(np.array([[True, True], [True, False]]))
    Slices(axis=0, indices=(0,), covered=2)
    """
    candidates: list[Slices] = []
    for axis, length in enumerate(where.shape):
        if length == 1:
            continue
        others = tuple(k for k in range(where.ndim) if k != axis)
        indices = np.flatnonzero(where.all(axis=others))
        if indices.size:
            candidates.append(
                Slices(axis, tuple(indices.tolist()), indices.size * where.size // length)
            )
    return max(candidates, key=lambda slices: slices.covered, default=None)


def common_value(point: Floats) -> float | None:
    """Return the number that all coordinates are equal to; None where they differ.

    A single coordinate counts only if it is zero, which hides the terms that it multiplies.

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
    """Return whether a point is a square matrix that equals its own transpose.

    Examples
    --------
    >>> hides_transpose(np.array([1.0, 2.0, 2.0, 3.0]), (2, 2))
    True
    """
    if len(shape) != 2 or shape[0] != shape[1] or shape[0] < 2:
        return False
    matrix = point.reshape(*shape, -1)
    return bool(np.array_equal(matrix, matrix.swapaxes(0, 1)))
