"""An upstream gradient that is used twice."""

import numpy as np

x = np.random.default_rng(0).normal(size=(3, 4))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def sigmoid_backward(x, dout):
    s = sigmoid(x)
    ds = dout * s * (1 - s)
    return dout * ds
    # fix: return ds


def test_sigmoid(gradcheck):
    gradcheck(sigmoid, sigmoid_backward, x)
