"""Random directions through a point, and going along them.

It must not know what is looked for there.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from pytest_gradcheck.numerics.measurement import Evaluate, Floats

__all__ = ["along", "signed_direction"]


def signed_direction(scale: Floats, rng: np.random.Generator) -> Floats:
    """Draw a direction with entries ``sign x U[0.5, 1.5] x scale``.

    Random signs alone would miss an equal and opposite pair of errors half of
    the time; the uniform factor leaves no such blind spot.

    Examples
    --------
    >>> import numpy as np
    >>> direction = signed_direction(np.array([1.0, 100.0]), np.random.default_rng(0))
    >>> np.abs(direction) >= [0.5, 50.0]
    array([ True,  True])
    """
    direction = rng.uniform(-1.0, 1.0, size=scale.shape)
    direction += np.copysign(0.5, direction)
    direction *= scale
    return direction


def along(evaluate: Evaluate, point: Floats, direction: Floats, steps: Iterable[float]) -> Floats:
    """Evaluate at ``point + step * direction`` for each step; shape (steps, m).

    The point is left as it is; one vector is held beside it.
    """
    there = np.empty_like(point)
    outputs = []
    for step in steps:
        np.multiply(direction, step, out=there)
        there += point
        outputs.append(evaluate(there))
    return np.stack(outputs)
