"""What backward says, by coordinate of the point and by output.

It must not know how it was asked, nor judge.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.blocks import Parameter, Vector

__all__ = [
    "Claim",
    "DenseClaim",
    "ElementwiseClaim",
    "OtherCotangents",
    "Returned",
    "ReturnedClaim",
]


class Returned(Protocol):
    """What backward said, where it left it: it may change when backward is called again."""

    def rows(self, start: int, stop: int) -> Vector:
        """Return the claims about coordinates ``start:stop``, shape (stop - start, m)."""
        ...  # pragma: no cover

    def stored(self, start: int, stop: int) -> Vector:
        """Return those of them that are not zero by their form, shape (stop - start, w)."""
        ...  # pragma: no cover

    def kept(self) -> Claim:
        """Return the same, to stay."""
        ...  # pragma: no cover


class Claim(Returned, Protocol):
    """What backward says, by coordinate of the point and by output."""

    def take(self, indices: NDArray[np.intp]) -> Vector:
        """Return the claims about some coordinates, shape (k, m)."""
        ...  # pragma: no cover

    def take_stored(self, indices: NDArray[np.intp]) -> Vector:
        """Return those about some coordinates that are not zero by their form, shape (k, w)."""
        ...  # pragma: no cover

    def along(self, start: int, direction: Vector) -> Vector:
        """Return the claimed change by coordinates from `start` on, shape (m,)."""
        ...  # pragma: no cover


@dataclass(frozen=True, slots=True)
class ReturnedClaim:
    """A claim in the arrays that backward returned.

    Attributes
    ----------
    parts : tuple of tuple of ndarray, shape (coordinates of a parameter, of an output)
        For each parameter, in order, those by each output.
    starts : tuple of int
        The first coordinate of each parameter, and one past the last of all.
    """

    parts: tuple[tuple[Vector, ...], ...]
    starts: tuple[int, ...]

    @classmethod
    def of(cls, parts: Iterable[tuple[Vector, ...]]) -> ReturnedClaim:
        """Return the claim in these arrays."""
        parts = tuple(parts)
        return cls(parts, tuple(accumulate((len(part[0]) for part in parts), initial=0)))

    def rows(self, start: int, stop: int) -> Vector:
        """Return the claims about coordinates ``start:stop``, shape (stop - start, m)."""
        first = max(bisect_right(self.starts, start, hi=len(self.parts)) - 1, 0)
        last = max(bisect_left(self.starts, stop), first + 1)
        found = [self._part(k, start, stop) for k in range(first, last)]
        return found[0] if len(found) == 1 else np.concatenate(found)

    def stored(self, start: int, stop: int) -> Vector:
        """Return the same: any of them may be other than zero."""
        return self.rows(start, stop)

    def kept(self) -> DenseClaim:
        """Return a copy."""
        matrix = np.empty((self.starts[-1], sum(array.shape[1] for array in self.parts[0])))
        for k, (start, stop) in enumerate(pairwise(self.starts)):
            matrix[start:stop] = self._part(k, start, stop)
        return DenseClaim(matrix)

    def _part(self, k: int, start: int, stop: int) -> Vector:
        """Return the claims about those coordinates that are of one parameter."""
        inside = slice(max(start - self.starts[k], 0), max(stop - self.starts[k], 0))
        arrays = [array[inside] for array in self.parts[k]]
        return arrays[0] if len(arrays) == 1 else np.concatenate(arrays, axis=1)


@dataclass(frozen=True, slots=True)
class DenseClaim:
    """A claim held as the whole matrix, shape (n coordinates, m outputs)."""

    matrix: Vector

    def rows(self, start: int, stop: int) -> Vector:
        """Return the claims about coordinates ``start:stop``, shape (stop - start, m)."""
        return self.matrix[start:stop]

    def stored(self, start: int, stop: int) -> Vector:
        """Return the same: any of them may be other than zero."""
        return self.matrix[start:stop]

    def take(self, indices: NDArray[np.intp]) -> Vector:
        """Return the claims about some coordinates, shape (k, m)."""
        return self.matrix[indices]

    def take_stored(self, indices: NDArray[np.intp]) -> Vector:
        """Return the same: any of them may be other than zero."""
        return self.matrix[indices]

    def along(self, start: int, direction: Vector) -> Vector:
        """Return the claimed change by coordinates from `start` on, shape (m,)."""
        # Not by BLAS: its threads wait for each other on a machine that is busy.
        part = self.matrix[start : start + direction.size]
        return np.asarray(np.einsum("i,ij->j", direction, part))

    def kept(self) -> DenseClaim:
        """Return itself."""
        return self


@dataclass(frozen=True, slots=True)
class ElementwiseClaim:
    """Elementwise claims: an entry of a parameter moves the entry of an output at its own place.

    Attributes
    ----------
    values : ndarray, shape (n coordinates, w)
        Claimed derivatives of the outputs that a coordinate moves: one for each real output,
        two for each complex one.
    own : ndarray of int, shape (n, w)
        Which outputs these are.
    colours : tuple of slice
        Coordinates of which no two move the same output; together they are all.
    outputs : int
        How many outputs there are.
    """

    values: Vector
    own: NDArray[np.intp]
    colours: tuple[slice, ...]
    outputs: int

    def rows(self, start: int, stop: int) -> Vector:
        """Return the claims about coordinates ``start:stop``, shape (stop - start, m)."""
        return self.take(np.arange(start, stop))

    def stored(self, start: int, stop: int) -> Vector:
        """Return those of them that are not zero by their form, shape (stop - start, w)."""
        return self.values[start:stop]

    def take(self, indices: NDArray[np.intp]) -> Vector:
        """Return the claims about some coordinates, shape (k, m)."""
        rows = np.zeros((indices.size, self.outputs))
        np.put_along_axis(rows, self.own[indices], self.values[indices], axis=1)
        return rows

    def take_stored(self, indices: NDArray[np.intp]) -> Vector:
        """Return those about some coordinates that are not zero by their form, shape (k, w)."""
        return self.values[indices]

    def along(self, start: int, direction: Vector) -> Vector:
        """Return the claimed change by coordinates from `start` on, shape (m,)."""
        part = slice(start, start + direction.size)
        change = (direction[:, None] * self.values[part]).ravel()
        outputs = self.own[part].ravel()
        return np.bincount(outputs, weights=change, minlength=self.outputs).astype(np.float64)

    def kept(self) -> ElementwiseClaim:
        """Return itself."""
        return self


@dataclass(frozen=True, slots=True)
class OtherCotangents:
    """What a VJP gave for other cotangents than the one it is checked with, c1.

    Attributes
    ----------
    parameters : tuple of Parameter
        All entries of the checked parameters, constrained or not.
    first : ndarray, shape (n,)
        What it gave for c1.
    zero : ndarray, shape (n,)
        For a cotangent of zeros; NaN where it gave nothing that is finite.
    second : ndarray, shape (n,)
        For another random cotangent, c2.
    combined : ndarray, shape (n,)
        For ``c1 + weight * c2``.
    weight : float
        The weight.
    """

    parameters: tuple[Parameter, ...]
    first: Vector
    zero: Vector
    second: Vector
    combined: Vector
    weight: float
