"""A table of activation functions and their derivatives as lambdas."""

import numpy as np
import pytest

from pytest_gradcheck import GradcheckError

ACTIVATIONS = {
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2),
    "softplus": (lambda z: np.log1p(np.exp(z)), lambda z: 1 / (1 + np.exp(-z))),
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0) * 1.0),
    "swish": (
        lambda z: z / (1 + np.exp(-z)),
        lambda z: 1 / (1 + np.exp(-z)) * (1 + z * (1 - 1 / (1 + np.exp(-z)))),
    ),
}

Z = np.array([-2.0, -0.3, 0.4, 1.7])


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_right(gradcheck, name):
    gradcheck(*ACTIVATIONS[name], Z)


def test_wrong(gradcheck):
    with pytest.raises(GradcheckError, match="z"):
        gradcheck(lambda z: 1 / (1 + np.exp(-z)), lambda z: z * (1 - z), Z)
