"""Derivatives that vanish, or that are the remainder of larger terms that cancel."""

import numpy as np

from tests.corpus.family import Array, Case, Collection

VANISHING = Collection()

EPSILON = float(np.finfo(np.float64).eps)


def _regression(rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Return a matrix, a right-hand side and the solution by least squares."""
    a, b = rng.normal(size=(12, 4)), rng.normal(size=12)
    return a, b, np.linalg.lstsq(a, b, rcond=None)[0]


def _residuals(a: Array, b: Array, point: Array) -> Case:
    return Case(
        lambda x: np.sum((a @ x - b) ** 2) / 2,
        lambda x: a.T @ (a @ x - b),
        point,
        rounding=50 * EPSILON * float(np.abs(a).sum()),
    )


@VANISHING.family()
def least_squares_solution(rng: np.random.Generator) -> Case:
    """Take a least-squares loss at its solution: 1e-15 of the gradient remains."""
    return _residuals(*_regression(rng))


@VANISHING.family()
def nearly_solved(rng: np.random.Generator) -> Case:
    """Take a least-squares loss where an optimizer stops: 1e-9 of the gradient remains."""
    a, b, x = _regression(rng)
    return _residuals(a, b, x + 1e-9 * rng.normal(size=4))


@VANISHING.family()
def flat_at_the_top(rng: np.random.Generator) -> Case:
    """Take a likelihood at its maximum: only the rounding of the gradient remains."""
    data = rng.normal(size=30)
    mean, spread = float(data.mean()), float(data.std())

    def forward(p):
        return np.sum(((data - p[0]) / p[1]) ** 2) / 2 + 30 * np.log(p[1])

    def gradient(p):
        z = (data - p[0]) / p[1]
        return np.array([-np.sum(z), 30 - z @ z]) / p[1]

    return Case(forward, gradient, np.array([mean, spread]), rounding=1e-12)


@VANISHING.family()
def almost_at_the_top(rng: np.random.Generator) -> Case:
    """Take a bump on a background of ten, 1e-9 away from its peak."""
    c, w = rng.normal(size=3), rng.uniform(0.5, 2, size=3)

    def forward(x):
        return 10 + np.exp(-np.sum(w * (x - c) ** 2))

    def gradient(x):
        return -2 * w * (x - c) * np.exp(-np.sum(w * (x - c) ** 2))

    return Case(forward, gradient, c + 1e-9 * rng.normal(size=3), rounding=1e-15)


@VANISHING.family()
def does_not_scale(rng: np.random.Generator) -> Case:
    """Divide a square by a squared norm: the value is one, and the terms of backward cancel."""

    def gradient(x):
        n = np.sqrt(np.sum(x**2))
        return 2 * x / n**2 - 2 * (x @ x) * x / n**4

    x = rng.normal(size=rng.integers(1, 8)) * 10.0 ** rng.uniform(-3, 3)
    rounding = 20 * EPSILON / float(np.sqrt(x @ x))
    return Case(lambda x: x @ x / np.sqrt(np.sum(x**2)) ** 2, gradient, x, rounding=rounding)


@VANISHING.family()
def bias_before_normalisation(rng: np.random.Generator) -> Case:
    """Add a bias that batch normalisation removes, beside weights with a gradient."""
    data, w = rng.normal(size=(16, 3)), rng.normal(size=3)

    def normalised(p):
        z = data * p[3:] + p[:3]
        centred = z - np.sum(z, axis=0) / 16
        spread = np.sqrt(np.sum(centred**2, axis=0) / 16 + 1e-3)
        return centred / spread, spread

    def forward(p):
        y, _ = normalised(p)
        return np.sum(np.tanh(y + data) @ w)

    def gradient(p):
        y, spread = normalised(p)
        g = (1 - np.tanh(y + data) ** 2) * w
        g = (g - np.sum(g, axis=0) / 16 - y * (np.sum(g * y, axis=0) / 16)) / spread
        return np.append(np.sum(g, axis=0), np.sum(g * data, axis=0))

    x = np.append(rng.normal(size=3), rng.uniform(0.5, 2, size=3))
    return Case(forward, gradient, x, rounding=1e-13)


@VANISHING.family()
def softmax_offset(rng: np.random.Generator) -> Case:
    """Add an offset to all logits: the loss does not depend on it, and backward sums to zero."""
    scores, label = rng.normal(size=5), rng.integers(5)

    def probabilities(p):
        z = scores * p[1] + p[0]
        e = np.exp(z - np.max(z))
        return z, e / np.sum(e)

    def forward(p):
        z, q = probabilities(p)
        return -np.log(q[label]) + 0 * z[0]

    def gradient(p):
        _, q = probabilities(p)
        g = q - (np.arange(5) == label)
        return np.array([np.sum(g), g @ scores])

    return Case(forward, gradient, rng.normal(size=2), rounding=1e-15)


@VANISHING.family()
def unused_entries(rng: np.random.Generator) -> Case:
    """Read only the upper triangle of a matrix."""
    w = np.triu(rng.normal(size=(4, 4)))
    x = rng.normal(size=(4, 4))
    return Case(lambda x: np.sum(np.sin(w * x)), lambda x: w * np.cos(w * x), x)


@VANISHING.family()
def independent(rng: np.random.Generator) -> Case:
    """Return a constant: all entries are multiplied by zero."""
    c = rng.normal()
    return Case(lambda x: c + np.sum(0 * x), lambda x: 0 * x, rng.normal(size=4))


@VANISHING.family()
def saturated(rng: np.random.Generator) -> Case:
    """Saturate most units of a layer: their derivatives are zero in float64."""
    x = rng.choice([-1, 1], size=6) * rng.uniform(20, 50, size=6)
    x[0] = rng.normal()
    return Case(lambda x: np.sum(np.tanh(x)), lambda x: 1 - np.tanh(x) ** 2, x, rounding=1e-15)


@VANISHING.family()
def langevin(rng: np.random.Generator) -> Case:
    """Claim ``coth x - 1 / x`` for small x: two large terms cancel in backward only."""
    x = np.append(10.0 ** rng.uniform(-6.5, -5, size=2), rng.uniform(0.5, 2, size=3))
    terms = [1 / 6, -1 / 180, 1 / 2835, -1 / 37800]

    def forward(x):
        small = np.log1p(x[:2] ** 2 / 6 + x[:2] ** 4 / 120)
        return np.sum(small) + np.sum(np.log(np.sinh(x[2:]) / x[2:]))

    def truth(x):
        series = sum(2 * (i + 1) * c * x ** (2 * i + 1) for i, c in enumerate(terms))
        return np.where(np.arange(5) < 2, series, 1 / np.tanh(x) - 1 / x)

    return Case(
        forward,
        lambda x: np.cosh(x) / np.sinh(x) - 1 / x,
        x,
        truth=truth,
        rounding=4 * EPSILON / np.abs(x),
    )


@VANISHING.family()
def centred_twice(rng: np.random.Generator) -> Case:
    """Claim a small derivative as the difference of two terms of order one.

    Forward computes the same by a product, in which nothing cancels.
    """
    a = rng.normal(size=5)
    delta = 10.0 ** rng.uniform(-10, -7)

    def forward(x):
        return np.sum(a * np.sin(x)) * delta + np.cos(x[0])

    def gradient(x):
        whole = a * np.cos(x) * (1 + delta) - a * np.cos(x)
        whole[0] -= np.sin(x[0])
        return whole

    return Case(
        forward,
        gradient,
        rng.normal(size=5),
        truth=lambda x: a * np.cos(x) * delta - np.where(np.arange(5) == 0, np.sin(x), 0),
        rounding=4 * EPSILON * float(np.abs(a).max()),
    )
