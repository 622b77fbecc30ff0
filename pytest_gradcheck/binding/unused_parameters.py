"""Watching evaluations for parameters that forward does not react to at all.

It must not evaluate anything by itself, nor judge; it looks at what is evaluated anyway.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.gradient_problem import Problem
from pytest_gradcheck.binding.values.parameters import Parameter, Vector

__all__ = ["watch_unused"]


def watch_unused(problem: Problem) -> Problem:
    """Return the problem with an `unmoved` that knows which parameters do nothing.

    Only a parameter whose gradient is claimed to be zero everywhere is watched;
    a problem without one is returned as it is, its evaluations as fast as they were.

    Parameters
    ----------
    problem : Problem
        As posed.

    Returns
    -------
    Problem
        Its `unmoved()` names watched parameters under which no output ever changed.
    """
    if problem.tangent is not None:
        return problem
    quiet = [
        parameter
        for parameter in problem.parameters
        if not problem.claim.stored(parameter.start, parameter.stop).any()
    ]
    if not quiet:
        return problem
    still = {parameter.name for parameter in quiet}
    starts = [parameter.start for parameter in quiet]

    def evaluate(points: Iterable[Vector]) -> Vector:
        if not still:
            return problem.evaluate(points)
        moved = list[str | None]()

        def seen() -> Iterator[Vector]:
            for point in points:
                moved.append(_only(quiet, starts, point != problem.here))
                yield point

        outputs = problem.evaluate(seen())
        for name, changed in zip(moved, (outputs != problem.base).any(axis=1), strict=True):
            if name is not None and changed:
                still.discard(name)
        return outputs

    return replace(problem, evaluate=evaluate, unmoved=lambda: frozenset(still))


def _only(
    parts: Sequence[Parameter], starts: Sequence[int], moved: NDArray[np.bool_]
) -> str | None:
    """Return which part alone the coordinates that moved are of, None where it is none."""
    first = int(moved.argmax()) if moved.size else 0
    place = bisect_right(starts, first) - 1
    if place < 0:
        return None
    count, inside = np.count_nonzero(moved), np.count_nonzero(moved[first : parts[place].stop])
    return parts[place].name if 0 < count == inside else None
