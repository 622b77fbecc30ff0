"""Likely causes where claims are wrong along directions, and no single entry was found."""

from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np
import pytest

from pytest_gradcheck import Report, check_gradient
from pytest_gradcheck.report_builder.failing_checks import unexplained_residuals
from tests.corpus.family import Array

RNG = np.random.default_rng(0)
W, V, X = RNG.normal(size=(150, 100)), RNG.normal(size=(100, 40)), RNG.normal(size=(4, 150))

Gradients = tuple[Array, Array]


def loss(W: Array, V: Array, X: Array, reg: float) -> Any:
    """Return the loss of two layers, with a penalty."""
    hidden = np.tanh(X @ W / 12)
    return np.sum((hidden @ V / 10) ** 2) + reg * (np.sum(W**2) + np.sum(V**2)) / 2


def gradients(W: Array, V: Array, X: Array, reg: float) -> Gradients:
    """Return its gradients."""
    hidden = np.tanh(X @ W / 12)
    dout = 2 * (hidden @ V / 10) / 10
    dhidden = dout @ V.T * (1 - hidden**2)
    return X.T @ dhidden / 12 + reg * W, hidden.T @ dout + reg * V


def check(change: Callable[[Array, Array], Gradients]) -> Report:
    """Screen both parameters, with claims changed by a function of the right ones."""

    def backward(W: Array, V: Array, X: Array, reg: float) -> Gradients:
        return change(*gradients(W, V, X, reg))

    options: Any = {"mode": "fast", "seed": 3, "max_evaluations": 1000}
    return check_gradient(loss, backward, W, V, X, 0.01, wrt=("W", "V"), **options)


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (lambda w, v: (w * W, v), "value", "W x the true gradient (2 entries and two directions"),
        (lambda w, v: (w - 0.01 * W, v), "penalty", "without 0.01 = reg x W"),
        (lambda w, v: (w, v * np.exp(-V)), "value", "with respect to exp(V)"),
    ],
)
def test_cause_of_one_parameter_is_said_from_two_directions(
    change: Callable[[Array, Array], Gradients], kind: str, words: str
) -> None:
    """The claims about the other parameter are right."""
    report = check(change)
    assert not report.passed
    (diagnosis,) = [d for p in report.parameters for d in p.diagnosis if d.kind == kind]
    assert words in diagnosis.text


def test_cause_of_all_parameters_is_said_once() -> None:
    """Where the claims about all of them are wrong in the same way."""
    report = check(lambda w, v: (w - 0.01 * W, v - 0.01 * V))
    assert [d.kind for d in report.diagnosis if d.kind == "penalty"] == ["penalty"]
    assert "0.01 = reg x the parameter" in report.diagnosis[0].text


def test_noise_everywhere_has_no_cause() -> None:
    """Two numbers are no evidence for any of the hypotheses."""
    noise = np.random.default_rng(1).normal(size=W.shape)
    report = check(lambda w, v: (w * noise, v))
    assert not any(p.diagnosis for p in report.parameters)


def test_causes_take_few_evaluations() -> None:
    """Two entries of each parameter that is wrong, and one call at another point."""
    with mock.patch.object(unexplained_residuals, "MOST_PARAMETERS", 0):
        without = check(lambda w, v: (w - 0.01 * W, v - 0.01 * V))
    report = check(lambda w, v: (w - 0.01 * W, v - 0.01 * V))
    assert report.evaluations == without.evaluations + 4 + 1
