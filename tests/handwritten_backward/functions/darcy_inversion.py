"""Groundwater flow on a grid: the misfit of the heads, by permeabilities and wells, by adjoint."""

import numpy as np

EDITED = ("DarcyInversion.gradient",)


class DarcyInversion:
    """
    Finite volumes for -div(k grad p) = q with k = exp(m). The cells in the first column have a
    river of a given head at their left face, no water flows through the rest of the boundary.
    """

    def __init__(self, nx, ny, head, observed_cells, data, sigma, alpha):
        self.n = nx * ny
        index = np.arange(self.n).reshape(ny, nx)
        across = np.column_stack([index[:, :-1].ravel(), index[:, 1:].ravel()])
        along = np.column_stack([index[:-1].ravel(), index[1:].ravel()])
        self.faces = np.vstack([across, along])
        self.river = index[:, 0]
        self.head = head
        self.observed_cells, self.data, self.sigma = observed_cells, data, sigma
        self.alpha = alpha

    def transmissibility(self, k):
        """Harmonic mean of the two cells of a face."""
        k1, k2 = k[self.faces[:, 0]], k[self.faces[:, 1]]
        return 2 * k1 * k2 / (k1 + k2)

    def solve(self, m, q):
        k = np.exp(m)
        T = self.transmissibility(k)
        A = np.zeros((self.n, self.n))
        for (i, j), t in zip(self.faces, T, strict=True):
            A[i, i] += t
            A[j, j] += t
            A[i, j] -= t
            A[j, i] -= t
        rhs = q.astype(float)
        for c in self.river:
            A[c, c] += 2 * k[c]
            rhs[c] += 2 * k[c] * self.head
        return np.linalg.solve(A, rhs), A

    def misfit(self, m, q):
        p, _ = self.solve(m, q)
        residual = (p[self.observed_cells] - self.data) / self.sigma
        jump = m[self.faces[:, 0]] - m[self.faces[:, 1]]
        return 0.5 * np.sum(residual**2) + 0.5 * self.alpha * np.sum(jump**2)

    def gradient(self, m, q):
        k = np.exp(m)
        p, A = self.solve(m, q)

        # adjoint problem: A is symmetric
        dp = np.zeros(self.n)
        dp[self.observed_cells] = (p[self.observed_cells] - self.data) / self.sigma**2
        adj = np.linalg.solve(A, dp)

        dk = np.zeros(self.n)
        for i, j in self.faces:
            dT = -(adj[i] - adj[j]) * (p[i] - p[j])
            total = (k[i] + k[j]) ** 2
            dk[i] += dT * 2 * k[j] ** 2 / total
            dk[j] += dT * 2 * k[i] ** 2 / total
        dk[self.river] += 2 * adj[self.river] * (self.head - p[self.river])

        dm = dk * k
        # smoothness
        for i, j in self.faces:
            jump = self.alpha * (m[i] - m[j])
            dm[i] += jump
            dm[j] -= jump
        return dm, adj


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(74)
    nx, ny = 5, 4
    observed = np.array([3, 6, 9, 12, 19])
    data = rng.normal(1.5, 0.5, 5).astype(dtype)
    problem = DarcyInversion(nx, ny, 1.2, observed, data, sigma=0.4, alpha=0.3)
    m = rng.normal(0, 0.5, nx * ny).astype(dtype)
    q = rng.normal(0.05, 0.2, nx * ny).astype(dtype)
    return check_gradient(problem.misfit, problem.gradient, m, q, **options)
