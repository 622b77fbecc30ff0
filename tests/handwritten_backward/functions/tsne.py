"""The cost of t-SNE as an optimizer asks for it, for a flat vector of the embedded points."""

import numpy as np

EDITED = ("tsne_gradient",)


def joint_probabilities(X, sigma):
    """Symmetric affinities P of the points X with a Gaussian of one width."""
    n = X.shape[0]
    sum_X = np.sum(np.square(X), 1)
    D = np.add(np.add(-2 * np.dot(X, X.T), sum_X).T, sum_X)
    P = np.exp(-D / (2 * sigma**2))
    P[range(n), range(n)] = 0
    P = P / P.sum(axis=1, keepdims=True)
    return (P + P.T) / (2 * n)


def student_t(Y):
    """The kernel of all pairs of points, without those of a point with itself."""
    n = Y.shape[0]
    sum_Y = np.sum(np.square(Y), 1)
    num = 1 / (1 + np.add(np.add(-2 * np.dot(Y, Y.T), sum_Y).T, sum_Y))
    num[range(n), range(n)] = 0
    return num


def tsne_cost(y, P, no_dims, exaggeration, Y_before, weight):
    """KL(P || Q), and a quadratic pull of the points to where they were before."""
    Y = y.reshape(-1, no_dims)
    num = student_t(Y)
    Q = num / np.sum(num)
    pairs = ~np.eye(len(Y), dtype=bool)
    P = exaggeration * P[pairs]
    C = np.sum(P * np.log(P / Q[pairs]))
    return C + 0.5 * weight * np.sum((Y - Y_before) ** 2)


def tsne_gradient(y, P, no_dims, exaggeration, Y_before, weight):
    Y = y.reshape(-1, no_dims)
    n = Y.shape[0]
    num = student_t(Y)
    Q = num / np.sum(num)

    # the attraction is stronger by the exaggeration, and so is the sum of P in the repulsion
    P = exaggeration * P
    PQ = P - np.sum(P) * Q

    dY = np.zeros_like(Y)
    for i in range(n):
        force = PQ[:, i] * num[:, i]
        dY[i, :] = 4 * np.sum(np.tile(force, (no_dims, 1)).T * (Y[i, :] - Y), 0)

    dY += weight * (Y - Y_before)
    return dY.ravel()


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(54)
    X = rng.normal(size=(8, 5)).astype(dtype)
    P = joint_probabilities(X, 1.5)
    before = rng.normal(size=(8, 2)).astype(dtype)
    y = (before + 0.3 * rng.normal(size=(8, 2))).astype(dtype).ravel()
    return check_gradient(tsne_cost, tsne_gradient, y, P, 2, 4.0, before, 0.05, wrt="y", **options)
