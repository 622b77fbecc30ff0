"""A constant factor: the mean is forgotten."""

import numpy as np

rng = np.random.default_rng(0)
X, y, w = rng.normal(size=(8, 3)), rng.normal(size=8), rng.normal(size=3)


def loss(w, X, y):
    return np.mean((X @ w - y) ** 2)


def loss_gradient(w, X, y):
    return 2 * X.T @ (X @ w - y)
    # fix: return 2 * X.T @ (X @ w - y) / len(X)


def test_loss(gradcheck):
    gradcheck(loss, loss_gradient, w, X, y, wrt="w")
