"""The derivative with respect to one triangle of a symmetric matrix."""

import numpy as np

root = np.random.default_rng(0).normal(size=(3, 3))
A = root @ root.T + np.eye(3)


def log_determinant(A):
    return np.log(np.linalg.det(A))


def log_determinant_gradient(A):
    inverse = np.linalg.inv(A)
    return 2 * inverse - np.diag(np.diag(inverse))
    # fix: return inverse.T


def test_log_determinant(gradcheck):
    gradcheck(log_determinant, log_determinant_gradient, A)
