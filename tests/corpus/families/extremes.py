"""Entries far below their neighbours or below one, and values near the limits of float64."""

import numpy as np

from tests.corpus.family import Case, Collection

EXTREMES = Collection()

EPSILON = float(np.finfo(np.float64).eps)


@EXTREMES.family()
def entropy_of_the_nearly_certain(rng: np.random.Generator) -> Case:
    """Take the entropy of probabilities of which one is about one, others down to 1e-30."""
    p = np.append(10.0 ** rng.uniform(-30, -15, size=rng.integers(1, 4)), 1.0)
    return Case(lambda p: -np.sum(p * np.log(p)), lambda p: -np.log(p) - 1, p)


@EXTREMES.family()
def roots_beside_one(rng: np.random.Generator) -> Case:
    """Take square roots of numbers down to 1e-25, beside one."""
    x = np.append(10.0 ** rng.uniform(-25, -15, size=2), rng.uniform(0.5, 2, size=2))
    return Case(lambda x: np.sum(np.sqrt(x)), lambda x: 0.5 / np.sqrt(x), x)


@EXTREMES.family()
def saturated_softmax_entropy(rng: np.random.Generator) -> Case:
    """Take the entropy of a softmax one of whose logits is far above the others."""
    x = rng.normal(size=4)
    x[rng.integers(4)] += rng.uniform(20, 60)

    def split(x):
        z = x - np.max(x)
        e = np.exp(z)
        total = np.sum(e)
        return e / total, z - np.log(total)

    def forward(x):
        p, logs = split(x)
        return -np.sum(p * logs)

    def gradient(x):
        p, logs = split(x)
        return -p * (logs - np.sum(p * logs))

    return Case(forward, gradient, x, rounding=1e-15)


@EXTREMES.family()
def cube_roots_beside_one(rng: np.random.Generator) -> Case:
    """Take powers of 0.3 of numbers down to 1e-22, beside large ones."""
    x = np.append(rng.uniform(1, 100, size=2), 10.0 ** rng.uniform(-22, -16, size=1))
    return Case(lambda x: np.sum(x**0.3), lambda x: 0.3 * x**-0.7, x)


@EXTREMES.family()
def squares_that_underflow(rng: np.random.Generator) -> Case:
    """Square numbers of 1e-185: the values underflow."""
    x = rng.choice([-1, 1], size=2) * 10.0 ** rng.uniform(-190, -163, size=2)
    return Case(lambda x: np.sum(x**2), lambda x: 2 * x, x)


@EXTREMES.family()
def squares_among_ordinary(rng: np.random.Generator) -> Case:
    """Square numbers of which one is between 1e-300 and 1e-150, as property-based tests draw."""
    x = rng.uniform(-3, 3, size=3)
    x[rng.integers(3)] = 10.0 ** rng.uniform(-300, -150)
    return Case(lambda x: np.sum(x**2), lambda x: 2 * x, x)


@EXTREMES.family()
def small_square_on_ten(rng: np.random.Generator) -> Case:
    """Take ``10 + a^2`` at 1e-5: a change of a by a few percent does not change the value."""
    x = rng.choice([-1, 1]) * 10.0 ** rng.uniform(-6, -4, size=1)
    return Case(lambda a: 10 + np.sum(a**2), lambda a: 2 * a, x)


@EXTREMES.family()
def tiny_square_on_one(rng: np.random.Generator) -> Case:
    """Take ``1 + x^2`` at 1e-50: the derivative cannot be distinguished from zero."""
    x = rng.choice([-1, 1]) * 10.0 ** rng.uniform(-100, -20, size=rng.integers(1, 3))
    return Case(lambda x: 1 + np.sum(x**2), lambda x: 2 * x, x, rounding=EPSILON)


@EXTREMES.family()
def cosh_at_nothing(rng: np.random.Generator) -> Case:
    """Take the hyperbolic cosine at 1e-100."""
    x = rng.choice([-1, 1]) * 10.0 ** rng.uniform(-150, -20, size=1)
    return Case(lambda x: np.sum(np.cosh(x)), lambda x: np.sinh(x), x, rounding=EPSILON)


@EXTREMES.family()
def cosine_of_small(rng: np.random.Generator) -> Case:
    """Take ``3 + cos x`` at 1e-4 to 1e-7, beside an ordinary entry."""
    x = np.append(10.0 ** rng.uniform(-7, -4, size=2), rng.normal())
    return Case(lambda x: 3 + np.sum(np.cos(x)), lambda x: -np.sin(x), x)


@EXTREMES.family()
def largest_values(rng: np.random.Generator) -> Case:
    """Return values of 1e308: twice the value overflows."""
    a, x = rng.uniform(0.5, 1, size=3), rng.normal(size=3)
    c = 1e308 / 3
    return Case(lambda x: c * np.sum(a * np.sin(x)), lambda x: c * a * np.cos(x), x)


@EXTREMES.family()
def smallest_values(rng: np.random.Generator) -> Case:
    """Return values of 1e-300 and less: their last digits are subnormal."""
    a, x = rng.uniform(0.5, 1, size=3), rng.normal(size=3)
    c = 10.0 ** rng.uniform(-307, -300)
    return Case(
        lambda x: c * np.sum(a * np.sin(x)), lambda x: c * a * np.cos(x), x, precision=1e-7
    )


@EXTREMES.family()
def values_of_both_ends(rng: np.random.Generator) -> Case:
    """Return values of 1e200 for arguments of 1e-100, or the reverse."""
    c = 1e100 if rng.random() < 0.5 else 1e-100
    a, x = rng.uniform(0.5, 2, size=3), rng.normal(size=3)
    return Case(
        lambda x: c**2 * np.sum(a * np.sin(c * x)),
        lambda x: c**3 * a * np.cos(c * x),
        x / c,
    )


@EXTREMES.family()
def logarithm_beside_its_singularity(rng: np.random.Generator) -> Case:
    """Take ``x log |x|`` with one x closer to zero than any step that suits the others."""
    x = rng.choice([-1, 1], size=3) * rng.uniform(0.5, 2, size=3)
    x[rng.integers(3)] *= 10.0 ** rng.uniform(-300, -20)
    return Case(lambda x: x @ np.log(np.abs(x)), lambda x: np.log(np.abs(x)) + 1, x)


@EXTREMES.family()
def versine_at_nothing(rng: np.random.Generator) -> Case:
    """Take ``1 - cos x`` where it is zero in float64: steps of the size of x change nothing."""
    x = rng.choice([-1, 1]) * 10.0 ** rng.uniform(-100, -9, size=1)
    return Case(lambda x: np.sum(1 - np.cos(x)), np.sin, x, rounding=EPSILON)
