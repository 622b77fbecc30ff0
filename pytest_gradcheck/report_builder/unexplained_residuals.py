"""Comparisons of parameters that are wrong along directions, where no entry was found to be wrong.

The errors are everywhere. Two directions over everything were measured: what they show of one
parameter follows if the claims about all others are right, and what they show of all together
is known anyway. This module does not evaluate functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from pytest_gradcheck.binding.gradient_problem import Problem
from pytest_gradcheck.binding.values.parameters import Parameter
from pytest_gradcheck.diagnosis.comparison import Comparison, Functionals
from pytest_gradcheck.numerics.screening.screen_result import ScreenResult
from pytest_gradcheck.report_builder.likely_causes import claimed_gradient

__all__ = ["compare_residuals"]

#: The name of all parameters together in a diagnosis.
EVERY_PARAMETER = "the parameter"

#: Claims along a direction that is drawn again agree with those when it was measured.
SAME = 1e-6


def compare_residuals(
    problem: Problem, screened: ScreenResult
) -> Iterator[Callable[[], Comparison]]:
    """Yield the comparisons along directions of each parameter, and of all together.

    Parameters
    ----------
    problem : Problem
        The problem.
    screened : ScreenResult
        The result of its screen.

    Yields
    ------
    callable
        ``comparison() -> Comparison``; none where entries were found to be wrong.
    """
    is_searched = screened.directions is not None and not screened.findings
    if not is_searched or not screened.unexplained.any():
        return
    each = zip(problem.parameters, problem.roundings, strict=True)
    parameters = [(p, rounding) for p, rounding in each if p.stop > p.start]
    for own, unexplained in zip(parameters, screened.unexplained, strict=True):
        if unexplained.any():
            yield partial(_compare, problem, screened, *own)
    if len(parameters) > 1:
        size, rounding = problem.point.size, max(problem.roundings)
        every = Parameter(EVERY_PARAMETER, (size,), "float64", 0, size)
        yield partial(_compare, problem, screened, every, rounding)


def _compare(
    problem: Problem, screened: ScreenResult, parameter: Parameter, rounding: float
) -> Comparison:
    """Return the comparison of one parameter along the directions that were measured."""
    start, stop = parameter.start, parameter.stop
    claim = problem.claim.rows(start, stop)
    gradient = claimed_gradient(problem, parameter, claim, rounding)
    directions, values, bounds = [], [], []
    for one in screened.directional_derivatives:
        direction = screened.direction(one.which)
        total = problem.claim.along(0, direction)
        own = problem.claim.along(start, direction[start:stop])
        is_same = np.abs(total - one.claimed) <= SAME * np.abs(one.claimed) + one.bound
        directions.append(direction[start:stop])
        values.append(one.measured - one.claimed + own)
        bounds.append(np.where(is_same & one.known, one.bound, np.inf))
    is_wrong = np.stack([one.differs for one in screened.directional_derivatives])
    return Comparison(
        gradient=gradient,
        functionals=Functionals(np.zeros(0, dtype=np.intp), tuple(directions)),
        value=np.stack(values),
        bound=np.stack(bounds),
        is_wrong=is_wrong,
        is_right=~is_wrong,
        suspects=np.ones(gradient.claim.shape, dtype=np.bool_),
    )
