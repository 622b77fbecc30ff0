"""The laws of a vector-Jacobian product: it is linear in the cotangent, and zero for zero.

Claims for several cotangents are compared with each other, so that a violation is an error
whatever was measured. This module does not evaluate functions, and it does not use
measurements.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.judgement.entry_verdicts import SUBNORMAL_TOLERANCE

__all__ = ["LawViolation", "is_violated_nearby", "violated_laws"]

Floats = NDArray[np.float64]

#: Coordinates that are processed at once, so that no temporary array is larger.
CHUNK = 2**16

#: A violation is repeated if its size at nearby cotangents is the same to within this share.
REPEATED_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class LawViolation:
    """A law that a vector-Jacobian product violates.

    Attributes
    ----------
    kind : {"zero", "linear"}
        The law.
    coordinate : int
        The coordinate of the parameter where the violation is largest.
    found, expected : float
        The claim at that coordinate, and the value that follows from the law.
    """

    kind: str
    coordinate: int
    found: float
    expected: float

    def describe(self, backward: str, entry: str) -> str:
        """Return the violation as a sentence, given the names of backward and of the entry."""
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
    """Yield the laws that a vector-Jacobian product (VJP) violates in one parameter.

    Parameters
    ----------
    claim, zero, second, combined : ndarray, shape (n,)
        The VJP for a cotangent c1, for a zero cotangent, for c2, and for
        ``c1 + weight * c2``.
    weight : float
        The weight of the second cotangent.
    rtol : float
        The allowed error of each claim, relative to the largest of the parameter: an
        adjoint solver that stops early obeys the laws no better.
    rounding : float
        Relative rounding error of the type of the claims; its square root is also allowed.

    Yields
    ------
    LawViolation
        At most one for each law. A term that does not depend on the cotangent violates the
        first law alone: it is left out of the test for linearity.

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

    def constant_term(chunk: slice) -> Floats:
        return np.where(np.isfinite(zero[chunk]), zero[chunk], 0.0)

    def linear(chunk: slice) -> Floats:
        return claim[chunk] + weight * second[chunk]

    def affine(chunk: slice) -> Floats:
        return linear(chunk) - weight * constant_term(chunk)

    def distance_from_zero(chunk: slice) -> Floats:
        return np.where(np.isfinite(zero[chunk]), np.abs(zero[chunk]), np.inf)

    def distance_from_linear(chunk: slice) -> Floats:
        return np.abs(combined[chunk] - linear(chunk))

    def distance_from_affine(chunk: slice) -> Floats:
        return np.abs(combined[chunk] - affine(chunk))

    size = claim.size
    largest = max(
        _largest(partial(_magnitudes, values), size)[0] for values in (claim, second, combined)
    )
    margin = max((2 + abs(weight)) * rtol, float(np.sqrt(rounding))) * largest
    margin = max(margin, SUBNORMAL_TOLERANCE)
    distance, coordinate = _largest(distance_from_zero, size)
    if distance > margin:
        yield LawViolation("zero", coordinate, float(zero[coordinate]), 0.0)
    distance, coordinate = _largest(distance_from_affine, size)
    if distance > margin and _largest(distance_from_linear, size)[0] > margin:
        # Adding zero turns -0.0 into 0.0.
        expected = affine(slice(coordinate, coordinate + 1)).item()
        yield LawViolation("linear", coordinate, float(combined[coordinate] + 0.0), expected)


def is_violated_nearby(
    law: LawViolation,
    claim: Floats,
    *,
    zero: Floats,
    second: Floats,
    combined: Floats,
    weight: float,
) -> bool:
    """Return whether a VJP violates linearity by as much at nearby cotangents.

    Where the terms of a sum cancel, the rounding errors of the terms remain. They differ for
    every cotangent, while an error in the formula varies as little as the cotangents do.

    Parameters
    ----------
    law : LawViolation
        The violation of linearity.
    claim, zero, second, combined, weight
        As for `violated_laws`, for cotangents close to the ones of `law`.

    Returns
    -------
    bool
        False if the violation was due to rounding.

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
    return bool(abs(combined[at] - expected - before) <= REPEATED_SHARE * abs(before))


def _magnitudes(values: Floats, chunk: slice) -> Floats:
    return np.abs(values[chunk])


def _largest(values: Callable[[slice], Floats], size: int) -> tuple[float, int]:
    """Return the largest of values that are computed in chunks, and its coordinate."""
    maxima = []
    for start in range(0, size, CHUNK):
        chunk = values(slice(start, start + CHUNK))
        offset = int(chunk.argmax())
        maxima.append((float(chunk[offset]), start + offset))
    return max(maxima, key=lambda pair: pair[0])
