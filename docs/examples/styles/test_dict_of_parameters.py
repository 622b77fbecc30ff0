"""Parameters in a dict, and their gradients in a dict with the same keys."""

import numpy as np
import pytest

from pytest_gradcheck import GradcheckError


def loss(params, x, y):
    hidden = np.tanh(x @ params["W1"] + params["b1"])
    return np.mean((hidden @ params["W2"] + params["b2"] - y) ** 2)


def gradients(params, x, y):
    hidden = np.tanh(x @ params["W1"] + params["b1"])
    d = 2 * (hidden @ params["W2"] + params["b2"] - y) / y.size
    dhidden = d @ params["W2"].T * (1 - hidden**2)
    return {
        "W2": hidden.T @ d,
        "b2": d.sum(axis=0),
        "W1": x.T @ dhidden,
        "b1": dhidden.sum(axis=0),
    }


def forgets_a_layer(params, x, y):
    grads = gradients(params, x, y)
    grads["b1"] = np.zeros_like(grads["b1"])
    return grads


@pytest.fixture
def arguments():
    rng = np.random.default_rng(0)
    shapes = {"W1": (3, 4), "b1": (4,), "W2": (4, 2), "b2": (2,)}
    params = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    return params, rng.normal(size=(6, 3)), rng.normal(size=(6, 2))


def test_right(gradcheck, arguments):
    gradcheck(loss, gradients, *arguments, wrt="params")


def test_wrong(gradcheck, arguments):
    with pytest.raises(GradcheckError, match=r"params\['b1'\]"):
        gradcheck(loss, forgets_a_layer, *arguments, wrt="params")
