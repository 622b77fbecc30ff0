"""A Gaussian mixture with a Wishart prior: negative log posterior and gradient, point by point."""

import numpy as np

EDITED = ("gmm_gradient",)


def inverse_factor(icf, d):
    """Lower triangle Q with Q' Q = inv(Sigma): logs of the diagonal, then what is below it."""
    Q = np.zeros((d, d), dtype=icf.dtype)
    Q[np.diag_indices(d)] = np.exp(icf[:d])
    Q[np.tril_indices(d, -1)] = icf[d:]
    return Q


def logsumexp(x):
    m = x.max()
    return m + np.log(np.sum(np.exp(x - m)))


def log_terms(x, alphas, means, Qs, log_dets):
    terms = np.empty_like(alphas)
    for k, Q in enumerate(Qs):
        u = Q @ (x - means[k])
        terms[k] = alphas[k] + log_dets[k] - 0.5 * (u @ u)
    return terms


def gmm_objective(alphas, means, icf, X, gamma, m):
    """
    alphas: (K,) logits of the weights
    means: (K, d)
    icf: (K, d (d + 1) / 2) factors of the inverse covariances
    X: (n, d) data
    gamma, m: of the prior
    """
    n, d = X.shape
    Qs = [inverse_factor(row, d) for row in icf]
    log_dets = icf[:, :d].sum(axis=1)

    log_lik = -n * logsumexp(alphas) - 0.5 * n * d * np.log(2 * np.pi)
    for x in X:
        log_lik += logsumexp(log_terms(x, alphas, means, Qs, log_dets))

    log_prior = 0.0
    for Q, log_det in zip(Qs, log_dets, strict=True):
        log_prior += m * log_det - 0.5 * gamma**2 * np.sum(Q**2)
    return -(log_lik + log_prior)


def gmm_gradient(alphas, means, icf, X, gamma, m):
    n, d = X.shape
    K = len(alphas)
    Qs = [inverse_factor(row, d) for row in icf]
    log_dets = icf[:, :d].sum(axis=1)

    g_alphas = np.zeros_like(alphas)
    g_means = np.zeros_like(means)
    g_log_det = np.zeros_like(alphas)
    g_Q = np.zeros((K, d, d), dtype=icf.dtype)

    for x in X:
        terms = log_terms(x, alphas, means, Qs, log_dets)
        resp = np.exp(terms - logsumexp(terms))
        for k in range(K):
            diff = x - means[k]
            u = Qs[k] @ diff
            g_alphas[k] -= resp[k]
            g_log_det[k] -= resp[k]
            g_means[k] -= resp[k] * (Qs[k].T @ u)
            g_Q[k] += resp[k] * np.outer(u, diff)

    # weights are normalized
    g_alphas += n * np.exp(alphas - logsumexp(alphas))

    # prior, and from Q to its parameters
    g_icf = np.zeros_like(icf)
    for k in range(K):
        g_Q[k] += gamma**2 * Qs[k]
        g_log_det[k] -= m
        g_icf[k, :d] = np.diag(g_Q[k]) * np.exp(icf[k, :d]) + g_log_det[k]
        g_icf[k, d:] = g_Q[k][np.tril_indices(d, -1)]
    return g_alphas, g_means, g_icf


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(61)
    n, d, K = 9, 3, 3
    X = rng.normal(0, 1.2, (n, d)).astype(dtype)
    alphas = rng.normal(0, 0.5, K).astype(dtype)
    means = rng.normal(size=(K, d)).astype(dtype)
    icf = rng.normal(0, 0.3, (K, d * (d + 1) // 2)).astype(dtype)
    return check_gradient(
        gmm_objective,
        gmm_gradient,
        alphas,
        means,
        icf,
        X,
        0.6,
        2,
        wrt=("alphas", "means", "icf"),
        **options,
    )
