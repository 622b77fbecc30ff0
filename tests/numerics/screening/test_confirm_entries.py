"""Single coordinates, as cheaply as they can be trusted."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_gradcheck.numerics.measurement import Measurement, Status
from pytest_gradcheck.numerics.screening.confirm_entries import Expected, SingleEntries
from tests.numerics.functions import Counted, Floats
from tests.numerics.screening.builders import FEW_EXAMPLES, probe_of, segments_of

POINT = np.random.default_rng(1).normal(size=20)
TRUE = np.exp(POINT)


def entries_of(
    claim: Any, function: Callable[[Floats], Any] | None = None, point: Floats = POINT
) -> tuple[SingleEntries, Counted]:
    """Return entries of a sum of exponentials, or another function."""
    function = function or (lambda x: np.exp(x).sum())
    probe, counted = probe_of(function, claim, point)
    return SingleEntries(probe, 1e-6, np.random.default_rng(0)), counted


def off(coordinate: int, share: float) -> Floats:
    """Return claims of which one is off by a share of itself."""
    return TRUE * np.where(np.arange(20) == coordinate, 1 + share, 1.0)


def test_right_claim_costs_two_evaluations() -> None:
    """Agreement needs no second look."""
    entries, counted = entries_of(TRUE)
    found = entries.measure(7)
    assert counted.calls == 2
    assert np.abs(found.value[0, 0] - TRUE[7]) <= found.bound[0, 0] < 1e-3 * TRUE[7]
    assert found.step[0] > 0
    assert entries.errors(7, found).tolist() == [0.0]


@FEW_EXAMPLES
@given(st.integers(0, 19), st.floats(0.01, 10), st.sampled_from([-1, 1]))
def test_clear_error_costs_two_evaluations(coordinate: int, share: float, sign: int) -> None:
    """What is off by a percent is off, whatever a pair leaves open."""
    entries, counted = entries_of(off(coordinate, sign * share))
    found = entries.measure(coordinate)
    assert counted.calls == 2
    (error,), (bound,) = entries.errors(coordinate, found), found.bound[0]
    assert abs(error - sign * share * TRUE[coordinate]) <= bound < 0.1 * abs(error)


def test_rounding_of_a_claim_is_no_error() -> None:
    """It is that of the terms of a sum, however little they leave; and costs no ladder."""
    claim = TRUE.copy()
    small = int(np.argmin(TRUE))
    claim[small] += 3e-6
    entries, counted = entries_of(claim)
    assert entries.errors(small, entries.measure(small))[0] > 0
    weights = entries.probe.directions
    weights = replace(weights, segments=segments_of([POINT.shape], rounding=4e-6))
    entries = replace(entries, probe=replace(entries.probe, directions=weights))
    counted.calls = 0
    found = entries.measure(small)
    assert counted.calls == 2
    assert not entries.errors(small, found).any()
    assert entries.allowed(small, np.zeros(1)) == pytest.approx([4e-6 * TRUE.max()])


def test_rounding_does_not_depend_on_where_claims_are() -> None:
    """An entry of 1e-200 is no excuse."""
    point = np.where(np.arange(20) % 2, 1e-200, POINT)
    entries, _ = entries_of(np.exp(point), point=point)
    weights = entries.probe.directions
    weights = replace(weights, segments=segments_of([POINT.shape], rounding=1e-6))
    entries = replace(entries, probe=replace(entries.probe, directions=weights))
    assert (entries.allowed(1, np.ones(1)) <= 1e-6 * np.exp(point).max()).all()


def test_slight_error_is_swept() -> None:
    """It is known then as well as a ladder knows it."""
    entries, counted = entries_of(off(7, 1e-5))
    found = entries.measure(7)
    assert counted.calls > 40
    assert found.bound[0, 0] < 1e-8
    assert entries.errors(7, found) == pytest.approx([1e-5 * TRUE[7]], rel=1e-3)
    assert (entries.probe.function.point == POINT).all()


@pytest.mark.parametrize(("error", "bound"), [(5e-4, 1e-7), (6e-4, 8e-5)])
def test_expected_error_is_clear_where_it_is_just_that(error: float, bound: float) -> None:
    """Two measurements that know nothing of each other agree: no sweep."""
    entries, counted = entries_of(off(7, 5e-4))
    found = entries.measure(7, Expected(0, error * TRUE[7], bound * abs(TRUE[7])))
    assert counted.calls == 2
    assert entries.errors(7, found) == pytest.approx([5e-4 * TRUE[7]], rel=0.1)


@pytest.mark.parametrize(("error", "bound"), [(6e-4, 1e-7), (-5e-4, 1e-7), (5e-4, 1e-3)])
def test_error_that_was_not_expected_is_swept(error: float, bound: float) -> None:
    """And so is one of which too little is known beforehand."""
    entries, counted = entries_of(off(7, 5e-4))
    entries.measure(7, Expected(0, error * TRUE[7], bound))
    assert counted.calls > 40


def test_every_output_must_be_clear() -> None:
    """A sweep of the coordinate tells of them all."""
    claim = np.stack([off(7, 0.1), off(7, 1e-5)], axis=1)
    entries, counted = entries_of(claim, lambda x: [np.exp(x).sum(), np.exp(x).sum()])
    found = entries.measure(7, Expected(0, 0.1 * TRUE[7], 1e-7))
    assert counted.calls > 40
    assert entries.errors(7, found) == pytest.approx(np.array([0.1, 1e-5]) * TRUE[7], rel=1e-3)
    assert entries.claim(7).tolist() == claim[7].tolist()


def measured(value: float, bound: float) -> Measurement:
    """Return a measurement of one output."""
    found = Measurement.blank(1, 1)
    found.value[:], found.bound[:] = value, bound
    return found


@pytest.mark.parametrize(
    ("value", "bound", "error"),
    [
        (0.9, 0.049, 0.1),
        (1.1, 0.049, -0.1),
        (0.9, 0.051, 0.0),
        (1 - 9e-7, 0.0, 0.0),
        (1 - 2e-6, 0.0, 2e-6),
        (0.9, np.inf, 0.0),
    ],
)
def test_claim_is_off_beyond_two_bounds_and_agreement(
    value: float, bound: float, error: float
) -> None:
    """Too much claimed is positive; where nothing is known it may be right."""
    entries, _ = entries_of(np.ones(20))
    errors = entries.errors(3, measured(value, bound))
    assert errors == pytest.approx([error], rel=1e-6)


@pytest.mark.parametrize(("claim", "off"), [(-1.0, 0), (0.3, 0), (1.0, 0), (1.1, 1), (-1.1, 1)])
def test_subgradient_at_a_kink_is_right(claim: float, off: int) -> None:
    """Any value between the slopes to both sides is."""
    entries, _ = entries_of([claim], lambda x: np.abs(x).sum(), np.zeros(1))
    found = entries.measure(0)
    assert found.status[0, 0] == Status.KINK or off
    found.set_kink(0, 0, (-1.0, 1.0))
    assert np.count_nonzero(entries.errors(0, found)) == off
