"""Custom objectives for gradient boosting libraries: gradient and Hessian for each row."""

import numpy as np
import pytest

from pytest_gradcheck import check_objective


def logistic_loss(predictions, labels):
    return np.logaddexp(0, predictions) - labels * predictions


def logistic_objective(predictions, labels):
    probability = 1 / (1 + np.exp(-predictions))
    return probability - labels, probability * (1 - probability)


def softmax_loss(predictions, labels):
    rows = np.arange(len(labels))
    return np.log(np.exp(predictions).sum(axis=1)) - predictions[rows, labels]


def softmax_objective(predictions, labels):
    probability = np.exp(predictions) / np.exp(predictions).sum(axis=1, keepdims=True)
    one_hot = np.eye(predictions.shape[1])[labels]
    return probability - one_hot, probability * (1 - probability)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_two_classes(rng):
    labels = rng.integers(0, 2, size=30)
    check_objective(logistic_loss, logistic_objective, rng.normal(size=30), labels)


def test_three_classes(rng):
    labels = rng.integers(0, 3, size=10)
    check_objective(softmax_loss, softmax_objective, rng.normal(size=(10, 3)), labels)
