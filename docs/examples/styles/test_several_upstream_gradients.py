"""A step of an LSTM: two outputs, an upstream gradient for each, and a cache."""

import numpy as np
import pytest

from pytest_gradcheck import GradcheckError


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def lstm_step_forward(x, prev_h, prev_c, Wx, Wh):
    i, f, o, g = np.split(x @ Wx + prev_h @ Wh, 4, axis=1)
    i, f, o, g = sigmoid(i), sigmoid(f), sigmoid(o), np.tanh(g)
    next_c = f * prev_c + i * g
    next_h = o * np.tanh(next_c)
    return next_h, next_c, (x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c)


def lstm_step_backward(dnext_h, dnext_c, cache):
    x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c = cache
    dc = dnext_c + dnext_h * o * (1 - np.tanh(next_c) ** 2)
    da = np.hstack(
        [
            dc * g * i * (1 - i),
            dc * prev_c * f * (1 - f),
            dnext_h * np.tanh(next_c) * o * (1 - o),
            dc * i * (1 - g**2),
        ]
    )
    return da @ Wx.T, da @ Wh.T, dc * f, x.T @ da, prev_h.T @ da


def forgets_the_cell(dnext_h, dnext_c, cache):
    return lstm_step_backward(dnext_h, 0 * dnext_c, cache)


@pytest.fixture
def arguments():
    rng = np.random.default_rng(0)
    return [rng.normal(size=shape) for shape in [(2, 3), (2, 4), (2, 4), (3, 16), (4, 16)]]


def test_right(gradcheck, arguments):
    gradcheck(lstm_step_forward, lstm_step_backward, *arguments)


def test_wrong(gradcheck, arguments):
    with pytest.raises(GradcheckError, match="prev_c"):
        gradcheck(lstm_step_forward, forgets_the_cell, *arguments)
