"""A sum over a broadcast axis that is one sum too many."""

import numpy as np

rng = np.random.default_rng(0)
x, gains = rng.normal(size=(6, 4)), rng.normal(size=(6, 4))


def loss(gains):
    return np.sum(np.tanh(x * gains))


def loss_gradient(gains):
    d = x * (1 - np.tanh(x * gains) ** 2)
    return np.broadcast_to(d.sum(axis=0), d.shape)
    # fix: return d


def test_loss(gradcheck):
    gradcheck(loss, loss_gradient, gains)
