"""An index that is off by one."""

import numpy as np

x = np.random.default_rng(0).normal(size=6)


def ring_energy(x):
    return np.sum(np.sin(x) * np.roll(x, 1) ** 2)


def ring_energy_gradient(x):
    dx = np.cos(x) * np.roll(x, 1) ** 2 + 2 * x * np.roll(np.sin(x), -1)
    return np.roll(dx, 1)
    # fix: return dx


def test_ring(gradcheck):
    gradcheck(ring_energy, ring_energy_gradient, x)
