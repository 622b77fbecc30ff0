"""Hypotheses that a square matrix is symmetric for one side, and has free entries for the other.

The derivative of ``log det A``, of a Cholesky factor or of an eigenvalue is written for changes
that keep A symmetric, and forward may read one triangle only.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from pytest_gradcheck.diagnosis.gradient import CheckedCall, ClaimedGradient, Floats, Indices
from pytest_gradcheck.diagnosis.hypothesis import Hypothesis
from pytest_gradcheck.diagnosis.lazy_arrays import Elementwise

__all__ = ["symmetric_matrices"]


def symmetric_matrices(gradient: ClaimedGradient, call: CheckedCall) -> Iterator[Hypothesis]:
    """Yield the hypotheses about a symmetric matrix."""
    del call
    value, claim = gradient.value, gradient.claim
    is_square = gradient.is_array and value.ndim == 2 and value.shape[0] == value.shape[1] > 1
    if not is_square or gradient.imaginary.any():
        return
    if not np.allclose(value[0], value[:, 0], rtol=1e-9, atol=0) or not np.allclose(
        value, value.T, rtol=1e-9, atol=0
    ):
        return
    rows, columns = np.ogrid[: len(value), : len(value)]
    side = np.sign(rows - columns)[..., None]  # 1 below the diagonal, -1 above
    parts = claim, claim.swapaxes(0, 1), side
    words = (
        f"consistent with changes that keep {gradient.name} symmetric ({{agreement}}): a "
        "symmetric matrix? say tangent=symmetric"
    )
    for function in (partial(_of_triangle, 1), partial(_of_triangle, -1), _symmetrized):
        yield Hypothesis("symmetric", words, Elementwise(function, parts))
    for factor, text in ((0.5, "twice"), (2.0, "half")):
        yield Hypothesis(
            "triangle",
            f"consistent with {text} the true gradient off the diagonal ({{agreement}}): the "
            f"derivative with respect to one triangle of {gradient.name}?",
            Elementwise(partial(_times_off_diagonal, factor), parts),
        )


def _of_triangle(read: int, claim: Floats, transposed: Floats, side: Indices) -> Floats:
    """Return the derivative of a function that reads one triangle, on that side."""
    inside = np.where(side == read, claim + transposed, 0.0)
    return np.where(side == 0, claim, inside)


def _symmetrized(claim: Floats, transposed: Floats, side: Indices) -> Floats:
    del side
    return (claim + transposed) / 2


def _times_off_diagonal(factor: float, claim: Floats, transposed: Floats, side: Indices) -> Floats:
    del transposed
    return np.where(side == 0, claim, factor * claim)
