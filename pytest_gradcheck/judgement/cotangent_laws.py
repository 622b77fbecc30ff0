"""The laws of a vector-Jacobian product: zero for a zero cotangent, and linear in it.

It must not evaluate anything or look at measurements: claims are compared with
claims, so that what breaks a law is wrong whatever was measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

__all__ = ["LawViolation", "is_violated_nearby", "violated_laws"]

Floats = NDArray[np.float64]

#: Coordinates that are looked at together: no vector is made of more.
PART = 2**16

#: A law that is broken is broken by as much for cotangents close by, to within this share.
ALIKE = 0.5


@dataclass(frozen=True, slots=True)
class LawViolation:
    """A law that is broken.

    Attributes
    ----------
    kind : {"zero", "linear"}
        Which.
    coordinate : int
        Of the parameter, where it is broken most.
    found, expected : float
        The claim there, and what the law makes of the other claims.
    """

    kind: str
    coordinate: int
    found: float
    expected: float

    def describe(self, backward: str, entry: str) -> str:
        """Say it of a function and an entry of its parameter, by their names."""
        if self.kind == "linear":
            return (
                f"{backward} is not linear in the cotangent: {entry} is {self.found:.6g}, "
                f"not {self.expected:.6g}"
            )
        if not np.isfinite(self.found):
            return f"{backward}(0) is not 0: {entry} is not finite for a zero cotangent"
        return (
            f"{backward}(0) is not 0: a term of {entry}, {self.found:.6g}, does not depend on "
            "the cotangent"
        )


def violated_laws(
    claim: Floats,
    *,
    zero: Floats,
    second: Floats,
    combined: Floats,
    weight: float,
    rtol: float,
    rounding: float,
) -> Iterator[LawViolation]:
    """Yield the laws that a VJP breaks in one parameter.

    Parameters
    ----------
    claim, zero, second, combined : ndarray, shape (n,)
        What it gives for a cotangent c1, for zeros, for c2, and for
        ``c1 + weight * c2``.
    weight : float
        The weight.
    rtol : float
        What each claim may be off by, relative to the largest of the parameter: an
        adjoint solver that stops early obeys the laws no better.
    rounding : float
        Relative rounding of the claims' type; its square root is allowed, too.

    Yields
    ------
    LawViolation
        A constant term breaks the first law alone: it is left out of the test
        for linearity.

    Examples
    --------
    >>> one, two = np.ones(2), np.array([2.0, 1.0])
    >>> laws = dict(zero=0 * one, second=two, weight=-2.5, rtol=1e-6, rounding=2e-16)
    >>> [law.kind for law in violated_laws(one, combined=one - 2.5 * two, **laws)]
    []
    >>> [law.kind for law in violated_laws(one, combined=np.abs(one - 2.5 * two), **laws)]
    ['linear']
    """
    if not claim.size:
        return

    def constant(part: slice) -> Floats:
        return np.where(np.isfinite(zero[part]), zero[part], 0.0)

    def linear(part: slice) -> Floats:
        return claim[part] + weight * second[part]

    def affine(part: slice) -> Floats:
        return linear(part) - weight * constant(part)

    def from_zero(part: slice) -> Floats:
        return np.where(np.isfinite(zero[part]), np.abs(zero[part]), np.inf)

    def from_linear(part: slice) -> Floats:
        return np.abs(combined[part] - linear(part))

    def from_affine(part: slice) -> Floats:
        return np.abs(combined[part] - affine(part))

    size = claim.size
    largest = max(
        _largest(partial(_magnitudes, values), size)[0] for values in (claim, second, combined)
    )
    margin = max((2 + abs(weight)) * rtol, float(np.sqrt(rounding))) * largest
    distance, at = _largest(from_zero, size)
    if distance > margin:
        yield LawViolation("zero", at, float(zero[at]), 0.0)
    distance, at = _largest(from_affine, size)
    if distance > margin and _largest(from_linear, size)[0] > margin:
        # Plus zero: no minus in front of one.
        expected = affine(slice(at, at + 1)).item()
        yield LawViolation("linear", at, float(combined[at] + 0.0), expected)


def is_violated_nearby(
    law: LawViolation,
    claim: Floats,
    *,
    zero: Floats,
    second: Floats,
    combined: Floats,
    weight: float,
) -> bool:
    """Tell whether a VJP breaks linearity by as much for cotangents close by.

    Where the terms of a sum cancel, what is left is their rounding, however large they are
    beside it. It is no multiple of the cotangent, and another one for every cotangent; an
    error of the formula varies as little as cotangents do.

    Parameters
    ----------
    law : LawViolation
        As it was broken.
    claim, zero, second, combined, weight
        As for `violated_laws`, for cotangents close to those.

    Returns
    -------
    bool
        False where what was seen is rounding.

    Examples
    --------
    >>> law = LawViolation("linear", 0, found=2e-16, expected=0.0)
    >>> here = dict(zero=np.zeros(1), second=np.zeros(1), weight=-2.5)
    >>> is_violated_nearby(law, np.zeros(1), combined=np.array([-1e-16]), **here)
    False
    """
    at = law.coordinate
    constant = zero[at] if np.isfinite(zero[at]) else 0.0
    expected = claim[at] + weight * (second[at] - constant)
    before = law.found - law.expected
    return bool(abs(combined[at] - expected - before) <= ALIKE * abs(before))


def _magnitudes(values: Floats, part: slice) -> Floats:
    return np.abs(values[part])


def _largest(values: Callable[[slice], Floats], size: int) -> tuple[float, int]:
    """Return the largest of values that are made in parts, and where it is."""
    found = []
    for start in range(0, size, PART):
        part = values(slice(start, start + PART))
        at = int(part.argmax())
        found.append((float(part[at]), start + at))
    return max(found, key=lambda pair: pair[0])
