"""Functions with array outputs: full Jacobians and elementwise derivatives."""

import numpy as np


def rotate(angles):
    """Return one rotation matrix for each angle, shape (n, 2, 2)."""
    c, s = np.cos(angles), np.sin(angles)
    return np.array([[c, -s], [s, c]]).transpose(2, 0, 1)


def rotate_jacobian(angles):
    """Return the derivatives of all outputs with respect to all angles, shape (n, 2, 2, n)."""
    c, s = np.cos(angles), np.sin(angles)
    own = np.array([[-s, -c], [c, -s]]).transpose(2, 0, 1)
    return np.einsum("kij,kl->kijl", own, np.eye(len(angles)))


def test_matrix_valued_function(gradcheck):
    report = gradcheck(rotate, rotate_jacobian, np.array([0.1, -1.0, 2.5]))
    assert report.kind == "jacobian"


def test_elementwise_function(gradcheck):
    report = gradcheck(np.tanh, lambda x: 1 - np.tanh(x) ** 2, np.array([[0.5, -1.0], [0.0, 2.0]]))
    assert report.kind == "elementwise"
