import numpy as np


def energy(signal, gain):
    return np.sum((10 ** (gain / 20) * signal) ** 2)


def energy_gradient(signal, gain):
    amplitude = 10 ** (gain / 20)
    return 2 * amplitude * signal**2


def test_energy(gradcheck):
    rng = np.random.default_rng(0)
    gradcheck(energy, energy_gradient, rng.normal(size=4), rng.normal(size=4), wrt="gain")
