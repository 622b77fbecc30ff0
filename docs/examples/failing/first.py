import numpy as np


def loss(w, X, y):
    return np.mean((X @ w - y) ** 2)


def loss_gradient(w, X, y):
    return 2 * X.T @ (X @ w - y)  # the mean is forgotten


def test_loss_gradient(gradcheck):
    rng = np.random.default_rng(0)
    X, y, w = rng.normal(size=(8, 3)), rng.normal(size=8), rng.normal(size=3)
    gradcheck(loss, loss_gradient, w, X, y, wrt="w")
