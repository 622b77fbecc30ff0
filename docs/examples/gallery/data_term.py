"""A factor of the data term, with the penalty right."""

import numpy as np

rng = np.random.default_rng(0)
X, y, w = rng.normal(size=(8, 4)), rng.normal(size=8), rng.normal(size=4)


def loss(w, reg):
    return np.mean((X @ w - y) ** 2) + reg * np.sum(w**2)


def loss_gradient(w, reg):
    residual = X @ w - y
    return 2 * X.T @ residual + 2 * reg * w
    # fix: return 2 * X.T @ residual / len(X) + 2 * reg * w


def test_loss(gradcheck):
    gradcheck(loss, loss_gradient, w, 0.1, wrt="w")
