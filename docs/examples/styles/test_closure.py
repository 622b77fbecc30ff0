"""Functions that close over their data."""

import numpy as np
import pytest

from pytest_gradcheck import GradcheckError


def make_objective(X, y, penalty):
    def objective(w):
        margin = y * (X @ w)
        return np.sum(np.logaddexp(0, -margin)) + 0.5 * penalty * w @ w

    def gradient(w):
        margin = y * (X @ w)
        return -X.T @ (y / (1 + np.exp(margin))) + penalty * w

    return objective, gradient


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    return rng.normal(size=(20, 4)), rng.choice([-1, 1], size=20)


W = np.array([0.5, -1.0, 0.2, 0.8])


def test_right(gradcheck, data):
    gradcheck(*make_objective(*data, penalty=0.3), W)


def test_wrong(gradcheck, data):
    objective, _ = make_objective(*data, penalty=0.3)
    _, gradient = make_objective(*data, penalty=0.1)
    with pytest.raises(GradcheckError, match="w"):
        gradcheck(objective, gradient, W)
