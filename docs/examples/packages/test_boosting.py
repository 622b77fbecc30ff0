"""A softmax objective for XGBoost and LightGBM: the diagonal of each row's Hessian."""

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

xgboost = pytest.importorskip("xgboost")

RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 3, size=12)
SCORES = RNG.normal(size=(12, 3))


def softmax_objective(scores, data):
    """Return gradient and Hessian, as `obj=` of `xgboost.train` for several classes."""
    p = softmax(scores, axis=1)
    observed = np.eye(3)[data.get_label().astype(int)]
    return p - observed, p * (1 - p)


@pytest.fixture
def data():
    return xgboost.DMatrix(RNG.normal(size=(12, 2)), label=LABELS)


def test_gradient(gradcheck, data):
    def loss(scores):
        return -log_softmax(scores, axis=1)[np.arange(12), LABELS].sum()

    gradcheck(loss, lambda scores: softmax_objective(scores, data)[0], SCORES)


@pytest.mark.parametrize("k", range(3))
def test_hessian(gradcheck, data, k):
    """With the scores of the other classes fixed, column k is an elementwise derivative."""

    def column(values):
        scores = np.column_stack([SCORES[:, :k], values, SCORES[:, k + 1 :]])
        gradient, hessian = softmax_objective(scores, data)
        return gradient[:, k], hessian[:, k]

    gradcheck(column, True, SCORES[:, k])
