"""A function and its gradient, as ``fun`` and ``jac`` of scipy.optimize.minimize."""

import numpy as np
import pytest

from pytest_gradcheck import GradcheckError


def fun(x, a, b):
    return (a - x[0]) ** 2 + b * (x[1] - x[0] ** 2) ** 2


def jac(x, a, b):
    valley = 2 * b * (x[1] - x[0] ** 2)
    return np.array([-2 * (a - x[0]) - 2 * x[0] * valley, valley])


def wrong_jac(x, a, b):
    valley = 2 * b * (x[1] - x[0] ** 2)
    return np.array([-2 * (a - x[0]) - x[0] * valley, valley])


def test_right(gradcheck):
    gradcheck(fun, jac, np.array([-1.2, 1.0]), 1.0, 100.0, wrt="x")


def test_wrong(gradcheck):
    with pytest.raises(GradcheckError, match=r"x\[0\]"):
        gradcheck(fun, wrong_jac, np.array([-1.2, 1.0]), 1.0, 100.0, wrt="x")
