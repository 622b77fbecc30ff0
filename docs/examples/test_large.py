"""A million parameters, more than the budget of a full check: they are screened together."""

from itertools import pairwise

import numpy as np

SIZES = (784, 1000, 200, 10)


def initial_parameters(rng):
    """Return random weights and biases. Biases of zero would hide errors."""
    parameters = {}
    for k, (inputs, outputs) in enumerate(pairwise(SIZES), start=1):
        parameters[f"W{k}"] = rng.normal(size=(inputs, outputs)) * np.sqrt(2 / inputs)
        parameters[f"b{k}"] = 0.1 * rng.normal(size=outputs)
    return parameters


def forward(parameters, x, y):
    """Return the mean cross-entropy of a batch, and the cache for backward."""
    a1 = np.maximum(0, x @ parameters["W1"] + parameters["b1"])
    a2 = np.maximum(0, a1 @ parameters["W2"] + parameters["b2"])
    scores = a2 @ parameters["W3"] + parameters["b3"]
    scores = scores - scores.max(axis=1, keepdims=True)
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return -np.log(p[np.arange(len(y)), y]).mean(), (a1, a2, p)


def backward(parameters, x, y, cache):
    """Return the gradients of the loss with respect to all parameters."""
    a1, a2, p = cache
    d3 = p.copy()
    d3[np.arange(len(y)), y] -= 1
    d3 /= len(y)
    d2 = d3 @ parameters["W3"].T * (a2 > 0)
    d1 = d2 @ parameters["W2"].T * (a1 > 0)
    return {
        "W1": x.T @ d1,
        "b1": d1.sum(axis=0),
        "W2": a1.T @ d2,
        "b2": d2.sum(axis=0),
        "W3": a2.T @ d3,
        "b3": d3.sum(axis=0),
    }


def test_million_parameters(gradcheck):
    """A dozen evaluations verify a million parameters."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(32, 784)), rng.integers(10, size=32)
    report = gradcheck(forward, backward, initial_parameters(rng), x, y, wrt="parameters")
    assert report.mode == "fast"
    assert report.evaluations < 40
