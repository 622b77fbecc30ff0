"""Comparisons of parameters that are wrong along directions, where no entry was found to be wrong.

The errors are everywhere. Two directions over everything were measured: what they show of one
parameter follows if the claims about all others are right, and what they show of all together
is known anyway. A few entries are measured by themselves, coarsely: they refute most hypotheses
at the price of a few numbers, and only the others are tested on all of a parameter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial

import numpy as np

from pytest_gradcheck.binding.gradient_problem import Problem
from pytest_gradcheck.binding.values.parameters import Parameter
from pytest_gradcheck.diagnosis.comparison import Comparison, Functionals
from pytest_gradcheck.numerics.central_difference import NOISE_FACTOR
from pytest_gradcheck.numerics.measurement import Floats, Indices
from pytest_gradcheck.numerics.screening.screen_result import ScreenResult
from pytest_gradcheck.report_builder.failing_checks.directional_products import products_of
from pytest_gradcheck.report_builder.failing_checks.likely_causes import (
    claimed_gradient,
    output_noise,
)

__all__ = ["compare_residuals"]

#: The name of all parameters together in a diagnosis.
EVERY_PARAMETER = "the parameter"

#: So many parameters have entries that are measured by themselves, the largest ones. A parameter
#: of fewer entries is cheap to predict.
MOST_PARAMETERS = 2
FEWEST_ENTRIES = 64

#: The step of an entry, relative to its scale, and the relative error of a one-sided difference.
STEP = 1e-4
ONE_SIDED = 1e-3

#: An entry is known if the noise of forward is below this share of its derivative.
LARGEST_NOISE = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class _Slopes:
    """Derivatives by a few coordinates, in order, with bounds on their errors, shape (k, m)."""

    coordinates: Indices
    value: Floats
    bound: Floats

    def between(self, start: int, stop: int) -> _Slopes:
        """Return those by a range of coordinates, counted from its first."""
        inside = (self.coordinates >= start) & (self.coordinates < stop)
        return _Slopes(self.coordinates[inside] - start, self.value[inside], self.bound[inside])


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
        ``comparison() -> Comparison``; none where entries were found to be wrong. The first call
        evaluates forward at most four times.
    """
    is_searched = screened.directions is not None and not screened.findings
    if not is_searched or not screened.unexplained.any():
        return
    each = zip(problem.parameters, problem.roundings, strict=True)
    parameters = [(p, rounding) for p, rounding in each if p.stop > p.start]
    wrong = [
        parameter
        for (parameter, _), unexplained in zip(parameters, screened.unexplained, strict=True)
        if unexplained.any()
    ]
    slopes = cache(partial(_measure_few, problem, screened, wrong))
    for own, unexplained in zip(parameters, screened.unexplained, strict=True):
        if unexplained.any():
            yield partial(_compare, problem, screened, slopes, *own)
    if len(parameters) > 1:
        size, rounding = problem.point.size, max(problem.roundings)
        every = Parameter(EVERY_PARAMETER, (size,), "float64", 0, size)
        yield partial(_compare, problem, screened, slopes, every, rounding)


def _measure_few(problem: Problem, screened: ScreenResult, wrong: Sequence[Parameter]) -> _Slopes:
    """Measure the derivatives by a few entries of the largest parameters, by one evaluation each.

    Two of the largest claims in units of their scales, whose entries differ most.
    """
    chosen = list[int]()
    for parameter in sorted(wrong, key=lambda p: p.start - p.stop)[:MOST_PARAMETERS]:
        own = slice(parameter.start, parameter.stop)
        if problem.tangent is not None or parameter.stop - parameter.start < FEWEST_ENTRIES:
            continue
        claim = np.abs(problem.claim.rows(own.start, own.stop)).max(axis=1)
        change = claim * screened.scales.own(own)
        largest = np.argpartition(change, -FEWEST_ENTRIES)[-FEWEST_ENTRIES:] + own.start
        values = problem.here[largest]
        chosen += {int(largest[np.argmin(values)]), int(largest[np.argmax(values)])}
    coordinates = np.array(sorted(chosen), dtype=np.intp)
    if not coordinates.size:
        return _Slopes(coordinates, *np.zeros((2, 0, problem.base.size)))
    steps = STEP * screened.scales.own(coordinates)
    values = problem.evaluate(_moved(problem.here, coordinates, steps))
    slopes = (values - problem.base) / steps[:, None]
    noise = NOISE_FACTOR * output_noise(problem) / steps[:, None]
    known = (noise <= LARGEST_NOISE * np.abs(slopes)).all(axis=1)  # false where either is NaN
    return _Slopes(
        coordinates[known], slopes[known], noise[known] + ONE_SIDED * np.abs(slopes[known])
    )


def _moved(point: Floats, coordinates: Indices, steps: Floats) -> Iterator[Floats]:
    """Yield the point with one coordinate moved; valid until the next is asked for."""
    moved = point.copy()
    for coordinate, step in zip(coordinates, steps, strict=True):
        moved[coordinate] = point[coordinate] + step
        yield moved
        moved[coordinate] = point[coordinate]


def _compare(
    problem: Problem,
    screened: ScreenResult,
    slopes: Callable[[], _Slopes],
    parameter: Parameter,
    rounding: float,
) -> Comparison:
    """Return the comparison of one parameter along directions, and with a few entries of it."""
    start, stop = parameter.start, parameter.stop
    claim = problem.claim.rows(start, stop)
    gradient = claimed_gradient(problem, parameter, claim, rounding)
    single = slopes().between(start, stop)
    own = slice(start, stop)
    products = products_of(problem, screened, own, [own])
    differs = np.abs(claim[single.coordinates] - single.value) > single.bound
    is_wrong = np.concatenate([differs, products.differs])
    return Comparison(
        gradient=gradient,
        functionals=Functionals(single.coordinates, products.directions),
        value=np.concatenate([single.value, products.value]),
        bound=np.concatenate([single.bound, products.bound]),
        is_wrong=is_wrong,
        is_right=~is_wrong,
        suspects=np.ones(gradient.claim.shape, dtype=np.bool_),
    )
