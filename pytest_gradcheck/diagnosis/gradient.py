"""What hypotheses are made from: the claimed gradients, and what is known about the call.

All arrays are those of the check; nobody may change them. It does not know what was measured.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.diagnosis.named_numbers import NamedNumber

__all__ = [
    "Booleans",
    "CheckedCall",
    "ClaimedGradient",
    "Floats",
    "Indices",
    "OperandArray",
    "OutputValues",
]

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
Indices = NDArray[np.intp]

#: A gradient is compared with those of so many other parameters, the nearest ones in order.
MOST_OTHERS = 128


def no_claims() -> None:
    """Return no claims: backward is not called again."""


@dataclass(frozen=True, slots=True, eq=False)
class ClaimedGradient:
    """The gradient that backward returned for one parameter.

    Attributes
    ----------
    name : str
        Python accessor of the parameter.
    value : ndarray, shape (...)
        The parameter. A complex one has a last axis for real and imaginary parts.
    claim : ndarray, shape (..., m)
        The claimed derivatives of m outputs; m is 1 for a gradient.
    is_array : bool
        Whether the axes are those of the parameter: a constraint may leave entries out.
    imaginary : ndarray of bool
        Whether each derivative changes its sign under complex conjugation; broadcasts to `claim`.
    rounding : float
        Relative rounding error of the claims.
    output : ndarray or None
        The outputs that the derivatives are of, in a shape that broadcasts to `claim`; None where
        there is one, or where they do not belong to single derivatives.
    doubled, elsewhere, of_two_uses : callable
        Call backward again, and return the claims for twice the upstream gradient, those at a
        nearby point, and those for the sum of two calls of forward with the same objects; None
        where that makes no sense.
    """

    name: str
    value: Floats
    claim: Floats
    is_array: bool
    imaginary: Booleans
    rounding: float
    output: Floats | None = None
    doubled: Callable[[], Floats | None] = no_claims
    elsewhere: Callable[[], Floats | None] = no_claims
    of_two_uses: Callable[[], Floats | None] = no_claims

    @property
    def axes(self) -> tuple[int, ...]:
        """The shape of the parameter."""
        return self.value.shape

    def of_outputs(self, outputs: Sequence[int]) -> ClaimedGradient:
        """Return the claims about some outputs."""
        imaginary = self.imaginary
        return replace(
            self,
            claim=self.claim[..., outputs],
            imaginary=imaginary if imaginary.ndim < 2 else imaginary[..., outputs],
            output=None,
        )

    @property
    def parameter(self) -> Floats:
        """The parameter, in a shape that broadcasts to `claim`."""
        return self.value[..., None]


@dataclass(frozen=True, slots=True, eq=False)
class OutputValues:
    """An output of forward at the point of the check.

    Attributes
    ----------
    name : str
        Python accessor of the output.
    value : ndarray
        The output.
    cotangent : ndarray or None
        The upstream gradient of it, where backward takes one.
    """

    name: str
    value: Floats
    cotangent: Floats | None


@dataclass(frozen=True, slots=True, eq=False)
class OperandArray:
    """An array that forward is given: ``OperandArray("mask", array)``."""

    name: str
    value: NDArray[Any]


@dataclass(frozen=True, eq=False)
class CheckedCall:
    """What is known about a call, whatever was measured.

    Attributes
    ----------
    gradients : tuple of ClaimedGradient
        The gradients of all parameters, in order.
    outputs : tuple of OutputValues
        The outputs of forward.
    numbers : tuple of NamedNumber
        Sizes and numbers of the call, and what they are called there.
    arrays : tuple of OperandArray
        Arrays that forward is given, the parameters included.
    other_convention : str or None
        The convention in which conjugate gradients would be right; None if there is none.
    is_automatic : bool
        Whether a package differentiates forward, by rules that may be the user's.
    """

    gradients: tuple[ClaimedGradient, ...]
    outputs: tuple[OutputValues, ...] = ()
    numbers: tuple[NamedNumber, ...] = ()
    arrays: tuple[OperandArray, ...] = ()
    other_convention: str | None = None
    is_automatic: bool = False

    def others(self, gradient: ClaimedGradient) -> list[ClaimedGradient]:
        """Return the gradients of the other parameters; of very many, the nearest in order."""
        place = self._places.get(gradient.name, 0)
        near = self.gradients[max(0, place - MOST_OTHERS // 2) :][: MOST_OTHERS + 1]
        return [other for other in near if other.name != gradient.name]

    @cached_property
    def _places(self) -> dict[str, int]:
        return {gradient.name: place for place, gradient in enumerate(self.gradients)}


def is_broadcastable(shape: tuple[int, ...], axes: tuple[int, ...]) -> bool:
    """Return whether an array of a shape broadcasts to the axes of a parameter.

    Examples
    --------
    >>> is_broadcastable((4, 1), (3, 4, 5)), is_broadcastable((3,), (3, 4))
    (True, False)
    """
    pairs = zip(shape[::-1], axes[::-1], strict=False)
    return len(shape) <= len(axes) and all(own in {1, length} for own, length in pairs)
