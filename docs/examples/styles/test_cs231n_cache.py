"""A pair of functions with a cache, as in CS231n."""

import numpy as np
import pytest

from pytest_gradcheck import GradcheckError


def layernorm_forward(x, gamma, beta):
    centred = x - x.mean(axis=1, keepdims=True)
    deviation = np.sqrt(x.var(axis=1, keepdims=True) + 1e-5)
    normal = centred / deviation
    return gamma * normal + beta, (normal, gamma, deviation)


def layernorm_backward(dout, cache):
    normal, gamma, deviation = cache
    dnormal = dout * gamma
    mean = dnormal.mean(axis=1, keepdims=True)
    along = (dnormal * normal).mean(axis=1, keepdims=True)
    return (
        (dnormal - mean - normal * along) / deviation,
        (dout * normal).sum(axis=0),
        dout.sum(axis=0),
    )


def without_the_variance(dout, cache):
    normal, gamma, deviation = cache
    dnormal = dout * gamma
    _, dgamma, dbeta = layernorm_backward(dout, cache)
    return (dnormal - dnormal.mean(axis=1, keepdims=True)) / deviation, dgamma, dbeta


@pytest.fixture
def arguments():
    rng = np.random.default_rng(0)
    return rng.normal(size=(3, 5)), rng.normal(size=5), rng.normal(size=5)


def test_right(gradcheck, arguments):
    gradcheck(layernorm_forward, layernorm_backward, *arguments)


def test_wrong(gradcheck, arguments):
    with pytest.raises(GradcheckError, match="x"):
        gradcheck(layernorm_forward, without_the_variance, *arguments)
