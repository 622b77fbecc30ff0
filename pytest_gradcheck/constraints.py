"""Sets that a parameter must stay in, and the directions that keep it there.

It must not know checks, names or measurements: arrays in, arrays out. The
helpers are given to a check as ``tangent={"S": symmetric}``; a set of your own
is a subclass of `Constraint`.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytest_gradcheck.errors import GradcheckUsageError

__all__ = [
    "Constraint",
    "hermitian",
    "lower_triangular",
    "masked",
    "orthogonal",
    "positive_definite",
    "simplex",
    "symmetric",
    "unit_norm",
    "upper_triangular",
]

Array = NDArray[Any]
Axis = int | tuple[int, ...] | None

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


class _Mirrored(Constraint):
    """Square matrices, in the last two axes, with a mirror image of each entry."""

    others = "the others move with their mirror images"

    def wanted_shape(self, shape: tuple[int, ...]) -> str | None:
        square = len(shape) >= 2 and shape[-1] == shape[-2]
        return None if square else "square matrices in its last two axes"

    def tangent(self, point: Array, direction: Array) -> Array:  # noqa: ARG002  # the same everywhere
        return self.project(direction)

    def measured(self, point: Array) -> NDArray[np.bool_]:
        return np.triu(np.ones(point.shape, dtype=bool))


class _Symmetric(_Mirrored):
    """Symmetric matrices.

    Entries (i, j) and (j, i) move together, half a step each, so that the claim's
    share is ``(g[i, j] + g[j, i]) / 2``: the entry of the symmetrised gradient.

    Examples
    --------
    >>> import numpy as np
    >>> from pytest_gradcheck import check_gradient
    >>> S = np.array([[2.0, 0.5], [0.5, 1.0]])
    >>> report = check_gradient(
    ...     lambda S: np.sum(np.linalg.eigvalsh(S) ** 3), lambda S: 3 * S @ S, S, tangent=symmetric
    ... )
    >>> report.passed, report["S"].checked
    (True, 3)
    """

    name = "symmetric"

    def project(self, array: Array) -> Array:
        return np.asarray((array + array.mT) / 2)

    def remedy(self, name: str) -> str:
        return f"({name} + {name}.mT) / 2"


class _Hermitian(_Mirrored):
    """Hermitian matrices: equal to their conjugate transpose.

    Examples
    --------
    >>> import numpy as np
    >>> hermitian.tangent(np.eye(2), np.array([[1j, 2 + 4j], [0, 3]])).tolist()
    [[0j, (1+2j)], [(1-2j), (3+0j)]]
    """

    name = "Hermitian"

    def project(self, array: Array) -> Array:
        return np.asarray((array + array.mT.conj()) / 2)

    def remedy(self, name: str) -> str:
        return f"({name} + {name}.mT.conj()) / 2"


class _PositiveDefinite(_Hermitian):
    """Symmetric (or Hermitian) positive definite matrices.

    Forward never sees a matrix whose Cholesky factorisation fails.

    Examples
    --------
    >>> import numpy as np
    >>> from pytest_gradcheck import gradcheck
    >>> S, logdet = np.array([[2.0, 0.5], [0.5, 1.0]]), lambda S: np.linalg.slogdet(S)[1]
    >>> bool(gradcheck(logdet, np.linalg.inv, S, tangent=positive_definite))
    True
    """

    name = "positive definite"

    def contains(self, array: Array) -> bool:
        try:
            np.linalg.cholesky(array)
        except np.linalg.LinAlgError:
            return False
        return True


class _Selected(Constraint):
    """Arrays of which some entries move, each by itself."""

    mixes = False

    def tangent(self, point: Array, direction: Array) -> Array:
        return np.where(self.measured(point), direction, 0)


class _Triangular(_Selected):
    """Matrices, in the last two axes, that are zero on one side of the diagonal."""

    others = "the others stay zero"

    def wanted_shape(self, shape: tuple[int, ...]) -> str | None:
        return None if len(shape) >= 2 else "matrices in its last two axes"

    def measured(self, point: Array) -> NDArray[np.bool_]:
        return np.asarray(self.project(np.ones(point.shape, dtype=bool)))


class _LowerTriangular(_Triangular):
    """Lower-triangular matrices, Cholesky factors for example.

    Examples
    --------
    >>> import numpy as np
    >>> from pytest_gradcheck import check_gradient
    >>> L = np.array([[2.0, 0.0], [0.5, 1.0]])
    >>> report = check_gradient(
    ...     lambda L: np.sum(np.log(np.diag(L))), lambda L: np.diag(1 / np.diag(L)), L,
    ...     tangent=lower_triangular,
    ... )
    >>> report.passed, report["L"].checked
    (True, 3)
    """

    name = "lower-triangular"

    def project(self, array: Array) -> Array:
        return np.tril(array)

    def remedy(self, name: str) -> str:
        return f"np.tril({name})"


class _UpperTriangular(_Triangular):
    """Upper-triangular matrices.

    Examples
    --------
    >>> import numpy as np
    >>> upper_triangular.project(np.ones((2, 2))).tolist()
    [[1.0, 1.0], [0.0, 1.0]]
    """

    name = "upper-triangular"

    def project(self, array: Array) -> Array:
        return np.triu(array)

    def remedy(self, name: str) -> str:
        return f"np.triu({name})"


class _Masked(_Selected):
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


class _AlongAxis(Constraint):
    """Vectors along an axis, the last one unless `along` says another."""

    others = "the others follow from them"

    def __init__(self, axis: Axis = -1) -> None:
        self._axis = axis

    def along(self, axis: Axis) -> _AlongAxis:
        """Return the same for vectors along `axis`; None for one vector of all entries."""
        return type(self)(axis)

    def wanted_shape(self, shape: tuple[int, ...]) -> str | None:
        try:
            self._sum(np.empty(shape))
        except np.exceptions.AxisError:
            return f"an axis {self._axis}"
        return None

    def _sum(self, array: Array) -> Array:
        return np.asarray(np.sum(array, axis=self._axis, keepdims=True))

    def _axis_in_words(self) -> str:
        return "" if self._axis is None else f"axis={self._axis}, keepdims=True"


class _Simplex(_AlongAxis):
    """Probabilities: not negative, of sum 1 along the last axis (see `along`).

    Entry i moves towards its corner and back, along ``e_i - x``; the claim's share
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
        # A step that is small against the entry stays inside; one along the
        # orthogonal projection leaves where another entry is smaller.
        return np.asarray(direction - point * self._sum(direction))

    def project(self, array: Array) -> Array:
        return np.asarray(array / self._sum(array))

    def contains(self, array: Array) -> bool:
        return bool((array >= 0).all())

    def measured(self, point: Array) -> NDArray[np.bool_]:
        return np.asarray(point <= ALONE)

    def remedy(self, name: str) -> str:
        return f"{name} / {name}.sum({self._axis_in_words()})"


class _UnitNorm(_AlongAxis):
    """Vectors of Euclidean norm 1 along the last axis (see `along`): spheres.

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
        # Of a complex entry the phase may still turn.
        return np.asarray(np.iscomplexobj(point) | (np.abs(point) ** 2 <= ALONE))

    def remedy(self, name: str) -> str:
        words = self._axis_in_words()
        return f"{name} / np.linalg.norm({name}{words and ', '}{words})"


class _Orthogonal(Constraint):
    """Matrices, in the last two axes, with orthonormal columns (rows, where those are fewer).

    Examples
    --------
    >>> import numpy as np
    >>> from pytest_gradcheck import gradcheck
    >>> A, Q = np.diag([3.0, 1.0]), np.array([[0.6, -0.8], [0.8, 0.6]])
    >>> bool(gradcheck(lambda Q: np.sum((Q - A) ** 2), lambda Q: -2 * A, Q, tangent=orthogonal))
    True
    """

    name = "orthogonal"
    others = "the others follow from them"

    def wanted_shape(self, shape: tuple[int, ...]) -> str | None:
        return None if len(shape) >= 2 else "matrices in its last two axes"

    def tangent(self, point: Array, direction: Array) -> Array:
        if point.shape[-2] < point.shape[-1]:
            return self.tangent(point.mT, direction.mT).mT
        turned = point.mT.conj() @ direction
        return np.asarray(direction - point @ (turned + turned.mT.conj()) / 2)

    def project(self, array: Array) -> Array:
        left, _, right = np.linalg.svd(array, full_matrices=False)
        return np.asarray(left @ right)

    def measured(self, point: Array) -> NDArray[np.bool_]:
        return np.asarray(np.iscomplexobj(point) | (np.abs(point) ** 2 <= ALONE))

    def remedy(self, name: str) -> str:
        return f"np.linalg.qr({name})[0]"


symmetric = _Symmetric()
hermitian = _Hermitian()
positive_definite = _PositiveDefinite()
lower_triangular = _LowerTriangular()
upper_triangular = _UpperTriangular()
simplex = _Simplex()
unit_norm = _UnitNorm()
orthogonal = _Orthogonal()


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
