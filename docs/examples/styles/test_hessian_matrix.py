"""A gradient and its Hessian."""

import numpy as np
import pytest

from pytest_gradcheck import GradcheckError

A = np.array([[1.0, 0.5, 0.0], [-0.3, 2.0, 0.7]])


def gradient(x):
    """Return that of the sum of log cosh of A x."""
    return A.T @ np.tanh(A @ x)


def hessian(x):
    return A.T @ np.diag(1 - np.tanh(A @ x) ** 2) @ A


def gauss_newton(x):
    return A.T @ A


X = np.array([0.4, -0.2, 0.9])


def test_right(gradcheck):
    gradcheck(gradient, hessian, X)


def test_wrong(gradcheck):
    with pytest.raises(GradcheckError, match="x"):
        gradcheck(gradient, gauss_newton, X)
