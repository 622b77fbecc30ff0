"""Objectives as `obj=` of `xgboost.train` takes them, with labels in a DMatrix."""

import numpy as np
import pytest
from scipy.special import expit, log_softmax, softmax

from pytest_gradcheck import check_objective

xgboost = pytest.importorskip("xgboost")
RNG = np.random.default_rng(0)


def logistic_loss(scores, data):
    return np.logaddexp(0, scores) - data.get_label() * scores


def logistic_objective(scores, data):
    p = expit(scores)
    return p - data.get_label(), p * (1 - p)


def softmax_loss(scores, data):
    return -log_softmax(scores, axis=1)[np.arange(len(scores)), data.get_label().astype(int)]


def softmax_objective(scores, data):
    p = softmax(scores, axis=1)
    return p - np.eye(3)[data.get_label().astype(int)], p * (1 - p)


def test_two_classes():
    data = xgboost.DMatrix(RNG.normal(size=(12, 2)), label=RNG.integers(0, 2, size=12))
    check_objective(logistic_loss, logistic_objective, RNG.normal(size=12), data)


def test_three_classes():
    data = xgboost.DMatrix(RNG.normal(size=(12, 2)), label=RNG.integers(0, 3, size=12))
    check_objective(softmax_loss, softmax_objective, RNG.normal(size=(12, 3)), data)
