"""Another memory order."""

import numpy as np

rng = np.random.default_rng(0)
x, y, W = rng.normal(size=2), rng.normal(size=3), rng.normal(size=(3, 2))


def loss(W):
    return np.sum((W @ x - y) ** 2)


def loss_gradient(W):
    dW = np.outer(x, 2 * (W @ x - y))
    return dW.reshape(W.shape)
    # fix: return dW.T


def test_loss(gradcheck):
    gradcheck(loss, loss_gradient, W)
