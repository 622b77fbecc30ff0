"""The interface of a constraint, and constraints that fix some entries.

A constraint is a set of arrays, often a manifold, given by its tangent directions and by a
retraction onto it (P.-A. Absil, R. Mahony, R. Sepulchre, Optimization Algorithms on Matrix
Manifolds, 2008). `pymanopt` and `geoopt` describe manifolds alike; here a set also says which
coordinate directions span its tangent space. This module does not know checks or measurements.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytest_gradcheck.errors import GradcheckUsageError

__all__ = ["DOMINANT", "Array", "Constraint", "Selected", "masked"]

Array = NDArray[Any]

#: An entry of a unit vector whose square exceeds this (on a simplex, an entry that exceeds it)
#: hardly moves: its tangent direction is too short to measure along. The directions of the
#: other entries span the tangent space without it.
DOMINANT = 0.99


class Constraint:
    """A set of arrays that a parameter stays in; this one contains every array.

    A check moves a parameter from its point x to ``project(x + tangent(x, d))``, where d is a
    unit vector, and only to arrays that `contains` accepts. The claim is compared along the
    same direction ``tangent(x, d)``.

    Attributes
    ----------
    name : str
        An adjective for an array in the set: ``"symmetric"``.
    others : str
        A clause on the entries that are not `measured`.
    mixes : bool
        Whether the direction of an entry also moves other entries.
    precision : float
        Relative error of the directions.

    Examples
    --------
    >>> import numpy as np
    >>> from pytest_gradcheck import gradcheck
    >>> class SumsToZero(Constraint):
    ...     name = "of sum zero"
    ...
    ...     def tangent(self, point, direction):
    ...         return direction - direction.mean()
    ...
    ...     def project(self, array):
    ...         return array - array.mean()
    >>> x = np.array([1.0, 2.0, -3.0])
    >>> bool(gradcheck(lambda x: x @ x, lambda x: 2 * x + 7, x, tangent=SumsToZero()))
    True
    """

    name: ClassVar[str] = "unconstrained"
    others: ClassVar[str] = "the others are fixed"
    mixes: ClassVar[bool] = True
    precision: ClassVar[float] = float(np.finfo(np.float64).eps)

    def wanted_shape(self, shape: tuple[int, ...]) -> str | None:  # noqa: ARG002  # every shape is accepted
        """Return a description of the required shape; None if `shape` is accepted."""
        return None

    def tangent(self, point: Array, direction: Array) -> Array:  # noqa: ARG002  # the same at every point
        """Return the tangent direction at `point` for `direction`; it is linear in `direction`."""
        return direction

    def project(self, array: Array) -> Array:
        """Map an array to the set; an array in the set is unchanged, up to rounding."""
        return array

    def contains(self, array: Array) -> bool:  # noqa: ARG002  # every array is in the set
        """Return whether a projected array is in the set; forward is called only if it is."""
        return True

    def measured(self, point: Array) -> NDArray[np.bool_]:
        """Return which entries to measure along; their directions span the tangent space."""
        return np.ones(point.shape, dtype=bool)

    def remedy(self, name: str) -> str:
        """Return an expression that moves the array called `name` into the set."""
        return f"project({name})"

    def direction(self, point: Array, change: Array) -> Array:
        """Return the derivative of `move` with respect to `change` at `point`."""
        return self.tangent(point, change)

    def move(self, point: Array, change: Array) -> Array:
        """Return the array in the set that a change of the entries leads to."""
        return self.project(point + self.tangent(point, change))

    def __repr__(self) -> str:
        return self.name


class Selected(Constraint):
    """Arrays of which only some entries move, independently of each other."""

    mixes = False

    def tangent(self, point: Array, direction: Array) -> Array:
        """Return the direction, zero where no entry moves."""
        return np.where(self.measured(point), direction, 0)


class _Masked(Selected):
    """Arrays of which only the entries under a mask move, see `masked`."""

    name = "masked"

    def __init__(self, mask: NDArray[np.bool_]) -> None:
        self._mask = mask

    def wanted_shape(self, shape: tuple[int, ...]) -> str | None:
        try:
            fits = np.broadcast_shapes(self._mask.shape, shape) == shape
        except ValueError:
            fits = False
        return None if fits else f"the shape {self._mask.shape} of its mask"

    def measured(self, point: Array) -> NDArray[np.bool_]:
        return np.broadcast_to(self._mask, point.shape)


def masked(mask: ArrayLike) -> Constraint:
    """Return the constraint that fixes all entries outside `mask`.

    Parameters
    ----------
    mask : array_like of bool
        True where an entry may move; it is broadcast to the parameter.

    Returns
    -------
    Constraint
        A boolean array given as ``tangent=`` has the same meaning.

    Raises
    ------
    GradcheckUsageError
        If `mask` is not boolean.

    Examples
    --------
    >>> import numpy as np
    >>> from pytest_gradcheck import check_gradient
    >>> report = check_gradient(
    ...     lambda x: x @ x, lambda x: [2 * x[0], 0.0], np.ones(2), tangent=masked([True, False])
    ... )
    >>> report.passed, report["x"].checked
    (True, 1)
    """
    array = np.asarray(mask)
    if array.dtype != bool:
        raise GradcheckUsageError(
            f"masked takes a boolean array, True where an entry may move; it was given "
            f"{array.dtype}. Write mask != 0."
        )
    return _Masked(array)
