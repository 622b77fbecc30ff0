"""Residuals and their Jacobian, as for scipy.optimize.least_squares."""

import numpy as np
import pytest

from pytest_gradcheck import GradcheckError

T = np.linspace(0.1, 3.0, 12)
Y = 2.0 * np.exp(-0.7 * T) + 0.1


def residuals(p):
    amplitude, rate, offset = p
    return amplitude * np.exp(-rate * T) + offset - Y


def jacobian(p):
    amplitude, rate, _ = p
    decay = np.exp(-rate * T)
    return np.stack([decay, -amplitude * T * decay, np.ones_like(T)], axis=1)


def wrong_sign(p):
    return jacobian(p) * [1, -1, 1]


POINT = np.array([1.5, 0.9, 0.3])


def test_right(gradcheck):
    gradcheck(residuals, jacobian, POINT)


def test_wrong(gradcheck):
    with pytest.raises(GradcheckError, match=r"p\[1\]"):
        gradcheck(residuals, wrong_sign, POINT)
