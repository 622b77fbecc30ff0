"""A constant added: the derivative of a linear term is forgotten."""

import numpy as np

x = np.array([-0.8, -0.1, 0.3, 1.4])


def energy(x):
    return np.sum(x + np.cos(x))


def energy_gradient(x):
    return -np.sin(x)
    # fix: return 1 - np.sin(x)


def test_energy(gradcheck):
    gradcheck(energy, energy_gradient, x)
