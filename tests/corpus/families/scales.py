"""Magnitudes: offsets, tiny and huge units, decades in one vector, zeros."""

import numpy as np

from tests.corpus.family import Array, Case, Collection

SCALES = Collection()


def _waves(rng: np.random.Generator, size: int = 6) -> tuple[Array, Array, Array]:
    return rng.uniform(0.5, 2, size=size), rng.uniform(0, 6, size=size), rng.normal(size=size)


@SCALES.family()
def offset_million(rng: np.random.Generator) -> Case:
    """Return ``1e6 + sum a sin(x + p)``."""
    a, p, x = _waves(rng)
    return Case(lambda x: 1e6 + np.sum(a * np.sin(x + p)), lambda x: a * np.cos(x + p), x)


@SCALES.family()
def offset_thousand(rng: np.random.Generator) -> Case:
    """Return a small network's loss plus 1,000."""
    w, x = rng.normal(size=(5, 4)), rng.normal(size=4)
    return Case(
        lambda x: 1e3 + np.sum(np.tanh(w @ x)), lambda x: w.T @ (1 - np.tanh(w @ x) ** 2), x
    )


@SCALES.family()
def tiny_values(rng: np.random.Generator) -> Case:
    """Return values of 1e-12."""
    a, p, x = _waves(rng)
    return Case(
        lambda x: 1e-12 * np.sum(a * np.exp(np.sin(x + p))),
        lambda x: 1e-12 * a * np.cos(x + p) * np.exp(np.sin(x + p)),
        x,
    )


@SCALES.family()
def huge_values(rng: np.random.Generator) -> Case:
    """Return values of 1e12."""
    a, p, x = _waves(rng)
    return Case(
        lambda x: 1e12 * np.sum(a * np.arctan(x + p)), lambda x: 1e12 * a / (1 + (x + p) ** 2), x
    )


@SCALES.family()
def extreme_values(rng: np.random.Generator) -> Case:
    """Return values of 1e-200 or 1e200."""
    a, p, x = _waves(rng)
    c = 1e200 if rng.random() < 0.5 else 1e-200
    return Case(lambda x: c * np.sum(a * np.sin(x + p)), lambda x: c * a * np.cos(x + p), x)


@SCALES.family()
def tiny_arguments(rng: np.random.Generator) -> Case:
    """Take arguments of 1e-12."""
    a, p, x = _waves(rng)
    return Case(
        lambda x: np.sum(a * np.sin(1e12 * x + p)),
        lambda x: 1e12 * a * np.cos(1e12 * x + p),
        1e-12 * x,
    )


@SCALES.family()
def huge_arguments(rng: np.random.Generator) -> Case:
    """Take arguments of 1e12."""
    a, p, x = _waves(rng)
    return Case(
        lambda x: np.sum(a * np.log1p((1e-12 * x - p) ** 2)),
        lambda x: 1e-12 * a * 2 * (1e-12 * x - p) / (1 + (1e-12 * x - p) ** 2),
        1e12 * x,
    )


@SCALES.family()
def twelve_decades(rng: np.random.Generator) -> Case:
    """Take a vector over twelve decades, each entry with a length scale of its own magnitude."""
    c = 10.0 ** rng.permutation(np.linspace(-6, 6, 9))
    a, p, x = _waves(rng, 9)
    return Case(
        lambda x: np.sum(a * np.sin(x / c + p)), lambda x: a / c * np.cos(x / c + p), c * x
    )


@SCALES.family(noisy=True)
def decades_of_squares(rng: np.random.Generator) -> Case:
    """Add squares of a vector over twelve decades: rounding hides the small ones."""
    x = rng.normal(size=7) * 10.0 ** -np.linspace(0, 12, 7)
    return Case(lambda x: np.sum(x**2), lambda x: 2 * x, x)


@SCALES.family()
def zeros_among(rng: np.random.Generator) -> Case:
    """Take a matrix some of whose entries are zero."""
    w, x = rng.normal(size=(6, 5)), rng.normal(size=5)
    x[rng.permutation(5)[:2]] = 0.0
    return Case(lambda x: np.sum(np.exp(w @ x / 3)), lambda x: w.T @ np.exp(w @ x / 3) / 3, x)


@SCALES.family()
def all_zeros(rng: np.random.Generator) -> Case:
    """Take a network's sum at the origin."""
    w, p = rng.normal(size=(6, 5)), rng.normal(size=6)
    return Case(
        lambda x: np.sum(np.sin(w @ x + p)), lambda x: w.T @ np.cos(w @ x + p), np.zeros(5)
    )


@SCALES.family()
def stationary(rng: np.random.Generator) -> Case:
    """Take a sum of squares at its minimum: the value and all derivatives are zero."""
    c = rng.normal(size=5)
    return Case(lambda x: np.sum((x - c) ** 2), lambda x: 2 * (x - c), c.copy())


@SCALES.family()
def partly_stationary(rng: np.random.Generator) -> Case:
    """Take a point at which some derivatives are zero."""
    c = rng.normal(size=6)
    x = c + np.where(np.arange(6) < 3, 0.0, rng.normal(size=6))
    return Case(
        lambda x: 3 + np.sum(1 - np.exp(-((x - c) ** 2))),
        lambda x: 2 * (x - c) * np.exp(-((x - c) ** 2)),
        x,
    )


@SCALES.family()
def nearly_zero_entries(rng: np.random.Generator) -> Case:
    """Take entries of 1e-200, which stand for zero."""
    a, p, x = _waves(rng)
    x[::2] = 1e-200 * rng.normal(size=3)
    return Case(lambda x: np.sum(a * np.sin(x + p)), lambda x: a * np.cos(x + p), x)


@SCALES.family()
def physical_units(rng: np.random.Generator) -> Case:
    """Take a capacitor's energy by permittivity (1e-11), area, distance (1e-6), volts (1e3)."""

    def gradient(x):
        e = x[0] * x[1] / x[2] * x[3] ** 2 / 2
        return np.array([e / x[0], e / x[1], -e / x[2], 2 * e / x[3]])

    x = np.array([8.85e-12, 1e-2, 1e-6, 1e3]) * rng.uniform(0.5, 2, size=4)
    return Case(lambda x: x[0] * x[1] / x[2] * x[3] ** 2 / 2, gradient, x)


@SCALES.family()
def mixed_gradients(rng: np.random.Generator) -> Case:
    """Take derivatives over eight decades with respect to entries of one magnitude."""
    w = 10.0 ** rng.permutation(np.linspace(-4, 4, 8))
    p, x = rng.uniform(0, 6, size=8), rng.normal(size=8)
    return Case(lambda x: np.sum(w * np.sin(x + p)), lambda x: w * np.cos(x + p), x)


@SCALES.family(noisy=True)
def offset_trillion(rng: np.random.Generator) -> Case:
    """Return ``1e12 + sum a sin(x + p)``: four digits of a change survive rounding."""
    a, p, x = _waves(rng)
    return Case(lambda x: 1e12 + np.sum(a * np.sin(x + p)), lambda x: a * np.cos(x + p), x)


@SCALES.family()
def large_arguments_of_waves(rng: np.random.Generator) -> Case:
    """Take sines of arguments near 1,000: the period is far below their magnitude."""
    a, p, x = _waves(rng)
    return Case(lambda x: np.sum(a * np.sin(x + p)), lambda x: a * np.cos(x + p), x + 1000 * a)
