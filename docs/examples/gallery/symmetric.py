"""A symmetric matrix, whose entries do not move alone."""

import numpy as np

root = np.random.default_rng(0).normal(size=(3, 3))
A = root @ root.T + np.eye(3)


def log_likelihood(A):
    lower = np.linalg.cholesky(A)
    return -np.sum(np.log(np.diag(lower)))


def log_likelihood_gradient(A):
    return -0.5 * np.linalg.inv(A)


def test_log_likelihood(gradcheck):
    # add: from pytest_gradcheck.constraints import symmetric
    gradcheck(log_likelihood, log_likelihood_gradient, A)
    # fix: gradcheck(log_likelihood, log_likelihood_gradient, A, tangent=symmetric)
