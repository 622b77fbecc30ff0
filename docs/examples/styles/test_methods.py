"""A model with methods for the loss and its gradient; the arguments have the same names."""

import numpy as np
import pytest

from pytest_gradcheck import GradcheckError


class Poisson:
    def __init__(self, exposure):
        self.exposure = exposure

    def loss(self, beta, X, counts):
        rate = self.exposure * np.exp(X @ beta)
        return np.sum(rate - counts * np.log(rate))

    def gradient(self, beta, X, counts):
        rate = self.exposure * np.exp(X @ beta)
        return X.T @ (rate - counts)


class WithoutExposure(Poisson):
    def gradient(self, beta, X, counts):
        return X.T @ (np.exp(X @ beta) - counts)


@pytest.fixture
def arguments():
    rng = np.random.default_rng(0)
    return np.array([0.3, -0.5]), rng.normal(size=(8, 2)), rng.poisson(2, size=8)


def test_right(gradcheck, arguments):
    model = Poisson(exposure=2.0)
    gradcheck(model.loss, model.gradient, *arguments, wrt="beta")


def test_wrong(gradcheck, arguments):
    model = WithoutExposure(exposure=2.0)
    with pytest.raises(GradcheckError, match="beta"):
        gradcheck(model.loss, model.gradient, *arguments, wrt="beta")
