"""Time integrators, adjoint runs and fixed-point iterations."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import integrate

from tests.corpus.family import Array, Case, Collection

DYNAMICS = Collection()


def complex_step(forward: Callable[[Array], Any], x: Array) -> Array:
    """Return the derivative of what `forward` computes, stopping criteria included.

    By the complex step of W. Squire and G. Trapp, SIAM Review 40 (1998).
    """
    small = 1e-30j
    return np.array([np.imag(forward(x + small * e)) / small.imag for e in np.eye(x.size)])


@DYNAMICS.family()
def runge_kutta(rng: np.random.Generator) -> Case:
    """Integrate the Lotka-Volterra equations by RK4, with the sensitivities of that scheme."""
    y0 = rng.uniform(0.5, 1.5, size=2)

    def rate(y, p):
        return np.array([p[0] * y[0] - p[1] * y[0] * y[1], p[2] * y[0] * y[1] - p[3] * y[1]])

    def rate_and_tangent(z, p):
        y, s = z[0], z[1:]
        by_y = np.array([[p[0] - p[1] * y[1], -p[1] * y[0]], [p[2] * y[1], p[2] * y[0] - p[3]]])
        by_p = np.array([[y[0], -y[0] * y[1], 0, 0], [0, 0, y[0] * y[1], -y[1]]]).T
        return np.vstack([rate(y, p), s @ by_y.T + by_p])

    def integrate_it(z, p, rate):
        h = 0.05
        for _ in range(60):
            a = rate(z, p)
            b = rate(z + h / 2 * a, p)
            c = rate(z + h / 2 * b, p)
            z = z + h / 6 * (a + 2 * b + 2 * c + rate(z + h * c, p))
        return z

    return Case(
        lambda p: np.sum(integrate_it(y0, p, rate)),
        lambda p: integrate_it(np.vstack([y0, np.zeros((4, 2))]), p, rate_and_tangent)[1:].sum(1),
        rng.uniform(0.5, 1.5, size=4),
    )


@DYNAMICS.family()
def heat_adjoint(rng: np.random.Generator) -> Case:
    """Step the heat equation explicitly; an adjoint run is the gradient by the initial state."""
    target = rng.normal(size=12)
    a = 0.4 * (np.diag(-2 * np.ones(12)) + np.diag(np.ones(11), 1) + np.diag(np.ones(11), -1))
    step = np.linalg.matrix_power(np.eye(12) + a, 20)
    return Case(
        lambda u: np.sum((step @ u - target) ** 2) / 2,
        lambda u: step.T @ (step @ u - target),
        rng.normal(size=12),
    )


@DYNAMICS.family()
def leapfrog_orbit(rng: np.random.Generator) -> Case:
    """Integrate an orbit by leapfrog; the gradient by the initial state is the tangent map."""

    def run(start, seeds):
        q, p = start[:2].copy(), start[2:].copy()
        dq, dp = seeds[:2].copy(), seeds[2:].copy()
        h = 0.02

        def kick(q, dq):
            r = np.sqrt(q @ q)
            hess = np.eye(2) / r**3 - 3 * np.outer(q, q) / r**5
            return -q / r**3, -hess @ dq

        for _ in range(100):
            f, df = kick(q, dq)
            p, dp = p + h / 2 * f, dp + h / 2 * df
            q, dq = q + h * p, dq + h * dp
            f, df = kick(q, dq)
            p, dp = p + h / 2 * f, dp + h / 2 * df
        return q.sum(), dq.sum(axis=0)

    x = np.array([1.0, 0, 0, 1.0]) + 0.2 * rng.normal(size=4)
    return Case(lambda x: run(x, np.eye(4))[0], lambda x: run(x, np.eye(4))[1], x)


@DYNAMICS.family(noisy=True, tuned=True)
def early_stopped_solver(rng: np.random.Generator) -> Case:
    """Solve by conjugate gradients, stopped at a residual of 1e-6."""
    b = rng.normal(size=(20, 20))
    a, c = b @ b.T / 20 + np.eye(20), rng.normal(size=20)

    def solve(y):
        x, r = np.zeros_like(y), y.copy()
        p, rr = r.copy(), r @ r
        while np.real(rr) > 1e-12 * np.real(y @ y):
            ap = a @ p
            alpha = rr / (p @ ap)
            x, r = x + alpha * p, r - alpha * ap
            rr, old = r @ r, rr
            p = r + rr / old * p
        return x

    def forward(y):
        return c @ solve(y)

    return Case(
        forward,
        lambda y: np.linalg.solve(a, c),
        rng.normal(size=20),
        truth=lambda y: complex_step(forward, y),
    )


@DYNAMICS.family(noisy=True)
def fixed_point(rng: np.random.Generator) -> Case:
    """Iterate ``x = tanh(W x + b) `` until it moves by less than 1e-9."""
    w = rng.normal(size=(5, 5))
    w *= 0.7 / np.linalg.norm(w, 2)

    def solve(b):
        return iterate(b)[0]

    def iterate(b):
        x, dx = np.zeros(5), np.zeros((5, 5))
        while True:
            new = np.tanh(w @ x + b)
            dx = (1 - new**2)[:, None] * (w @ dx + np.eye(5))
            if np.abs(new - x).max() < 1e-9:
                return new, dx
            x = new

    def gradient(b):
        x = solve(b)
        for _ in range(60):
            x = np.tanh(w @ x + b)
        d = 1 - x**2
        return np.linalg.solve((np.eye(5) - d[:, None] * w).T, np.ones(5)) * d

    return Case(
        lambda b: solve(b).sum(),
        gradient,
        rng.normal(size=5),
        truth=lambda b: iterate(b)[1].sum(axis=0),
    )


@DYNAMICS.family(noisy=True)
def adaptive_integrator(rng: np.random.Generator) -> Case:
    """Integrate decays by an adaptive scheme with a tolerance of 1e-8."""
    y0 = rng.uniform(1, 2, size=3)

    def forward(k):
        run = integrate.solve_ivp(lambda t, y: -k * y, (0, 2), y0, rtol=1e-8, atol=1e-10)
        return run.y[:, -1].sum()

    return Case(
        forward,
        lambda k: -2 * y0 * np.exp(-2 * k),
        rng.uniform(0.5, 2, size=3),
        precision=1e-6,  # the time steps depend on k
    )


@DYNAMICS.family()
def quadrature(rng: np.random.Generator) -> Case:
    """Integrate a density by quadrature, as a function of its parameters."""

    def forward(p):
        return integrate.quad(lambda t: np.exp(-p[0] * t) * np.cos(p[1] * t), 0, 3)[0]

    def gradient(p):
        a = integrate.quad(lambda t: -t * np.exp(-p[0] * t) * np.cos(p[1] * t), 0, 3)[0]
        b = integrate.quad(lambda t: -t * np.exp(-p[0] * t) * np.sin(p[1] * t), 0, 3)[0]
        return np.array([a, b])

    return Case(forward, gradient, rng.uniform(0.5, 3, size=2))


@DYNAMICS.family()
def newton_root(rng: np.random.Generator) -> Case:
    """Solve ``x + c x^3 = b`` by Newton's method, as a function of b and c."""

    def solve(p):
        x = 0.0
        for _ in range(50):
            x -= (x + p[1] * x**3 - p[0]) / (1 + 3 * p[1] * x**2)
        return x

    def gradient(p):
        x = solve(p)
        return np.array([1, -(x**3)]) / (1 + 3 * p[1] * x**2)

    return Case(solve, gradient, rng.uniform(0.5, 3, size=2))


@DYNAMICS.family()
def chaotic_map(rng: np.random.Generator) -> Case:
    """Iterate the logistic map fifteen times: the derivative grows like 2^15."""

    def forward(x):
        for _ in range(15):
            x = 3.9 * x * (1 - x)
        return x.sum()

    def gradient(x):
        d = np.ones_like(x)
        for _ in range(15):
            d = d * 3.9 * (1 - 2 * x)
            x = 3.9 * x * (1 - x)
        return d

    return Case(forward, gradient, rng.uniform(0.1, 0.9, size=3))


@DYNAMICS.family()
def forward_algorithm(rng: np.random.Generator) -> Case:
    """Compute a hidden Markov model's log-likelihood, as a function of the emission scores."""
    move = rng.dirichlet(np.ones(3), size=3)
    start = np.full(3, 1 / 3)

    def passes(s):
        e = np.exp(s)
        alphas = [start * e[0]]
        for row in e[1:]:
            alphas.append((alphas[-1] @ move) * row)
        return e, alphas

    def gradient(s):
        e, alphas = passes(s)
        beta, out = np.ones(3), np.zeros_like(s)
        total = alphas[-1].sum()
        for k in range(len(s) - 1, -1, -1):
            out[k] = alphas[k] * beta / total
            beta = move @ (e[k] * beta)
        return out

    return Case(lambda s: np.log(passes(s)[1][-1].sum()), gradient, rng.normal(size=(8, 3)))


@DYNAMICS.family(noisy=True)
def loose_fixed_point(rng: np.random.Generator) -> Case:
    """Iterate a contraction until it moves by less than 1e-6."""
    w, x = rng.normal(size=(4, 4)), rng.normal(size=4)
    w *= 0.5 / np.linalg.norm(w, 2)

    def solve(b, tolerance):
        x, dx = np.zeros(4), np.zeros((4, 4))
        while True:
            dx = np.cos(w @ x)[:, None] * (w @ dx) + np.eye(4)
            new = np.sin(w @ x) + b
            if np.abs(new - x).max() < tolerance:
                return new, dx
            x = new

    return Case(
        lambda b: solve(b, 1e-6)[0].sum(),
        lambda b: solve(b, 1e-15)[1].sum(axis=0),
        x,
        truth=lambda b: solve(b, 1e-6)[1].sum(axis=0),
    )
