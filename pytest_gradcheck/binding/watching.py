"""Watching evaluations for parameters that forward does not react to at all.

It must not evaluate anything by itself, nor judge; it looks at what is evaluated anyway.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pytest_gradcheck.binding.problem import Problem, Vector

__all__ = ["watched"]


def watched(problem: Problem) -> Problem:
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
    still = {
        parameter.name: slice(parameter.start, parameter.stop)
        for parameter in problem.parameters
        if not problem.claim.rows(parameter.start, parameter.stop).any()
    }
    if not still:
        return problem
    here = problem.point.copy()

    def evaluate(vector: Vector) -> Vector:
        outputs = problem.evaluate(vector)
        if still and not np.array_equal(outputs, problem.base):
            moved = np.flatnonzero(vector != here)
            for name, part in tuple(still.items()):
                if moved.size and part.start <= moved[0] and moved[-1] < part.stop:
                    del still[name]
        return outputs

    return replace(problem, evaluate=evaluate, unmoved=lambda: frozenset(still))
