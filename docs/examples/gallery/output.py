"""A factor that is the output: the derivative of a logarithm."""

import numpy as np

z = np.array([0.3, -1.2, 0.8, 2.0])


def softplus(z):
    return np.log1p(np.exp(z))


def softplus_derivative(z):
    return softplus(z) / (1 + np.exp(-z))
    # fix: return 1 / (1 + np.exp(-z))


def test_softplus(gradcheck):
    gradcheck(softplus, softplus_derivative, z)
