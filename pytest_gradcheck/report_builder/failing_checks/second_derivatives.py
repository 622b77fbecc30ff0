"""A second derivative where a gradient of another argument was expected.

Objectives of boosting libraries return the gradient and the diagonal of the Hessian with respect
to the predictions. Where the labels are floats, the second is read as the gradient of the labels,
and is no such thing. Whether it is the derivative of the first shows a difference of claims.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pytest_gradcheck.binding.gradient_problem import Problem, no_claim
from pytest_gradcheck.numerics.random_directions import seeded_generator, signed_direction
from pytest_gradcheck.report.report_data import ParameterReport

__all__ = ["second_derivative_refusal"]

#: The relative step of the central difference, and how closely claims must agree with it.
STEP = 1e-5
AGREEMENT = 1e-5

#: The fewest entries: one number is easily another.
FEWEST = 2


def second_derivative_refusal(
    problem: Problem, reports: Sequence[ParameterReport], seed: int
) -> str:
    """Return why a failing check makes no sense, where it read a second derivative as a first.

    Parameters
    ----------
    problem : Problem
        The problem of two parameters.
    reports : sequence of ParameterReport
        What the check found: the first right and the second wrong.
    seed : int
        Draws the direction of the difference.

    Returns
    -------
    str
        Empty where the check makes sense. Costs two calls of backward where it may not.
    """
    is_possible = (
        problem.kind in {"gradient", "elementwise"}
        and problem.claim_at is not no_claim
        and [report.verdict for report in reports] == ["correct", "wrong"]
        and reports[0].shape == reports[1].shape
        and reports[0].size >= FEWEST
    )
    if not is_possible or not _is_derivative_of_first(problem, seed):
        return ""
    first, second = (parameter.name for parameter in problem.parameters)
    return (
        f"{problem.backward} returned a first and a second derivative with respect to {first}, "
        f"and the second would be checked as the gradient of {second}."
        f"{problem.two_derivatives(first)}"
    )


def _is_derivative_of_first(problem: Problem, seed: int) -> bool:
    """Return whether the claim about the second parameter is the derivative of the other."""
    first, second = problem.parameters
    own = slice(first.start, first.stop)
    claimed = problem.claim.stored(second.start, second.stop)
    if claimed.shape != (first.stop - first.start, 1) or not claimed.any():
        return False
    direction = np.zeros(problem.here.size)
    scale = np.maximum(np.abs(problem.here[own]), 1.0)
    direction[own] = signed_direction(scale, seeded_generator(seed))
    sides = [problem.claim_at(problem.here + h * direction) for h in (STEP, -STEP)]
    if any(side is None for side in sides):
        return False
    right, left = (side.stored(first.start, first.stop) for side in sides if side is not None)
    if right.shape != claimed.shape:
        return False
    measured = (right - left)[:, 0] / (2 * STEP)
    expected = claimed[:, 0] * direction[own]
    return bool(np.abs(measured - expected).max() <= AGREEMENT * np.abs(expected).max())
