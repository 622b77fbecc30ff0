"""A layer with a call and its gradients, and weights in attributes."""

import numpy as np
import pytest

from pytest_gradcheck import GradcheckError


class Dense:
    def __init__(self, units, inputs):
        rng = np.random.default_rng(0)
        self.kernel = rng.normal(size=(inputs, units))
        self.bias = rng.normal(size=units)

    def call(self, inputs):
        self.inputs = inputs
        return np.tanh(inputs @ self.kernel + self.bias)

    def gradients(self, upstream):
        slope = upstream * (1 - np.tanh(self.inputs @ self.kernel + self.bias) ** 2)
        return slope @ self.kernel.T, self.inputs.T @ slope, slope.sum(axis=0)


class WithoutSlope(Dense):
    def gradients(self, upstream):
        return upstream @ self.kernel.T, self.inputs.T @ upstream, upstream.sum(axis=0)


INPUTS = np.random.default_rng(1).normal(size=(4, 3))
WEIGHTS = ["inputs", "self.kernel", "self.bias"]


def test_right(gradcheck):
    layer = Dense(2, 3)
    gradcheck(layer.call, layer.gradients, INPUTS, wrt=WEIGHTS)


def test_wrong(gradcheck):
    layer = WithoutSlope(2, 3)
    with pytest.raises(GradcheckError, match="kernel"):
        gradcheck(layer.call, layer.gradients, INPUTS, wrt=WEIGHTS)
