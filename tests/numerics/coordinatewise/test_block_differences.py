"""A block of coordinates, measured by central pairs."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck.numerics.central_difference import measure_pairs
from pytest_gradcheck.numerics.coordinatewise.block_differences import (
    Block,
    NoiseDominated,
    PairResult,
    extrapolate_pairs,
    measure_by_pairs,
)
from pytest_gradcheck.numerics.measurement import Floats, Measurement, Status
from tests.numerics.functions import Counted, function_at

POINT = np.array([0.8, -0.5, 1.3])


def block_of(function: Callable[[Floats], Any], claim: Floats, point: Floats = POINT) -> Block:
    """Return a block of all coordinates of a scalar function."""
    at_point = function_at(Counted(function), point.copy())
    scale = at_point.scales.own(slice(None))
    found = Measurement.blank(point.size, 1)
    indices = np.arange(point.size)
    return Block(at_point, indices, np.reshape(claim, (-1, 1)), scale, scale, 1e-6, found)


def measured(block: Block) -> tuple[PairResult, int]:
    """Measure a block by pairs, and count the evaluations."""
    counted = block.function.evaluate
    assert isinstance(counted, Counted)
    counted.calls = 0
    with np.errstate(all="ignore"):
        return measure_by_pairs(block), counted.calls


def test_a_right_claim_is_decided_by_one_pair_a_coordinate() -> None:
    """Nothing is left, and the bounds hold."""
    block = block_of(lambda x: np.sin(x).sum(), np.cos(POINT))
    result, calls = measured(block)
    assert calls == 2 * POINT.size
    assert not result.is_open(block.indices).any()
    error = np.abs(block.found.value[:, 0] - np.cos(POINT))
    assert (error <= block.found.bound[:, 0]).all()


def test_a_wrong_claim_is_measured_by_a_narrower_pair_and_left_open() -> None:
    """It alone, and its excess is the larger the more certain it is."""
    claim = np.cos(POINT) * np.array([1.0, 1.01, 1.0])
    block = block_of(lambda x: np.sin(x).sum(), claim)
    result, calls = measured(block)
    assert calls == 2 * POINT.size + 2
    assert (result.excess > 0).tolist() == [False, True, False]
    assert result.excess[1] > 1e3
    assert result.differs.tolist() == [False, True, False]
    assert block.found.status[1, 0] == Status.UNREFINED


def test_curvature_is_extrapolated_away() -> None:
    """A second pair decides what the first could not."""
    block = block_of(lambda x: np.sin(1e3 * x).sum(), 1e3 * np.cos(1e3 * POINT))
    result, calls = measured(block)
    assert 2 * POINT.size < calls <= 4 * POINT.size
    assert not result.excess.any()


def test_extrapolated_pairs_have_no_error_of_second_order() -> None:
    """The error of the smaller step is divided by far more than sixteen."""
    block = block_of(lambda x: np.sin(x).sum(), np.cos(POINT))
    first = measure_pairs(block.function, block.indices, np.full(3, 1e-1))
    both = extrapolate_pairs(block, first)
    error = np.abs(both.value[:, 0] - np.cos(POINT))
    plain = np.abs(both.second.value[:, 0] - np.cos(POINT))
    assert both.second.step == pytest.approx(first.step / 4)
    assert (error < plain / 100).all()
    assert (error <= both.spread[:, 0]).all()


def test_a_kink_is_stored_with_the_slopes_to_both_sides() -> None:
    """The bend is the same at both steps."""
    block = block_of(lambda x: np.abs(x - POINT).sum(), np.full(3, 0.7))
    measured(block)
    low, high = block.found.kinks[0, 0]
    assert low == pytest.approx(-1.0)
    assert high == pytest.approx(1.0)


def test_the_edge_of_a_domain_is_measured_from_inside() -> None:
    """By slopes at a step and at half of it: one evaluation more a coordinate."""
    block = block_of(lambda x: np.where(x <= POINT, np.exp(x), np.nan).sum(), np.exp(POINT))
    result, calls = measured(block)
    assert calls == 3 * POINT.size
    assert (block.found.status == Status.EDGE).all()
    assert not result.excess.any()


def test_coordinates_that_noise_hides_are_returned() -> None:
    """A claim of 1e-12 beside an output of 1e3 agrees, and nothing shows it."""
    claim = np.array([1e-12, *np.cos(POINT[1:])])
    block = block_of(lambda x: 1e3 + 1e-12 * x[0] + np.sin(x[1:]).sum(), claim)
    result, _ = measured(block)
    assert result.noise_dominated.indices.tolist() == [0]
    assert result.noise_dominated.negligible.tolist() == [True]
    assert result.is_open(block.indices).tolist() == [True, False, False]


def test_a_claim_of_zero_that_nothing_contradicts_is_unchanged() -> None:
    """The output does not move by a bit."""
    block = block_of(lambda x: 3.0 + 0 * x[0], np.zeros(3))
    measured(block)
    assert (block.found.status == Status.UNCHANGED).all()


def test_what_is_decided_elsewhere_is_taken_out() -> None:
    """Of the excess, of what differs and of what noise hides."""
    dominated = NoiseDominated(np.array([4, 6]), np.ones(2), np.array([False, True]))
    result = PairResult(np.array([1.0, 0.0, 0.0]), np.array([True, False, False]), dominated)
    rest = result.without(np.array([2, 4, 6]), np.array([True, False, True]))
    assert rest.excess.tolist() == [0, 0, 0]
    assert rest.differs.tolist() == [False, False, False]
    assert rest.noise_dominated.indices.tolist() == [4]
