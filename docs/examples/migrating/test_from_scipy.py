"""From scipy.optimize.check_grad."""

import numpy as np
import pytest

optimize = pytest.importorskip("scipy.optimize")


def fun(x, a, b):
    return (a - x[0]) ** 2 + b * (x[1] - x[0] ** 2) ** 2


def jac(x, a, b):
    valley = 2 * b * (x[1] - x[0] ** 2)
    return np.array([-2 * (a - x[0]) - 2 * x[0] * valley, valley])


X0 = np.array([-1.2, 1.0])


def test_before():
    assert optimize.check_grad(fun, jac, X0, 1.0, 100.0) < 1e-4


def test_after(gradcheck):
    gradcheck(fun, jac, X0, 1.0, 100.0, wrt="x")


# Along random directions.


def test_along_random_directions(gradcheck):
    gradcheck(fun, jac, X0, 1.0, 100.0, wrt="x", mode="fast")
