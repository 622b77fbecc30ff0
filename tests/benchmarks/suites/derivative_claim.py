"""A claim of a derivative as some suite makes it, and the ways to make it false.

It must not know where the claim comes from, nor who is asked about it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Arrays",
    "DerivativeClaim",
    "as_float_arrays",
    "as_list",
    "contracted",
    "copied",
    "with_entry_moved",
    "with_wrong_entry",
]

Floats = NDArray[np.float64]

#: A point: one array, or several in a list.
Arrays = Floats | list[Floats]

#: An error that moves forward by fewer roundings than this cannot be seen in its values.
ROUNDINGS = 1000

#: Entries this much smaller than the median of those that are not zero are left alone.
SMALL = 0.1


@dataclass(frozen=True)
class DerivativeClaim:
    """A derivative that is claimed at a point.

    Attributes
    ----------
    forward : callable
        Of the point; returns a number or an array of floats.
    backward : callable
        Of the point: the gradient, the Jacobian, or the diagonal of one. Of the point and a
        cotangent where `is_product`: their vector-Jacobian product.
    point : array or list of arrays
        Float64.
    is_product : bool
        Whether backward takes a cotangent.
    bounds : tuple of two arrays, or None
        Beyond these forward is not to be called.
    """

    forward: Callable[[Any], Any]
    backward: Callable[..., Any]
    point: Arrays
    is_product: bool = False
    bounds: tuple[Floats, Floats] | None = None

    def cotangent(self) -> Floats:
        """Return one cotangent of forward's output, the same each time."""
        shape = np.shape(self.forward(copied(self.point)))
        return np.asarray(np.random.default_rng(0).normal(size=shape))

    def claim(self) -> Arrays:
        """Return what backward claims, under one cotangent where it takes one."""
        given = (self.cotangent(),) if self.is_product else ()
        return as_float_arrays(self.backward(copied(self.point), *given))


def contracted(question: DerivativeClaim) -> DerivativeClaim:
    """Return the same claim about a function with one output for each claimed number."""
    if not question.is_product:
        return question
    cotangent = question.cotangent()

    def forward(x: Arrays) -> float:
        return float(np.sum(cotangent * np.asarray(question.forward(x))))

    def backward(x: Arrays) -> Any:
        return question.backward(x, cotangent)

    return replace(question, forward=forward, backward=backward, is_product=False)


def with_wrong_entry(
    question: DerivativeClaim, error: float, rng: np.random.Generator
) -> DerivativeClaim | None:
    """Return the question with one entry of its claim too large by a relative error.

    The entry is drawn from those that are not zero, nor small beside the others, and whose
    error moves forward by more than its rounding.

    Parameters
    ----------
    question : DerivativeClaim
        A right claim.
    error : float
        By how much, relatively.
    rng : numpy.random.Generator
        Draws the entry.

    Returns
    -------
    Question or None
        None where there is no such entry.
    """
    claims = as_list(question.claim())
    visible = [
        (i, index)
        for i, (claim, moves) in enumerate(zip(claims, _moves(question, claims), strict=True))
        for index in np.flatnonzero(_prominent(claim) & (moves * error > ROUNDINGS))
    ]
    if not visible:
        return None
    where, at = visible[rng.integers(len(visible))]

    def backward(*given: Any) -> Any:
        claim = as_float_arrays(question.backward(*given))
        as_list(claim)[where].reshape(-1)[at] *= 1 + error
        return claim

    return replace(question, backward=backward)


def _prominent(claim: Floats) -> NDArray[np.bool_]:
    size = np.abs(claim)
    known = size[(size > 0) & np.isfinite(size)]
    return np.isfinite(size) & (size >= SMALL * np.median(known) if known.size else size > 0)


def _moves(question: DerivativeClaim, claims: list[Floats]) -> list[Floats]:
    """Return how many roundings each entry of the claim, times its parameter, moves forward."""
    one = contracted(question)
    value = np.asarray(question.forward(copied(question.point)))
    if question.is_product:
        value = np.sum(np.abs(value * question.cotangent()))
    rounding = np.finfo(float).eps * max(float(np.max(np.abs(value), initial=0.0)), 1e-300)
    return [
        np.abs(claim) * np.where(x != 0, np.abs(x), 1.0) / rounding
        for claim, x in zip(claims, as_list(one.point), strict=True)
    ]


def as_list(arrays: Arrays) -> list[Floats]:
    """Return the arrays as a list, themselves."""
    return arrays if isinstance(arrays, list) else [arrays]


def copied(arrays: Arrays) -> Arrays:
    """Return a copy."""
    return [a.copy() for a in arrays] if isinstance(arrays, list) else arrays.copy()


def as_float_arrays(claim: Any) -> Arrays:
    """Return what a backward returned as arrays that are nobody else's."""
    if isinstance(claim, list | tuple):
        return [np.array(one, dtype=np.float64) for one in claim]
    return np.array(claim, dtype=np.float64)


def with_entry_moved(point: Arrays, array: int, entry: int, by: complex) -> Arrays:
    """Return a copy of the point with one of its entries moved."""
    arrays = [np.array(a, dtype=np.result_type(a, type(by))) for a in as_list(point)]
    arrays[array].reshape(-1)[entry] += by
    return arrays if isinstance(point, list) else arrays[0]
