"""Functions with jumps: in some entries, between constants, or beside a smooth part."""

import numpy as np

from tests.corpus.family import Case, Collection

JUMPS = Collection()


@JUMPS.family(noisy=True)
def labels_as_floats(rng: np.random.Generator) -> Case:
    """Select a loss by labels stored as floats, beside smooth predictions."""
    label = rng.permutation([0.0, 1.0, 1.0, 0.0])

    def forward(x):
        return np.sum(np.where(x[:4] == 1, -np.log(x[4:]), -np.log(1 - x[4:])))

    def gradient(x):
        return np.append(np.zeros(4), np.where(x[:4] == 1, -1 / x[4:], 1 / (1 - x[4:])))

    return Case(forward, gradient, np.append(label, rng.uniform(0.1, 0.9, size=4)))


@JUMPS.family(noisy=True)
def classes_as_floats(rng: np.random.Generator) -> Case:
    """Select a score by a class, one of three, that is stored as a float."""
    x = rng.normal(size=(3, 4))
    x[:, 0] = rng.integers(1, 4, size=3)

    def chosen(x):
        return [(x[:, :1] == k + 1) * 1.0 for k in range(3)]

    def forward(x):
        rows = np.log(np.sum(np.exp(x[:, 1:]), axis=1))
        picked = sum(hit[:, 0] * x[:, k + 1] for k, hit in enumerate(chosen(x)))
        return np.sum(rows - picked)

    def gradient(x):
        e = np.exp(x[:, 1:])
        return np.hstack([np.zeros((3, 1)), e / np.sum(e, axis=1)[:, None] - np.hstack(chosen(x))])

    return Case(forward, gradient, x)


@JUMPS.family()
def masked_by_threshold(rng: np.random.Generator) -> Case:
    """Mask by a threshold of a half: the jump is far from the labels, which are 0 and 1."""
    label = rng.permutation([0.0, 1.0, 1.0, 0.0, 1.0])

    def forward(x):
        return np.sum(np.where(x[:5] > 0.5, np.sin(x[5:]), x[5:] ** 2))

    def gradient(x):
        return np.append(np.zeros(5), np.where(x[:5] > 0.5, np.cos(x[5:]), 2 * x[5:]))

    return Case(forward, gradient, np.append(label, rng.normal(size=5)))


@JUMPS.family()
def jump_nearby(rng: np.random.Generator) -> Case:
    """Jump about a millionth away from one entry; the others are smooth."""
    x = rng.normal(size=5)
    x[0] = rng.integers(1, 5) + rng.choice([-1, 1]) * 10.0 ** rng.uniform(-7, -4)
    return Case(
        lambda x: np.floor(x[0]) + np.sum(np.exp(np.sin(x[1:]))),
        lambda x: np.append(0.0, np.cos(x[1:]) * np.exp(np.sin(x[1:]))),
        x,
    )


@JUMPS.family()
def floors(rng: np.random.Generator) -> Case:
    """Round down: constant between the integers."""
    a, x = rng.uniform(0.5, 2, size=4), rng.uniform(-5, 5, size=4)
    return Case(lambda x: a @ np.floor(x), lambda x: 0 * x, x)


@JUMPS.family()
def ceilings(rng: np.random.Generator) -> Case:
    """Round up, times a smooth factor: a price for each started hour."""
    a, x = rng.uniform(0.5, 2, size=3), rng.uniform(0.1, 5, size=6)

    def forward(x):
        return np.sum(a * np.ceil(x[:3]) * np.exp(-x[3:]))

    def gradient(x):
        price = a * np.ceil(x[:3]) * np.exp(-x[3:])
        return np.append(np.zeros(3), -price)

    return Case(forward, gradient, x)


@JUMPS.family()
def signs(rng: np.random.Generator) -> Case:
    """Take signs: constant on both sides of zero."""
    a, x = rng.uniform(0.5, 2, size=5), rng.normal(size=5)
    return Case(lambda x: a @ np.sign(x), lambda x: np.zeros(5), x)


@JUMPS.family()
def largest_by_far(rng: np.random.Generator) -> Case:
    """Take the largest entry and its index, with a gap to the second largest."""
    x = rng.normal(size=6)
    x[rng.integers(6)] = x.max() + rng.uniform(0.01, 1)

    def forward(x):
        return np.max(x) + np.sum((x == np.max(x)) * np.arange(6.0))

    return Case(forward, lambda x: (x == np.max(x)) * 1.0, x)


@JUMPS.family()
def rounded_to_decimals(rng: np.random.Generator) -> Case:
    """Round to a grid of a thousandth, or of a tenth: the derivative is zero."""
    grid, a = 10.0 ** -rng.integers(1, 5), rng.uniform(0.5, 2, size=4)
    x = grid * (rng.integers(-50, 50, size=4) + rng.uniform(-0.4, 0.4, size=4))
    return Case(lambda x: a @ (np.rint(x / grid) * grid), lambda x: 0 * x, x)


@JUMPS.family()
def quantized_beside_smooth(rng: np.random.Generator) -> Case:
    """Quantize one entry to 256 levels, and let the others be smooth."""
    x = rng.uniform(0.1, 0.9, size=4)
    x[0] = (rng.integers(20, 230) + rng.uniform(-0.4, 0.4)) / 255

    def forward(x):
        return np.rint(255 * x[0]) / 255 * np.sum(np.sin(3 * x[1:]))

    def gradient(x):
        return np.append(0.0, np.rint(255 * x[0]) / 255 * 3 * np.cos(3 * x[1:]))

    return Case(forward, gradient, x)


@JUMPS.family()
def histogram_counts(rng: np.random.Generator) -> Case:
    """Count numbers in bins: the value is constant until a number crosses an edge."""
    edges, x = np.linspace(-3, 3, 13), rng.normal(size=20)
    w = rng.normal(size=13)
    return Case(lambda x: np.sum((x[:, None] > edges) @ w * 1.0), lambda x: np.zeros(20), x)


@JUMPS.family()
def clipped_concentration(rng: np.random.Generator) -> Case:
    """Clip a concentration that is zero; backward returns the slope of one side or the mean."""
    a, side = rng.uniform(0.5, 2, size=5), rng.choice([0.0, 0.5, 1.0])
    x = rng.uniform(0.1, 2, size=5)
    x[rng.integers(5)] = 0.0

    def slope(x, at_zero):
        return a / (1 + np.maximum(x, 0)) ** 2 * np.where(x > 0, 1, np.where(x < 0, 0, at_zero))

    return Case(
        lambda x: np.sum(a * np.maximum(x, 0) / (1 + np.maximum(x, 0))),
        lambda x: slope(x, side),
        x,
        lambda x: slope(x, 0.0),
        lambda x: slope(x, 1.0),
        isolated_kink=True,
    )


@JUMPS.family()
def leaky_at_zero(rng: np.random.Generator) -> Case:
    """Take a leaky ReLU at zero: 0.1 and 1 are its slopes, and 0.55 is their mean."""
    a, x = rng.uniform(0.5, 2, size=5), rng.normal(size=5)
    x[:2] = 0.0
    below = rng.choice([0.1, 1.0])

    def slope(x, at_zero):
        return a * np.where(x > 0, 1, np.where(x < 0, 0.1, at_zero)) + np.cos(x)

    return Case(
        lambda x: np.sum(a * np.where(x > 0, x, 0.1 * x) + np.sin(x)),
        lambda x: slope(x, below),
        x,
        lambda x: slope(x, 0.1),
        lambda x: slope(x, 1.0),
        isolated_kink=True,
    )
