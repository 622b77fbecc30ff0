"""Layers in the style of CS231n: forward returns (out, cache), backward takes (dout, cache)."""

import numpy as np
import pytest


def affine_forward(x, w, b):
    out = x.reshape(len(x), -1) @ w + b
    return out, (x, w, b)


def affine_backward(dout, cache):
    x, w, b = cache
    dx = (dout @ w.T).reshape(x.shape)
    dw = x.reshape(len(x), -1).T @ dout
    db = dout.sum(axis=0)
    return dx, dw, db


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_affine(gradcheck, rng):
    x, w, b = rng.normal(size=(4, 2, 3)), rng.normal(size=(6, 5)), rng.normal(size=5)
    gradcheck(affine_forward, affine_backward, x, w, b)


def batchnorm_forward(x, gamma, beta, bn_param):
    mean, var = x.mean(axis=0), x.var(axis=0)
    bn_param["running_mean"] = 0.9 * bn_param["running_mean"] + 0.1 * mean
    normal = (x - mean) / np.sqrt(var + 1e-5)
    return gamma * normal + beta, (normal, gamma, np.sqrt(var + 1e-5))


def batchnorm_backward(dout, cache):
    normal, gamma, deviation = cache
    dnormal = dout * gamma
    centred = dnormal - dnormal.mean(axis=0) - normal * (dnormal * normal).mean(axis=0)
    return centred / deviation, (dout * normal).sum(axis=0), dout.sum(axis=0), None


def test_batchnorm(gradcheck, rng):
    x, gamma, beta = rng.normal(size=(6, 4)), rng.normal(size=4), rng.normal(size=4)
    running = {"running_mean": np.zeros(4)}
    report = gradcheck(
        batchnorm_forward, batchnorm_backward, x, gamma, beta, running, wrt=["x", "gamma", "beta"]
    )
    assert report["gamma"].verdict == "correct"
    assert (running["running_mean"] == 0).all()  # your own dict is not changed
