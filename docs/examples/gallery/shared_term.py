"""A term that belongs to another parameter."""

import numpy as np

rng = np.random.default_rng(0)
X = rng.normal(size=(8, 4))
u, v = rng.normal(size=4), rng.normal(size=4)


def loss(u, v):
    return np.mean(np.tanh(X @ (u + v))) + np.mean((X @ v) ** 2)


def loss_gradient(u, v):
    du = X.T @ (1 - np.tanh(X @ (u + v)) ** 2) / len(X)
    dv = 2 * X.T @ (X @ v) / len(X)
    # fix: dv = du + 2 * X.T @ (X @ v) / len(X)
    return du, dv


def test_loss(gradcheck):
    gradcheck(loss, loss_gradient, u, v)
