"""Coordinates that show little one by one."""

import numpy as np
import pytest

from pytest_gradcheck.numerics.coordinatewise.block_differences import Block
from pytest_gradcheck.numerics.coordinatewise.noisy_coordinates import (
    bound_jointly,
    measure_with_wider_steps,
)
from pytest_gradcheck.numerics.measurement import Measurement
from tests.numerics.functions import Counted, Floats, function_at

POINT = np.random.default_rng(1).normal(size=6)
INDICES = np.array([1, 3, 4])


def bounds(counted: Counted, point: Floats = POINT) -> Floats:
    """Bound three of six coordinates together; the point is left as it is."""
    function = function_at(counted, point.copy())
    counted.calls = 0
    bound = bound_jointly(function, INDICES, np.zeros((3, 1)), np.random.default_rng(0))
    assert (function.point == point).all()
    assert counted.calls in (6, 12)
    return np.asarray(bound[:, 0] * np.abs(point[INDICES]))


def test_coordinates_that_do_nothing_are_bounded_by_the_noise_of_far_steps() -> None:
    """In units of their scales, a few hundred roundings of the value."""
    found = bounds(Counted(lambda x: np.exp(x[0] + x[2]) + 3))
    assert (found < 1e-12).all()


def test_a_single_small_derivative_among_them_shows() -> None:
    """The bound is never below what one of them does."""
    found = bounds(Counted(lambda x: np.exp(x[0]) + 1e-9 * x[3]))
    assert found[1] > 1e-9 * abs(POINT[3])


def test_units_that_would_be_switched_on_far_away_stay_off_nearby() -> None:
    """A rectifier a fifth away is passed by the farthest of the three steps only."""
    threshold = np.abs(POINT) * 1.2
    found = bounds(Counted(lambda x: np.maximum(np.abs(x) - threshold, 0)[INDICES].sum() + 3))
    assert (found < 1e-11).all()


def test_undefined_far_away_is_no_obstacle() -> None:
    """Steps that leave the domain say nothing; the others do."""
    found = bounds(Counted(lambda x: np.where(abs(x[1] / POINT[1] - 1) < 0.2, 2.0, np.nan)))
    assert np.isfinite(found).all()
    assert (found < 1e-11).all()


def test_claims_that_are_right_are_verified_though_they_are_small() -> None:
    """Small derivatives beside a large value, curved as they may be."""
    function = function_at(Counted(lambda x: 1e3 + 1e-6 * np.sum(x**4)), POINT.copy())
    claim = 4e-6 * POINT[INDICES, None] ** 3
    right = bound_jointly(function, INDICES, claim, np.random.default_rng(0))[:, 0]
    assert (right * np.abs(POINT[INDICES]) < 1e-10).all()
    claim[1] *= 1.01
    wrong = bound_jointly(function, INDICES, claim, np.random.default_rng(0))[:, 0]
    assert wrong[1] > abs(claim[1, 0]) / 102


@pytest.mark.parametrize(("factor", "decided"), [(1.0, True), (2.0, False)])
def test_wider_steps_decide_what_noise_hides(factor: float, decided: bool) -> None:
    """A coordinate of 1e-6 whose scale is 1: its own size is no step to measure it with."""
    point = np.array([1e-6, 1.0])
    function = function_at(Counted(lambda x: 1e3 + x[0] + np.sin(x[1])), point)
    scale, found = function.scales.own(np.array([0])), Measurement.blank(2, 1)
    found.bound[:] = np.inf
    meaningful = function.scales.meaningful(np.array([0]))
    block = Block(function, np.array([0]), np.array([[factor]]), scale, meaningful, 1e-6, found)
    step, negligible = np.array([1e-11]), np.array([False])
    with np.errstate(all="ignore"):
        excess, scale = measure_with_wider_steps(block, step, negligible)
    assert (excess == 0).item() is decided
    assert scale.item() > 1e-6 or decided
    assert found.bound[0, 0] < 1e-3 or not decided
