"""Functions with kinks: at points far from a kink, close to one, and on one."""

import numpy as np

from tests.corpus.family import Case, Collection

KINKS = Collection()


def _relu(z):
    return np.maximum(z, 0)


@KINKS.family()
def relu_far(rng: np.random.Generator) -> Case:
    """Rectify random pre-activations."""
    w, x = rng.normal(size=(8, 5)), rng.normal(size=5)
    v = rng.normal(size=8)
    return Case(lambda x: v @ _relu(w @ x), lambda x: w.T @ (v * (w @ x > 0)), x)


@KINKS.family()
def relu_near(rng: np.random.Generator) -> Case:
    """Rectify entries about a millionth away from the kink."""
    a = rng.uniform(0.5, 2, size=6)
    x = rng.choice([-1.0, 1.0], size=6) * 10.0 ** rng.uniform(-7, -5, size=6)
    x[:2] = rng.normal(size=2)
    return Case(lambda x: np.sum(a * _relu(x) * (1 + x)), lambda x: a * (x > 0) * (1 + 2 * x), x)


@KINKS.family()
def relu_at(rng: np.random.Generator) -> Case:
    """Rectify zeros: every slope between 0 and a is a subgradient."""
    a, x = rng.uniform(0.5, 2, size=6), rng.normal(size=6)
    x[:2] = 0.0
    return Case(
        lambda x: np.sum(a * _relu(x)),
        lambda x: a * (x > 0),
        x,
        lambda x: a * (x > 0),
        lambda x: a * (x >= 0),
    )


@KINKS.family()
def absolute_at(rng: np.random.Generator) -> Case:
    """Take absolute values, one of them of zero."""
    a, x = rng.uniform(0.5, 2, size=5), rng.normal(size=5)
    x[rng.integers(5)] = 0.0
    return Case(
        lambda x: np.sum(a * np.abs(x)) + np.sum(x**2),
        lambda x: a * np.sign(x) + 2 * x,
        x,
        lambda x: a * np.where(x > 0, 1, -1) + 2 * x,
        lambda x: a * np.where(x >= 0, 1, -1) + 2 * x,
    )


@KINKS.family()
def absolute_near(rng: np.random.Generator) -> Case:
    """Take absolute values 1e-9 to 1e-3 away from a kink that is not at zero."""
    c = rng.normal(size=5)
    x = c + rng.choice([-1, 1], size=5) * 10.0 ** rng.uniform(-9, -3, size=5)
    return Case(lambda x: np.sum(np.abs(x - c)), lambda x: np.sign(x - c), x)


@KINKS.family()
def maximum(rng: np.random.Generator) -> Case:
    """Take the largest entry."""
    x = rng.normal(size=(3, 4))
    return Case(lambda x: np.max(x), lambda x: (x == x.max()) * 1.0, x)


@KINKS.family()
def tied_maximum(rng: np.random.Generator) -> Case:
    """Take the largest entry, where two are equally large."""
    x = rng.normal(size=6)
    x[:2] = x.max() + 0.5

    def gradient(x):
        return (np.arange(6) == np.argmax(x)) * 1.0

    return Case(
        lambda x: np.max(x), gradient, x, lambda x: np.zeros(6), lambda x: (x == x.max()) * 1.0
    )


@KINKS.family()
def median(rng: np.random.Generator) -> Case:
    """Take the median of an odd number of entries."""
    x = rng.normal(size=7)
    return Case(lambda x: np.median(x), lambda x: (x == np.median(x)) * 1.0, x)


@KINKS.family()
def huber(rng: np.random.Generator) -> Case:
    """Sum Huber losses, one residual exactly where the curvature jumps."""
    x = rng.normal(size=6) * 2
    x[0] = 1.0
    return Case(
        lambda x: np.sum(np.where(np.abs(x) <= 1, x**2 / 2, np.abs(x) - 0.5)),
        lambda x: np.clip(x, -1, 1),
        x,
    )


@KINKS.family()
def hinge(rng: np.random.Generator) -> Case:
    """Sum the hinge losses of a support vector machine."""
    data, label = rng.normal(size=(20, 4)), rng.choice([-1, 1], size=20)
    return Case(
        lambda w: np.mean(_relu(1 - label * (data @ w))) + 0.05 * w @ w,
        lambda w: -data.T @ (label * (label * (data @ w) < 1)) / 20 + 0.1 * w,
        rng.normal(size=4),
    )


@KINKS.family()
def leaky_relu(rng: np.random.Generator) -> Case:
    """Take leaky ReLUs with slopes 0.01 and 1."""
    w, x = rng.normal(size=(7, 4)), rng.normal(size=4)

    def slope(z):
        return np.where(z > 0, 1, 0.01)

    return Case(lambda x: np.sum((w @ x) * slope(w @ x)), lambda x: w.T @ slope(w @ x), x)


@KINKS.family()
def clipped(rng: np.random.Generator) -> Case:
    """Clip to an interval: most derivatives are zero or one."""
    a, x = rng.normal(size=8), 2 * rng.normal(size=8)
    return Case(lambda x: np.sum(a * np.clip(x, -1, 1)), lambda x: a * (np.abs(x) < 1), x)


@KINKS.family()
def max_pooling(rng: np.random.Generator) -> Case:
    """Take the maximum over windows of two by two."""
    a, x = rng.normal(size=(2, 3)), rng.normal(size=(4, 6))

    def pooled(x):
        return x.reshape(2, 2, 3, 2).max(axis=(1, 3))

    def gradient(x):
        wide = np.repeat(np.repeat(pooled(x), 2, 0), 2, 1)
        return (x == wide) * np.repeat(np.repeat(a, 2, 0), 2, 1)

    return Case(lambda x: np.sum(a * pooled(x)), gradient, x)


@KINKS.family()
def lasso(rng: np.random.Generator) -> Case:
    """Add an L1 penalty to least squares, some weights exactly zero."""
    data, y = rng.normal(size=(12, 5)), rng.normal(size=12)
    w = rng.normal(size=5)
    w[:2] = 0.0

    def smooth(w):
        return data.T @ (data @ w - y)

    return Case(
        lambda w: np.sum((data @ w - y) ** 2) / 2 + 0.7 * np.sum(np.abs(w)),
        lambda w: smooth(w) + 0.7 * np.sign(w),
        w,
        lambda w: smooth(w) + 0.7 * np.where(w > 0, 1, -1),
        lambda w: smooth(w) + 0.7 * np.where(w >= 0, 1, -1),
    )


@KINKS.family()
def pinball(rng: np.random.Generator) -> Case:
    """Sum quantile losses of a linear model."""
    data, y = rng.normal(size=(25, 3)), rng.normal(size=25)

    def gradient(b):
        r = y - data @ b
        return -data.T @ np.where(r > 0, 0.9, -0.1)

    return Case(
        lambda b: np.sum(np.maximum(0.9 * (y - data @ b), -0.1 * (y - data @ b))),
        gradient,
        rng.normal(size=3),
    )


@KINKS.family()
def top_three(rng: np.random.Generator) -> Case:
    """Sum the three largest squares."""
    x = rng.normal(size=8)

    def gradient(x):
        g = np.zeros_like(x)
        top = np.argsort(-(x**2))[:3]
        g[top] = 2 * x[top]
        return g

    return Case(lambda x: np.sum(np.sort(x**2)[-3:]), gradient, x)


@KINKS.family()
def table_lookup(rng: np.random.Generator) -> Case:
    """Interpolate a table of 200 knots linearly."""
    knots = np.linspace(-3, 3, 201)
    values = np.sin(2 * knots) * 3
    slope = np.diff(values) / np.diff(knots)
    x = rng.uniform(-2.9, 2.9, size=6)
    return Case(
        lambda x: np.sum(np.interp(x, knots, values)),
        lambda x: slope[np.searchsorted(knots, x) - 1],
        x,
    )


@KINKS.family()
def dead_units(rng: np.random.Generator) -> Case:
    """Rectify units most of which are inactive: most derivatives are exactly zero."""
    w = rng.normal(size=(6, 4))
    h = rng.uniform(0.2, 1, size=4)
    bias = np.where(np.arange(6) < 4, -10.0, 3.0)

    def gradient(w):
        return np.outer(w @ h + bias > 0, h)

    return Case(lambda w: np.sum(_relu(w @ h + bias)), gradient, w)


@KINKS.family()
def norm_at_zero(rng: np.random.Generator) -> Case:
    """Take a group penalty where one group is zero: the tip of a cone."""
    x = rng.normal(size=(3, 4))
    x[1] = 0.0

    def unit(x):
        n = np.linalg.norm(x, axis=1, keepdims=True)
        return np.divide(x, n, out=np.zeros_like(x), where=n > 0)

    return Case(
        lambda x: np.sum(np.linalg.norm(x, axis=1)),
        unit,
        x,
        lambda x: np.where(np.arange(3)[:, None] == 1, -1.0, unit(x)),
        lambda x: np.where(np.arange(3)[:, None] == 1, 1.0, unit(x)),
    )


@KINKS.family()
def curvature_jump(rng: np.random.Generator) -> Case:
    """Square the positive part: the derivative has a kink at the point and close to it."""
    a, x = rng.uniform(0.5, 2, size=6), rng.normal(size=6)
    x[0], x[1] = 0.0, 1e-7
    return Case(lambda x: 1 + np.sum(a * _relu(x) ** 2), lambda x: 2 * a * _relu(x), x)
