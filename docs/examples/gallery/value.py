"""Another parametrization: the derivative with respect to the logarithm."""

import numpy as np

rng = np.random.default_rng(0)
squared_distances = rng.uniform(0, 4, size=(6, 3))
scales = np.array([0.5, 1.2, 2.0])


def kernel(scales):
    return np.sum(np.exp(-squared_distances / scales))


def kernel_gradient(scales):
    terms = np.exp(-squared_distances / scales) * squared_distances
    return np.sum(terms, axis=0) / scales
    # fix: return np.sum(terms, axis=0) / scales**2


def test_kernel(gradcheck):
    gradcheck(kernel, kernel_gradient, scales)
