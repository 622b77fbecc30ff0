"""A class of losses, with the marker on the class; each loss is tested on ten instances."""

import numpy as np
import pytest

SEEDS = range(10)


@pytest.fixture
def target(seed):
    return np.random.default_rng(1000 + seed).normal(size=5)


@pytest.fixture
def prediction(seed):
    return np.random.default_rng(seed).normal(size=5)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.gradcheck(wrt="prediction")
class TestLosses:
    """Each test returns its loss and the gradient with respect to the prediction."""

    def test_squared(self, prediction, target):
        error = prediction - target
        return np.mean(error**2), 2 * error / error.size

    def test_huber(self, prediction, target):
        error = prediction - target
        small = np.abs(error) <= 1
        loss = np.where(small, 0.5 * error**2, np.abs(error) - 0.5)
        return loss.sum(), np.where(small, error, np.sign(error))

    def test_log_cosh(self, prediction, target):
        error = prediction - target
        return np.log(np.cosh(error)).sum(), np.tanh(error)
