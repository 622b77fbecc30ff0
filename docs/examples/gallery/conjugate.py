"""A complex conjugate."""

import numpy as np

z = np.array([1 + 2j, -0.5j, 0.3 - 1j])
target = np.array([1.0, 0.5, 2.0])


def misfit(z):
    return np.sum((np.abs(z) ** 2 - target) ** 2)


def misfit_gradient(z):
    return 4 * (np.abs(z) ** 2 - target) * z.conj()
    # fix: return 4 * (np.abs(z) ** 2 - target) * z


def test_misfit(gradcheck):
    gradcheck(misfit, misfit_gradient, z)
