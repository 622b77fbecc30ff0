"""Random directions through a point, and going along them.

It must not know what is looked for there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

import numpy as np

from pytest_gradcheck.numerics.measurement import Evaluate, Floats

__all__ = ["defined_direction", "evaluate_along", "seeded_generator", "signed_direction"]

#: How often a direction that leaves the domain is thinned out.
TRIES = 20


def seeded_generator(*seed: int) -> np.random.Generator:
    """Return what `numpy.random.default_rng` does for one or several numbers, in half the time.

    That is where a seed comes again, as it does in every check.

    Examples
    --------
    >>> seeded_generator(7).random() == np.random.default_rng(7).random()
    True
    >>> seeded_generator(7, 1).random() == np.random.default_rng([7, 1]).random()
    True
    """
    return np.random.Generator(np.random.PCG64(_sequence(seed)))


@lru_cache(maxsize=64)
def _sequence(seed: tuple[int, ...]) -> np.random.SeedSequence:
    return np.random.SeedSequence(seed)


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


def defined_direction(
    evaluate: Evaluate, point: Floats, *, scale: Floats, reach: float, rng: np.random.Generator
) -> Floats:
    """Draw a direction along which the function is defined, `reach` of it to both sides.

    A point at the edge of the domain in some coordinates is inside it in others:
    a direction that leaves is thinned out by half of its coordinates until it
    does not, or one coordinate after the other is tried. Costs two evaluations, and
    two more each time.

    Examples
    --------
    >>> import numpy as np
    >>> def root(points):
    ...     return np.array([[np.sqrt(x).sum()] for x in points])
    >>> point, rng = np.array([0.0, 4.0]), np.random.default_rng(0)
    >>> with np.errstate(invalid="ignore"):
    ...     direction = defined_direction(root, point, scale=np.ones(2), reach=0.1, rng=rng)
    >>> direction.nonzero()
    (array([1]),)
    """
    direction = signed_direction(scale, rng)
    for _ in range(TRIES):
        if np.isfinite(evaluate_along(evaluate, point, direction, [reach, -reach])).all():
            return direction
        moving = np.flatnonzero(direction)
        direction[rng.permutation(moving)[: (moving.size + 1) // 2]] = 0.0
        if moving.size == 1:
            another = rng.integers(scale.size)
            direction[another] = scale[another]
    return signed_direction(scale, rng)


def evaluate_along(
    evaluate: Evaluate, point: Floats, direction: Floats, steps: Iterable[float]
) -> Floats:
    """Evaluate at ``point + step * direction`` for each step; shape (steps, m).

    The point is left as it is; one vector is held beside it.
    """
    return evaluate(_places(point, direction, steps))


def _places(point: Floats, direction: Floats, steps: Iterable[float]) -> Iterator[Floats]:
    there = np.empty_like(point)
    for step in steps:
        np.multiply(direction, step, out=there)
        there += point
        yield there
