"""A cache that is filled once, and not by each call of forward."""

import numpy as np

rng = np.random.default_rng(0)
x, w = rng.normal(size=(3, 4)), rng.normal(size=4)


class Neuron:
    def __init__(self, w):
        self.y = np.tanh(x @ w)

    def forward(self, w):
        y = np.tanh(x @ w)
        # add: self.y = y
        return np.sum(y**2)

    def backward(self, w):
        return 2 * (self.y * (1 - self.y**2)) @ x


def test_neuron(gradcheck):
    neuron = Neuron(w + 0.1)
    gradcheck(neuron.forward, neuron.backward, w)
