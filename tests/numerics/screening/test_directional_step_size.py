"""Step sizes along directions: magnitudes of claims, gains, limits of scales and steps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_gradcheck.binding.backward.claims import DenseClaim
from pytest_gradcheck.numerics.coordinate_scales import Scales
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
from tests.numerics.functions import Counted, Floats
from tests.numerics.screening.builders import FEW_EXAMPLES, Shapes, draw_direction, segments_of


def magnitudes_of(claim: Floats, point: Floats, shapes: Shapes) -> ClaimMagnitudes:
    """Return the magnitudes of claims."""
    segments = segments_of(shapes)
    scales = Scales.of(point, [(s.start, s.stop) for s in segments])
    rng = np.random.default_rng(0)
    return ClaimMagnitudes.of(DenseClaim(claim.reshape(point.size, -1)), segments, scales, rng)


def test_magnitudes_are_in_units_of_outputs() -> None:
    """Each claim counts times the scale of its coordinate."""
    claim = np.array([1.0, -2.0, 0.0, 4.0, 10.0])
    magnitudes = magnitudes_of(claim, np.array([1.0, 2.0, 3.0, -0.5, 100.0]), [(2, 2), (1,)])
    assert magnitudes.median.ravel().tolist() == [2.0, 1000.0]
    assert magnitudes.norm.ravel() == pytest.approx([np.sqrt(1 + 16 + 4), 1000.0])
    assert magnitudes.total.ravel() == pytest.approx([7.0, 1000.0])
    assert magnitudes.largest.tolist() == [1000.0]
    assert magnitudes_of(claim[:4], np.ones(4), [(2, 2)]).largest.tolist() == [4.0]


def test_output_without_claims_has_no_typical_claim() -> None:
    """The typical claims about other outputs stay what they are."""
    claim = np.array([[3.0, 0.0], [3.0, 0.0]])
    magnitudes = magnitudes_of(claim, np.ones(2), [(2,)])
    assert magnitudes.median.tolist() == [[3.0, 0.0]]
    assert magnitudes.largest.tolist() == [3.0, 0.0]


def test_large_segment_is_sampled() -> None:
    """Norm and sum are those of all its coordinates, not of the sample."""
    claim = np.where(np.arange(5000) < 2500, 1.0, 0.0)
    magnitudes = magnitudes_of(claim, np.ones(5000), [(5000,)])
    assert magnitudes.median.tolist() == [[1.0]]
    assert magnitudes.norm[0, 0] == pytest.approx(np.sqrt(2500), rel=0.1)
    assert magnitudes.total[0, 0] == pytest.approx(2500, rel=0.1)


def test_bias_with_small_claims_gets_a_gain() -> None:
    """Its typical claim becomes as visible as that of the weight matrix."""
    claim = np.concatenate([np.full(400, 1.0), np.full(2, 0.1)])
    magnitudes = magnitudes_of(claim, np.ones(402), [(20, 20), (2,)])
    assert magnitudes.gains() == pytest.approx([1.0, 10.0])


def test_gain_is_at_most_thirty() -> None:
    """That holds however small the claims are."""
    claim = np.concatenate([np.full(400, 1.0), np.full(2, 1e-6)])
    assert magnitudes_of(claim, np.ones(402), [(20, 20), (2,)]).gains() == pytest.approx(
        [1.0, 30.0]
    )


def test_segment_without_claims_gets_no_gain() -> None:
    """No error of a typical claim could become visible."""
    claim = np.concatenate([np.full(400, 1.0), np.zeros(2)])
    assert magnitudes_of(claim, np.ones(402), [(20, 20), (2,)]).gains().tolist() == [1.0, 1.0]
    assert magnitudes_of(0 * claim, np.ones(402), [(20, 20), (2,)]).gains().tolist() == [1.0, 1.0]


@FEW_EXAMPLES
@given(st.lists(st.tuples(st.integers(1, 30), st.floats(1e-9, 1e9)), min_size=1, max_size=5))
def test_gain_keeps_the_share_of_a_segment_small(parts: list[tuple[int, float]]) -> None:
    """A segment with a gain changes outputs by at most a third of the whole."""
    claim = np.concatenate([np.full(size, value) for size, value in parts])
    magnitudes = magnitudes_of(claim, np.ones(claim.size), [(size,) for size, _ in parts])
    gains, norm = magnitudes.gains(), magnitudes.norm[:, 0]
    assert ((gains >= 1) & (gains <= 30)).all()
    moved = gains > 1
    assert (gains[moved] * norm[moved] <= np.linalg.norm(norm) / 3 * (1 + 1e-12)).all()


@pytest.mark.parametrize(("claimed", "gain"), [(1.0, 4.0), (2.0, 2.0), (1e-2, 30.0)])
def test_segments_change_outputs_similarly_where_rounding_hides_errors(
    claimed: float, gain: float
) -> None:
    """A segment of 64 times as many coordinates changes them twice as much."""
    claim = np.concatenate([np.full(640, 1.0), np.full(10, claimed)])
    magnitudes = magnitudes_of(claim, np.ones(650), [(640,), (10,)])
    gains = magnitudes.gains_where_rounded(segments_of([(640,), (10,)]))
    assert gains == pytest.approx([1.0, gain])


def test_segment_without_claims_moves_like_the_one_with_the_largest() -> None:
    """All gains are equal where there are no claims at all."""
    claim = np.concatenate([np.full(400, 1.0), np.zeros(400)])
    segments = segments_of([(20, 20), (400,)])
    magnitudes = magnitudes_of(claim, np.ones(800), [(20, 20), (400,)])
    assert magnitudes.gains_where_rounded(segments).tolist() == [1.0, 1.0]
    nothing = magnitudes_of(0 * claim, np.ones(800), [(20, 20), (400,)])
    assert nothing.gains_where_rounded(segments).tolist() == [1.0, 1.0]


def test_extent_is_the_magnitude_or_the_variation() -> None:
    """An offset does not count where the output varies by less."""
    distant = np.array([[1.5, 1e6 + 0.2, 50.0], [0.8, 1e6 - 0.3, 40.0]])
    found = output_extents(distant, np.array([1.0, 1e6, -2.0]))
    assert found == pytest.approx([0.5, 0.3, 2.0])


def test_extent_of_an_output_near_zero_is_a_share_of_its_variation() -> None:
    """Otherwise no coordinate could move."""
    assert output_extents(np.array([[1.0]]), np.zeros(1)) == pytest.approx([1.5e-8], rel=0.01)


def test_extent_of_a_constant_output_is_its_magnitude() -> None:
    """Variation by rounding, or to values that are not finite, does not count."""
    distant = np.array([[3.0, 3.0 + 8 * EPS, np.nan], [3.0, 3.0, np.inf]])
    assert output_extents(distant, np.full(3, 3.0)).tolist() == [3.0, 3.0, 3.0]


@FEW_EXAMPLES
@given(st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
def test_scale_is_limited_to_ten_times_the_extent_over_the_claim(
    claim: float, extent: float
) -> None:
    """The sign of the claim does not matter."""
    claims = DenseClaim(np.array([[claim], [-claim]]))
    found = scale_limits(claims, np.zeros(2), np.array([extent]))
    assert found == pytest.approx([10 * extent / claim] * 2)


def test_claims_of_zero_set_no_limit() -> None:
    """Neither do claims about an output without an extent."""
    claims = DenseClaim(np.array([[0.0, 0.0], [0.0, 5.0]]))
    assert np.isinf(scale_limits(claims, np.ones(2), np.array([1.0, 0.0]))).all()


def test_limit_is_that_of_the_median_output() -> None:
    """Outputs without a claim do not count."""
    claims = DenseClaim(np.array([[1.0, 2.0, 4.0, 0.0], [0.0, 0.0, 8.0, 0.0]]))
    assert scale_limits(claims, np.zeros(2), np.ones(4)).tolist() == [5.0, 1.25]


def test_limit_leaves_room_for_floats_in_between() -> None:
    """Steps of a claim that is far too large would be lost in rounding."""
    claims = DenseClaim(np.array([[1e30], [1e30]]))
    found = scale_limits(claims, np.array([-1e6, 0.0]), np.ones(1))
    assert found == pytest.approx([0.1, 1e-29])


def test_point_rounding_is_that_of_the_coordinate_with_the_largest() -> None:
    """It is relative to the limit of the scale, and at least that of a float."""
    point = np.array([1.0, 1e6])
    assert point_rounding(point, None) == EPS
    assert point_rounding(point, np.array([np.inf, np.inf])) == EPS
    assert point_rounding(point, np.array([0.5, 10.0])) == pytest.approx(1e5 * EPS)


SHAPES: Shapes = [(20, 32), (10,)]
SIZE = 650
POINT = np.ones(SIZE)
CLAIM = np.concatenate([np.full(640, 1.0), np.full(10, 0.5)])
EPS32 = 8 * float(np.finfo(np.float32).eps)


def plan_of(
    *, rounding: float = 0.0, noise: float = 1e-12, claim: Floats = CLAIM, base: float = 100.0
) -> StepPlan:
    """Return the plan for a function with some noise, and claims with some rounding."""
    segments = segments_of(SHAPES, rounding)
    scales = Scales.of(POINT, [(s.start, s.stop) for s in segments])
    counted = Counted(lambda x: float(x.sum()))
    at, noises = np.full(1, base), np.full(1, noise)
    function = Function(counted, POINT, at, noises, np.zeros(1), scales)
    claims = DenseClaim(claim[:, None])
    return plan_steps(function, claims, segments, here=POINT, seed=0, rng=np.random.default_rng(0))


def test_expected_change_adds_in_squares_and_total_change_in_sums() -> None:
    """Both include the gains."""
    found = plan_of()
    assert found.probe.directions.gains.tolist() == [1.0, 2.0]
    assert found.smallest_weights.tolist() == [0.5, 1.0]
    assert found.expected_change() == pytest.approx([np.sqrt(640 + 10)])
    assert found.expected_change([1]) == pytest.approx([np.sqrt(10)])
    assert found.total_change == pytest.approx([650.0])
    assert found.probe.function.sizes == pytest.approx(found.expected_change())


def test_size_of_an_output_without_claims_is_its_magnitude() -> None:
    """There is no better estimate."""
    assert plan_of(claim=0 * CLAIM).probe.function.sizes.tolist() == [100.0]


def test_step_balances_noise_where_noise_hides_errors() -> None:
    """It is larger along directions that change outputs less."""
    found = plan_of(rounding=1e-15)
    assert not found.is_rounding_dominated
    assert 1e-6 < found.step() < found.step([1]) < 1e-2
    assert found.expected_bound([1]) == pytest.approx([4e-12 / found.step([1])], rel=1e-2)


def test_step_is_smaller_where_rounding_hides_errors() -> None:
    """Noise stays a small share of the rounding. Larger steps would show no more."""
    found, plain = plan_of(rounding=EPS32), plan_of()
    assert found.is_rounding_dominated
    rounding = np.linalg.norm(found.probe.roundings)
    assert 4e-12 / found.step() == pytest.approx(0.03 * rounding)
    assert found.step() < plain.step()
    assert found.expected_bound(slice(None)) == pytest.approx([1.03 * rounding])


def test_small_segments_get_a_larger_gain_where_rounding_hides_errors() -> None:
    """Their errors show better, and they hide little of those of others."""
    directions = plan_of(rounding=EPS32).probe.directions
    assert directions.gains == pytest.approx([1.0, 8.0])


def test_gains_are_the_usual_ones_before_the_noise_is_known() -> None:
    """Rounding cannot be compared with it yet."""
    found = plan_of(rounding=EPS32, noise=0.0)
    assert found.probe.directions.gains.tolist() == [1.0, 2.0]


def test_fixed_coordinates_do_not_move() -> None:
    """All others do."""
    fixed = np.array([3, 645])
    direction = draw_direction(plan_of().fixing(fixed).probe, 1)
    assert np.flatnonzero(direction == 0).tolist() == [3, 645]
