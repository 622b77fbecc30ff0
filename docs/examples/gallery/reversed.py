"""A kernel that is flipped: a convolution for a correlation."""

import numpy as np

rng = np.random.default_rng(0)
signal, target, kernel = rng.normal(size=12), rng.normal(size=9), rng.normal(size=4)


def loss(kernel):
    return np.sum((np.convolve(signal, kernel, "valid") - target) ** 2)


def loss_gradient(kernel):
    d = 2 * (np.convolve(signal, kernel, "valid") - target)
    return np.correlate(signal, d, "valid")
    # fix: return np.correlate(signal, d, "valid")[::-1]


def test_loss(gradcheck):
    gradcheck(loss, loss_gradient, kernel)
