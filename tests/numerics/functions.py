"""Functions of a vector with known derivatives, and a counter of their calls."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass
class Counted:
    """A function in the form numerics wants, counting its calls."""

    function: Callable[[Floats], Any]
    calls: int = field(default=0)

    def __call__(self, point: Floats) -> Floats:
        """Evaluate quietly, and count."""
        self.calls += 1
        with np.errstate(all="ignore"):
            return np.array(self.function(point), dtype=float).ravel()


def jitter(x: float, size: float) -> float:
    """Return noise of about `size` that is a function of `x`, as rounding is."""
    return size * float(np.sin(1e12 * x + 1e7 * x * x))
