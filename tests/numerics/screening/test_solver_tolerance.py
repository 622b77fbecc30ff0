"""Differences that the tolerance of a solver explains."""

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

#: The slope between jumps of the solver below exceeds that of the whole by this much.
STEEPER = 2e-6


def solver(x: Floats) -> Any:
    """Return a sum, as smooth pieces that are too steep, and jumps in between that compensate."""
    total = float(x.sum())
    return total + STEEPER * (total % 0.05)


def smooth(x: Floats) -> Any:
    """Return a sum that is as steep as the pieces."""
    return (1 + STEEPER) * float(x.sum())


def findings_of(entries: SingleEntries, errors: Floats, count: int) -> list[Finding]:
    """Return findings at the last coordinates, with their errors."""
    findings = []
    for coordinate in range(errors.size - count, errors.size):
        found = Measurement.blank(1, 1)
        found.value[:], found.bound[:] = 1 - errors[coordinate], 1e-11
        box = entries.probe.directions.segments[0].element(coordinate)
        findings.append(Finding(box, 0, ((coordinate, found),), 1))
    return findings


def are_explained(
    function: Callable[[Floats], Any],
    errors: Floats,
    *,
    count: int = 4,
    largest: float = 0.37,
    point: Floats = POINT,
) -> tuple[bool, Counted]:
    """Return whether branches explain errors at some coordinates, and the counter of calls."""
    probe, counted = probe_of(function, np.ones(point.size), point)
    entries = SingleEntries(probe, 1e-8, np.random.default_rng(0))
    findings = findings_of(entries, errors, count)
    counted.calls = 0
    rng = np.random.default_rng(0)
    explained = explained_by_branches(findings, entries, np.array([largest]), rng)
    return explained, counted


def test_branches_explain_slight_differences() -> None:
    """The slope of a branch is not that of the whole."""
    assert are_explained(solver, np.full(SIZE, -STEEPER))[0]


def test_slight_differences_of_a_smooth_function_are_errors() -> None:
    """It has no branches."""
    explained, counted = are_explained(smooth, np.full(SIZE, -STEEPER))
    assert not explained
    assert counted.calls > 0


def test_differences_larger_than_jumps_explain_are_errors() -> None:
    """They may be slight relative to the claims."""
    assert not are_explained(solver, np.full(SIZE, 9e-4))[0]


@pytest.mark.parametrize(
    ("errors", "count", "largest"),
    [
        (np.full(SIZE, 2e-3), 4, 37.0),
        (np.full(SIZE, 9e-4), 4, 0.3),
        (np.zeros(SIZE), 4, 0.37),
    ],
    ids=["not slight", "not slight relative to the largest", "none"],
)
def test_errors_that_are_not_slight_cost_no_evaluation(
    errors: Floats, count: int, largest: float
) -> None:
    """Jumps are not searched for them."""
    explained, counted = are_explained(solver, errors, count=count, largest=largest)
    assert not explained
    assert counted.calls == 0


def test_one_slight_relative_error_is_enough() -> None:
    """All errors are slight relative to the largest claim, and one relative to its own."""
    errors = np.where(np.arange(SIZE) == 7, -STEEPER, 0.0)
    assert are_explained(solver, errors)[0]


@pytest.mark.parametrize(
    ("size", "count", "explained"), [(40, 3, True), (40, 2, False), (8, 2, True), (8, 1, False)]
)
def test_three_of_many_may_be_a_sample_of_all(size: int, count: int, explained: bool) -> None:
    """Two are not, unless they are a quarter of all."""
    probe, _ = probe_of(solver, np.ones(size), np.full(size, 0.37))
    entries = SingleEntries(probe, 1e-8, np.random.default_rng(0))
    assert may_be_everywhere(findings_of(entries, np.zeros(size), count), entries) == explained


def test_large_arguments_do_not_make_errors_larger() -> None:
    """The scale of an argument counts up to a typical one."""
    point = np.where(np.arange(SIZE) == SIZE - 1, 370.0, 0.37)
    errors = np.full(SIZE, -STEEPER)
    assert are_explained(lambda x: solver(x[:-1]) + x[-1], errors, point=point)[0]


def test_branches_explain_a_single_error() -> None:
    """A search may find only one of them."""
    errors = np.full(SIZE, -STEEPER)
    assert are_explained(solver, errors, count=1)[0]
    assert not are_explained(smooth, errors, count=1)[0]
    assert not are_explained(solver, errors, count=0)[0]
