"""Claims are falsified in one visible entry, and are known to be right or not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.benchmarks.suites.derivative_claim import DerivativeClaim, as_list, with_wrong_entry
from tests.benchmarks.suites.reference_derivative import is_right

POINT = np.array([0.3, -1.2, 2.0])


def scalar(factor: float = 1.0) -> DerivativeClaim:
    """Return a claim about a gradient, and a factor that makes it false."""
    return DerivativeClaim(lambda x: np.sum(np.sin(x)), lambda x: factor * np.cos(x), POINT)


def vector(factor: float = 1.0) -> DerivativeClaim:
    """Return a claim about a Jacobian."""
    matrix = np.arange(6.0).reshape(2, 3)
    return DerivativeClaim(
        lambda x: matrix @ np.tanh(x), lambda x: factor * matrix / np.cosh(x) ** 2, POINT
    )


def diagonal(factor: float = 1.0) -> DerivativeClaim:
    """Return a claim about an elementwise function that does not take complex numbers."""
    return DerivativeClaim(lambda x: np.abs(x) ** 3, lambda x: factor * 3 * x * np.abs(x), POINT)


def product(factor: float = 1.0) -> DerivativeClaim:
    """Return a claim about a product with several arrays."""

    def backward(x: list[Any], cotangent: Any) -> list[Any]:
        return [factor * cotangent * x[1], np.sum(cotangent * x[0])]

    return DerivativeClaim(
        lambda x: x[0] * x[1], backward, [POINT, np.array(3.0)], is_product=True
    )


EVERY = pytest.mark.parametrize("made", [scalar, vector, diagonal, product])


@EVERY
def test_right_is_right(made: Any) -> None:
    """Whatever the kind of claim."""
    assert is_right(made()) is True


@EVERY
def test_wrong_by_a_little_is_not_right(made: Any) -> None:
    """By ten times the default tolerance."""
    assert is_right(made(1 + 1e-5)) is False


@EVERY
def test_one_entry_is_falsified(made: Any) -> None:
    """By the error that was asked for; the claim itself stays."""
    question = made()
    false = with_wrong_entry(question, 0.01, np.random.default_rng(0))
    assert false is not None
    right, wrong = (
        np.concatenate([np.ravel(part) for part in as_list(one.claim())])
        for one in (question, false)
    )
    ratio = np.divide(wrong, right, out=np.ones_like(right), where=right != 0)
    assert np.count_nonzero(ratio != 1) == 1
    assert ratio.max() == pytest.approx(1.01)
    assert is_right(false) is False


def test_what_rounding_hides_is_not_falsified() -> None:
    """Nor is a gradient of zero."""
    hidden = DerivativeClaim(lambda x: 1e18 + np.sum(x), np.ones_like, POINT)
    zero = DerivativeClaim(lambda x: np.sum(x * 0), lambda x: x * 0, POINT)
    rng = np.random.default_rng(0)
    assert with_wrong_entry(hidden, 0.01, rng) is None
    assert with_wrong_entry(zero, 0.01, rng) is None


def test_zero_to_what_backward_can_compute_is_right() -> None:
    """Where terms cancel in it; a difference a hundred times that is not."""

    def left(x: Any) -> Any:
        return 1e3 * (np.sin(7 * x) ** 2 + np.cos(7 * x) ** 2 - 1)

    for more, known in ((0.0, True), (1e-9, False)):
        claim = DerivativeClaim(lambda x: x * 0, lambda x, by=more: left(x) + by, POINT)
        assert is_right(claim) is known


def test_noise_cannot_be_told() -> None:
    """A claim that noise obscures is neither right nor wrong."""
    rng = np.random.default_rng(0)
    noisy = DerivativeClaim(lambda x: np.sum(np.abs(x)) + rng.normal(), np.sign, POINT)
    assert is_right(noisy) is None
