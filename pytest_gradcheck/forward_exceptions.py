"""Exceptions that forward raises at the points nearest to the user's, which are raised again.

An exception at a point further away is an edge of the domain of forward, and the report says
so. If forward raises on both sides however small the step, no derivative can be measured, and
the exception itself is the best message. This module does not measure or judge.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from pytest_gradcheck.binding.forward.domain_boundary import DOMAIN_EXCEPTIONS, Edge
from pytest_gradcheck.binding.gradient_problem import Problem
from pytest_gradcheck.binding.values.parameters import Vector
from pytest_gradcheck.errors import GradcheckUsageError
from pytest_gradcheck.numerics.coordinate_scales import Scales
from pytest_gradcheck.numerics.coordinatewise.elementwise import CompressedJacobian
from pytest_gradcheck.numerics.coordinatewise.full_check import FullMeasurement
from pytest_gradcheck.numerics.measurement import Booleans, Measurement, Status
from pytest_gradcheck.numerics.random_directions import signed_direction
from pytest_gradcheck.numerics.screening.screen_result import ScreenResult

__all__ = ["raise_after_elementwise", "raise_after_full_check", "raise_after_screen"]

#: The distance of the nearest points, relative to the scale of a coordinate.
NEAREST = 1e-12

#: The number of coordinates at which forward is called at the nearest points.
MOST_COORDINATES = 20


def raise_after_full_check(problem: Problem, measured: FullMeasurement) -> None:
    """Raise the exception of forward at the nearest points around entries without a derivative.

    Parameters
    ----------
    problem : Problem
        The problem.
    measured : FullMeasurement
        Its measured derivatives.

    Raises
    ------
    Exception
        If forward raises an exception on both sides that is no domain error.
    GradcheckUsageError
        If forward returns another kind or number of outputs.
    """
    if problem.tangent is None:
        _raise_at_coordinates(problem, 0, measured.found, measured.scales)
    elif measured.found.has_status(Status.UNDEFINED).any():
        edge = problem.edge(0, problem.point.size)
        _raise_if_both_sides_do(problem, edge, NEAREST * problem.tangent)


def raise_after_screen(problem: Problem, screened: ScreenResult, seed: int) -> None:
    """Raise the exception of forward at the nearest points along a random direction.

    Parameters
    ----------
    problem : Problem
        The problem.
    screened : ScreenResult
        The result of its screen.
    seed : int
        Seed of the direction.

    Raises
    ------
    Exception
        As `raise_after_full_check`.
    """
    parameters = [p for p in problem.parameters if p.stop > p.start]
    for number, measurement in screened.swept.items():
        _raise_at_coordinates(problem, parameters[number].start, measurement, screened.scales)
    if any((each.status == Status.UNDEFINED).any() for each in screened.directional_derivatives):
        scale = screened.scales.own(slice(None))
        direction = signed_direction(scale, np.random.default_rng(seed))
        edge = problem.edge(0, problem.point.size)
        _raise_if_both_sides_do(problem, edge, NEAREST * direction)


def raise_after_elementwise(problem: Problem, measured: CompressedJacobian) -> None:
    """Raise the exception of forward at the nearest points, with entries moved all at once.

    Parameters
    ----------
    problem : Problem
        The problem of an elementwise function.
    measured : CompressedJacobian
        Its measured derivatives.

    Raises
    ------
    Exception
        As `raise_after_full_check`.
    """
    outside = np.flatnonzero(measured.found.has_status(Status.UNDEFINED).any(axis=1))
    if outside.size:
        change = np.zeros_like(problem.here)
        change[outside] = NEAREST * measured.scales.own(outside)
        _raise_if_both_sides_do(problem, problem.edge(0, problem.point.size), change)


def _raise_at_coordinates(
    problem: Problem, start: int, found: Measurement, scales: Scales
) -> None:
    outside = np.asarray(found.has_status(Status.UNDEFINED).any(axis=1))
    one_sided = np.asarray(found.has_status(Status.EDGE).any(axis=1))
    for coordinate, edge in _edges(problem, start, outside | one_sided):
        if outside[coordinate - start] or edge.kind == "output":
            change = np.zeros_like(problem.here)
            change[coordinate] = NEAREST * scales.own(np.array([coordinate]))[0]
            _raise_if_both_sides_do(problem, edge, change)


def _edges(problem: Problem, start: int, rows: Booleans) -> Iterator[tuple[int, Edge]]:
    """Yield some coordinates with an edge of the domain that is no domain error."""
    count = 0
    for coordinate in (start + np.flatnonzero(rows)).tolist():
        edge = problem.edge(coordinate, coordinate + 1)
        if edge is not None and edge.kind != "domain":
            yield coordinate, edge
            count += 1
            if count == MOST_COORDINATES:
                return


def _raise_if_both_sides_do(problem: Problem, edge: Edge | None, change: Vector) -> None:
    """Raise the exception of forward if it raises where a change is added and subtracted.

    Another kind or number of outputs on one side suffices.
    """
    if edge is None or edge.kind == "domain":
        return
    errors = [_error_at(problem, [problem.here + sign * change]) for sign in (1.0, -1.0)]
    for error in errors:
        if isinstance(error, GradcheckUsageError):
            raise error
    right, left = errors
    if right is not None and left is not None:
        raise left if isinstance(right, DOMAIN_EXCEPTIONS) else right


def _error_at(problem: Problem, points: Iterable[Vector]) -> Exception | None:
    try:
        problem.attempt(points)
    except Exception as error:  # noqa: BLE001  # raised if the other side raises as well
        return error
    return None
