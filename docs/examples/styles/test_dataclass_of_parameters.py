"""Parameters in a dataclass, and their gradients in another instance of it."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from pytest_gradcheck import GradcheckError


@dataclass(frozen=True)
class Gaussian:
    mean: np.ndarray
    log_scale: np.ndarray
    name: str = "prior"


DATA = np.random.default_rng(0).normal(size=(10, 3))


def energy(p):
    z = (DATA - p.mean) * np.exp(-p.log_scale)
    return np.sum(0.5 * z**2 + p.log_scale)


def gradients(p):
    z = (DATA - p.mean) * np.exp(-p.log_scale)
    return replace(
        p, mean=-np.sum(z * np.exp(-p.log_scale), axis=0), log_scale=np.sum(1 - z**2, axis=0)
    )


def without_normalisation(p):
    return replace(gradients(p), log_scale=gradients(p).log_scale - len(DATA))


POINT = Gaussian(np.array([0.1, -0.2, 0.3]), np.array([0.5, 0.0, -0.5]))


def test_right(gradcheck):
    gradcheck(energy, gradients, POINT)


def test_wrong(gradcheck):
    with pytest.raises(GradcheckError, match="log_scale"):
        gradcheck(energy, without_normalisation, POINT)
