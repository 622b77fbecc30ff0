import numpy as np
from test_large import backward, forward, initial_parameters


def backward_with_a_slip(parameters, x, y, cache):
    gradients = backward(parameters, x, y, cache)
    gradients["W2"][537] *= 0.5
    return gradients


def test_million_parameters(gradcheck):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(32, 784)), rng.integers(10, size=32)
    parameters = initial_parameters(rng)
    gradcheck(forward, backward_with_a_slip, parameters, x, y, wrt="parameters")
