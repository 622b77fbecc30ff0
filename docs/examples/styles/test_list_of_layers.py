"""A network as a list of layers, checked with respect to its input and a weight."""

import numpy as np
import pytest

from pytest_gradcheck import GradcheckError


class Linear:
    def __init__(self, inputs, outputs, seed):
        self.W = np.random.default_rng(seed).normal(size=(inputs, outputs))

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dout):
        self.dW = self.x.T @ dout
        return dout @ self.W.T


class Tanh:
    def forward(self, x):
        self.out = np.tanh(x)
        return self.out

    def backward(self, dout):
        return dout * (1 - self.out**2)


class WrongTanh(Tanh):
    def backward(self, dout):
        return dout * (1 - self.out)


class Network:
    def __init__(self, activation):
        self.layers = [Linear(3, 4, 0), activation(), Linear(4, 2, 1)]

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, dout):
        for layer in reversed(self.layers):
            dout = layer.backward(dout)
        return dout


X = np.random.default_rng(2).normal(size=(5, 3))


def test_right(gradcheck):
    network = Network(Tanh)
    gradcheck(network.forward, network.backward, X)


def test_weights_of_the_first_layer(gradcheck):
    network = Network(Tanh)

    def backward(dout):
        network.backward(dout)
        return network.layers[0].dW

    gradcheck(network.forward, backward, X, wrt="self.layers[0].W")


def test_wrong(gradcheck):
    network = Network(WrongTanh)
    with pytest.raises(GradcheckError, match="x"):
        gradcheck(network.forward, network.backward, X)
