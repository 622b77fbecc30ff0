"""Functions whose backward adds terms that cancel, so that its accuracy is limited."""

import numpy as np

from tests.corpus.family import Case, Collection

CANCELLING = Collection()


def _cancel(x, size):
    """Return zero with the rounding error of terms of magnitude `size`."""
    a, b = np.sin(x) * size, np.cos(x) * size
    return (a + b) ** 2 / size - (a * a + 2 * a * b + b * b) / size


def _case(rng: np.random.Generator, smallest: float, size: float) -> Case:
    """Return a sum of curves, one much lower than the others; terms cancel in its gradient."""
    x, height = rng.uniform(0.5, 2, size=6), 10.0 ** rng.uniform(-2, 0, size=6)
    height[rng.integers(6)] = smallest

    def truth(x):
        return height * (x**2 + np.cos(x))

    return Case(
        lambda x: np.sum(height * (x**3 / 3 + np.sin(x))),
        lambda x: truth(x) + _cancel(x, size),
        x,
        truth=truth,
    )


@CANCELLING.family(noisy=True)
def large_terms_cancel(rng: np.random.Generator) -> Case:
    """Add terms that are a million times as large as the gradient."""
    return _case(rng, 10.0 ** rng.uniform(-6, -4), 1e6)


@CANCELLING.family(noisy=True)
def terms_of_order_one_cancel(rng: np.random.Generator) -> Case:
    """Add terms of order one to a gradient with an entry a billionth of its neighbours."""
    return _case(rng, 10.0 ** rng.uniform(-10, -8), 10.0)


@CANCELLING.family(noisy=True)
def far_variance(rng: np.random.Generator) -> Case:
    """Differentiate the variance of data far from zero by a formula with large sums."""
    x = 10.0 ** rng.uniform(3, 5) + rng.normal(size=8)

    def truth(x):
        return 2 * (x - x.mean()) / x.size

    return Case(
        lambda x: np.mean((x - x.mean()) ** 2),
        lambda x: 2 * (x * np.sum(x) - np.sum(x) * x.mean()) / (x.size * np.sum(x)),
        x,
        truth=truth,
    )
