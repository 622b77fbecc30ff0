"""A gradient of an engine that is set, so that of two uses of a value the last one counts."""

import math


class Value:
    def __init__(self, data, parents=()):
        self.data, self.grad, self.parents = data, 0.0, parents

    def __mul__(self, other):
        return Value(self.data * other.data, [(self, other.data), (other, self.data)])

    def tanh(self):
        t = math.tanh(self.data)
        return Value(t, [(self, 1 - t**2)])

    def __add__(self, other):
        return Value(self.data + other.data, [(self, 1.0), (other, 1.0)])

    def backward(self, gradient=1.0):
        self.grad = gradient
        # fix: self.grad += gradient
        for parent, derivative in self.parents:
            parent.backward(gradient * derivative)


def test_expression(gradcheck):
    gradcheck(lambda a, b: (a * b + a).tanh(), ".grad", Value(0.5), Value(-1.2))
