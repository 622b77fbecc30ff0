"""Backward is right, and forward is not the function that was meant.

The loss was changed to that of Huber, in forward only.
"""

import numpy as np

rng = np.random.default_rng(0)
X, y = rng.normal(size=(8, 4)), rng.normal(size=8)
W, v = rng.normal(size=(4, 3)), rng.normal(size=3)


def loss(W, v):
    r = np.tanh(X @ W) @ v - y
    return np.mean(np.sqrt(1 + r**2))
    # fix: return np.mean(r**2)


def loss_gradient(W, v):
    h = np.tanh(X @ W)
    d = 2 * (h @ v - y) / len(X)
    return X.T @ (np.outer(d, v) * (1 - h**2)), h.T @ d


def test_loss(gradcheck):
    gradcheck(loss, loss_gradient, W, v)
