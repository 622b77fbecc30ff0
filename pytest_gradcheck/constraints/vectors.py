"""Constraints on vectors, along an axis of an array or of all its entries.

This module does not know checks or measurements: it works on arrays.
"""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.constraints.base import DOMINANT, Array, Constraint

__all__ = ["simplex", "unit_norm"]

Axis = int | tuple[int, ...] | None


class _AlongAxis(Constraint):
    """Vectors along an axis, by default the last one; see `along`."""

    others = "the others follow from them"

    def __init__(self, axis: Axis = -1) -> None:
        self._axis = axis

    def along(self, axis: Axis) -> Self:
        """Return the constraint for vectors along `axis`; None means one vector of all entries."""
        return type(self)(axis)

    def wanted_shape(self, shape: tuple[int, ...]) -> str | None:
        try:
            self._sum(np.empty(shape))
        except np.exceptions.AxisError:
            return f"an axis {self._axis}"
        return None

    def _sum(self, array: Array) -> Array:
        return np.asarray(np.sum(array, axis=self._axis, keepdims=True))

    def _axis_arguments(self) -> str:
        return "" if self._axis is None else f"axis={self._axis}, keepdims=True"


class _Simplex(_AlongAxis):
    """Probabilities: nonnegative entries of sum 1 along the last axis (see `along`).

    Entry i moves along ``e_i - x``, towards its corner and back. The claim along this direction
    is ``g[i] - g @ x``.

    Examples
    --------
    >>> import numpy as np
    >>> from pytest_gradcheck import gradcheck
    >>> p, y = np.array([0.2, 0.3, 0.5]), np.array([0.0, 1.0, 0.0])
    >>> bool(gradcheck(lambda p: -y @ np.log(p), lambda p: -y / p, p, tangent=simplex))
    True
    """

    name = "on the simplex"

    def tangent(self, point: Array, direction: Array) -> Array:
        # A step that is small against the entry stays in the simplex. A step along the
        # orthogonal projection leaves it where another entry is smaller.
        return np.asarray(direction - point * self._sum(direction))

    def project(self, array: Array) -> Array:
        return np.asarray(array / self._sum(array))

    def contains(self, array: Array) -> bool:
        return bool((array >= 0).all())

    def measured(self, point: Array) -> NDArray[np.bool_]:
        return np.asarray(point <= DOMINANT)

    def remedy(self, name: str) -> str:
        return f"{name} / {name}.sum({self._axis_arguments()})"


class _UnitNorm(_AlongAxis):
    """Vectors of Euclidean norm 1 along the last axis (see `along`): points of a sphere.

    Examples
    --------
    >>> import numpy as np
    >>> from pytest_gradcheck import gradcheck
    >>> A, x = np.diag([1.0, 2.0, 5.0]), np.array([0.6, 0.0, 0.8])
    >>> euclidean = lambda x: 2 * A @ x
    >>> riemannian = lambda x: 2 * (A @ x - (x @ A @ x) * x)
    >>> bool(gradcheck(lambda x: x @ A @ x, euclidean, x, tangent=unit_norm))
    True
    >>> bool(gradcheck(lambda x: x @ A @ x, riemannian, x, tangent=unit_norm))
    True
    """

    name = "of unit norm"

    def tangent(self, point: Array, direction: Array) -> Array:
        return np.asarray(direction - point * self._sum((point.conj() * direction).real))

    def project(self, array: Array) -> Array:
        return np.asarray(array / np.sqrt(self._sum(np.abs(array) ** 2)))

    def measured(self, point: Array) -> NDArray[np.bool_]:
        # The phase of a dominant complex entry can still change.
        return np.asarray(np.iscomplexobj(point) | (np.abs(point) ** 2 <= DOMINANT))

    def remedy(self, name: str) -> str:
        arguments = self._axis_arguments()
        return f"{name} / np.linalg.norm({name}{arguments and ', '}{arguments})"


simplex: _AlongAxis = _Simplex()
unit_norm: _AlongAxis = _UnitNorm()
