"""Slight differences that a stopped solver leaves."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck.numerics.measurement import Measurement
from pytest_gradcheck.numerics.screening.confirm_entries import SingleEntries
from pytest_gradcheck.numerics.screening.screen_result import Finding
from pytest_gradcheck.numerics.screening.solver_tolerance import (
    explained_by_branches,
    may_be_everywhere,
)
from tests.numerics.functions import Counted, Floats
from tests.numerics.screening.builders import probe_of

SIZE = 8
POINT = np.full(SIZE, 0.37)

#: Between its jumps the result of the solver below is steeper by this much than it is as a whole.
STEEPER = 2e-6


def solver(x: Floats) -> Any:
    """Return a sum, as smooth pieces that are too steep, and jumps that make it good."""
    total = float(x.sum())
    return total + STEEPER * (total % 0.05)


def smooth(x: Floats) -> Any:
    """Return a sum that is as steep as the pieces."""
    return (1 + STEEPER) * float(x.sum())


def found_by(entries: SingleEntries, errors: Floats, off: int) -> list[Finding]:
    """Return so many of the last coordinates, with their errors."""
    findings = []
    for coordinate in range(errors.size - off, errors.size):
        found = Measurement.blank(1, 1)
        found.value[:], found.bound[:] = 1 - errors[coordinate], 1e-11
        box = entries.probe.directions.segments[0].element(coordinate)
        findings.append(Finding(box, 0, ((coordinate, found),), 1))
    return findings


def allowed(
    function: Callable[[Floats], Any],
    errors: Floats,
    *,
    off: int = 4,
    largest: float = 0.37,
    point: Floats = POINT,
) -> tuple[bool, Counted]:
    """Tell whether errors of some coordinates are those of branches; return the calls, too."""
    probe, counted = probe_of(function, np.ones(point.size), point)
    entries = SingleEntries(probe, 1e-8, np.random.default_rng(0))
    findings = found_by(entries, errors, off)
    counted.calls = 0
    rng = np.random.default_rng(0)
    told = explained_by_branches(findings, entries, np.array([largest]), rng)
    return told, counted


def test_slight_differences_that_jumps_make_good_are_allowed() -> None:
    """The slope of a branch is not that of the whole."""
    assert allowed(solver, np.full(SIZE, -STEEPER))[0]


def test_slight_differences_of_a_smooth_function_are_errors() -> None:
    """There are no jumps to make them good."""
    told, counted = allowed(smooth, np.full(SIZE, -STEEPER))
    assert not told
    assert counted.calls > 0


def test_differences_larger_than_jumps_make_good_are_errors() -> None:
    """However slight they are."""
    assert not allowed(solver, np.full(SIZE, 9e-4))[0]


@pytest.mark.parametrize(
    ("errors", "off", "largest"),
    [
        (np.full(SIZE, 2e-3), 4, 37.0),
        (np.full(SIZE, 9e-4), 4, 0.3),
        (np.zeros(SIZE), 4, 0.37),
    ],
    ids=["not slight", "not slight beside the largest", "none"],
)
def test_what_no_solver_leaves_is_not_looked_into(
    errors: Floats, off: int, largest: float
) -> None:
    """No evaluation is spent on it."""
    told, counted = allowed(solver, errors, off=off, largest=largest)
    assert not told
    assert counted.calls == 0


def test_one_claim_that_is_nearly_right_is_enough_beside_those_that_nearly_cancel() -> None:
    """Errors are slight beside the largest claim; of one they are slight beside its own."""
    errors = np.where(np.arange(SIZE) == 7, -STEEPER, 0.0)
    assert allowed(solver, errors)[0]


@pytest.mark.parametrize(
    ("size", "off", "told"), [(40, 3, True), (40, 2, False), (8, 2, True), (8, 1, False)]
)
def test_three_of_many_may_be_everywhere(size: int, off: int, told: bool) -> None:
    """Two of them are not, unless they are a quarter."""
    probe, _ = probe_of(solver, np.ones(size), np.full(size, 0.37))
    entries = SingleEntries(probe, 1e-8, np.random.default_rng(0))
    assert may_be_everywhere(found_by(entries, np.zeros(size), off), entries) == told


def test_errors_are_no_smaller_by_the_larger_of_the_arguments() -> None:
    """An argument that is a thousand times as large does not make its error larger."""
    point = np.where(np.arange(SIZE) == SIZE - 1, 370.0, 0.37)
    errors = np.full(SIZE, -STEEPER)
    assert allowed(lambda x: solver(x[:-1]) + x[-1], errors, point=point)[0]


def test_one_is_allowed_where_jumps_make_it_good() -> None:
    """Of what there is a sample may show one."""
    errors = np.full(SIZE, -STEEPER)
    assert allowed(solver, errors, off=1)[0]
    assert not allowed(smooth, errors, off=1)[0]
    assert not allowed(solver, errors, off=0)[0]
