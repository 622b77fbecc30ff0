"""Random directions through a point, and evaluation along them.

The entries of a direction are random signs times uniform factors and scales. Random signs alone
are the probes of M. F. Hutchinson (Comm. Statist. Simulation Comput. 19 (1990) 433); an equal and
opposite pair of errors would cancel along half of them. `torch.autograd.gradcheck` in fast mode
draws positive entries.

It does not know what is measured along a direction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

import numpy as np

from pytest_gradcheck.numerics.measurement import Evaluate, Floats

__all__ = ["defined_direction", "evaluate_along", "seeded_generator", "signed_direction"]

#: How often a direction that leaves the domain is changed.
ATTEMPTS = 20


def seeded_generator(*seed: int) -> np.random.Generator:
    """Return the generator of `numpy.random.default_rng`, for one or several integers.

    Seed sequences are cached, which halves the time where a seed is used again.

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

    The uniform factor keeps errors of two entries from cancelling exactly.

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
    """Draw a direction along which the function is defined, up to `reach` on both sides.

    A point on the edge of the domain in some coordinates is in its interior in others. As long
    as a direction leaves the domain, half of its entries are set to zero; after the last one,
    random single coordinates are tried. Costs two evaluations, and two more each time.

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
    for _ in range(ATTEMPTS):
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

    The point is not changed; one vector of its size is allocated.
    """
    return evaluate(_points(point, direction, steps))


def _points(point: Floats, direction: Floats, steps: Iterable[float]) -> Iterator[Floats]:
    shifted = np.empty_like(point)
    for step in steps:
        np.multiply(direction, step, out=shifted)
        shifted += point
        yield shifted
