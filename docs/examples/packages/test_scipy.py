"""Derivatives as scipy passes them: `jac`, `hess`, `hessp`, residuals and a linear operator."""

import numpy as np
import pytest

optimize = pytest.importorskip("scipy.optimize")
linalg = pytest.importorskip("scipy.sparse.linalg")

POINT = np.array([-1.2, 1.0, 0.7])


def test_gradient_and_hessian(gradcheck):
    gradcheck(optimize.rosen, optimize.rosen_der, POINT)
    gradcheck(optimize.rosen_der, optimize.rosen_hess, POINT)


def test_hessian_product(gradcheck):
    """A `hessp(x, p)` returns the derivative of the gradient along `p`."""
    product = optimize.rosen_hess_prod
    gradcheck(optimize.rosen_der, product, POINT, backward_args=("x", "tangent"))


def residuals(p, t, y):
    return p[0] * np.exp(-p[1] * t) - y


def jacobian(p, t, y):
    return np.stack([np.exp(-p[1] * t), -p[0] * t * np.exp(-p[1] * t)], axis=1)


def test_where_least_squares_stopped(gradcheck):
    t = np.linspace(0, 2, 8)
    data = (t, 2 * np.exp(-t) + 0.1 * np.cos(9 * t))
    fit = optimize.least_squares(residuals, np.ones(2), jac=jacobian, args=data)
    gradcheck(residuals, jacobian, fit.x, *data, wrt="p")


def test_adjoint(gradcheck):
    A = linalg.aslinearoperator(np.arange(12.0).reshape(4, 3))
    gradcheck(A.matvec, A.rmatvec, POINT, backward_args=("cotangent",))
