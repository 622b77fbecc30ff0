"""The problem a check poses, as numbers: what binding makes and numerics measures.

It must not know how the user's functions are called, nor what a verdict is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.report.model import Kind, Note, Part

__all__ = [
    "Block",
    "Claim",
    "Counts",
    "DenseClaim",
    "DiagonalClaim",
    "OtherCotangents",
    "Parameter",
    "Problem",
    "Returned",
    "ReturnedClaim",
    "Vector",
]

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Block:
    """An array and where its coordinates lie in a vector.

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
        """How many entries it has, complex ones counted once."""
        return (self.stop - self.start) // (2 if self.is_complex else 1)

    def place(self, coordinate: int) -> tuple[tuple[int, ...], Part | None]:
        """Return index and part of the entry that its own coordinate `coordinate` is of."""
        part: Part | None = None
        if self.is_complex:
            part = "imag" if coordinate % 2 else "real"
            coordinate //= 2
        return tuple(int(k) for k in np.unravel_index(coordinate, self.shape)), part

    def entry(self, coordinate: int) -> str:
        """Return the name of that entry: ``W[1, 3]``, ``z[2].imag``."""
        index, part = self.place(coordinate)
        subscript = f"[{', '.join(map(str, index))}]" if index else ""
        return f"{self.name}{subscript}" + (f".{part}" if part else "")


@dataclass(frozen=True, slots=True)
class Parameter(Block):
    """One checked leaf array; its coordinates lie in the point.

    Attributes
    ----------
    entries : tuple of int or None
        Of a constrained parameter, which of the coordinates it would have by
        itself its coordinates are; None for all.
    notes : tuple of Note
        What is to be known of it beforehand.
    """

    entries: tuple[int, ...] | None = None
    notes: tuple[Note, ...] = ()

    @property
    def axes(self) -> tuple[int, ...]:
        """The axes along which its coordinates lie, at least one."""
        if self.entries is not None:
            return (self.stop - self.start,)
        return (*self.shape, 2) if self.is_complex else self.shape or (1,)

    def place(self, coordinate: int) -> tuple[tuple[int, ...], Part | None]:
        """Return index and part of the entry that its own coordinate `coordinate` is of."""
        entry = coordinate if self.entries is None else self.entries[coordinate]
        return Block.place(self, entry)


class Returned(Protocol):
    """What backward said, where it left it: it may change when backward is called again."""

    def rows(self, start: int, stop: int) -> Vector:
        """Return the claims about coordinates ``start:stop``, shape (stop - start, m)."""
        ...  # pragma: no cover

    def kept(self) -> Claim:
        """Return the same, to stay."""
        ...  # pragma: no cover


class Claim(Returned, Protocol):
    """What backward says, by coordinate of the point and by output."""

    def take(self, indices: NDArray[np.intp]) -> Vector:
        """Return the claims about some coordinates, shape (k, m)."""
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
    """

    parts: tuple[tuple[Vector, ...], ...]

    def rows(self, start: int, stop: int) -> Vector:
        """Return the claims about coordinates ``start:stop``, shape (stop - start, m)."""
        found = [self._part(k, start - first, stop - first) for k, first in self._places()]
        found = [rows for rows in found if len(rows)] or found[:1]
        return found[0] if len(found) == 1 else np.concatenate(found)

    def kept(self) -> DenseClaim:
        """Return a copy."""
        size = sum(len(part[0]) for part in self.parts)
        matrix = np.empty((size, sum(array.shape[1] for array in self.parts[0])))
        for k, first in self._places():
            part = self._part(k, 0, size)
            matrix[first : first + len(part)] = part
        return DenseClaim(matrix)

    def _places(self) -> Iterator[tuple[int, int]]:
        first = 0
        for k, part in enumerate(self.parts):
            yield k, first
            first += len(part[0])

    def _part(self, k: int, start: int, stop: int) -> Vector:
        """Return the claims about some coordinates of one parameter, counted from its first."""
        inside = slice(max(start, 0), max(stop, 0))
        arrays = [array[inside] for array in self.parts[k]]
        return arrays[0] if len(arrays) == 1 else np.concatenate(arrays, axis=1)


@dataclass(frozen=True, slots=True)
class DenseClaim:
    """A claim held as the whole matrix, shape (n coordinates, m outputs)."""

    matrix: Vector

    def rows(self, start: int, stop: int) -> Vector:
        """Return the claims about coordinates ``start:stop``, shape (stop - start, m)."""
        return self.matrix[start:stop]

    def take(self, indices: NDArray[np.intp]) -> Vector:
        """Return the claims about some coordinates, shape (k, m)."""
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
class DiagonalClaim:
    """Elementwise claims: coordinate k of a parameter moves output k alone.

    Attributes
    ----------
    diagonal : ndarray, shape (n,)
        Claims of all parameters, one after the other, each of `outputs` entries.
    outputs : int
        How many outputs there are.
    """

    diagonal: Vector
    outputs: int

    def rows(self, start: int, stop: int) -> Vector:
        """Return the claims about coordinates ``start:stop``, shape (stop - start, m)."""
        return self.take(np.arange(start, stop))

    def take(self, indices: NDArray[np.intp]) -> Vector:
        """Return the claims about some coordinates, shape (k, m)."""
        rows = np.zeros((indices.size, self.outputs))
        rows[np.arange(indices.size), indices % self.outputs] = self.diagonal[indices]
        return rows

    def along(self, start: int, direction: Vector) -> Vector:
        """Return the claimed change by coordinates from `start` on, shape (m,)."""
        change = direction * self.diagonal[start : start + direction.size]
        outputs = np.arange(start, start + direction.size) % self.outputs
        return np.bincount(outputs, weights=change, minlength=self.outputs).astype(np.float64)

    def kept(self) -> DiagonalClaim:
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


@dataclass(slots=True)
class Counts:
    """How often the user's functions were called."""

    forward: int = 0
    backward: int = 0


@dataclass(frozen=True, slots=True)
class Problem:
    """A gradient check as numbers: a function of a vector, a point and a claim.

    Attributes
    ----------
    kind : Kind
        Which derivative is claimed.
    forward, backward : str
        Names of the user's functions, for people.
    parameters : tuple of Parameter
        In order; together they cover the point without gaps.
    point : ndarray of float64, shape (n,)
        The point of the check. Whoever measures may change it in place and
        must put it back.
    here : ndarray of float64, shape (n,)
        A copy of it that stays.
    evaluate : callable
        ``evaluate(points) -> ndarray, shape (k, m)``: at vectors that do not depend on
        each other, each good until the next is asked for; NaN where the user's function
        left its domain. Cheapest when handed `point`.
    base : ndarray of float64, shape (m,)
        The outputs at `point`, as found at the start.
    repeat : ndarray of float64, shape (m,)
        The same, evaluated again: what differs is noise.
    claim : Claim
        For a ``jvp`` its one row is the claim about the direction `tangent`.
    outputs : tuple of Block
        The outputs that claims are about; empty where they were reduced to one
        number (a scalar forward, or a cotangent).
    tangent : ndarray of float64, shape (n,), or None
        The direction of a ``jvp``.
    counts : Counts
        Calls so far; grows while measuring.
    notes : tuple of Note
        What is to be known of how the functions were called.
    not_checked : tuple of str
        Arguments that were neither checked nor data.
    roundings : tuple of float
        For each parameter the relative rounding of its claim (2e-16 for float64).
    others : OtherCotangents or None
        What backward said of other cotangents, None where it takes none.
    randomness_moved : callable
        ``randomness_moved() -> bool``, asked when measuring is over: whether a
        random generator that is not being replayed moved meanwhile.
    unmoved : callable
        ``unmoved() -> frozenset of str``, asked likewise: parameters with a claim of
        zeros under which forward never changed.
    """

    kind: Kind
    forward: str
    backward: str
    parameters: tuple[Parameter, ...]
    point: Vector
    here: Vector
    evaluate: Callable[[Iterable[Vector]], Vector]
    base: Vector
    repeat: Vector
    claim: Claim
    outputs: tuple[Block, ...]
    tangent: Vector | None
    counts: Counts
    notes: tuple[Note, ...] = ()
    not_checked: tuple[str, ...] = ()
    roundings: tuple[float, ...] = ()
    others: OtherCotangents | None = None
    randomness_moved: Callable[[], bool] = bool
    unmoved: Callable[[], frozenset[str]] = frozenset
