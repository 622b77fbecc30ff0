"""The problem a check poses, as numbers: what binding makes and numerics measures.

It must not know how the user's functions are called, nor what a verdict is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.report.model import Kind, Note

__all__ = ["Claim", "Counts", "DenseClaim", "DiagonalClaim", "Parameter", "Problem", "Vector"]

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One checked leaf array and where its coordinates lie in the point.

    Attributes
    ----------
    name : str
        Python accessor from the call's arguments.
    shape : tuple of int
        Shape the user gave it.
    dtype : str
        Dtype the user gave it, as numpy names it.
    start, stop : int
        Its coordinates are ``point[start:stop]``, in C order of the entries. A
        complex entry has two, real then imaginary part.
    is_complex : bool
        Whether entries take two coordinates.
    entries : tuple of int or None
        Of a constrained parameter, which of the coordinates it would have by
        itself its coordinates are; None for all.
    notes : tuple of Note
        What is to be known of it beforehand.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    start: int
    stop: int
    is_complex: bool = False
    entries: tuple[int, ...] | None = None
    notes: tuple[Note, ...] = ()


class Claim(Protocol):
    """What backward says, by coordinate of the point and by output."""

    def rows(self, start: int, stop: int) -> Vector:
        """Return the claims about coordinates ``start:stop``, shape (stop - start, m)."""
        ...  # pragma: no cover


@dataclass(frozen=True, slots=True)
class DenseClaim:
    """A claim held as the whole matrix, shape (n coordinates, m outputs)."""

    matrix: Vector

    def rows(self, start: int, stop: int) -> Vector:
        """Return the claims about coordinates ``start:stop``, shape (stop - start, m)."""
        return self.matrix[start:stop]


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
        rows = np.zeros((stop - start, self.outputs))
        coordinates = np.arange(start, stop)
        rows[np.arange(stop - start), coordinates % self.outputs] = self.diagonal[start:stop]
        return rows


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
    evaluate : callable
        ``evaluate(vector) -> ndarray, shape (m,)``, a new array each time; NaN
        where the user's function left its domain. Cheapest when handed `point`.
    base : ndarray of float64, shape (m,)
        ``evaluate(point)``, as found at the start.
    repeat : ndarray of float64, shape (m,)
        The same, evaluated again: what differs is noise.
    claim : Claim
        For a ``jvp`` its one row is the claim about the direction `tangent`.
    output_shape : tuple of int or None
        Shape of the outputs that claims are about; None where they were reduced
        to one number (a scalar forward, or a cotangent).
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
    randomness_moved : callable
        ``randomness_moved() -> bool``, asked when measuring is over: whether a
        random generator that is not being replayed moved meanwhile.
    """

    kind: Kind
    forward: str
    backward: str
    parameters: tuple[Parameter, ...]
    point: Vector
    evaluate: Callable[[Vector], Vector]
    base: Vector
    repeat: Vector
    claim: Claim
    output_shape: tuple[int, ...] | None
    tangent: Vector | None
    counts: Counts
    notes: tuple[Note, ...] = ()
    not_checked: tuple[str, ...] = ()
    roundings: tuple[float, ...] = ()
    randomness_moved: Callable[[], bool] = bool
