"""Numbers of fewer digits than NumPy has a type for, such as those of `ml_dtypes`.

Arrays of bfloat16 have the interface of NumPy, but are none of its kinds of numbers. They are read
as float32, which holds them exactly, and written back in their own type.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ShortFloats", "as_short", "is_short_float", "short_epsilon"]


@cache
def is_short_float(dtype: np.dtype[Any]) -> bool:
    """Return whether a dtype is that of floats that NumPy does not have itself.

    Examples
    --------
    >>> is_short_float(np.dtype(np.float16))
    False
    """
    return dtype.type.__module__ == "ml_dtypes" and "float" in dtype.name


@cache
def short_epsilon(dtype: np.dtype[Any]) -> float:
    """Return the distance from one to the next number of a short type.

    Examples
    --------
    >>> short_epsilon(np.dtype(np.float16)) == 2**-10
    True
    """
    steps = 2.0 ** -np.arange(24.0)
    return float(steps[(1 + steps).astype(dtype).astype(np.float64) == 1 + steps].min())


def as_short(array: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return entries that were read as float32 in their own short type, and others as they are."""
    return array.astype(dtype if array.dtype == np.float32 else array.dtype)


class ShortFloats:
    """The `ArrayLibrary` of NumPy arrays, and of scalars, of short floats."""

    noun = "array"

    def to_numpy(self, array: Any) -> NDArray[Any]:
        """Return the entries as float32."""
        return np.asarray(array).astype(np.float32)

    def from_numpy(self, array: NDArray[Any], like: Any) -> Any:
        """Return a new array; entries in float32 are those of the short type."""
        return as_short(array, like.dtype)

    def parameter(self, array: NDArray[Any], like: Any) -> Any:
        """Return the same."""
        return self.from_numpy(array, like)

    def copy(self, array: Any) -> Any:
        """Return a copy."""
        return array.copy()

    def writer(self, array: Any) -> Callable[[NDArray[Any]], Any] | None:
        """Return what overwrites an array; None for a scalar."""
        if not isinstance(array, np.ndarray):
            return None

        def write(entries: NDArray[Any]) -> Any:
            array[...] = entries.astype(array.dtype)
            return array

        return write

    def restorer(self, array: Any) -> Callable[[], None] | None:
        """Return what puts the entries back; None for a scalar."""
        if not isinstance(array, np.ndarray):
            return None
        before = array.copy()

        def restore() -> None:
            array[...] = before

        return restore

    def short_rounding(self, array: Any) -> float:
        """Return the relative rounding of the type."""
        return short_epsilon(array.dtype)
