"""Single precision inside backward."""

import numpy as np

rng = np.random.default_rng(0)
X, y, w = rng.normal(size=(40, 6)), rng.normal(size=40), rng.normal(size=6)


def loss(w):
    return np.mean((X @ w - y) ** 2)


def loss_gradient(w):
    X16 = X.astype(np.float16)
    # fix: X16 = X
    return 2 * X16.T @ (X @ w - y) / len(X)


def test_loss(gradcheck):
    gradcheck(loss, loss_gradient, w)
