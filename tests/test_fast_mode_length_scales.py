"""Fast mode where forward varies over length scales far below the magnitude of its parameters."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import check_gradient
from pytest_gradcheck.report.report import Report

SEEDS = range(10)


@dataclass(frozen=True)
class Example:
    """A function with its gradient, and how to draw a point."""

    forward: Callable[[Any], Any]
    gradient: Callable[[Any], Any]
    draw: Callable[[np.random.Generator], Any]

    def check(self, seed: int, change: Callable[[Any], None] | None = None) -> Report:
        """Check the gradient, changed in place."""

        def backward(x: Any) -> Any:
            gradient = np.array(self.gradient(x))
            if change is not None:
                change(gradient)
            return gradient

        point = self.draw(np.random.default_rng(seed))
        return check_gradient(self.forward, backward, point, mode="fast", seed=seed)


def near(*centre: float, by: Any = 1.0) -> Callable[[np.random.Generator], Any]:
    """Draw a point near a centre."""
    return lambda rng: np.array(centre) + by * rng.uniform(0.2, 1.0, size=len(centre))


def line(p: Any) -> Any:
    """Return a spectral line, 0.01 wide at 6562.8, and its normalised coordinates."""
    z = (np.linspace(6562.77, 6562.83, 40) - p[0]) / p[1]
    return p[2] * np.exp(-(z**2) / 2), z


WAVELENGTHS = np.linspace(6562.77, 6562.83, 40)
SPECTRUM = np.exp(-(((WAVELENGTHS - 6562.802) / 0.01) ** 2) / 2)


def line_gradient(p: Any) -> Any:
    """Return the gradient of the squared misfit by centre, width and height."""
    values, z = line(p)
    error = 2 * (values - SPECTRUM)
    return [
        error @ (values * z / p[1]),
        error @ (values * z**2 / p[1]),
        error @ (values / p[2]),
    ]


def resonance_gradient(p: Any) -> Any:
    """Return the gradient of a Lorentzian by centre, width and height."""
    z = (1e9 - p[0]) / p[1]
    return [
        2 * p[2] * z / p[1] / (1 + z**2) ** 2,
        2 * p[2] * z**2 / p[1] / (1 + z**2) ** 2,
        1 / (1 + z**2),
    ]


def dates(period: float) -> Example:
    """Return a signal of this period at Julian dates."""
    k = 2 * np.pi / period
    return Example(
        lambda t: np.sin(k * (t - 2459000.5)).sum(),
        lambda t: k * np.cos(k * (t - 2459000.5)),
        lambda rng: 2459000.5 + rng.uniform(0, 100, size=6),
    )


K = 2 * np.pi / 50


def map_values(p: Any) -> Any:
    """Return a pattern with a period of 50 m over map coordinates, and angles, in one array."""
    east, north = K * (p[0] - 4e6) + p[2], K * (p[1] - 5e6) + p[3]
    return np.sin(east) + np.cos(north) + np.sin(p[2]) * np.cos(p[3])


def map_gradient(p: Any) -> Any:
    """Return the gradient of `map_values`."""
    east, north = K * (p[0] - 4e6) + p[2], K * (p[1] - 5e6) + p[3]
    one, two = np.cos(east), -np.sin(north)
    return [
        K * one,
        K * two,
        one + np.cos(p[2]) * np.cos(p[3]),
        two - np.sin(p[2]) * np.sin(p[3]),
    ]


EXAMPLES = {
    "sine at 1e6": Example(lambda x: np.sin(x).sum(), np.cos, near(1e6)),
    "sines at 1e6": Example(
        lambda x: np.sin(x).sum(), np.cos, lambda rng: 1e6 * rng.uniform(1, 2, size=50)
    ),
    "tanh beside zeros": Example(
        lambda x: np.tanh(x).sum(),
        lambda x: 1 - np.tanh(x) ** 2,
        lambda rng: np.array([1e6, 0.0, 0.0, 0.0]),
    ),
    "spectral line": Example(
        lambda p: ((line(p)[0] - SPECTRUM) ** 2).sum(),
        line_gradient,
        near(6562.8, 0.011, 1.2, by=np.array([0.004, 0.001, 0.1])),
    ),
    "resonance": Example(
        lambda p: p[2] / (1 + ((1e9 - p[0]) / p[1]) ** 2),
        resonance_gradient,
        near(1e9, 1e3, 2.0, by=np.array([1e3, 10.0, 0.1])),
    ),
    "period of 5 days": dates(5.0),
    "period of 0.1 days": dates(0.1),
    "map coordinates beside angles": Example(
        map_values,
        map_gradient,
        lambda rng: np.array([4e6, 5e6, 0.0, 0.0]) + rng.uniform(5, 45, size=4) * [1, 1, 0, 0],
    ),
    "pressure beside zeros": Example(
        lambda p: np.exp(-p[0] / 1e6) + (np.sin(p[1:]) + p[1:] + p[1:] ** 2 / 2).sum(),
        lambda p: [-np.exp(-p[0] / 1e6) / 1e6, *(np.cos(p[1:]) + 1 + p[1:])],
        lambda rng: np.array([1e6, 0.0, 0.0, 0.0]),
    ),
    "ripple on a line": Example(
        lambda x: (x + np.sin(100 * x) / 111).sum(),
        lambda x: 1 + np.cos(100 * x) / 1.11,
        near(3e3, 6e3),
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_right_gradient_is_correct_for_every_seed(name: str) -> None:
    """Steps are limited by the claims and by the curvature that is measured."""
    for seed in SEEDS:
        report = EXAMPLES[name].check(seed)
        assert (seed, report.verdict) == (seed, "correct")
        assert report.passed
        assert report.evaluations < 250


CHANGES: dict[str, Callable[[Any], Any]] = {
    "0.1% off": lambda g: g * 1.001,
    "of the wrong sign": lambda g: -g,
    "twice as large": lambda g: 2 * g,
    "ten thousand times as large": lambda g: 1e4 * g,
}


@pytest.mark.parametrize("changed", CHANGES)
@pytest.mark.parametrize("name", EXAMPLES)
def test_wrong_largest_entry_is_named(name: str, changed: str) -> None:
    """Its derivative is measured; a claim that is far too large only shortens the steps."""
    for seed in SEEDS[:4]:

        def change(gradient: Any) -> None:
            largest = np.argmax(np.abs(gradient))
            gradient[largest] = CHANGES[changed](gradient[largest])

        report = EXAMPLES[name].check(seed, change)
        assert (seed, report.verdict) == (seed, "wrong")
        (entry,) = (entry for entry in report.worst if entry.verdict == "wrong")
        example = EXAMPLES[name]
        gradient = np.asarray(example.gradient(example.draw(np.random.default_rng(seed))))
        true = gradient[np.argmax(np.abs(gradient))]
        assert entry.numerical == pytest.approx(true, rel=1e-4)


@pytest.mark.parametrize("name", EXAMPLES)
def test_missing_entry_is_never_correct(name: str) -> None:
    """A claim of zero implies no length scale; the values along a line show it."""
    for seed in SEEDS:

        def change(gradient: Any) -> None:
            gradient[np.argmax(np.abs(gradient))] = 0

        assert not EXAMPLES[name].check(seed, change).passed
