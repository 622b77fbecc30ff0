"""A loss over shuffled batches from a generator, which is made anew for each call."""

import numpy as np
import pytest

from pytest_gradcheck import GradcheckError

X = np.random.default_rng(0).normal(size=(10, 3))
Y = np.random.default_rng(1).normal(size=10)


def batches(size=4):
    order = np.random.permutation(len(X))
    for start in range(0, len(X), size):
        rows = order[start : start + size]
        yield X[rows], Y[rows]


def loss(w):
    return sum(np.mean((x @ w - y) ** 2) for x, y in batches())


def gradient(w):
    return sum(2 * x.T @ (x @ w - y) / len(y) for x, y in batches())


def wrong_gradient(w):
    return sum(2 * x.T @ (x @ w - y) / 4 for x, y in batches())  # the last batch is smaller


W = np.array([0.5, -1.0, 2.0])


def test_right(gradcheck):
    gradcheck(loss, gradient, W)


def test_wrong(gradcheck):
    with pytest.raises(GradcheckError, match="w"):
        gradcheck(loss, wrong_gradient, W)
