"""A factor that is an argument of the call."""

import numpy as np

rng = np.random.default_rng(0)
x, weights = rng.normal(size=(4, 5)), rng.normal(size=(4, 5))


def loss(x, weights):
    return np.sum(weights * np.sin(x))


def loss_gradient(x, weights):
    return np.cos(x)
    # fix: return weights * np.cos(x)


def test_loss(gradcheck):
    gradcheck(loss, loss_gradient, x, weights, wrt="x")
