"""A point that hides an error, the note in its report, and a point that shows the error."""

import numpy as np
import pytest

from pytest_gradcheck import GradcheckVacuousWarning


def loss(w, X, y):
    return np.mean((X @ w - y) ** 2) + 0.1 * np.sum(w**2)


def loss_gradient(w, X, y):
    return 2 * X.T @ (X @ w - y) / len(y)  # the gradient of the regulariser is missing


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    return rng.normal(size=(8, 3)), rng.normal(size=8)


def test_weights_of_zero_hide_the_regulariser(gradcheck, data):
    report = gradcheck(loss, loss_gradient, np.zeros(3), *data, wrt="w")
    (note,) = report["w"].notes
    assert note.text == "all 3 entries are 0 here: terms that they multiply are not tested"


@pytest.mark.xfail(raises=AssertionError, strict=True)
def test_other_weights_do_not(gradcheck, data):
    gradcheck(loss, loss_gradient, np.array([0.5, -1.0, 2.0]), *data, wrt="w")


def test_parameter_that_is_not_used(gradcheck, data):
    def with_bias(w, b, X, y):
        return loss(w, X, y)  # b is not used

    def gradient(w, b, X, y):
        return loss_gradient(w, X, y) + 0.2 * w, 0.0 * b

    with pytest.warns(GradcheckVacuousWarning, match="does not depend on b"):
        gradcheck(with_bias, gradient, np.array([0.5, -1.0, 2.0]), 1.0, *data, wrt=["w", "b"])
