"""A Jacobian-vector product against a vector-Jacobian product, without differences."""

import numpy as np

rng = np.random.default_rng(0)
W, x = rng.normal(size=(10, 12)), rng.normal(size=12)


def layer_jvp(x, tangent):
    return (1 - np.tanh(W @ x) ** 2) * (W @ tangent)


def layer_vjp(x, cotangent):
    return W.T @ ((1 - np.tanh(W @ x) ** 2) * cotangent)


def test_products_are_adjoint(gradcheck):
    gradcheck(layer_jvp, layer_vjp, x, rng.normal(size=12), wrt="tangent")
