"""The nearest points around the user's: where forward raises even there, that is raised.

Far away whatever forward raises is an edge of its domain, and told. Where it does so
however near, on both sides, no derivative could be measured by anybody, and the exception
itself says best why.

It must not judge or measure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from pytest_gradcheck.binding.forward.domain_boundary import DOMAIN_EXCEPTIONS, Edge
from pytest_gradcheck.binding.gradient_problem import Problem
from pytest_gradcheck.binding.values.parameters import Vector
from pytest_gradcheck.errors import GradcheckUsageError
from pytest_gradcheck.numerics.elementwise import CompressedJacobian
from pytest_gradcheck.numerics.full_check import FullMeasurement
from pytest_gradcheck.numerics.measurement import Booleans, Measurement, Status
from pytest_gradcheck.numerics.random_directions import signed_direction
from pytest_gradcheck.numerics.screening.screen_result import ScreenResult
from pytest_gradcheck.numerics.step_size import Scales

__all__ = ["raise_after_elementwise", "raise_after_screen", "raise_after_sweep"]

#: How far the nearest points are, in units of a coordinate's scale.
NEAREST = 1e-12

#: At so many coordinates the nearest points are tried.
TRIED = 20


def raise_after_sweep(problem: Problem, measured: FullMeasurement) -> None:
    """Raise what forward raises at the nearest points around an entry that has no derivative.

    Parameters
    ----------
    problem : Problem
        What was measured.
    measured : FullMeasurement
        Its derivatives.

    Raises
    ------
    Exception
        Of forward, where it raises on both sides something else than a domain error.
    GradcheckUsageError
        Where it returns another number of outputs.
    """
    if problem.tangent is None:
        _raise_at_coordinates(problem, 0, measured.found, measured.scales)
    elif measured.found.has_status(Status.UNDEFINED).any():
        edge = problem.edge(0, problem.point.size)
        _raise_beside(problem, edge, NEAREST * problem.tangent)


def raise_after_screen(problem: Problem, screened: ScreenResult, seed: int) -> None:
    """Raise what forward raises at the nearest points along directions that show nothing.

    Parameters
    ----------
    problem : Problem
        What was measured.
    screened : ScreenResult
        What was found of it.
    seed : int
        Draws the direction.

    Raises
    ------
    Exception
        As `raise_after_sweep`.
    """
    parameters = [p for p in problem.parameters if p.stop > p.start]
    for number, swept in screened.swept.items():
        _raise_at_coordinates(problem, parameters[number].start, swept, screened.scales)
    if any((sight.status == Status.UNDEFINED).any() for sight in screened.directional_derivatives):
        scale = screened.scales.own(slice(None))
        direction = signed_direction(scale, np.random.default_rng(seed))
        edge = problem.edge(0, problem.point.size)
        _raise_beside(problem, edge, NEAREST * direction)


def raise_after_elementwise(problem: Problem, measured: CompressedJacobian) -> None:
    """Raise what forward raises at the nearest points around entries that have no derivative.

    Parameters
    ----------
    problem : Problem
        What was measured, an elementwise function.
    measured : CompressedJacobian
        Its derivatives.

    Raises
    ------
    Exception
        As `raise_after_sweep`.
    """
    outside = np.flatnonzero(measured.found.has_status(Status.UNDEFINED).any(axis=1))
    if outside.size:
        change = np.zeros_like(problem.here)
        change[outside] = NEAREST * measured.scales.own(outside)
        _raise_beside(problem, problem.edge(0, problem.point.size), change)


def _raise_at_coordinates(
    problem: Problem, start: int, found: Measurement, scales: Scales
) -> None:
    outside = np.asarray(found.has_status(Status.UNDEFINED).any(axis=1))
    one_sided = np.asarray(found.has_status(Status.EDGE).any(axis=1))
    for coordinate, edge in _met(problem, start, outside | one_sided):
        if outside[coordinate - start] or edge.kind == "size":
            change = np.zeros_like(problem.here)
            change[coordinate] = NEAREST * scales.own(np.array([coordinate]))[0]
            _raise_beside(problem, edge, change)


def _met(problem: Problem, start: int, rows: Booleans) -> Iterator[tuple[int, Edge]]:
    """Yield coordinates at which an edge that matters was met, a bounded number."""
    tried = 0
    for coordinate in (start + np.flatnonzero(rows)).tolist():
        edge = problem.edge(coordinate, coordinate + 1)
        if edge is not None and edge.kind != "domain":
            yield coordinate, edge
            tried += 1
            if tried == TRIED:
                return


def _raise_beside(problem: Problem, edge: Edge | None, change: Vector) -> None:
    """Raise what forward raises both where a change is added to the point and where it is taken.

    Another number of outputs on one side is enough.
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
    except Exception as error:  # noqa: BLE001  # raised where the other side raises, too
        return error
    return None
