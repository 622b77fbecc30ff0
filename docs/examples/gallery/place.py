"""Wrong in the last row only: a loop that ends too early."""

import numpy as np

rng = np.random.default_rng(0)
X, W = rng.normal(size=(5, 4)), rng.normal(size=(5, 4))


def loss(W):
    return np.sum(np.sin(X * W).sum(axis=1) ** 2)


def loss_gradient(W):
    dW = np.zeros_like(W)
    for k in range(len(W) - 1):
        # fix: for k in range(len(W)):
        dW[k] = 2 * np.sin(X[k] * W[k]).sum() * X[k] * np.cos(X[k] * W[k])
    return dW


def test_loss(gradcheck):
    gradcheck(loss, loss_gradient, W)
