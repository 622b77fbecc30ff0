"""Objectives for scipy.optimize."""

import numpy as np
import pytest
from scipy.optimize import minimize, rosen, rosen_der

from pytest_gradcheck import gradcheck


def test_function_and_gradient():
    gradcheck(rosen, rosen_der, np.array([-1.2, 1.0, 0.7]))


def objective(x, scale):
    """Return value and gradient, as an objective with ``jac=True`` does."""
    residual = x**2 - scale
    return np.sum(residual**2), 4 * residual * x


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_pair(scale):
    gradcheck(objective, True, np.array([0.3, -1.1, 2.0]), scale, wrt="x")


def test_gradient_where_the_optimiser_stopped():
    start = np.array([0.3, -1.1, 2.0])
    result = minimize(objective, start, args=(2.0,), jac=True)
    gradcheck(objective, True, result.x + 0.1, 2.0, wrt="x")


def hessian_product(x, p):
    """Return the Hessian of `rosen` times `p`, as ``hessp=`` does."""
    h = 1e-6
    return (rosen_der(x + h * p) - rosen_der(x - h * p)) / (2 * h)


def test_hessian_product():
    point = np.array([-1.2, 1.0, 0.7])
    gradcheck(rosen_der, hessian_product, point, backward_args=("x", "tangent"), rtol=1e-5)
