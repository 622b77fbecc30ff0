"""Iterations that stop at a tolerance; all families are held out from tuning."""

import numpy as np

from tests.corpus.family import Case, Collection

STOPPED = Collection()


@STOPPED.family(noisy=True, tuned=False)
def sinkhorn(rng: np.random.Generator) -> Case:
    """Take the dual value of entropic transport by Sinkhorn scaling to a tolerance of 1e-7."""
    a, b = rng.dirichlet(np.full(4, 5.0)), rng.dirichlet(np.full(5, 5.0))

    def scale(cost):
        kernel, u = np.exp(-cost), np.ones(4)
        while True:
            v = b / (kernel.T @ u)
            u = a / (kernel @ v)
            if np.abs(v * (kernel.T @ u) - b).max() < 1e-7:
                return kernel, u, v

    def forward(cost):
        kernel, u, v = scale(cost)
        return a @ np.log(u) + b @ np.log(v) - u @ kernel @ v

    def gradient(cost):
        kernel, u, v = scale(cost)
        return u[:, None] * kernel * v

    return Case(forward, gradient, rng.uniform(0.5, 2, size=(4, 5)), precision=1e-3)


@STOPPED.family(noisy=True, tuned=False)
def power_iteration(rng: np.random.Generator) -> Case:
    """Take the largest eigenvalue by power iteration, until it changes by less than 1e-10.

    The number of iterations is limited, because far from the point two eigenvalues can be
    opposite, and then the iteration does not converge.
    """
    b = rng.normal(size=(4, 4))
    matrix = b @ b.T + np.diag([12.0, 1.0, 0.5, 0.1])

    def forward(a):
        v, value = np.ones(4) / 2, 0.0
        for _ in range(2000):
            w = (a + a.T) @ v / 2
            v, last, value = w / np.linalg.norm(w), value, v @ w
            if abs(value - last) < 1e-10:
                break
        return value

    def gradient(a):
        v = np.linalg.eigh((a + a.T) / 2)[1][:, -1]
        return np.outer(v, v)

    return Case(forward, gradient, matrix, precision=1e-3)


@STOPPED.family(noisy=True, tuned=False)
def gradient_descent(rng: np.random.Generator) -> Case:
    """Fit a ridge regression by gradient descent, stopped at a gradient of 1e-8."""
    x, c = rng.normal(size=(20, 4)), rng.normal(size=4)
    h = x.T @ x / 20 + 0.1 * np.eye(4)
    rate = 1 / np.linalg.norm(h, 2)

    def forward(y):
        w, target = np.zeros(4), x.T @ y / 20
        while True:
            g = h @ w - target
            if np.linalg.norm(g) < 1e-8:
                return c @ w
            w = w - rate * g

    return Case(
        forward, lambda y: x @ np.linalg.solve(h, c) / 20, rng.normal(size=20), precision=1e-3
    )


@STOPPED.family(noisy=True, tuned=False)
def bisection(rng: np.random.Generator) -> Case:
    """Find a root by bisection down to 1e-9: the result is quantised."""

    def forward(p):
        low, high = 0.0, 4.0
        while high - low > 1e-9:
            middle = (low + high) / 2
            if middle + p[1] * middle**3 < p[0]:
                low = middle
            else:
                high = middle
        return (low + high) / 2

    def gradient(p):
        x = forward(p)
        return np.array([1, -(x**3)]) / (1 + 3 * p[1] * x**2)

    return Case(forward, gradient, rng.uniform(0.5, 3, size=2), precision=1e-3)


@STOPPED.family(noisy=True, tuned=False)
def adaptive_simpson(rng: np.random.Generator) -> Case:
    """Integrate by Simpson's rule, halving where two estimates differ by 1e-9."""
    w = rng.uniform(0.5, 2, size=3)

    def forward(p):
        def f(t):
            return p[0] * np.exp(-p[1] * t) + p[2] * np.sin(w[0] * t) * w[1]

        def rule(a, fa, b, fb, fm):
            return (b - a) / 6 * (fa + 4 * fm + fb)

        def area(a, fa, b, fb, fm, whole):
            m = (a + b) / 2
            fl, fr = f((a + m) / 2), f((m + b) / 2)
            left, right = rule(a, fa, m, fm, fl), rule(m, fm, b, fb, fr)
            if abs(left + right - whole) < 1e-9:
                return left + right
            return area(a, fa, m, fm, fl, left) + area(m, fm, b, fb, fr, right)

        fa, fm, fb = f(0.0), f(1.5), f(3.0)
        return area(0.0, fa, 3.0, fb, fm, rule(0.0, fa, 3.0, fb, fm))

    def gradient(p):
        e = np.exp(-3 * p[1])
        by_rate = -p[0] * (1 / p[1] ** 2 - e * (1 / p[1] ** 2 + 3 / p[1]))
        by_wave = w[1] * (1 - np.cos(3 * w[0])) / w[0]
        return np.array([(1 - e) / p[1], by_rate, by_wave])

    return Case(forward, gradient, rng.uniform(0.5, 2, size=3), precision=1e-3)


@STOPPED.family(noisy=True, tuned=False)
def jacobi_sweeps(rng: np.random.Generator) -> Case:
    """Solve a diagonally dominant system by Jacobi's method, to a residual of 1e-9."""
    a = rng.uniform(-1, 1, size=(6, 6))
    np.fill_diagonal(a, 8.0)
    c = rng.normal(size=6)

    def forward(y):
        x = np.zeros(6)
        while True:
            residual = y - a @ x
            if np.abs(residual).max() < 1e-9:
                return c @ x
            x = x + residual / 8.0

    return Case(forward, lambda y: np.linalg.solve(a.T, c), rng.normal(size=6), precision=1e-3)
