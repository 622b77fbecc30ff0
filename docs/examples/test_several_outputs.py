"""Functions with several outputs."""

from typing import NamedTuple

import numpy as np


class Moments(NamedTuple):
    mean: np.ndarray
    energy: float


def moments(x):
    return Moments(x.mean(axis=0), np.sum(x**2))


def moments_backward(x, dout):
    """Return the vector-Jacobian product: `dout` has the structure of the outputs."""
    return np.ones_like(x) * dout.mean / len(x) + 2 * x * dout.energy


def test_upstream_gradient(gradcheck):
    report = gradcheck(moments, moments_backward, np.array([[0.5, -1.0], [2.0, 0.1], [1.0, 3.0]]))
    assert report.kind == "vjp"


def fit(w, X):
    prediction = X @ w
    return {"prediction": prediction, "penalty": w @ w}


def fit_derivatives(w, X):
    """Return a Jacobian of the array and a gradient of the number."""
    return {"prediction": X, "penalty": 2 * w}


def test_derivative_of_each_output(gradcheck):
    X = np.array([[1.0, 2.0], [0.5, -1.0], [3.0, 0.1]])
    report = gradcheck(fit, fit_derivatives, np.array([0.3, -0.7]), X, wrt="w")
    assert report.kind == "jacobian"
