"""Hypotheses that a square matrix is symmetric for one side, and has free entries for the other.

The derivative of ``log det A``, of a Cholesky factor or of an eigenvalue is written for changes
that keep A symmetric, and forward may read one triangle only.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pytest_gradcheck.diagnosis.gradient import CheckedCall, ClaimedGradient
from pytest_gradcheck.diagnosis.hypothesis import Hypothesis

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
    lower = np.tril(np.ones(value.shape), -1)[..., None]
    upper, diagonal = lower.swapaxes(0, 1), np.eye(len(value))[..., None]
    both = claim + claim.swapaxes(0, 1)
    words = (
        f"consistent with changes that keep {gradient.name} symmetric ({{agreement}}): a "
        "symmetric matrix? say tangent=symmetric"
    )
    for prediction in (
        claim * diagonal + both * lower,
        claim * diagonal + both * upper,
        both / 2,
    ):
        yield Hypothesis("symmetric", words, prediction)
    for factor, text in ((0.5, "twice"), (2.0, "half")):
        yield Hypothesis(
            "triangle",
            f"consistent with {text} the true gradient off the diagonal ({{agreement}}): the "
            f"derivative with respect to one triangle of {gradient.name}?",
            claim * diagonal + factor * claim * (lower + upper),
        )
