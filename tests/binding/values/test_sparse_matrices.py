"""Sparse matrices and linear operators as dense arrays."""

from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import GradcheckUsageError
from pytest_gradcheck.binding.values.sparse_matrices import as_dense, is_matrix

sparse = pytest.importorskip("scipy.sparse")
linalg = pytest.importorskip("scipy.sparse.linalg")

A = np.random.default_rng(0).normal(size=(4, 3))


def operator(rmatvec: Any = None, matrix: Any = A) -> Any:
    """Return a linear operator with a product with its adjoint, or none."""
    return linalg.LinearOperator(
        matrix.shape, matvec=lambda v: matrix @ v, rmatvec=rmatvec, dtype=matrix.dtype
    )


@pytest.mark.parametrize(
    "kind",
    ["csr_matrix", "csr_array", "csc_array", "coo_array", "dok_array", "lil_array", "dia_array"],
)
def test_sparse_matrix_of_any_format(kind: str) -> None:
    """Matrices of SciPy differ in their methods."""
    assert as_dense(getattr(sparse, kind)(A), "backward").tolist() == A.tolist()


@pytest.mark.parametrize(
    "matrix",
    [
        linalg.aslinearoperator(A),
        operator(),
        operator(lambda v: A.T @ v),
        operator(lambda v: (A + 1j).conj().T @ v, A + 1j),
        linalg.aslinearoperator(A.astype(np.float32)),
    ],
)
def test_operator_is_applied_to_the_identity(matrix: Any) -> None:
    """Whether or not it has a product with its adjoint."""
    expected = matrix @ np.eye(3)
    assert as_dense(matrix, "backward") == pytest.approx(expected, rel=1e-6)


def test_product_with_another_adjoint_is_refused() -> None:
    """One of the two products is wrong, and a check of the other would not show it."""
    with pytest.raises(GradcheckUsageError) as error:
        as_dense(operator(lambda v: 2 * A.T @ v), "backward")
    assert error.value.args[0] == (
        "backward returned a _CustomLinearOperator of shape (4, 3) whose rmatvec is not the "
        "adjoint of its matvec: one of the two is wrong. Check them as functions, the product "
        "with rmatvec under the parameter cotangent, that with matvec under tangent."
    )


def test_matrix_too_large_to_be_dense_is_refused() -> None:
    """A product with it can be checked instead."""
    with pytest.raises(GradcheckUsageError, match="too large to be"):
        as_dense(sparse.eye(20_000, format="csr"), "backward")


@pytest.mark.parametrize("value", [A, A[0, 0], 1.0, [1.0], {"toarray": 1}, None, "text"])
def test_anything_else_is_returned_as_it_is(value: Any) -> None:
    """It is no matrix."""
    assert not is_matrix(value)
    assert as_dense(value, "backward") is value
