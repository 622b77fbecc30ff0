"""Outputs near the smallest and the largest numbers: no rounding is taken for a derivative."""

from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import check_gradient

X = np.array([0.7, 1.9])

SCALES = [1e-322, 1e-320, 1e-316, 1e-310, 1e306]


@pytest.mark.parametrize("mode", ["full", "fast"])
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("is_vjp", [False, True])
def test_right_claims_are_not_called_wrong(scale: float, is_vjp: bool, mode: str) -> None:
    """A product with a cotangent is rounded like any other, and that is not small here."""
    if is_vjp:
        report = check_gradient(
            lambda x: scale * np.sin(x), lambda x, dout: scale * np.cos(x) * dout, X, mode=mode
        )
    else:
        report = check_gradient(
            lambda x: scale * np.sum(np.sin(x)), lambda x: scale * np.cos(x), X, mode=mode
        )
    assert report.verdict in {"correct", "inconclusive"}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("mode", ["full", "fast"])
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("factor", [0.0, -1.0, 2.0])
def test_wrong_claims_do_not_pass(scale: float, factor: float, mode: str) -> None:
    """Where an output has few digits, what does not change it is no derivative of zero."""

    def forward(x: Any) -> Any:
        return scale * np.sum(x**2)

    report = check_gradient(forward, lambda x: 2 * scale * x * factor, X, mode=mode)
    assert not report.passed


@pytest.mark.parametrize("factor", [1 + 1e-3, 1 - 1e-3])
def test_error_of_a_thousandth_does_not_pass_where_digits_resolve_it(factor: float) -> None:
    """There are seven digits at 1e-316."""
    report = check_gradient(
        lambda x: 1e-316 * np.sum(np.sin(x)),
        lambda x: 1e-316 * np.cos(x) * factor,
        X,
        mode="fast",
    )
    assert not report.passed
