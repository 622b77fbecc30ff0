"""A failing check says whether backward is the gradient of any function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import check_gradient
from pytest_gradcheck.constraints import simplex
from pytest_gradcheck.fault_localization import locate_wrong_lines
from pytest_gradcheck.report.report import Report

RNG = np.random.default_rng(16)
DATA, TARGET = RNG.normal(size=(20, 4)), RNG.normal(size=(20, 3))
W, B = RNG.normal(size=(4, 3)), RNG.normal(size=3)

Function = Callable[..., Any]


def loss(w: Any, b: Any) -> Any:
    """Return the loss of a layer with softmax, whose entries all depend on each other."""
    z = DATA @ w + b
    return np.mean(np.log(np.exp(z).sum(axis=1)) ** 2 - (z * TARGET).sum(axis=1))


def loss_gradient(w: Any, b: Any) -> Any:
    """Return its gradient."""
    z = DATA @ w + b
    total = np.exp(z).sum(axis=1, keepdims=True)
    d = (2 * np.log(total) * np.exp(z) / total - TARGET) / len(z)
    return DATA.T @ d, d.sum(axis=0)


def other_loss(w: Any, b: Any) -> Any:
    """Return another loss."""
    return loss(w, b) + 0.1 * np.sum(np.cos(3 * w))


def scaled_gradient(w: Any, b: Any) -> Any:
    """Return a gradient that is wrong by a factor that depends on the entry."""
    dw, db = loss_gradient(w, b)
    return dw * np.linspace(0.5, 2, dw.size).reshape(dw.shape), db


def doubled_gradient(w: Any, b: Any) -> Any:
    """Return a gradient that is wrong by a factor."""
    dw, db = loss_gradient(w, b)
    return 2 * dw, db


def sides(report: Report) -> list[str]:
    """Return what a report says of the side."""
    assert report.verdict == "wrong"
    return [d.kind for d in report.diagnosis if d.kind in {"no-potential", "consistent"}]


@pytest.mark.parametrize("mode", ["full", "fast"])
class TestGradient:
    """Both kinds, in both modes."""

    def test_the_gradient_of_another_function_is_consistent(self, mode: str) -> None:
        """Forward has a term that backward does not have."""
        report = check_gradient(other_loss, loss_gradient, W, B, mode=mode)
        assert sides(report) == ["consistent"]
        assert "backward is consistent in itself" in str(report)

    def test_a_factor_for_each_entry_has_no_potential(self, mode: str) -> None:
        """No function has such a gradient."""
        report = check_gradient(loss, scaled_gradient, W, B, mode=mode)
        assert sides(report) == ["no-potential"]
        assert [cause.kind for cause in report.diagnosis] == ["no-potential"]


def test_the_gradient_of_one_output_is_named() -> None:
    """Of a Jacobian the row of the worst entry is tested."""

    def forward(x: Any) -> Any:
        return np.array([np.prod(np.cos(x)), x @ x, np.exp(x).sum() ** 2])

    def backward(x: Any) -> Any:
        total = np.exp(x).sum()
        jacobian = np.array([-np.tan(x) * np.prod(np.cos(x)), 2 * x, 2 * total * np.exp(x)])
        jacobian[2] *= np.array([1.0, 1.5, 1.0, 0.7])
        return jacobian

    report = check_gradient(forward, backward, np.array([0.2, -0.5, 0.8, 1.1]))
    assert sides(report) == ["no-potential"]
    assert "no function has this gradient of output[2]" in report.diagnosis[0].text


def test_a_vector_jacobian_product_is_the_gradient_of_a_number() -> None:
    """It is tested for the cotangent of the check."""

    def forward(x: Any) -> Any:
        return np.array([np.prod(np.cos(x)), x @ x, np.exp(x).sum() ** 2])

    def backward(x: Any, dout: Any) -> Any:
        total = np.exp(x).sum()
        product = -np.tan(x) * np.prod(np.cos(x)) * dout[0] + 2 * x * dout[1]
        return product + 2 * total * np.exp(x) * dout[2] * np.array([1.0, 1.5, 1.0, 0.7])

    report = check_gradient(forward, backward, np.array([0.2, -0.5, 0.8, 1.1]))
    assert sides(report) == ["no-potential"]


class TestSilence:
    """Nothing is said where the claims leave it open, or nothing is left to say."""

    def test_separable_functions(self) -> None:
        """A wrong entry of theirs is the derivative of another function of it."""
        report = check_gradient(
            lambda x: np.sum(np.sin(x)),
            lambda x: np.cos(x) * np.array([1.0, 1.3, 1.0, 0.6]),
            np.array([0.2, -0.5, 0.8, 1.1]),
        )
        assert sides(report) == []

    def test_functions_of_one_number(self) -> None:
        """Every continuous function of one number is a derivative."""
        assert sides(check_gradient(lambda x: np.exp(x) * x, np.cos, 0.7)) == []

    def test_constant_claims(self) -> None:
        """They do not depend on anything."""
        claim = RNG.normal(size=5)
        x = RNG.normal(size=5)
        report = check_gradient(lambda x: np.prod(np.cos(x)), lambda x: claim, x)
        assert sides(report) == []
        assert report.backward_calls <= 20

    def test_claims_that_another_cause_explains(self) -> None:
        """The gradient with a factor has no potential, but that is no news."""
        report = check_gradient(loss, doubled_gradient, W, B)
        assert [d.kind for d in report["w"].diagnosis] == ["factor"]
        assert sides(report) == []

    def test_claims_with_jumps(self) -> None:
        """Steps that cross a jump of the claims show no derivative."""

        def backward(x: Any) -> Any:
            return np.round(loss_gradient(x, B)[0], 2)

        assert sides(check_gradient(lambda x: loss(x, B), backward, W)) == []

    def test_constrained_parameters(self) -> None:
        """Their coordinates may change direction from point to point."""
        x = np.array([0.1, 0.2, 0.3, 0.4])
        weights = np.array([1.0, 1.5, 1.0, 0.7])
        report = check_gradient(
            lambda x: np.prod(np.cos(x)) + x[0] * x[1],
            lambda x: -weights * np.tan(x) * np.prod(np.cos(x)),
            x,
            tangent=simplex,
        )
        assert sides(report) == []

    def test_backward_that_raises_elsewhere(self) -> None:
        """It can be called at the point only."""

        def backward(x: Any) -> Any:
            if not np.array_equal(x, W):
                raise ValueError("not here")
            return scaled_gradient(x, B)[0]

        assert sides(check_gradient(lambda x: loss(x, B), backward, W)) == []


def test_a_parameter_with_a_known_cause_is_left_out() -> None:
    """Its factor would make any gradient asymmetric."""

    def backward(w: Any, b: Any) -> Any:
        dw, db = loss_gradient(w, b)
        return dw, 2 * db

    report = check_gradient(other_loss, backward, W, B)
    assert [d.kind for d in report["b"].diagnosis] == ["factor"]
    assert sides(report) == ["consistent"]


@pytest.mark.parametrize(
    ("forward", "backward", "side"),
    [(other_loss, loss_gradient, "consistent"), (loss, scaled_gradient, "no-potential")],
)
def test_claims_in_single_precision(forward: Function, backward: Function, side: str) -> None:
    """Their rounding is part of the bounds."""

    def rounded(w: Any, b: Any) -> Any:
        return tuple(g.astype(np.float32) for g in backward(w, b))

    assert sides(check_gradient(forward, rounded, W, B)) in ([side], [])


@pytest.mark.parametrize("seed", range(5))
def test_activations_with_kinks(seed: int) -> None:
    """Steps become so small that they cross no kink."""
    rng = np.random.default_rng(seed)
    v, x = rng.normal(size=(3, 30)), rng.normal(size=(4, 30))

    def forward(x: Any) -> Any:
        return np.sum((v @ np.maximum(x, 0).T) ** 2) + 0.1 * np.sum(np.cos(x))

    def backward(x: Any) -> Any:
        return 2 * (np.maximum(x, 0) @ v.T @ v) * (x > 0)

    def asymmetric(x: Any) -> Any:
        return backward(x) * (1 + 0.1 * np.sin(np.arange(x.size))).reshape(x.shape)

    assert sides(check_gradient(forward, backward, x)) == ["consistent"]
    assert sides(check_gradient(forward, asymmetric, x)) == ["no-potential"]


def test_rows_that_are_listed_make_no_difference() -> None:
    """The wrong entry is that of the measurement, not one of the message."""
    reports = [check_gradient(loss, scaled_gradient, W, B, max_rows=rows) for rows in (0, 5)]
    assert reports[0].diagnosis == reports[1].diagnosis
    assert sides(reports[0]) == ["no-potential"]


def test_calls_of_backward_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three directions on two sides at two steps, and a dozen points for the rounding of claims.

    One more, at another point, shows a stale cache. The search for the wrong line is not counted.
    """
    monkeypatch.setattr(locate_wrong_lines, "locate_wrong_lines", lambda *_, **__: ())
    report = check_gradient(loss, scaled_gradient, W, B)
    explained = check_gradient(loss, doubled_gradient, W, B)
    assert report.backward_calls == explained.backward_calls + 25


def test_class_labels_among_the_numbers_are_left_out() -> None:
    """Claims jump where one is moved, and are zero by them."""
    table = np.column_stack([[3.0, 1.0, 2.0, 3.0], RNG.normal(size=(4, 3))])

    def forward(x: Any) -> Any:
        weights = np.where(x[:, :1] == 3, 2.0, 0.5)
        return np.sum(np.sin(weights * x[:, 1:]).sum(axis=1) ** 2) + x[0, 1] * x[1, 2] * x[2, 3]

    def backward(x: Any) -> Any:
        weights = np.where(x[:, :1] == 3, 2.0, 0.5)
        inner = 2 * np.sin(weights * x[:, 1:]).sum(axis=1, keepdims=True)
        slope = inner * weights * np.cos(weights * x[:, 1:])
        return np.column_stack([np.zeros(4), slope])

    assert sides(check_gradient(forward, backward, table)) == ["consistent"]


@pytest.mark.parametrize(
    ("factors", "side"), [(np.ones(3), "consistent"), (np.array([1, 1, 1.4]), "no-potential")]
)
def test_entries_of_very_different_length_scales(factors: Any, side: str) -> None:
    """A line of width 0.01 at 5000 has a height of 70: each needs a step of its own."""
    z = np.linspace(-3, 3, 15)
    seen, data = 5000 + 0.01 * z, 70 * np.cos(5 * z) / (1 + z**2)

    def residuals(p: Any) -> Any:
        return p[2] / (1 + ((seen - p[0]) / p[1]) ** 2) - data

    def forward(p: Any) -> Any:
        return np.sum(residuals(p) ** 2) / 2 + 3e3 * np.sin(p[1] / 0.01 + p[2] / 70)

    def backward(p: Any) -> Any:
        u = (seen - p[0]) / p[1]
        line = 1 / (1 + u**2)
        slope = 2 * p[2] * u * line**2 / p[1]
        r = residuals(p)
        return factors * np.array([r @ slope, r @ (slope * u), r @ line])

    assert sides(check_gradient(forward, backward, np.array([5000.003, 0.011, 63.0]))) == [side]
