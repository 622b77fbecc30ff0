"""What hypotheses are made from: the claimed gradients, and what is known about the call.

All arrays are those of the check; nobody may change them. It does not know what was measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.diagnosis.named_numbers import NamedNumber

__all__ = ["Booleans", "CheckedCall", "ClaimedGradient", "Floats", "OperandArray", "OutputValues"]

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class ClaimedGradient:
    """The gradient that backward returned for one parameter.

    Attributes
    ----------
    name : str
        Python accessor of the parameter.
    value : ndarray, shape (*axes)
        The parameter. A complex one has a last axis for real and imaginary parts.
    claim : ndarray, shape (*axes, m)
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
    """

    name: str
    value: Floats
    claim: Floats
    is_array: bool
    imaginary: Booleans
    rounding: float
    output: Floats | None = None

    @property
    def axes(self) -> tuple[int, ...]:
        """The shape of the parameter."""
        return self.value.shape

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


@dataclass(frozen=True, slots=True, eq=False)
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
    """

    gradients: tuple[ClaimedGradient, ...]
    outputs: tuple[OutputValues, ...] = ()
    numbers: tuple[NamedNumber, ...] = ()
    arrays: tuple[OperandArray, ...] = ()
    other_convention: str | None = None

    def others(self, gradient: ClaimedGradient) -> list[ClaimedGradient]:
        """Return the gradients of the other parameters."""
        return [other for other in self.gradients if other.name != gradient.name]
