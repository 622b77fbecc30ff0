"""An elementwise derivative of a function that is not elementwise."""

import numpy as np

z = np.random.default_rng(0).normal(size=1200)


def softmax(z):
    e = np.exp(z)
    return e / e.sum()


def softmax_derivative(z):
    p = softmax(z)
    return p * (1 - p)
    # fix: return np.diag(p) - np.outer(p, p)


def test_softmax(gradcheck):
    gradcheck(softmax, softmax_derivative, z)
