"""No function has this gradient: a variable of the layer below is used.

Backward multiplies by the derivative at the wrong place, and its own derivative is not symmetric.
"""

import numpy as np

rng = np.random.default_rng(0)
X, y = rng.normal(size=(8, 4)), rng.normal(size=8)
W, v = rng.normal(size=(4, 3)), rng.normal(size=3)


def loss(W, v):
    return np.mean((np.tanh(X @ W) @ v - y) ** 2)


def loss_gradient(W, v):
    z = X @ W
    h = np.tanh(z)
    d = 2 * (h @ v - y) / len(X)
    dz = np.outer(d, v) * (1 - z**2)
    # fix: dz = np.outer(d, v) * (1 - h**2)
    return X.T @ dz, h.T @ d


def test_loss(gradcheck):
    gradcheck(loss, loss_gradient, W, v)
