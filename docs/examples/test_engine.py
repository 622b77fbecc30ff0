"""An autodiff engine of one's own: objects with data, grad and backward()."""

import math


class Value:
    def __init__(self, data, parents=()):
        self.data, self.grad, self.parents = data, 0.0, parents

    def __mul__(self, other):
        return Value(self.data * other.data, [(self, other.data), (other, self.data)])

    def __add__(self, other):
        return Value(self.data + other.data, [(self, 1.0), (other, 1.0)])

    def tanh(self):
        t = math.tanh(self.data)
        return Value(t, [(self, 1 - t**2)])

    def backward(self, gradient=1.0):
        self.grad += gradient
        for parent, derivative in self.parents:
            parent.backward(gradient * derivative)


def test_expression(gradcheck):
    gradcheck(lambda a, b: (a * b + a).tanh(), ".grad", Value(0.5), Value(-1.2))


class Neuron:
    def __init__(self):
        self.w, self.b = [Value(0.3), Value(-0.4)], Value(0.1)

    def forward(self, x):
        return (self.w[0] * x[0] + self.w[1] * x[1] + self.b).tanh()


def test_neuron(gradcheck):
    x = [Value(1.0), Value(2.0)]
    gradcheck(Neuron().forward, ".grad", x, wrt=["x", "self.w", "self.b"])
