"""Claims with a wrong entry, and whether a claim is right."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.benchmarks.suites.derivative_claim import DerivativeClaim, as_list, with_wrong_entry
from tests.benchmarks.suites.reference_derivative import is_right

POINT = np.array([0.3, -1.2, 2.0])


def scalar(factor: float = 1.0) -> DerivativeClaim:
    """Return a claim about a gradient; a factor other than one makes it wrong."""
    return DerivativeClaim(lambda x: np.sum(np.sin(x)), lambda x: factor * np.cos(x), POINT)


def vector(factor: float = 1.0) -> DerivativeClaim:
    """Return a claim about a Jacobian."""
    matrix = np.arange(6.0).reshape(2, 3)
    return DerivativeClaim(
        lambda x: matrix @ np.tanh(x), lambda x: factor * matrix / np.cosh(x) ** 2, POINT
    )


def diagonal(factor: float = 1.0) -> DerivativeClaim:
    """Return a claim about an elementwise function that rejects complex numbers."""
    return DerivativeClaim(lambda x: np.abs(x) ** 3, lambda x: factor * 3 * x * np.abs(x), POINT)


def product(factor: float = 1.0) -> DerivativeClaim:
    """Return a claim about a vector-Jacobian product by several arrays."""

    def backward(x: list[Any], cotangent: Any) -> list[Any]:
        return [factor * cotangent * x[1], np.sum(cotangent * x[0])]

    return DerivativeClaim(
        lambda x: x[0] * x[1], backward, [POINT, np.array(3.0)], is_product=True
    )


ALL_KINDS = pytest.mark.parametrize("make", [scalar, vector, diagonal, product])


@ALL_KINDS
def test_right_claim_is_right(make: Any) -> None:
    """For every kind of claim."""
    assert is_right(make()) is True


@ALL_KINDS
def test_slightly_wrong_claim_is_not_right(make: Any) -> None:
    """An error of ten times the default tolerance is recognized."""
    assert is_right(make(1 + 1e-5)) is False


@ALL_KINDS
def test_one_entry_is_made_wrong(make: Any) -> None:
    """It has the given relative error; the original claim does not change."""
    claim = make()
    wrong_claim = with_wrong_entry(claim, 0.01, np.random.default_rng(0))
    assert wrong_claim is not None
    right, wrong = (
        np.concatenate([np.ravel(part) for part in as_list(one.claimed())])
        for one in (claim, wrong_claim)
    )
    ratio = np.divide(wrong, right, out=np.ones_like(right), where=right != 0)
    assert np.count_nonzero(ratio != 1) == 1
    assert ratio.max() == pytest.approx(1.01)
    assert is_right(wrong_claim) is False


def test_invisible_entries_are_not_made_wrong() -> None:
    """Neither are entries of a gradient that is zero."""
    hidden = DerivativeClaim(lambda x: 1e18 + np.sum(x), np.ones_like, POINT)
    zero = DerivativeClaim(lambda x: np.sum(x * 0), lambda x: x * 0, POINT)
    rng = np.random.default_rng(0)
    assert with_wrong_entry(hidden, 0.01, rng) is None
    assert with_wrong_entry(zero, 0.01, rng) is None


def test_zero_up_to_the_rounding_of_backward_is_right() -> None:
    """A difference a hundred times the rounding of terms that cancel is not."""

    def cancelled(x: Any) -> Any:
        return 1e3 * (np.sin(7 * x) ** 2 + np.cos(7 * x) ** 2 - 1)

    for error, expected in ((0.0, True), (1e-9, False)):
        claim = DerivativeClaim(lambda x: x * 0, lambda x, by=error: cancelled(x) + by, POINT)
        assert is_right(claim) is expected


def test_claim_hidden_by_noise_is_unknown() -> None:
    """It is neither right nor wrong."""
    rng = np.random.default_rng(0)
    noisy = DerivativeClaim(lambda x: np.sum(np.abs(x)) + rng.normal(), np.sign, POINT)
    assert is_right(noisy) is None
