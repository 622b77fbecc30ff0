"""Sparse matrices and linear operators, as SciPy has them, as dense arrays.

They are recognized by their methods, so that SciPy is not imported. An operator is applied to
the columns of the identity. It does not know what the matrices mean.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.values.pytree import SIMPLE
from pytest_gradcheck.binding.values.user_attributes import has_attribute
from pytest_gradcheck.errors import GradcheckUsageError
from pytest_gradcheck.report.representation import type_name

__all__ = ["RETURN_ENTRIES", "as_dense", "is_matrix", "is_sparse"]

#: The most entries of a matrix that is made dense: one gibibyte.
MAX_ENTRIES = 1 << 27

#: How far the two products of an operator may differ, in square roots of the rounding of their
#: type: an operator may solve equations, to a tolerance of its own.
DIFFERENCE = 100.0


#: What to do about a larger one that backward returns, and one that forward returns.
RETURN_PRODUCT = "Let backward return a product with it: give it a parameter cotangent or tangent."
RETURN_ENTRIES = "Return an array of those of its entries that depend on the parameters."


def is_matrix(value: Any) -> bool:
    """Return whether a value is a sparse matrix or a linear operator."""
    if isinstance(value, (np.ndarray, np.generic)) or type(value) in SIMPLE:
        return False
    return is_sparse(value) or _is_operator(value)


def is_sparse(value: Any) -> bool:
    """Return whether a value is a sparse matrix."""
    return has_attribute(value, "shape") and (
        has_attribute(value, "toarray") or has_attribute(value, "todense")
    )


def as_dense(value: Any, returned_by: str, advice: str = RETURN_PRODUCT) -> Any:
    """Return a sparse matrix or a linear operator as an array, and anything else as it is.

    Parameters
    ----------
    value : Any
        What a function returned.
    returned_by : str
        Name of the function, for messages.
    advice : str
        What to return instead of a matrix of too many entries.

    Returns
    -------
    Any
        Anything but such a matrix is returned unchanged.

    Raises
    ------
    GradcheckUsageError
        When a matrix has too many entries, or the two products of an operator contradict.

    Examples
    --------
    >>> class Twice:
    ...     shape = (2, 2)
    ...
    ...     def matvec(self, vector):
    ...         return 2 * vector
    >>> as_dense(Twice(), "backward").tolist()
    [[2.0, 0.0], [0.0, 2.0]]
    """
    if not is_matrix(value):
        return value
    shape = tuple(value.shape)
    if np.prod(shape, dtype=float) > MAX_ENTRIES:
        raise GradcheckUsageError(
            f"{returned_by} returned a {type_name(value)} of shape {shape}, too large to be "
            f"compared entry by entry. {advice}"
        )
    if not _is_operator(value):
        return np.asarray(value.toarray() if has_attribute(value, "toarray") else value.todense())
    columns = [np.asarray(value.matvec(column)).reshape(-1) for column in np.eye(shape[1])]
    dense = np.stack(columns, axis=1) if columns else np.zeros(shape)
    _refuse_contradiction(value, dense, returned_by)
    return dense


def _is_operator(value: Any) -> bool:
    return (
        has_attribute(value, "shape")
        and has_attribute(value, "matvec")
        and not has_attribute(value, "__array__")
    )


def _refuse_contradiction(operator: Any, dense: NDArray[Any], returned_by: str) -> None:
    """Raise where an operator's product with its adjoint is that of another matrix."""
    vector = np.random.default_rng(0).normal(size=dense.shape[0])
    try:
        found = np.asarray(operator.rmatvec(vector)).reshape(-1)
    except (AttributeError, NotImplementedError):
        return
    expected = dense.conj().T @ vector
    eps = np.finfo(np.result_type(found, np.float32)).eps
    tolerance = DIFFERENCE * float(np.sqrt(eps) * np.abs(dense).max(initial=0.0))
    if found.shape == expected.shape and np.allclose(found, expected, 0, tolerance):
        return
    raise GradcheckUsageError(
        f"{returned_by} returned a {type_name(operator)} of shape {dense.shape} whose rmatvec "
        "is not the adjoint of its matvec: one of the two is wrong. Check them as functions, "
        "the product with rmatvec under the parameter cotangent, that with matvec under tangent."
    )
