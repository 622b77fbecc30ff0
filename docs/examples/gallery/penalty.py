"""A penalty that backward forgets."""

import numpy as np

rng = np.random.default_rng(0)
X, y, w = rng.normal(size=(8, 4)), rng.normal(size=8), rng.normal(size=4)


def loss(w, reg):
    return np.mean((X @ w - y) ** 2) + reg * np.sum(w**2)


def loss_gradient(w, reg):
    return 2 * X.T @ (X @ w - y) / len(X)
    # fix: return 2 * X.T @ (X @ w - y) / len(X) + 2 * reg * w


def test_loss(gradcheck):
    gradcheck(loss, loss_gradient, w, 0.1, wrt="w")
