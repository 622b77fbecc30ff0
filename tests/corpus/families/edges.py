"""Functions near the edge of their domain: roots, logarithms, barriers."""

import numpy as np

from tests.corpus.family import Case, Collection

EDGES = Collection()


@EDGES.family()
def root_near_edge(rng: np.random.Generator) -> Case:
    """Take square roots of numbers down to 1e-10."""
    x = 10.0 ** rng.uniform(-10, 0, size=6)
    return Case(lambda x: np.sum(np.sqrt(x)), lambda x: 0.5 / np.sqrt(x), x)


@EDGES.family()
def log_near_edge(rng: np.random.Generator) -> Case:
    """Take logarithms of numbers down to 1e-12."""
    a, x = rng.normal(size=6), 10.0 ** rng.uniform(-12, 0, size=6)
    return Case(lambda x: np.sum(a * np.log(x)), lambda x: a / x, x)


@EDGES.family()
def log_of_difference(rng: np.random.Generator) -> Case:
    """Take a logarithmic barrier whose wall is 1e-4 to 0.1 away."""
    c = rng.uniform(1, 3, size=5)
    x = c - 10.0 ** rng.uniform(-4, -1, size=5)
    return Case(lambda x: -np.sum(np.log(c - x)), lambda x: 1 / (c - x), x)


@EDGES.family()
def arcsine_near_one(rng: np.random.Generator) -> Case:
    """Take arcsines near their edge."""
    x = rng.choice([-1, 1], size=5) * (1 - 10.0 ** rng.uniform(-5, -1, size=5))
    return Case(lambda x: np.sum(np.arcsin(x)), lambda x: 1 / np.sqrt(1 - x**2), x)


@EDGES.family()
def power_at_edge(rng: np.random.Generator) -> Case:
    """Take ``x ** 2.5`` with one x equal to zero: forward is undefined to its left."""
    a, x = rng.uniform(0.5, 2, size=5), rng.uniform(0.1, 2, size=5)
    x[0] = 0.0
    return Case(lambda x: 1 + np.sum(a * x**2.5), lambda x: 2.5 * a * x**1.5, x)


@EDGES.family()
def linear_at_edge(rng: np.random.Generator) -> Case:
    """Raise for negative numbers, with one entry of the point equal to zero."""
    a, x = rng.uniform(0.5, 2, size=5), rng.uniform(0.1, 2, size=5)
    x[1] = 0.0

    def forward(x):
        if (x < 0).any():
            raise ValueError("a concentration cannot be negative")
        return np.sum(a * x / (1 + x))

    return Case(forward, lambda x: a / (1 + x) ** 2, x)


@EDGES.family()
def reciprocal(rng: np.random.Generator) -> Case:
    """Divide by small numbers of both signs."""
    x = rng.choice([-1, 1], size=6) * 10.0 ** rng.uniform(-5, 1, size=6)
    a = rng.normal(size=6)
    return Case(lambda x: np.sum(a / x), lambda x: -a / x**2, x)


@EDGES.family()
def logit(rng: np.random.Generator) -> Case:
    """Take the cross entropy of probabilities near zero and one."""
    y = rng.integers(0, 2, size=8)
    p = np.clip(rng.beta(0.3, 0.3, size=8), 1e-6, 1 - 1e-6)
    return Case(
        lambda p: -np.sum(y * np.log(p) + (1 - y) * np.log1p(-p)),
        lambda p: -y / p + (1 - y) / (1 - p),
        p,
    )


@EDGES.family()
def tangent_near_pole(rng: np.random.Generator) -> Case:
    """Take tangents close to their poles."""
    x = np.pi / 2 - 10.0 ** rng.uniform(-4, -0.5, size=4)
    return Case(lambda x: np.sum(np.tan(x)), lambda x: 1 / np.cos(x) ** 2, x)
