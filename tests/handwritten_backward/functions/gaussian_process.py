"""The likelihood of a Gaussian process and its gradient by the logarithms of its parameters."""

import numpy as np

EDITED = ("log_marginal_likelihood_gradient",)


def rbf_kernel(theta, X):
    variance, length, noise = np.exp(theta)
    sqdist = np.sum((X[:, None, :] - X[None, :, :]) ** 2, axis=-1)
    return variance * np.exp(-0.5 * sqdist / length**2) + noise * np.eye(len(X))


def log_marginal_likelihood(theta, X, y):
    K = rbf_kernel(theta, X)
    L = np.linalg.cholesky(K)
    alpha = np.linalg.solve(L.T, np.linalg.solve(L, y))
    # Eq. (2.30) of Rasmussen and Williams
    lml = -0.5 * y @ alpha
    lml -= np.log(np.diag(L)).sum()
    lml -= 0.5 * len(y) * np.log(2 * np.pi)
    return lml


def log_marginal_likelihood_gradient(theta, X, y):
    variance, length, noise = np.exp(theta)
    n = len(X)
    sqdist = np.sum((X[:, None, :] - X[None, :, :]) ** 2, axis=-1)
    K_rbf = variance * np.exp(-0.5 * sqdist / length**2)
    K = K_rbf + noise * np.eye(n)
    K_inv = np.linalg.inv(K)
    alpha = K_inv @ y

    # Eq. (5.9): 0.5 * trace((alpha alpha^T - K^-1) dK/dtheta)
    inner = np.outer(alpha, alpha) - K_inv
    K_grad = np.empty((3, n, n))
    K_grad[0] = K_rbf
    K_grad[1] = K_rbf * sqdist / length**2
    K_grad[2] = noise * np.eye(n)

    grad = np.zeros(3)
    for i in range(3):
        grad[i] = 0.5 * np.sum(inner * K_grad[i])
    return grad


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(16)
    X = rng.uniform(-2, 2, size=(6, 2)).astype(dtype)
    y = (np.sin(X[:, 0]) + 0.1 * rng.normal(size=6)).astype(dtype)
    theta = np.log([1.3, 0.8, 0.2]).astype(dtype)
    return check_gradient(
        log_marginal_likelihood,
        log_marginal_likelihood_gradient,
        theta,
        X,
        y,
        wrt="theta",
        **options,
    )
