"""Unused parameters: those under whose perturbations no output of forward ever changes.

They are found among the evaluations that numerics makes anyway. It does not evaluate anything by
itself, nor judge.
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
    """Return the problem with evaluations that are watched for unused parameters.

    Only parameters whose gradient is claimed to be zero everywhere are watched; a problem without
    any is returned as it is, with evaluations as fast as before.

    Parameters
    ----------
    problem : Problem
        As posed.

    Returns
    -------
    Problem
        Its `unmoved()` returns the watched parameters under which no output ever changed.
    """
    if problem.tangent is not None:
        return problem
    watched = [
        parameter
        for parameter in problem.parameters
        if parameter.stop > parameter.start
        and not problem.claim.stored(parameter.start, parameter.stop).any()
    ]
    if not watched:
        return problem
    unmoved = {parameter.name for parameter in watched}
    starts = [parameter.start for parameter in watched]

    def evaluate(points: Iterable[Vector]) -> Vector:
        if not unmoved:
            return problem.evaluate(points)
        perturbed = list[str | None]()

        def recorded() -> Iterator[Vector]:
            for point in points:
                perturbed.append(_single_parameter(watched, starts, point != problem.here))
                yield point

        outputs = problem.evaluate(recorded())
        for name, changed in zip(perturbed, (outputs != problem.base).any(axis=1), strict=True):
            if name is not None and changed:
                unmoved.discard(name)
        return outputs

    return replace(problem, evaluate=evaluate, unmoved=lambda: frozenset(unmoved))


def _single_parameter(
    parameters: Sequence[Parameter], starts: Sequence[int], changed: NDArray[np.bool_]
) -> str | None:
    """Return the only parameter whose coordinates changed, None where it is not one of these."""
    first = int(changed.argmax()) if changed.size else 0
    place = bisect_right(starts, first) - 1
    if place < 0:
        return None
    count, inside = (
        np.count_nonzero(changed),
        np.count_nonzero(changed[first : parameters[place].stop]),
    )
    return parameters[place].name if 0 < count == inside else None
