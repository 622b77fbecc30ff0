"""Likely causes that further calls of backward show, and what the call knows by name."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import Report, check_gradient
from tests.corpus.family import Array

RNG = np.random.default_rng(0)
X, W = RNG.normal(size=(8, 5)), RNG.normal(size=(5, 4))
SCALE = 7.25


def layer(W: Array, X: Array) -> Any:
    """Return the output of a layer."""
    return np.tanh(X @ W)


def slope(W: Array, X: Array) -> Any:
    """Return the derivative of its activation."""
    return 1 - layer(W, X) ** 2


def kinds(report: Report) -> list[str]:
    """Return the kinds of the likely causes of the first parameter."""
    return [diagnosis.kind for diagnosis in report.parameters[0].diagnosis]


@pytest.mark.parametrize(
    ("backward", "kind"),
    [
        (lambda dout, W, X: X.T @ slope(W, X), "upstream-ignored"),
        (lambda dout, W, X: X.T @ (dout**2 * slope(W, X)), "upstream-twice"),
    ],
)
def test_upstream_gradient_is_doubled(backward: Callable[..., Array], kind: str) -> None:
    """The claim grows with it: not at all, or as its square."""
    assert kinds(check_gradient(layer, backward, W, X, wrt="W")) == [kind]


def test_claim_at_another_point_shows_a_stale_cache() -> None:
    """Backward returns what it returned before."""
    stale = X.T @ slope(W + 0.1, X)

    def forward(W: Array, X: Array) -> Any:
        return np.sum(layer(W, X))

    report = check_gradient(forward, lambda W, X: stale, W, X, wrt="W")
    assert kinds(report) == ["stale"]


def test_terms_that_cancel_in_backward_do_not_hide_a_factor() -> None:
    """Two claims are known to a few digits only, and are measured more accurately than that."""
    x = np.array([4.1234e-7, 1.1789e-6, 1.4, 1.6, 0.95])

    def forward(x: Array) -> Any:
        small = np.log1p(x[:2] ** 2 / 6 + x[:2] ** 4 / 120)
        return np.sum(small) + np.sum(np.log(np.sinh(x[2:]) / x[2:]))

    def backward(x: Array) -> Array:
        return np.asarray(2 * (np.cosh(x) / np.sinh(x) - 1 / x))

    report = check_gradient(forward, backward, x)
    (cause,) = report["x"].diagnosis
    assert cause.text.startswith("consistent with 2 x the true gradient (3 entries, to ")


def test_stale_cache_shows_where_forward_raises_close_by() -> None:
    """A point within its domain is a hundredth of a percent away."""
    temperature = np.array([293.4, 294.1, 293.8])

    def forward(t: Array) -> Any:
        if (t < 293).any() or (t > 294.5).any():
            raise ValueError("outside of the calibrated range")
        return np.sum(np.exp(-6000 / t) * 1e9)

    stale = 6000 / 293**2 * np.exp(-6000 / (temperature - 0.3)) * 1e9
    report = check_gradient(forward, lambda t: stale, temperature)
    assert kinds(report) == ["stale"]


@pytest.mark.parametrize(
    "forward",
    [lambda b, W, X: np.sum(X @ W + b), lambda b, W, X: np.sum(np.tanh(X @ W) + b)],
)
def test_gradient_that_is_the_same_everywhere_shows_no_stale_cache(
    forward: Callable[..., Any],
) -> None:
    """Where forward is linear in the parameter, so it should be."""
    wrong = RNG.normal(size=4)
    report = check_gradient(forward, lambda b, W, X: wrong, np.zeros(4), W, X, wrt="b")
    assert not report.passed
    assert kinds(report) == []


def test_terms_that_cancel_do_not_bend_a_straight_line() -> None:
    """The rounding of an output that is small by chance is that of its terms."""
    p = np.array([0.5, -0.3, 0.2, 0.9])
    A = RNG.normal(size=(6, 4))
    A[:, 3] -= A @ p / p[3] * (1 - 1e-9)  # leaves a billionth of each output
    wrong = A * [1, 1, 1.3, 1] + [0, 0, 0.1, 0]
    report = check_gradient(lambda p: A @ p, lambda p: wrong, p)
    assert not report.passed
    assert "stale" not in kinds(report)


class Scaled:
    """A loss whose scale is an attribute."""

    def __init__(self, scale: float) -> None:
        self.scale = scale

    def forward(self, W: Array) -> Any:
        """Return the loss."""
        return np.sum(np.tanh(W)) * self.scale

    def backward(self, W: Array) -> Any:
        """Return the gradient without the scale."""
        return 1 - np.tanh(W) ** 2


@pytest.mark.parametrize(
    ("forward", "backward", "name"),
    [
        (lambda W, c: c * np.sum(W**3), lambda W, c: 3 * W**2, "0.37 = c"),
        (lambda W: SCALE * np.sum(W**3), lambda W: 3 * W**2, "7.25 = SCALE"),
        (Scaled(0.3).forward, Scaled(0.3).backward, "0.3 = self.scale"),
    ],
)
def test_number_has_its_name_in_the_call(
    forward: Callable[..., Any], backward: Callable[..., Any], name: str
) -> None:
    """It may be an argument, an attribute, or a variable outside of forward."""
    args = (W, 0.37) if "c" in forward.__code__.co_varnames else (W,)
    report = check_gradient(forward, backward, *args, wrt="W")
    (diagnosis,) = report.parameters[0].diagnosis
    assert f"{name} missing?" in diagnosis.text


def test_entries_at_kinks_are_no_evidence() -> None:
    """There the claim may be any subgradient, and a measurement is the mean of two slopes."""
    x = np.array([0.0, 0.3, -0.7, 1.2, 0.0])
    report = check_gradient(lambda x: np.sum(np.maximum(x, 0)), lambda x: 3.0 * (x > 0), x)
    assert kinds(report) == ["factor"]


def test_factor_of_some_complex_outputs_is_recognized_in_a_screen() -> None:
    """Their real and imaginary parts are wrong, and those of the other outputs are right."""
    z = RNG.normal(size=3) + 1j * RNG.normal(size=3)
    matrix = RNG.normal(size=(4, 3)) + 1j * RNG.normal(size=(4, 3))
    factors = np.array([3.0, 1.0, 1.0, 1.0])[:, None]
    report = check_gradient(
        lambda z: matrix @ z**2, lambda z: factors * 2 * matrix * z, z, mode="fast"
    )
    assert "factor" in kinds(report)


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_stale_cache_of_a_function_of_directions_is_recognized(offset: float) -> None:
    """Its slope along the point is the same everywhere; the output may be large."""
    target, earlier = np.array([0.3, -0.8, 0.5, 1.1]), np.array([0.9, 0.4, -0.7, 0.2])

    def gradient(x: Any) -> Any:
        norm = np.linalg.norm(x)
        return target / norm - (x @ target) * x / norm**3

    cached = gradient(earlier)
    report = check_gradient(
        lambda x: offset + x @ target / np.linalg.norm(x),
        lambda x: cached,
        np.array([1.0, 0.3, -0.6, 0.1]),
    )
    assert [d.kind for d in report["x"].diagnosis] == ["stale"]
