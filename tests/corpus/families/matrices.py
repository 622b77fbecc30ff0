"""Linear algebra: determinants, factorisations, eigenvalues, likelihoods."""

import numpy as np
from scipy import linalg

from tests.corpus.family import Array, Case, Collection

MATRICES = Collection()


def _positive(rng: np.random.Generator, n: int) -> Array:
    b = rng.normal(size=(n, n))
    return b @ b.T + 0.5 * np.eye(n)


@MATRICES.family()
def log_determinant(rng: np.random.Generator) -> Case:
    """Take the logarithm of a determinant."""
    a = rng.normal(size=(5, 5)) + 3 * np.eye(5)
    return Case(lambda a: np.linalg.slogdet(a)[1], lambda a: np.linalg.inv(a).T, a)


@MATRICES.family()
def determinant(rng: np.random.Generator) -> Case:
    """Take a determinant."""
    a = rng.normal(size=(4, 4))
    return Case(np.linalg.det, lambda a: np.linalg.det(a) * np.linalg.inv(a).T, a)


@MATRICES.family()
def cholesky(rng: np.random.Generator) -> Case:
    """Take a weighted sum of a Cholesky factor; only the lower triangle is read (Murray 2016)."""
    w, a = np.tril(rng.normal(size=(4, 4))), _positive(rng, 4)

    def full(a):
        return np.tril(a) + np.tril(a, -1).T

    def gradient(a):
        low = np.linalg.cholesky(full(a))
        p = np.tril(low.T @ w)
        p[np.diag_indices(4)] /= 2
        inverse = np.linalg.inv(low)
        s = inverse.T @ (p + p.T) @ inverse / 2
        g = np.tril(s + s.T)
        g[np.diag_indices(4)] /= 2
        return g

    return Case(lambda a: np.sum(w * np.linalg.cholesky(full(a))), gradient, a)


@MATRICES.family()
def largest_eigenvalue(rng: np.random.Generator) -> Case:
    """Take the largest eigenvalue of a symmetric part."""
    a = rng.normal(size=(5, 5))

    def gradient(a):
        v = np.linalg.eigh((a + a.T) / 2)[1][:, -1]
        return np.outer(v, v)

    return Case(lambda a: np.linalg.eigvalsh((a + a.T) / 2)[-1], gradient, a)


@MATRICES.family()
def linear_solve(rng: np.random.Generator) -> Case:
    """Take a functional of a linear system's solution by the matrix; backward is an adjoint."""
    b, c = rng.normal(size=(2, 6))
    a = rng.normal(size=(6, 6)) + 4 * np.eye(6)
    return Case(
        lambda a: c @ np.linalg.solve(a, b),
        lambda a: -np.outer(np.linalg.solve(a.T, c), np.linalg.solve(a, b)),
        a,
    )


@MATRICES.family()
def stiff_solve(rng: np.random.Generator) -> Case:
    """Take a functional of the solution of a badly conditioned system."""
    q = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    a = q * 10.0 ** -np.arange(5.0) @ q.T
    b, c = rng.normal(size=(2, 5))
    return Case(
        lambda k: c @ np.linalg.solve(a + np.diag(k), b),
        lambda k: -np.linalg.solve((a + np.diag(k)).T, c) * np.linalg.solve(a + np.diag(k), b),
        1e-3 * rng.uniform(0.5, 2, size=5),
    )


@MATRICES.family()
def nuclear_norm(rng: np.random.Generator) -> Case:
    """Sum singular values."""
    x = rng.normal(size=(5, 3))

    def gradient(x):
        u, _, v = np.linalg.svd(x, full_matrices=False)
        return u @ v

    return Case(lambda x: np.sum(np.linalg.svd(x, compute_uv=False)), gradient, x)


@MATRICES.family()
def matrix_exponential(rng: np.random.Generator) -> Case:
    """Take the trace of a matrix exponential."""
    a, c = rng.normal(size=(2, 3, 3))
    return Case(
        lambda a: np.sum(c * linalg.expm(a)),
        lambda a: linalg.expm_frechet(a.T, c, compute_expm=False),
        a,
    )


@MATRICES.family()
def gaussian_process(rng: np.random.Generator) -> Case:
    """Take a marginal likelihood by log length, log height and log noise."""
    t, y = np.sort(rng.uniform(0, 5, size=15)), rng.normal(size=15)
    r2 = (t[:, None] - t) ** 2

    def kernel(p):
        k = np.exp(2 * p[1] - r2 / (2 * np.exp(2 * p[0])))
        return k, k + np.exp(2 * p[2]) * np.eye(15)

    def forward(p):
        _, full = kernel(p)
        return (y @ np.linalg.solve(full, y) + np.linalg.slogdet(full)[1]) / 2

    def gradient(p):
        k, full = kernel(p)
        inverse = np.linalg.inv(full)
        s = inverse - np.outer(inverse @ y, inverse @ y)
        parts = (k * r2 / np.exp(2 * p[0]), 2 * k, 2 * np.exp(2 * p[2]) * np.eye(15))
        return np.array([np.sum(s * part) / 2 for part in parts])

    return Case(forward, gradient, rng.normal(size=3) / 2 - np.array([0, 0, 1]))


@MATRICES.family()
def rayleigh_quotient(rng: np.random.Generator) -> Case:
    """Take a Rayleigh quotient, near an eigenvector in half of the cases."""
    a = _positive(rng, 6)
    x = rng.normal(size=6)
    if rng.random() < 0.5:
        x = np.linalg.eigh(a)[1][:, 2] + 1e-3 * x
    return Case(
        lambda x: x @ a @ x / (x @ x),
        lambda x: 2 * (a @ x - x * (x @ a @ x) / (x @ x)) / (x @ x),
        x,
    )


@MATRICES.family()
def inverse_entry(rng: np.random.Generator) -> Case:
    """Take a weighted sum of an inverse."""
    w, a = rng.normal(size=(4, 4)), _positive(rng, 4)

    def gradient(a):
        inverse = np.linalg.inv(a)
        return -inverse.T @ w @ inverse.T

    return Case(lambda a: np.sum(w * np.linalg.inv(a)), gradient, a)
