"""The gradient check of the deep learning courses, as written there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.benchmarks.rivals.rival import Floats, Rival

__all__ = ["COURSE"]

EPSILON = 1e-7
THRESHOLD = 2e-7


def accepts(forward: Callable[[Floats], Any], claim: Floats, point: Floats) -> bool:
    """Compare by formula (2) of the course, and reject above its threshold."""
    numerical = np.zeros(point.size)
    for i in range(point.size):
        plus, minus = point.ravel().copy(), point.ravel().copy()
        plus[i] += EPSILON
        minus[i] -= EPSILON
        above, below = forward(plus.reshape(point.shape)), forward(minus.reshape(point.shape))
        numerical[i] = (float(above) - float(below)) / (2 * EPSILON)
    numerator = np.linalg.norm(claim.ravel() - numerical)
    denominator = np.linalg.norm(claim) + np.linalg.norm(numerical)
    # Written so in the course: a NaN is accepted.
    return not numerator / denominator > THRESHOLD


COURSE = Rival(
    "deep learning course",
    "",
    accepts,
    "`epsilon=1e-7`; accepted unless formula (2) is above 2e-7",
)
