"""Second derivatives: the Hessian is the Jacobian of the gradient."""

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


def hessian_product(x, tangent):
    return MATRIX @ tangent + 12 * x**2 * tangent


def test_hessian_vector_product(gradcheck):
    report = gradcheck(gradient, hessian_product, np.array([0.7, -1.3]))
    assert report.kind == "jvp"


def hessp(x, p):
    """Return the product, as ``hessp`` of scipy.optimize.minimize."""
    return hessian_product(x, p)


def test_hessian_vector_product_of_scipy(gradcheck):
    gradcheck(gradient, hessp, np.array([0.7, -1.3]), backward_args=("x", "tangent"))
