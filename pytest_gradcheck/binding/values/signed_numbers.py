"""Random numbers to weight or to perturb a user's values with: of either sign, and none small.

This module does not know what the numbers are for.
"""

from __future__ import annotations

import numpy as np

from pytest_gradcheck.binding.values.parameters import Vector

__all__ = ["signed_numbers"]


def signed_numbers(rng: np.random.Generator, size: int | tuple[int, ...]) -> Vector:
    """Draw numbers of random sign and magnitude U[0.5, 1.5].

    Unlike normal ones none is close to zero, so that no error is weighted away; unlike
    Rademacher ones they are not equal, so that errors do not cancel.

    Examples
    --------
    >>> numbers = signed_numbers(np.random.default_rng(0), 100)
    >>> bool(np.all((np.abs(numbers) >= 0.5) & (np.abs(numbers) <= 1.5)))
    True
    """
    signs = rng.choice([-1.0, 1.0], size=size)
    return np.asarray(signs * rng.uniform(0.5, 1.5, size=size))
