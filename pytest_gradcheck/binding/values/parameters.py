"""Arrays and the places of their coordinates in a vector.

It does not know what the arrays mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.integrations.array_libraries import short_rounding
from pytest_gradcheck.report.report_data import Note, Part

__all__ = ["Block", "Parameter", "Vector", "dtype_name", "rounding_of"]

Vector = NDArray[np.float64]


@cache
def dtype_name(dtype: np.dtype[Any]) -> str:
    """Return the name of a dtype, cached: NumPy builds it each time."""
    return str(dtype)


def rounding_of(dtype: Any, value: Any) -> float:
    """Return the relative rounding of numbers that are read in a dtype, or in a shorter one."""
    return max(float(np.finfo(dtype).eps), short_rounding(value))


@dataclass(frozen=True, slots=True)
class Block:
    """An array and the place of its coordinates in a vector.

    Attributes
    ----------
    name : str
        Its Python accessor: ``W1``, ``parameters['W1']``, ``output[0]``.
    shape : tuple of int
        Its shape.
    dtype : str
        Its dtype, as numpy names it.
    start, stop : int
        Its coordinates are ``vector[start:stop]``, in C order of the entries. A
        complex entry has two, real then imaginary part.
    is_complex : bool
        Whether entries take two coordinates.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    start: int
    stop: int
    is_complex: bool = False

    @property
    def size(self) -> int:
        """The number of entries; a complex one counts once."""
        return (self.stop - self.start) // (2 if self.is_complex else 1)

    def place(self, coordinate: int) -> tuple[tuple[int, ...], Part | None]:
        """Return the index of the entry of a coordinate of its own, and the part of it."""
        part: Part | None = None
        if self.is_complex:
            part = "imag" if coordinate % 2 else "real"
            coordinate //= 2
        index = list[int]()
        for length in reversed(self.shape):
            coordinate, k = divmod(coordinate, length)
            index.append(k)
        return tuple(reversed(index)), part

    def coordinate(self, index: tuple[int, ...], part: Part | None) -> int:
        """Return the coordinate of its own that has a place: the inverse of `place`."""
        coordinate = 0
        for k, length in zip(index, self.shape, strict=True):
            coordinate = coordinate * length + k
        return 2 * coordinate + (part == "imag") if self.is_complex else coordinate

    def entry(self, coordinate: int) -> str:
        """Return the name of the entry of a coordinate of its own: ``W[1, 3]``, ``z[2].imag``."""
        index, part = self.place(coordinate)
        subscript = f"[{', '.join(map(str, index))}]" if index else ""
        return f"{self.name}{subscript}" + (f".{part}" if part else "")


@dataclass(frozen=True, slots=True)
class Parameter(Block):
    """A checked leaf; its coordinates are part of the point.

    Attributes
    ----------
    entries : tuple of int or None
        Which coordinates of the array its coordinates are, where a constraint leaves some out;
        None for all.
    notes : tuple of Note
        Notes on how it is measured.
    """

    entries: tuple[int, ...] | None = None
    notes: tuple[Note, ...] = ()

    @property
    def axes(self) -> tuple[int, ...]:
        """The shape of its coordinates, of at least one axis."""
        if self.entries is not None:
            return (self.stop - self.start,)
        return (*self.shape, 2) if self.is_complex else self.shape or (1,)

    def place(self, coordinate: int) -> tuple[tuple[int, ...], Part | None]:
        """Return the index of the entry of a coordinate of its own, and the part of it."""
        entry = coordinate if self.entries is None else self.entries[coordinate]
        return Block.place(self, entry)

    def coordinate(self, index: tuple[int, ...], part: Part | None) -> int:
        """Return the coordinate of its own that has a place."""
        entry = Block.coordinate(self, index, part)
        return entry if self.entries is None else self.entries.index(entry)
