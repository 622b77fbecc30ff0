"""Random generators are restored: every evaluation draws the same mask."""

import numpy as np


def dropout_loss(x, keep=0.5):
    mask = np.random.rand(*x.shape) < keep
    return np.sum((x * mask / keep) ** 2), mask


def dropout_gradient(x, cache, keep=0.5):
    return 2 * x * cache / keep**2


def test_dropout(gradcheck):
    report = gradcheck(dropout_loss, dropout_gradient, np.linspace(-1, 1, 12))
    assert "numpy's global state" in report.notes[0].text
