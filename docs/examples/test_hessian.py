"""A gradient and its Hessian: the Hessian is the Jacobian of the gradient."""

import numpy as np

MATRIX = np.array([[2.0, 0.5], [0.5, 1.0]])


def energy(x):
    return 0.5 * x @ MATRIX @ x + np.sum(x**4)


def gradient(x):
    return MATRIX @ x + 4 * x**3


def hessian(x):
    return MATRIX + np.diag(12 * x**2)


def test_gradient(gradcheck):
    gradcheck(energy, gradient, np.array([0.7, -1.3]))


def test_hessian(gradcheck):
    gradcheck(gradient, hessian, np.array([0.7, -1.3]))
