"""A claim of a derivative: a function, a point, and the derivative claimed there.

A claim can be replaced by one with a wrong entry, and a vector-Jacobian product by the gradient
under one cotangent. The module does not know where a claim comes from or who checks it.
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

#: One array, or a list of several: a point, or the derivative by it.
Arrays = Floats | list[Floats]

#: An error is visible if it changes forward's value by more than this many roundings.
VISIBLE_ROUNDINGS = 1000

#: The smallest entry that is made wrong, relative to the median of the nonzero entries.
SMALLEST_RELATIVE = 0.1


@dataclass(frozen=True)
class DerivativeClaim:
    """A derivative that is claimed at a point.

    Attributes
    ----------
    forward : callable
        Maps the point to a number or an array of floats.
    backward : callable
        Maps the point to the gradient, the Jacobian or the diagonal of the Jacobian. Where
        `is_product`, maps the point and a cotangent to the vector-Jacobian product.
    point : array or list of arrays
        The point, in float64.
    is_product : bool
        Whether backward takes a cotangent.
    bounds : tuple of two arrays, or None
        The lower and the upper bounds beyond which forward must not be called.
    """

    forward: Callable[[Any], Any]
    backward: Callable[..., Any]
    point: Arrays
    is_product: bool = False
    bounds: tuple[Floats, Floats] | None = None

    def cotangent(self) -> Floats:
        """Return a random cotangent of forward's output, the same in each call."""
        shape = np.shape(self.forward(copied(self.point)))
        return np.asarray(np.random.default_rng(0).normal(size=shape))

    def claimed(self) -> Arrays:
        """Return what backward claims, under `cotangent` where it takes one."""
        cotangents = (self.cotangent(),) if self.is_product else ()
        return as_float_arrays(self.backward(copied(self.point), *cotangents))


def contracted(claim: DerivativeClaim) -> DerivativeClaim:
    """Return a claim whose backward takes no cotangent.

    A vector-Jacobian product becomes the gradient of ``<cotangent, forward(x)>``.
    """
    if not claim.is_product:
        return claim
    cotangent = claim.cotangent()

    def forward(x: Arrays) -> float:
        return float(np.sum(cotangent * np.asarray(claim.forward(x))))

    def backward(x: Arrays) -> Any:
        return claim.backward(x, cotangent)

    return replace(claim, forward=forward, backward=backward, is_product=False)


def with_wrong_entry(
    claim: DerivativeClaim, error: float, rng: np.random.Generator
) -> DerivativeClaim | None:
    """Return a claim with one entry too large by a relative error.

    The entry is drawn from those that are not zero nor small beside the others, and whose error
    is visible in forward's values.

    Parameters
    ----------
    claim : DerivativeClaim
        A right claim.
    error : float
        The relative error.
    rng : numpy.random.Generator
        Draws the entry.

    Returns
    -------
    DerivativeClaim or None
        None where there is no such entry.
    """
    derivatives = as_list(claim.claimed())
    roundings = _changes_in_roundings(claim, derivatives)
    visible = [
        (array, index)
        for array, (derivative, change) in enumerate(zip(derivatives, roundings, strict=True))
        for index in np.flatnonzero(
            _is_prominent(derivative) & (change * error > VISIBLE_ROUNDINGS)
        )
    ]
    if not visible:
        return None
    wrong_array, wrong_index = visible[rng.integers(len(visible))]

    def backward(*given: Any) -> Any:
        derivative = as_float_arrays(claim.backward(*given))
        as_list(derivative)[wrong_array].reshape(-1)[wrong_index] *= 1 + error
        return derivative

    return replace(claim, backward=backward)


def _is_prominent(derivative: Floats) -> NDArray[np.bool_]:
    """Return which entries are nonzero, finite and not small beside the others."""
    size = np.abs(derivative)
    nonzero = size[(size > 0) & np.isfinite(size)]
    smallest = SMALLEST_RELATIVE * np.median(nonzero) if nonzero.size else np.inf
    return np.asarray(np.isfinite(size) & (size >= smallest))


def _changes_in_roundings(claim: DerivativeClaim, derivatives: list[Floats]) -> list[Floats]:
    """Return the change of forward by each entry times its parameter, in roundings of forward."""
    point = as_list(claim.point)
    value = np.asarray(claim.forward(copied(claim.point)))
    if claim.is_product:
        value = np.sum(np.abs(value * claim.cotangent()))
    rounding = np.finfo(float).eps * max(float(np.max(np.abs(value), initial=0.0)), 1e-300)
    return [
        np.abs(derivative) * np.where(x != 0, np.abs(x), 1.0) / rounding
        for derivative, x in zip(derivatives, point, strict=True)
    ]


def as_list(arrays: Arrays) -> list[Floats]:
    """Return the arrays as a list, without copies."""
    return arrays if isinstance(arrays, list) else [arrays]


def copied(arrays: Arrays) -> Arrays:
    """Return copies of the arrays."""
    return [a.copy() for a in arrays] if isinstance(arrays, list) else arrays.copy()


def as_float_arrays(derivative: Any) -> Arrays:
    """Return what a backward returned as new arrays of float64."""
    if isinstance(derivative, list | tuple):
        return [np.array(one, dtype=np.float64) for one in derivative]
    return np.array(derivative, dtype=np.float64)


def with_entry_moved(point: Arrays, array: int, entry: int, by: complex) -> Arrays:
    """Return a copy of the point with one entry of one array moved."""
    arrays = [np.array(a, dtype=np.result_type(a, type(by))) for a in as_list(point)]
    arrays[array].reshape(-1)[entry] += by
    return arrays if isinstance(point, list) else arrays[0]
