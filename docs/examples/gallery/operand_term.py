"""A term that is an argument of the call: a prior that backward forgets."""

import numpy as np

rng = np.random.default_rng(0)
X, w, prior = rng.normal(size=(8, 5)), rng.normal(size=5), rng.normal(size=5)


def loss(w, prior):
    return np.mean(np.tanh(X @ w)) + 0.5 * np.sum((w - prior) ** 2)


def loss_gradient(w, prior):
    return X.T @ (1 - np.tanh(X @ w) ** 2) / len(X) + w
    # fix: return X.T @ (1 - np.tanh(X @ w) ** 2) / len(X) + w - prior


def test_loss(gradcheck):
    gradcheck(loss, loss_gradient, w, prior, wrt="w")
