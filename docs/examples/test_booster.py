"""A custom objective for gradient boosting libraries: gradient and Hessian for each row."""

import numpy as np
import pytest


def logistic_loss(predictions, labels):
    """Return the loss of every row."""
    return np.logaddexp(0, predictions) - labels * predictions


def logistic_objective(predictions, labels):
    """Return the gradient and the diagonal of the Hessian, one number each for every row."""
    probability = 1 / (1 + np.exp(-predictions))
    return probability - labels, probability * (1 - probability)


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    return rng.normal(size=30), rng.integers(0, 2, size=30)


def test_gradient(gradcheck, rows):
    gradcheck(logistic_loss, lambda *args: logistic_objective(*args)[0], *rows)


def test_hessian(gradcheck, rows):
    def gradient(predictions, labels):
        return logistic_objective(predictions, labels)[0]

    def hessian(predictions, labels):
        return logistic_objective(predictions, labels)[1]

    gradcheck(gradient, hessian, *rows)
