"""Smooth functions of textbooks, physics and statistics."""

import numpy as np
from scipy import special

from tests.corpus.family import Case, Collection

SMOOTH = Collection()


@SMOOTH.family()
def quadratic_form(rng: np.random.Generator) -> Case:
    """Return ``x A x / 2 + b x``."""
    n = int(rng.integers(3, 12))
    a, b = rng.normal(size=(n, n)), rng.normal(size=n)
    return Case(
        lambda x: x @ a @ x / 2 + b @ x, lambda x: (a + a.T) @ x / 2 + b, rng.normal(size=n)
    )


@SMOOTH.family()
def rosenbrock(rng: np.random.Generator) -> Case:
    """Return the Rosenbrock function."""

    def gradient(x):
        g = np.zeros_like(x)
        g[:-1] = -400 * x[:-1] * (x[1:] - x[:-1] ** 2) - 2 * (1 - x[:-1])
        g[1:] += 200 * (x[1:] - x[:-1] ** 2)
        return g

    return Case(
        lambda x: np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2),
        gradient,
        rng.normal(size=8),
    )


@SMOOTH.family()
def sum_of_sines(rng: np.random.Generator) -> Case:
    """Return ``sum a sin(w x)``."""
    a, w = rng.normal(size=(4, 3)), rng.uniform(0.5, 3, size=(4, 3))
    x = rng.normal(size=(4, 3))
    return Case(lambda x: np.sum(a * np.sin(w * x)), lambda x: a * w * np.cos(w * x), x)


@SMOOTH.family()
def fast_oscillation(rng: np.random.Generator) -> Case:
    """Return ``sum a sin(300 x)``: steps must be far smaller than the magnitude of x suggests."""
    a, x = rng.uniform(0.5, 2, size=6), rng.normal(size=6)
    return Case(lambda x: np.sum(a * np.sin(300 * x)), lambda x: 300 * a * np.cos(300 * x), x)


@SMOOTH.family()
def steep_exponential(rng: np.random.Generator) -> Case:
    """Return ``sum exp(30 x)``: values over many decades."""
    x = rng.uniform(-1, 1, size=5)
    return Case(lambda x: np.sum(np.exp(30 * x)), lambda x: 30 * np.exp(30 * x), x)


@SMOOTH.family()
def exponential_saturation(rng: np.random.Generator) -> Case:
    """Return ``sum a (1 - exp(-k x))``, the growth curves of chemistry."""
    a, k = rng.uniform(1, 5, size=7), 10 ** rng.uniform(-2, 1.3, size=7)
    x = rng.uniform(0.1, 2, size=7)
    return Case(lambda x: np.sum(a * (1 - np.exp(-k * x))), lambda x: a * k * np.exp(-k * x), x)


@SMOOTH.family()
def high_powers(rng: np.random.Generator) -> Case:
    """Return a polynomial of degree nine."""
    c, x = rng.normal(size=10), rng.uniform(-2, 2, size=5)
    d = np.polyder(c)
    return Case(lambda x: np.sum(np.polyval(c, x)), lambda x: np.polyval(d, x), x)


@SMOOTH.family()
def runge(rng: np.random.Generator) -> Case:
    """Return ``sum 1 / (1 + 25 x^2)``."""
    return Case(
        lambda x: np.sum(1 / (1 + 25 * x**2)),
        lambda x: -50 * x / (1 + 25 * x**2) ** 2,
        rng.uniform(-1, 1, size=6),
    )


@SMOOTH.family()
def mixture_likelihood(rng: np.random.Generator) -> Case:
    """Return the negative log-likelihood of a Gaussian mixture by its means."""
    data = np.concatenate([rng.normal(-2, 1, 30), rng.normal(3, 1, 30)])

    def forward(m):
        return -np.sum(special.logsumexp(-((data[:, None] - m) ** 2) / 2, axis=1))

    def gradient(m):
        part = special.softmax(-((data[:, None] - m) ** 2) / 2, axis=1)
        return -np.sum(part * (data[:, None] - m), axis=0)

    return Case(forward, gradient, rng.normal(size=3) * 2)


@SMOOTH.family()
def lennard_jones(rng: np.random.Generator) -> Case:
    """Return the Lennard-Jones energy of atoms; its gradient is minus the forces."""
    grid = np.array([[i, j, k] for i in range(2) for j in range(2) for k in range(2)], float)
    x = 1.2 * grid + rng.uniform(-0.1, 0.1, size=grid.shape)
    upper = np.triu_indices(len(grid), 1)

    def squared(x):
        separation = x[upper[0]] - x[upper[1]]
        return separation, np.sum(separation**2, axis=1)

    def forward(x):
        _, r2 = squared(x)
        return np.sum(4 * (r2**-6 - r2**-3))

    def gradient(x):
        separation, r2 = squared(x)
        pull = (4 * (-12 * r2**-7 + 6 * r2**-4))[:, None] * separation
        g = np.zeros_like(x)
        np.add.at(g, upper[0], pull)
        np.add.at(g, upper[1], -pull)
        return g

    return Case(forward, gradient, x)


@SMOOTH.family()
def springs(rng: np.random.Generator) -> Case:
    """Return the energy of a chain of springs in the plane."""
    rest = rng.uniform(0.5, 1.5, size=6)
    x = np.cumsum(rng.normal(size=(7, 2)), axis=0)

    def forward(x):
        return np.sum((np.linalg.norm(np.diff(x, axis=0), axis=1) - rest) ** 2)

    def gradient(x):
        separation = np.diff(x, axis=0)
        length = np.linalg.norm(separation, axis=1)
        pull = (2 * (length - rest) / length)[:, None] * separation
        g = np.zeros_like(x)
        g[1:] += pull
        g[:-1] -= pull
        return g

    return Case(forward, gradient, x)


@SMOOTH.family()
def product_of_cosines(rng: np.random.Generator) -> Case:
    """Return ``prod cos(x)``, small where there are many factors."""
    x = rng.uniform(-1.2, 1.2, size=10)
    return Case(lambda x: np.prod(np.cos(x)), lambda x: -np.tan(x) * np.prod(np.cos(x)), x)


@SMOOTH.family()
def log_cosh(rng: np.random.Generator) -> Case:
    """Return ``sum log cosh(r)`` of residuals."""
    a, b = rng.normal(size=(9, 4)), rng.normal(size=9)
    return Case(
        lambda x: np.sum(np.log(np.cosh(a @ x - b))),
        lambda x: a.T @ np.tanh(a @ x - b),
        rng.normal(size=4),
    )


@SMOOTH.family()
def entropy(rng: np.random.Generator) -> Case:
    """Return ``sum p log p``."""
    p = rng.dirichlet(np.ones(8))
    return Case(lambda p: np.sum(p * np.log(p)), lambda p: np.log(p) + 1, p)


@SMOOTH.family()
def beta_likelihood(rng: np.random.Generator) -> Case:
    """Return a beta log-likelihood by its two parameters: gamma and digamma."""
    data = rng.beta(2, 5, size=25)
    s, t, n = np.sum(np.log(data)), np.sum(np.log1p(-data)), len(data)

    def gradient(p):
        both = special.digamma(p.sum())
        return np.array(
            [n * (special.digamma(p[0]) - both) - s, n * (special.digamma(p[1]) - both) - t]
        )

    return Case(
        lambda p: n * special.betaln(p[0], p[1]) - (p[0] - 1) * s - (p[1] - 1) * t,
        gradient,
        rng.uniform(0.5, 6, size=2),
    )


@SMOOTH.family()
def option_price(rng: np.random.Generator) -> Case:
    """Return the Black-Scholes price by spot, strike, volatility and time."""

    def parts(x):
        spot, strike, vol, time = x
        d1 = (np.log(spot / strike) + (0.02 + vol**2 / 2) * time) / (vol * np.sqrt(time))
        return d1, d1 - vol * np.sqrt(time), np.exp(-0.02 * time)

    def forward(x):
        d1, d2, discount = parts(x)
        return x[0] * special.ndtr(d1) - x[1] * discount * special.ndtr(d2)

    def gradient(x):
        d1, d2, discount = parts(x)
        density = np.exp(-(d1**2) / 2) / np.sqrt(2 * np.pi)
        theta = x[0] * density * x[2] / (2 * np.sqrt(x[3])) + 0.02 * x[1] * discount * (
            special.ndtr(d2)
        )
        return np.array(
            [
                special.ndtr(d1),
                -discount * special.ndtr(d2),
                x[0] * density * np.sqrt(x[3]),
                theta,
            ]
        )

    x = np.array([100.0, 100 + 20 * rng.normal(), rng.uniform(0.1, 0.5), rng.uniform(0.2, 2)])
    return Case(forward, gradient, x)


@SMOOTH.family()
def cosine_similarity(rng: np.random.Generator) -> Case:
    """Return the cosine of the angle to a fixed vector."""
    a, x = rng.normal(size=12), rng.normal(size=12)

    def gradient(x):
        n = np.linalg.norm(x)
        return a / (n * np.linalg.norm(a)) - (a @ x) * x / (n**3 * np.linalg.norm(a))

    return Case(lambda x: a @ x / (np.linalg.norm(a) * np.linalg.norm(x)), gradient, x)


@SMOOTH.family()
def poisson_regression(rng: np.random.Generator) -> Case:
    """Return ``sum exp(Xb) - y Xb``."""
    design = rng.normal(size=(40, 5))
    counts = rng.poisson(2, size=40)
    return Case(
        lambda b: np.sum(np.exp(design @ b) - counts * (design @ b)),
        lambda b: design.T @ (np.exp(design @ b) - counts),
        rng.normal(size=5) / 2,
    )


@SMOOTH.family()
def weak_coupling(rng: np.random.Generator) -> Case:
    """Return a main term and couplings that are up to a million times weaker."""
    w = 10.0 ** -rng.uniform(0, 6, size=8)
    x = rng.normal(size=8)
    return Case(
        lambda x: np.sum(w * np.sin(x)) + np.exp(x[0]),
        lambda x: w * np.cos(x) + np.exp(x[0]) * (np.arange(8) == 0),
        x,
    )


@SMOOTH.family()
def matrix_trace(rng: np.random.Generator) -> Case:
    """Return ``tr(A X B X')``."""
    a, b, x = rng.normal(size=(4, 4)), rng.normal(size=(3, 3)), rng.normal(size=(4, 3))
    return Case(lambda x: np.trace(a @ x @ b @ x.T), lambda x: a.T @ x @ b.T + a @ x @ b, x)
