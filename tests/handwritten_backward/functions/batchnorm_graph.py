"""Batch normalisation as a graph of nine nodes, walked backwards step by step."""

import numpy as np

EDITED = ("batchnorm_backward",)


def batchnorm_forward(x, gamma, beta, eps):
    N, D = x.shape

    # step1: mean
    mu = 1.0 / N * np.sum(x, axis=0)

    # step2: subtract the mean vector of every training example
    xmu = x - mu

    # step3: following the lower branch - calculation of the denominator
    sq = xmu**2

    # step4: variance
    var = 1.0 / N * np.sum(sq, axis=0)

    # step5: add eps for numerical stability, then sqrt
    sqrtvar = np.sqrt(var + eps)

    # step6: invert sqrtvar
    ivar = 1.0 / sqrtvar

    # step7: execute the normalization
    xhat = xmu * ivar

    # step8 and step9: the two transformation steps
    gammax = gamma * xhat
    out = gammax + beta

    cache = (xhat, gamma, xmu, ivar, sqrtvar, var, eps)
    return out, cache


def batchnorm_backward(dout, cache):
    xhat, gamma, xmu, ivar, sqrtvar, var, eps = cache

    # get the dimensions of the input/output
    N, D = dout.shape

    # step9
    dbeta = np.sum(dout, axis=0)
    dgammax = dout  # not necessary, but more understandable

    # step8
    dgamma = np.sum(dgammax * xhat, axis=0)
    dxhat = dgammax * gamma

    # step7
    divar = np.sum(dxhat * xmu, axis=0)
    dxmu1 = dxhat * ivar

    # step6
    dsqrtvar = -1.0 / (sqrtvar**2) * divar

    # step5
    dvar = 0.5 * 1.0 / np.sqrt(var + eps) * dsqrtvar

    # step4
    dsq = 1.0 / N * np.ones((N, D)) * dvar

    # step3
    dxmu2 = 2 * xmu * dsq

    # step2
    dx1 = dxmu1 + dxmu2
    dmu = -1 * np.sum(dxmu1 + dxmu2, axis=0)

    # step1
    dx2 = 1.0 / N * np.ones((N, D)) * dmu

    # step0
    dx = dx1 + dx2

    return dx, dgamma, dbeta


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(3)
    x = (2 * rng.normal(size=(4, 4)) + 1).astype(dtype)
    gamma = rng.normal(size=4).astype(dtype)
    beta = rng.normal(size=4).astype(dtype)
    return check_gradient(
        batchnorm_forward,
        batchnorm_backward,
        x,
        gamma,
        beta,
        1e-5,
        wrt=("x", "gamma", "beta"),
        **options,
    )
