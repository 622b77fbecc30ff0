"""How large claims are, and how far segments are moved."""

# MERGED How far claims make sense.
# MERGED How far coordinates are moved, and by which step.

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_gradcheck.binding.backward.claims import DenseClaim
from pytest_gradcheck.numerics.function import Function
from pytest_gradcheck.numerics.measurement import EPS
from pytest_gradcheck.numerics.screening.directional_step_size import (
    ClaimMagnitudes,
    StepPlan,
    output_extents,
    plan_steps,
    point_rounding,
    scale_limits,
)
from pytest_gradcheck.numerics.step_size import Scales
from tests.numerics.functions import Counted, Floats
from tests.numerics.screening.builders import FEW, Shapes, direction_of, segments_of


def profile_of(claim: Floats, point: Floats, shapes: Shapes) -> ClaimMagnitudes:
    """Look at claims."""
    segments = segments_of(shapes)
    scales = Scales.of(point, [(s.start, s.stop) for s in segments])
    rng = np.random.default_rng(0)
    return ClaimMagnitudes.of(DenseClaim(claim.reshape(point.size, -1)), segments, scales, rng)


def test_claims_are_seen_in_units_of_outputs() -> None:
    """Times the scale of their coordinate."""
    claim = np.array([1.0, -2.0, 0.0, 4.0, 10.0])
    profile = profile_of(claim, np.array([1.0, 2.0, 3.0, -0.5, 100.0]), [(2, 2), (1,)])
    assert profile.median.ravel().tolist() == [2.0, 1000.0]
    assert profile.norm.ravel() == pytest.approx([np.sqrt(1 + 16 + 4), 1000.0])
    assert profile.total.ravel() == pytest.approx([7.0, 1000.0])
    assert profile.largest.tolist() == [1000.0]
    assert profile_of(claim[:4], np.ones(4), [(2, 2)]).largest.tolist() == [4.0]


def test_output_that_nothing_moves_has_no_typical_claim() -> None:
    """It does not hide what is typical of the others."""
    claim = np.array([[3.0, 0.0], [3.0, 0.0]])
    profile = profile_of(claim, np.ones(2), [(2,)])
    assert profile.median.tolist() == [[3.0, 0.0]]
    assert profile.largest.tolist() == [3.0, 0.0]


def test_large_segment_is_known_by_a_sample() -> None:
    """Norm and sum are those of all its coordinates, not of the sample."""
    claim = np.where(np.arange(5000) < 2500, 1.0, 0.0)
    profile = profile_of(claim, np.ones(5000), [(5000,)])
    assert profile.median.tolist() == [[1.0]]
    assert profile.norm[0, 0] == pytest.approx(np.sqrt(2500), rel=0.1)
    assert profile.total[0, 0] == pytest.approx(2500, rel=0.1)


def test_bias_that_shows_little_is_moved_further() -> None:
    """Until its typical claim shows like that of the weights beside it."""
    claim = np.concatenate([np.full(400, 1.0), np.full(2, 0.1)])
    profile = profile_of(claim, np.ones(402), [(20, 20), (2,)])
    assert profile.gains() == pytest.approx([1.0, 10.0])


def test_no_segment_is_moved_more_than_thirtyfold() -> None:
    """However little it shows."""
    claim = np.concatenate([np.full(400, 1.0), np.full(2, 1e-6)])
    assert profile_of(claim, np.ones(402), [(20, 20), (2,)]).gains() == pytest.approx([1.0, 30.0])


def test_segment_that_claims_nothing_is_left_where_it_is() -> None:
    """There is nothing to be shown."""
    claim = np.concatenate([np.full(400, 1.0), np.zeros(2)])
    assert profile_of(claim, np.ones(402), [(20, 20), (2,)]).gains().tolist() == [1.0, 1.0]
    assert profile_of(0 * claim, np.ones(402), [(20, 20), (2,)]).gains().tolist() == [1.0, 1.0]


@FEW
@given(st.lists(st.tuples(st.integers(1, 30), st.floats(1e-9, 1e9)), min_size=1, max_size=5))
def test_moving_further_costs_little(parts: list[tuple[int, float]]) -> None:
    """A segment that is moved further changes outputs by a third of the whole at most."""
    claim = np.concatenate([np.full(size, value) for size, value in parts])
    profile = profile_of(claim, np.ones(claim.size), [(size,) for size, _ in parts])
    lifts, norm = profile.gains(), profile.norm[:, 0]
    assert ((lifts >= 1) & (lifts <= 30)).all()
    moved = lifts > 1
    assert (lifts[moved] * norm[moved] <= np.linalg.norm(norm) / 3 * (1 + 1e-12)).all()


@pytest.mark.parametrize(("claimed", "lift"), [(1.0, 4.0), (2.0, 2.0), (1e-2, 30.0)])
def test_segments_promise_nearly_the_same_where_rounding_hides_errors(
    claimed: float, lift: float
) -> None:
    """That of a segment of 64 times as many coordinates is twice as large, whatever it claims."""
    claim = np.concatenate([np.full(640, 1.0), np.full(10, claimed)])
    profile = profile_of(claim, np.ones(650), [(640,), (10,)])
    lifts = profile.gains_where_rounded(segments_of([(640,), (10,)]))
    assert lifts == pytest.approx([1.0, lift])


def test_segment_that_claims_nothing_is_moved_like_the_one_that_claims_most() -> None:
    """Or like all others, where none claims anything."""
    claim = np.concatenate([np.full(400, 1.0), np.zeros(400)])
    segments = segments_of([(20, 20), (400,)])
    profile = profile_of(claim, np.ones(800), [(20, 20), (400,)])
    assert profile.gains_where_rounded(segments).tolist() == [1.0, 1.0]
    nothing = profile_of(0 * claim, np.ones(800), [(20, 20), (400,)])
    assert nothing.gains_where_rounded(segments).tolist() == [1.0, 1.0]


def test_output_extends_over_its_magnitude_or_less() -> None:
    """An offset is no extent; what it varies by is."""
    away = np.array([[1.5, 1e6 + 0.2, 50.0], [0.8, 1e6 - 0.3, 40.0]])
    found = output_extents(away, np.array([1.0, 1e6, -2.0]))
    assert found == pytest.approx([0.5, 0.3, 2.0])


def test_output_that_is_zero_by_chance_extends_over_a_share_of_what_it_varies_by() -> None:
    """Nothing could be moved otherwise."""
    assert output_extents(np.array([[1.0]]), np.zeros(1)) == pytest.approx([1.5e-8], rel=0.01)


def test_output_that_is_not_seen_to_vary_extends_over_its_magnitude() -> None:
    """Nor where all that is seen is rounding, or nothing."""
    away = np.array([[3.0, 3.0 + 8 * EPS, np.nan], [3.0, 3.0, np.inf]])
    assert output_extents(away, np.full(3, 3.0)).tolist() == [3.0, 3.0, 3.0]


@FEW
@given(st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
def test_claim_reaches_as_far_as_ten_times_the_extent(claim: float, extent: float) -> None:
    """Of either sign."""
    claims = DenseClaim(np.array([[claim], [-claim]]))
    found = scale_limits(claims, np.zeros(2), np.array([extent]))
    assert found == pytest.approx([10 * extent / claim] * 2)


def test_claims_of_zero_reach_anywhere() -> None:
    """They say nothing, nor do those about an output that extends over nothing."""
    claims = DenseClaim(np.array([[0.0, 0.0], [0.0, 5.0]]))
    assert np.isinf(scale_limits(claims, np.ones(2), np.array([1.0, 0.0]))).all()


def test_reach_is_that_of_the_median_output() -> None:
    """Of those that claims are about: one that is zero by chance has no say among many."""
    claims = DenseClaim(np.array([[1.0, 2.0, 4.0, 0.0], [0.0, 0.0, 8.0, 0.0]]))
    assert scale_limits(claims, np.zeros(2), np.ones(4)).tolist() == [5.0, 1.25]


def test_no_reach_is_so_short_that_no_numbers_lie_in_it() -> None:
    """Steps of a claim that is far too large would lead nowhere."""
    claims = DenseClaim(np.array([[1e30], [1e30]]))
    found = scale_limits(claims, np.array([-1e6, 0.0]), np.ones(1))
    assert found == pytest.approx([0.1, 1e-29])


def test_grain_is_the_rounding_of_the_coordinate_that_is_moved_least() -> None:
    """In units of how far it is moved; of others it is that of a number."""
    point = np.array([1.0, 1e6])
    assert point_rounding(point, None) == EPS
    assert point_rounding(point, np.array([np.inf, np.inf])) == EPS
    assert point_rounding(point, np.array([0.5, 10.0])) == pytest.approx(1e5 * EPS)


SHAPES: Shapes = [(20, 32), (10,)]
SIZE = 650
POINT = np.ones(SIZE)
CLAIM = np.concatenate([np.full(640, 1.0), np.full(10, 0.5)])
EPS32 = 8 * float(np.finfo(np.float32).eps)


def aimed(
    *, rounding: float = 0.0, noise: float = 1e-12, claim: Floats = CLAIM, base: float = 100.0
) -> StepPlan:
    """Aim at a function of so much noise, claims about which are rounded."""
    segments = segments_of(SHAPES, rounding)
    scales = Scales.of(POINT, [(s.start, s.stop) for s in segments])
    counted = Counted(lambda x: float(x.sum()))
    at, noises = np.full(1, base), np.full(1, noise)
    function = Function(counted, POINT, at, noises, np.zeros(1), scales)
    claims = DenseClaim(claim[:, None])
    return plan_steps(function, claims, segments, here=POINT, seed=0, rng=np.random.default_rng(0))


def test_change_and_tolerance_are_of_what_is_moved_further() -> None:
    """The likely change adds up in squares, that of claims of one sign in sums."""
    found = aimed()
    assert found.probe.directions.gains.tolist() == [1.0, 2.0]
    assert found.smallest_weights.tolist() == [0.5, 1.0]
    assert found.expected_change() == pytest.approx([np.sqrt(640 + 10)])
    assert found.expected_change([1]) == pytest.approx([np.sqrt(10)])
    assert found.total_change == pytest.approx([650.0])
    assert found.probe.function.sizes == pytest.approx(found.expected_change())


def test_nothing_claimed_leaves_the_size_of_the_output() -> None:
    """There is no better guess."""
    assert aimed(claim=0 * CLAIM).probe.function.sizes.tolist() == [100.0]


def test_step_balances_noise_where_that_hides_errors() -> None:
    """It is larger for what changes less."""
    found = aimed(rounding=1e-15)
    assert not found.is_rounding_dominated
    assert 1e-6 < found.step() < found.step([1]) < 1e-2
    assert found.expected_bound([1]) == pytest.approx([4e-12 / found.step([1])], rel=1e-2)


def test_rounding_that_hides_errors_asks_for_smaller_steps() -> None:
    """Noise is a small share of it still; nothing is gained by going further."""
    found, plain = aimed(rounding=EPS32), aimed()
    assert found.is_rounding_dominated
    rounding = np.linalg.norm(found.probe.roundings)
    assert 4e-12 / found.step() == pytest.approx(0.03 * rounding)
    assert found.step() < plain.step()
    assert found.expected_bound(slice(None)) == pytest.approx([1.03 * rounding])


def test_small_segments_promise_less_where_rounding_hides_errors() -> None:
    """By themselves they show as well, and hide less of the others."""
    weights = aimed(rounding=EPS32).probe.directions
    assert weights.gains == pytest.approx([1.0, 8.0])


def test_noise_that_is_not_known_yet_hides_errors() -> None:
    """Segments are moved as is natural until it is."""
    found = aimed(rounding=EPS32, noise=0.0)
    assert found.probe.directions.gains.tolist() == [1.0, 2.0]


def test_coordinates_are_held_where_they_are() -> None:
    """No direction moves them."""
    held = np.array([3, 645])
    direction = direction_of(aimed().fixing(held).probe, 1)
    assert np.flatnonzero(direction == 0).tolist() == [3, 645]
