"""A transpose."""

import numpy as np

rng = np.random.default_rng(0)
x, y, W = rng.normal(size=3), rng.normal(size=3), rng.normal(size=(3, 3))


def loss(W):
    return np.sum((W @ x - y) ** 2)


def loss_gradient(W):
    return np.outer(x, 2 * (W @ x - y))
    # fix: return np.outer(2 * (W @ x - y), x)


def test_loss(gradcheck):
    gradcheck(loss, loss_gradient, W)
