"""One function that returns value and gradient, as ``jac=True`` of scipy.optimize.minimize."""

import numpy as np
import pytest

from pytest_gradcheck import GradcheckError

DATA = np.array([0.5, 2.0, 1.5, 0.7])


def negative_log_likelihood(theta):
    """Return that of a gamma distribution of shape 2, with the logarithm of its rate."""
    rate = np.exp(theta[0])
    value = -np.sum(2 * theta[0] + np.log(DATA) - rate * DATA)
    return value, np.array([-2.0 * len(DATA) + rate * DATA.sum()])


def without_chain_rule(theta):
    value, _ = negative_log_likelihood(theta)
    return value, np.array([-2.0 * len(DATA) / np.exp(theta[0]) + DATA.sum()])


def test_right(gradcheck):
    gradcheck(negative_log_likelihood, True, np.array([0.3]))


def test_wrong(gradcheck):
    with pytest.raises(GradcheckError, match="theta"):
        gradcheck(without_chain_rule, True, np.array([0.3]))
