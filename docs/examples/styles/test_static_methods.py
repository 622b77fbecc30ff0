"""A class of static methods, one pair for each operation."""

import numpy as np
import pytest

from pytest_gradcheck import GradcheckError


class Softmax:
    @staticmethod
    def forward(scores):
        e = np.exp(scores - scores.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    @staticmethod
    def backward(grad, output):
        return output * (grad - np.sum(grad * output, axis=1, keepdims=True))


class Diagonal(Softmax):
    @staticmethod
    def backward(grad, output):
        return output * (1 - output) * grad


SCORES = np.random.default_rng(0).normal(size=(3, 4))


def test_right(gradcheck):
    gradcheck(Softmax.forward, Softmax.backward, SCORES)


def test_wrong(gradcheck):
    with pytest.raises(GradcheckError, match="scores"):
        gradcheck(Diagonal.forward, Diagonal.backward, SCORES)
