"""What a constraint is, and those under which some entries do not move.

It must not know checks, names or measurements: arrays in, arrays out.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytest_gradcheck.errors import GradcheckUsageError

__all__ = ["ALONE", "Array", "Constraint", "Selected", "masked"]

Array = NDArray[Any]

#: An entry whose square is beyond this share of a unit vector (of a simplex: itself)
#: hardly moves, and its direction is too short to measure along. Those of the
#: other entries span all directions without it.
ALONE = 0.99


class Constraint:
    """A set that a parameter stays in; this one holds every array.

    A check moves a parameter from its point x to ``project(x + tangent(x, d))``,
    for each entry's unit vector d, and never to what `contains` refuses. The
    claim is compared along the same direction ``tangent(x, d)``.

    Attributes
    ----------
    name : str
        What an array in the set is: ``"symmetric"``.
    others : str
        What becomes of the entries that are not `measured`.
    mixes : bool
        Whether the direction of an entry moves other entries too.
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

    def wanted_shape(self, shape: tuple[int, ...]) -> str | None:  # noqa: ARG002  # of no concern here
        """Say in words what shape a parameter must have, None where `shape` will do."""
        return None

    def tangent(self, point: Array, direction: Array) -> Array:  # noqa: ARG002  # the same everywhere
        """Return the admissible direction at `point` that stands for `direction`; linear in it."""
        return direction

    def project(self, array: Array) -> Array:
        """Return the nearest array of the set."""
        return array

    def contains(self, array: Array) -> bool:  # noqa: ARG002  # everything is in
        """Tell whether a projected array is in the set: only then forward gets to see it."""
        return True

    def measured(self, point: Array) -> NDArray[np.bool_]:
        """Tell the entries along whose directions to measure: enough to span all there are."""
        return np.ones(point.shape, dtype=bool)

    def remedy(self, name: str) -> str:
        """Return an expression that moves the array called `name` into the set."""
        return f"project({name})"

    def direction(self, point: Array, change: Array) -> Array:
        """Return the derivative of `move` by `change` at `point`."""
        return self.tangent(point, change)

    def move(self, point: Array, change: Array) -> Array:
        """Return where a change of the entries leads to inside the set."""
        return self.project(point + self.tangent(point, change))

    def __repr__(self) -> str:
        return self.name


class Selected(Constraint):
    """Arrays of which some entries move, each by itself."""

    mixes = False

    def tangent(self, point: Array, direction: Array) -> Array:
        """Return the direction, zero where no entry moves."""
        return np.where(self.measured(point), direction, 0)


class _Masked(Selected):
    """Arrays of which the entries under a mask move, see `masked`."""

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
    """Return the constraint under which only the entries under `mask` move.

    Parameters
    ----------
    mask : array_like of bool
        True where an entry may move; it broadcasts to the parameter.

    Returns
    -------
    Constraint
        A boolean array given as ``tangent=`` means the same.

    Raises
    ------
    GradcheckUsageError
        When `mask` is not boolean.

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
