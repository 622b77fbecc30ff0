"""Parameters that must stay in a set: only admissible directions are perturbed."""

import numpy as np
import pytest

from pytest_gradcheck import check_gradient
from pytest_gradcheck.constraints import (
    lower_triangular,
    orthogonal,
    positive_definite,
    simplex,
    unit_norm,
)

RNG = np.random.default_rng(0)


# A covariance matrix: forward is never called with one that is not positive definite.


def log_determinant(S):
    return 2 * np.log(np.diag(np.linalg.cholesky(S))).sum()


def test_log_determinant(gradcheck):
    A = RNG.normal(size=(4, 4))
    gradcheck(log_determinant, np.linalg.inv, A @ A.T + np.eye(4), tangent=positive_definite)


# A point on the sphere: the Euclidean and the Riemannian gradient are both correct.


@pytest.mark.parametrize("riemannian", [False, True])
def test_rayleigh_quotient(gradcheck, riemannian):
    A = np.diag([1.0, 2.0, 5.0])
    x = np.array([0.48, 0.6, 0.64])

    def quotient(x):
        return x @ A @ x

    def gradient(x):
        g = 2 * A @ x
        return g - (g @ x) * x if riemannian else g

    gradcheck(quotient, gradient, x, tangent=unit_norm)


# Probabilities: a constant added to the gradient has no effect along directions of sum zero.


def test_cross_entropy(gradcheck):
    p, y = np.array([0.2, 0.3, 0.5]), np.array([0.0, 1.0, 0.0])
    gradcheck(lambda p, y: -y @ np.log(p), lambda p, y: -y / p, p, y, wrt="p", tangent=simplex)


# A rotation and a Cholesky factor: for several parameters, name each.


def misfit(Q, L, b):
    return np.sum((Q @ L - b) ** 2)


def misfit_gradients(Q, L, b):
    error = Q @ L - b
    return 2 * error @ L.T, 2 * Q.T @ error


def test_misfit(gradcheck):
    Q = np.linalg.qr(RNG.normal(size=(3, 3)))[0]
    L = np.tril(RNG.normal(size=(3, 3)))
    gradcheck(
        misfit,
        misfit_gradients,
        Q,
        L,
        RNG.normal(size=(3, 3)),
        wrt=["Q", "L"],
        tangent={"Q": orthogonal, "L": lower_triangular},
    )


# Weights of which some are pruned: a boolean array is True where an entry can move.


def test_pruned_weights(gradcheck):
    kept = RNG.random((3, 4)) > 0.5
    W, x = RNG.normal(size=(3, 4)) * kept, RNG.normal(size=4)
    report = gradcheck(
        lambda W, x: np.sum(np.tanh(W @ x)),
        lambda W, x: np.outer(1 - np.tanh(W @ x) ** 2, x) * kept,
        W,
        x,
        wrt="W",
        tangent=kept,
    )
    assert report["W"].checked == kept.sum()


# Bounds: forward is never called outside of them, and derivatives at a bound are one-sided.


def cost(x):
    assert (x >= 0).all()
    return np.sum(x**1.5 + 2 * x)


def test_cost_at_its_bound(gradcheck):
    gradcheck(cost, lambda x: 1.5 * np.sqrt(x) + 2, np.array([0.0, 1.0, 3.0]), bounds=(0, None))


# A set of your own: the admissible directions are derived from a projection onto it.


def periodic(field):
    field = field.copy()
    field[-1] = field[0]
    return field


def test_periodic_field(gradcheck):
    field = periodic(RNG.normal(size=6))

    def energy(field):
        assert field[-1] == field[0]
        return np.sum(np.diff(field) ** 2)

    def gradient(field):
        d = np.diff(field)
        return 2 * (np.append(0, d) - np.append(d, 0))

    gradcheck(energy, gradient, field, project=periodic)


# A gradient that is wrong along an admissible direction is found as usual.


def test_wrong_gradient_is_found():
    S = np.array([[2.0, 0.5], [0.5, 1.0]])

    def by_triangle(S):
        inverse = np.linalg.inv(S)
        return 2 * inverse - np.diag(np.diag(inverse))  # off-diagonal entries counted twice

    report = check_gradient(log_determinant, by_triangle, S, tangent=positive_definite)
    assert [entry.name for entry in report.worst if entry.verdict == "wrong"] == ["S[0, 1]"]
