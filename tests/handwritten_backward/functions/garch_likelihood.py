"""Returns with an AR(1) mean and a GJR-GARCH(1,1) variance: likelihood and score in one."""

import numpy as np

EDITED = ("garch_nll",)


def garch_nll(theta, y, h0):
    """Average negative log-likelihood, and its gradient, for scipy's minimize.

    theta = (mu, phi, log omega, alpha, gamma, beta), h0 is the variance to start from
    """
    mu, phi, log_omega, alpha, gamma, beta = theta
    omega = np.exp(log_omega)

    eps = y[1:] - mu - phi * y[:-1]
    n = len(eps)
    h = np.empty(n)
    h[0] = h0
    for t in range(1, n):
        shock = eps[t - 1] ** 2
        h[t] = omega + alpha * shock + beta * h[t - 1]
        if eps[t - 1] < 0:
            h[t] += gamma * shock
    nll = 0.5 * np.mean(np.log(2 * np.pi) + np.log(h) + eps**2 / h)

    # Backward: the derivatives of h follow a recursion of their own
    deps = np.zeros((n, 6))
    deps[:, 0] = -1
    deps[:, 1] = -y[:-1]
    dh = np.zeros((n, 6))
    for t in range(1, n):
        negative = eps[t - 1] < 0
        arch = alpha + gamma * negative
        dh[t] = 2 * arch * eps[t - 1] * deps[t - 1] + beta * dh[t - 1]
        dh[t, 2] += omega
        dh[t, 3] += eps[t - 1] ** 2
        dh[t, 4] += negative * eps[t - 1] ** 2
        dh[t, 5] += h[t - 1]

    nll_h = 0.5 * (1 / h - eps**2 / h**2)
    nll_eps = eps / h
    score = nll_h[:, None] * dh + nll_eps[:, None] * deps
    return nll, score.mean(axis=0)


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(71)
    theta = np.array([0.1, 0.25, np.log(0.2), 0.15, 0.2, 0.55], dtype=dtype)
    y = rng.normal(0.1, 1.1, 24).astype(dtype)
    return check_gradient(garch_nll, True, theta, y, 0.9, wrt="theta", **options)
