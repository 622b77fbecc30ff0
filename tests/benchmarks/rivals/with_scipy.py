"""`scipy.optimize.check_grad`, which returns one norm, with the thresholds that users choose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import check_grad

from tests.benchmarks.rivals.rival import Floats, Rival

__all__ = ["ABSOLUTE", "RANDOM", "RELATIVE"]


def _error(
    forward: Callable[[Floats], Any], claim: Floats, point: Floats, **options: Any
) -> float:
    return float(
        check_grad(
            lambda x: float(forward(x.reshape(point.shape))),
            lambda x: claim.ravel(),
            point.ravel(),
            **options,
        )
    )


def absolutely(forward: Callable[[Floats], Any], claim: Floats, point: Floats) -> bool:
    """Accept an error below 1e-5."""
    return _error(forward, claim, point) < 1e-5


def relatively(forward: Callable[[Floats], Any], claim: Floats, point: Floats) -> bool:
    """Accept an error below a millionth of the gradient's norm."""
    return bool(_error(forward, claim, point) < 1e-6 * np.linalg.norm(claim))


def randomly(forward: Callable[[Floats], Any], claim: Floats, point: Floats) -> bool:
    """Accept an error along one direction below a millionth of the gradient's norm."""
    error = _error(forward, claim, point, direction="random", rng=0)
    return bool(error < 1e-6 * np.linalg.norm(claim))


ABSOLUTE = Rival(
    "scipy check_grad, absolute", "scipy", absolutely, "accepted when the norm is below 1e-5"
)
RELATIVE = Rival(
    "scipy check_grad, relative",
    "scipy",
    relatively,
    "accepted when the norm is below 1e-6 of the gradient's",
)
RANDOM = Rival(
    "scipy check_grad, random",
    "scipy",
    randomly,
    '`direction="random"`; accepted when the error is below 1e-6 of the gradient\'s norm',
)
