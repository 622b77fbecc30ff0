"""A direct connection that backward forgets."""

import numpy as np

x = np.random.default_rng(0).normal(size=(3, 4))


def block(x):
    return x + np.tanh(x) * x.mean()


def block_backward(x, dout):
    through_mean = np.sum(dout * np.tanh(x)) / x.size
    dx = dout * (1 - np.tanh(x) ** 2) * x.mean() + through_mean
    return dx
    # fix: return dx + dout


def test_block(gradcheck):
    gradcheck(block, block_backward, x)
