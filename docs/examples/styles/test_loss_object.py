"""A loss object with a loss and a gradient for each row, as scikit-learn has."""

import numpy as np
import pytest

from pytest_gradcheck import GradcheckError


class PinballLoss:
    def __init__(self, quantile):
        self.quantile = quantile

    def loss(self, y_true, raw_prediction):
        error = y_true - raw_prediction
        return np.where(error > 0, self.quantile * error, (self.quantile - 1) * error)

    def gradient(self, y_true, raw_prediction):
        return np.where(y_true > raw_prediction, -self.quantile, 1 - self.quantile)


class WrongSide(PinballLoss):
    def gradient(self, y_true, raw_prediction):
        return np.where(y_true > raw_prediction, 1 - self.quantile, -self.quantile)


Y_TRUE, RAW = np.array([0.0, 1.0, 2.0]), np.array([0.3, -1.0, 2.5])


def test_right(gradcheck):
    loss = PinballLoss(0.8)
    gradcheck(loss.loss, loss.gradient, Y_TRUE, RAW, wrt="raw_prediction")


def test_wrong(gradcheck):
    loss = WrongSide(0.8)
    with pytest.raises(GradcheckError, match="raw_prediction"):
        gradcheck(loss.loss, loss.gradient, Y_TRUE, RAW, wrt="raw_prediction")
