"""Constraints on matrices, in the last two axes of an array.

This module does not know checks or measurements: it works on arrays.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.constraints.base import DOMINANT, Array, Constraint, Selected

__all__ = [
    "hermitian",
    "lower_triangular",
    "orthogonal",
    "positive_definite",
    "symmetric",
    "upper_triangular",
]


class _Mirrored(Constraint):
    """Square matrices whose entries below the diagonal mirror those above it."""

    others = "the others move with their mirror images"

    def wanted_shape(self, shape: tuple[int, ...]) -> str | None:
        square = len(shape) >= 2 and shape[-1] == shape[-2]
        return None if square else "square matrices in its last two axes"

    def tangent(self, point: Array, direction: Array) -> Array:  # noqa: ARG002  # the same at every point
        return self.project(direction)

    def measured(self, point: Array) -> NDArray[np.bool_]:
        return np.triu(np.ones(point.shape, dtype=bool))


class _Symmetric(_Mirrored):
    """Symmetric matrices.

    Entries (i, j) and (j, i) each move by half a step, so that the claim along this direction
    is ``(g[i, j] + g[j, i]) / 2``, an entry of the symmetrized gradient.

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

    Forward is not called for a matrix whose Cholesky factorization fails.

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


class _Triangular(Selected):
    """Matrices that are zero on one side of the diagonal."""

    others = "the others stay zero"

    def wanted_shape(self, shape: tuple[int, ...]) -> str | None:
        return None if len(shape) >= 2 else "matrices in its last two axes"

    def measured(self, point: Array) -> NDArray[np.bool_]:
        return np.asarray(self.project(np.ones(point.shape, dtype=bool)))


class _LowerTriangular(_Triangular):
    """Lower-triangular matrices, for example Cholesky factors.

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


class _Orthogonal(Constraint):
    """Matrices with orthonormal columns, or orthonormal rows where those are fewer.

    The set is a Stiefel manifold. The tangent direction at X for d is
    ``d - X (X^H d + d^H X) / 2`` (A. Edelman, T. A. Arias, S. T. Smith, SIAM J. Matrix Anal.
    Appl. 20 (1998) 303). The projection is the polar factor, from a singular value
    decomposition.

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
        product = point.mT.conj() @ direction
        return np.asarray(direction - point @ (product + product.mT.conj()) / 2)

    def project(self, array: Array) -> Array:
        left, _, right = np.linalg.svd(array, full_matrices=False)
        return np.asarray(left @ right)

    def measured(self, point: Array) -> NDArray[np.bool_]:
        return np.asarray(np.iscomplexobj(point) | (np.abs(point) ** 2 <= DOMINANT))

    def remedy(self, name: str) -> str:
        return f"np.linalg.qr({name})[0]"


symmetric: Constraint = _Symmetric()
hermitian: Constraint = _Hermitian()
positive_definite: Constraint = _PositiveDefinite()
lower_triangular: Constraint = _LowerTriangular()
upper_triangular: Constraint = _UpperTriangular()
orthogonal: Constraint = _Orthogonal()
