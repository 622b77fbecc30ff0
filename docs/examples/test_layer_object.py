"""A layer with parameters in its attributes."""

import numpy as np
import pytest


class Linear:
    def __init__(self, inputs, outputs, seed=0):
        rng = np.random.default_rng(seed)
        self.W = rng.normal(size=(inputs, outputs))
        self.b = np.zeros(outputs)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, grad_output):
        self.dW = self.x.T @ grad_output
        self.db = grad_output.sum(axis=0)
        return grad_output @ self.W.T


class ForgetsTheBatch(Linear):
    def backward(self, grad_output):
        grad_input = super().backward(grad_output)
        self.db = grad_output[0]
        return grad_input


@pytest.fixture
def x():
    return np.random.default_rng(1).normal(size=(4, 3))


def test_linear(gradcheck, x):
    layer = Linear(3, 2)
    gradcheck(layer.forward, layer.backward, x, wrt=["x", "self.W", "self.b"])


@pytest.mark.xfail(raises=AssertionError, strict=True)
def test_bias_gradient_without_the_batch(gradcheck, x):
    layer = ForgetsTheBatch(3, 2)
    gradcheck(layer.forward, layer.backward, x, wrt=["x", "self.W", "self.b"])
