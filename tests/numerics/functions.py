"""Functions of a vector with known derivatives, and a counter of their calls."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.numerics.coordinate_scales import Scales
from pytest_gradcheck.numerics.function import Function
from pytest_gradcheck.numerics.noise import estimate_noise
from pytest_gradcheck.numerics.output_magnitude import output_sizes
from pytest_gradcheck.numerics.random_directions import signed_direction

Floats = NDArray[np.float64]


@dataclass
class Counted:
    """A function in the form of `Evaluate` that counts its calls."""

    function: Callable[[Floats], Any]
    calls: int = field(default=0)

    def __call__(self, points: Iterable[Floats]) -> Floats:
        """Evaluate at each of the points."""
        return np.array([self.at(point) for point in points])

    def at(self, point: Floats) -> Floats:
        """Evaluate without warnings, and count."""
        self.calls += 1
        with np.errstate(all="ignore"):
            return np.array(self.function(point), dtype=float).ravel()


def function_at(counted: Counted, point: Floats) -> Function:
    """Return `counted` at `point`, with noise and sizes estimated as a check does."""
    base, scales = counted.at(point), Scales.of(point, [(0, point.size)])
    direction = signed_direction(scales.own(slice(None)), np.random.default_rng(0))
    noise = estimate_noise(counted, point, base=base, repeat=base, direction=direction)
    sizes = output_sizes(counted, point, base=base, noise=noise, direction=direction)
    return Function(counted, point, base, noise, sizes, scales)


def jitter(x: float, size: float) -> float:
    """Return noise of at most `size` that is a function of `x`, as rounding is.

    It consists of late digits of a sine: at no spacing are they a smooth curve.
    """
    digits = 1e4 * float(np.sin(1e12 * x + 1e7 * x * x))
    return float(size * (2 * (digits - np.floor(digits)) - 1))
