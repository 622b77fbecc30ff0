"""Looking along a direction until what is seen stands."""

# MERGED Claim and measurement along a direction.

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_gradcheck.numerics.measurement import Status
from pytest_gradcheck.numerics.screening.direction_weights import Code, by_coordinate
from pytest_gradcheck.numerics.screening.directional_derivative import (
    DirectionalDerivative,
    DirectionalDifference,
    DirectionProbe,
    directional_derivative,
    refine_difference,
    remeasure_by_pair,
    with_truncation_of,
)
from pytest_gradcheck.numerics.screening.subarrays import Box, whole_region
from tests.numerics.functions import Floats
from tests.numerics.screening.builders import (
    FEW_EXAMPLES,
    draw_direction,
    linear,
    probe_of,
    segments_of,
)

PROJECTION_RNG = np.random.default_rng(1)
POINT, SLOPES = PROJECTION_RNG.normal(size=30), PROJECTION_RNG.normal(size=30)
SHAPES = [(4, 5), (10,)]
EVERYTHING = whole_region(segments_of(SHAPES))


def test_right_claims_are_what_is_measured() -> None:
    """By two evaluations, neither of them at the point."""
    probe, counted = probe_of(linear(SLOPES), SLOPES, POINT, SHAPES)
    seen = probe.difference(1, EVERYTHING, 1e-3)
    true = draw_direction(probe, 1) @ SLOPES
    assert counted.calls == 2
    assert (seen.step, seen.claimed[0]) == (1e-3, pytest.approx(true, rel=1e-9))
    assert seen.measured == pytest.approx([true], rel=1e-9)
    assert np.abs(seen.bend) < 1e-9


@FEW_EXAMPLES
@given(st.integers(0, 29), st.floats(-10, 10))
def test_residual_is_the_error_times_its_weight(coordinate: int, error: float) -> None:
    """Too much claimed is positive."""
    claim = SLOPES.copy()
    claim[coordinate] += error
    probe, _ = probe_of(linear(SLOPES), claim, POINT, SHAPES)
    seen = probe.difference(2, EVERYTHING, 1e-3)
    weight = probe.directions.weight(2, coordinate)
    assert seen.residual == pytest.approx([error * weight], abs=1e-9)


def test_point_is_left_as_it_is() -> None:
    """To the last bit; what is evaluated is another vector."""
    probe, _ = probe_of(lambda x: np.sin(x).sum(), SLOPES, POINT, SHAPES)
    probe.difference(1, EVERYTHING, 0.1)
    probe.table(1, EVERYTHING, 0.1, 2)
    assert (probe.function.point == POINT).all()


def test_only_the_region_moves() -> None:
    """Coordinates outside of it stay where they are."""
    probe, _ = probe_of(lambda x: x, np.eye(30), POINT, SHAPES)
    seen = probe.difference(1, (Box(segments_of(SHAPES)[0], ((1, 3), (0, 2))),), 1e-3)
    assert np.flatnonzero(seen.measured).tolist() == [5, 6, 10, 11]
    assert np.flatnonzero(seen.claimed).tolist() == [5, 6, 10, 11]


def test_coded_coordinates_move_further() -> None:
    """By the factor of their digit."""
    probe, _ = probe_of(lambda x: x, np.eye(30), POINT, SHAPES)
    seen = probe.difference(1, EVERYTHING, 1e-3, Code(by_coordinate, 1, 30))
    expected = draw_direction(probe, 1) * (1 + np.arange(30) / 30)
    assert seen.measured == pytest.approx(expected, rel=1e-9)
    assert seen.claimed == pytest.approx(expected, rel=1e-9)


def test_bend_is_how_much_the_slope_to_the_right_exceeds_that_to_the_left() -> None:
    """That of a sum of squares is twice the step times the squared length."""
    probe, _ = probe_of(lambda x: (x**2).sum(), 2 * POINT, POINT, SHAPES)
    seen = probe.difference(1, EVERYTHING, 1e-3)
    direction = draw_direction(probe, 1)
    assert seen.bend == pytest.approx([2e-3 * direction @ direction], rel=1e-6)
    assert seen.residual == pytest.approx([0], abs=1e-9)


def test_noise_is_that_of_two_values_over_the_step() -> None:
    """With a factor two of room."""
    probe, _ = probe_of(linear(SLOPES), SLOPES, POINT, SHAPES, noise=1e-10)
    assert probe.difference(1, EVERYTHING, 1e-3).noise == pytest.approx([4e-7])


def test_rounding_of_claims_adds_to_the_noise_by_the_root_of_their_share() -> None:
    """Roundings are independent: half as many coordinates, and both segments, in squares."""
    probe, _ = probe_of(linear(SLOPES), SLOPES, POINT, SHAPES, noise=0.0)
    probe = replace(probe, roundings=np.array([[3e-8], [4e-8]]))
    first, second = segments_of(SHAPES)
    noise = [
        probe.difference(1, region, 1e-3).noise.item()
        for region in (EVERYTHING, (second.box(),), (Box(first, ((0, 1), (0, 5))),))
    ]
    assert noise == pytest.approx([5e-8, 4e-8, 1.5e-8])


def test_claims_are_taken_over_the_way_that_was_really_gone() -> None:
    """A step that rounding of the point makes much longer is no error of the claim."""
    probe, _ = probe_of(lambda x: x[0] - 1e8, [1.0], np.array([1e8]))
    seen = probe.difference(1, EVERYTHING_OF_ONE, 1e-15)
    weight = probe.directions.weight(1, 0)
    assert seen.residual == 0
    assert seen.claimed[0] != pytest.approx(weight, rel=1e-3)


EVERYTHING_OF_ONE = whole_region(segments_of([(1,)]))


def test_way_back_is_the_mirror_image() -> None:
    """Steps to both sides differ by rounding alone."""
    probe, _ = probe_of(lambda x: x - POINT, np.eye(30), POINT, SHAPES)
    values, _ = probe.table(1, EVERYTHING, 1e-3, 1)
    assert values[0] == pytest.approx(-values[2], rel=1e-9)


def test_table_is_from_left_to_right() -> None:
    """With the point in the middle, and the change that is claimed from one to the next."""
    probe, counted = probe_of(linear(SLOPES), 2 * SLOPES, POINT, SHAPES)
    values, claimed = probe.table(1, EVERYTHING, 0.1, 3)
    true = draw_direction(probe, 1) @ SLOPES * 0.1
    assert counted.calls == 6
    assert values[:, 0] - POINT @ SLOPES == pytest.approx(true * np.arange(-3, 4), rel=1e-9)
    assert claimed == pytest.approx([2 * true], rel=1e-9)


def test_places_of_a_table_are_equally_far_apart_to_the_last_digit() -> None:
    """Or a steep function would look noisy far out, where numbers are far apart."""
    probe, _ = probe_of(lambda x: x[0] - 1e8, [1.0], np.array([1e8]))
    values, claimed = probe.table(1, EVERYTHING_OF_ONE, 1e-13, 3)
    assert claimed[0] != 0
    assert (np.diff(values[:, 0]) == claimed[0]).all()


def test_claims_of_each_segment_are_told_apart() -> None:
    """Without an evaluation, and for each output."""
    matrix = PROJECTION_RNG.normal(size=(30, 2))
    probe, counted = probe_of(lambda x: x @ matrix, matrix, POINT, SHAPES)
    direction = draw_direction(probe, 1)
    claimed = probe.claimed(1)
    assert claimed == pytest.approx(
        np.stack([direction[:20] @ matrix[:20], direction[20:] @ matrix[20:]])
    )
    assert counted.calls == 0


def test_many_coordinates_are_gone_along_by_blocks() -> None:
    """As far in the last block as in the first."""
    point = np.ones((1 << 17) + 5)
    probe, _ = probe_of(lambda x: x.sum(), point, point, noise=1e-10)
    seen = probe.difference(1, whole_region(probe.directions.segments), 1e-3)
    true = draw_direction(probe, 1).sum()
    assert seen.claimed == pytest.approx([true], abs=1e-6)
    assert seen.measured == pytest.approx([true], abs=1e-6)
    assert probe.claimed(1) == pytest.approx(np.array([[true]]))


def test_direction_is_gone_along_for_whoever_asks() -> None:
    """Over the region, an evaluation for each step."""
    probe, counted = probe_of(lambda x: x, np.eye(30), POINT, SHAPES)
    outputs = probe.at(1, EVERYTHING[1:], np.array([0.5, -2.0]))
    direction = draw_direction(probe, 1)
    direction[:20] = 0
    assert outputs.tolist() == [(POINT + s * direction).tolist() for s in (0.5, -2.0)]
    assert counted.calls == 2


RNG = np.random.default_rng(1)
POINT, SLOPES = RNG.normal(size=30), RNG.normal(size=30)

PAIR = DirectionalDifference(
    1e-3, np.array([7.0]), np.array([4.0]), np.array([0.0]), np.array([1e-6])
)


def look(
    function: Callable[[Floats], Any],
    claim: Any,
    point: Floats = POINT,
    *,
    step: float = 1e-3,
    noise: float | None = None,
) -> tuple[DirectionalDerivative, int, DirectionProbe]:
    """Look along direction 1; return what was seen, the calls, and the probe."""
    probe, counted = probe_of(function, claim, point, noise=noise)
    seen = directional_derivative(probe, 1, whole_region(probe.directions.segments), step)
    assert (probe.function.point == point).all()
    return seen, counted.calls, probe


def seen_as(
    claimed: float, measured: float, bound: float, status: Status
) -> DirectionalDerivative:
    """Return a sight of one output."""
    return DirectionalDerivative(
        1,
        1e-3,
        np.array([claimed]),
        np.array([measured]),
        np.array([bound]),
        np.array([0.0]),
        np.array([status], dtype=np.int8),
        from_pairs=True,
    )


def test_what_agrees_at_once_costs_two_evaluations() -> None:
    """And is known as well as the noise allows."""
    seen, calls, _ = look(linear(SLOPES), SLOPES, noise=1e-12)
    assert (calls, seen.from_pairs, seen.step) == (2, True, 1e-3)
    assert seen.bound == pytest.approx([4e-9])
    assert seen.known.all()
    assert not seen.differs.any()


def test_error_is_seen_by_a_second_pair() -> None:
    """It stays where it is from closer by; nothing more is asked."""
    seen, calls, probe = look(linear(SLOPES), 1.01 * SLOPES)
    true = float(draw_direction(probe, 1) @ SLOPES)
    assert (calls, seen.from_pairs) == (4, True)
    assert seen.differs.all()
    assert seen.residual == pytest.approx([0.01 * true], rel=1e-6)
    assert np.abs(seen.measured - true) <= seen.bound


def test_first_pair_is_kept_where_it_is_the_better_one() -> None:
    """Under noise the wider step is, where there is no truncation."""
    seen, _, _ = look(linear(SLOPES), 2 * SLOPES, noise=1e-6)
    assert seen.step == 1e-3
    assert seen.bound == pytest.approx([4e-3], rel=1e-3)


def test_second_pair_is_kept_where_truncation_is_the_larger_error() -> None:
    """Here it is twelve times the noise of the first."""
    direction = draw_direction(probe_of(linear(SLOPES), SLOPES, POINT)[0], 1)
    truncation = abs(float(direction**3 @ np.cos(POINT))) / 6 * 1e-6
    noise = truncation / 12 * 1e-3 / 4
    seen, calls, _ = look(lambda x: np.sin(x).sum(), 1.1 * np.cos(POINT), noise=noise)
    assert (calls, seen.from_pairs, seen.step) == (4, True, 1e-3 / 8)
    assert seen.differs.all()
    assert np.abs(seen.measured - direction @ np.cos(POINT)) <= seen.bound
    assert seen.bound == pytest.approx([8 * truncation / 12 + truncation * 63 / 64], rel=0.01)


def test_truncation_is_made_smaller_up_to_three_times() -> None:
    """A right claim agrees in the end, by eight evaluations."""
    direction = draw_direction(probe_of(linear(SLOPES), SLOPES, POINT)[0], 1)
    truncation = abs(float(direction**3 @ np.cos(POINT))) / 6 * 1e-6
    noise = truncation / 8**7 * 1e-3 / 4
    seen, calls, _ = look(lambda x: np.sin(x).sum(), np.cos(POINT), noise=noise)
    assert 4 < calls <= 8
    assert seen.from_pairs
    assert not seen.differs.any()


@pytest.mark.parametrize("error", [1e-3, 0.3])
def test_truncation_that_falls_as_it_should_is_known(error: float) -> None:
    """It is far above the noise from near by as well, yet nothing like an error by then."""
    cubes, claim = np.sign(POINT) * 1e3, (1 + error) * SLOPES
    shifted = POINT.copy()
    seen, calls, probe = look(
        lambda x: x @ SLOPES + cubes @ (x - shifted) ** 3, claim, noise=1e-12
    )
    true = draw_direction(probe, 1) @ SLOPES
    assert seen.from_pairs
    assert calls <= 8
    assert seen.differs.all()
    assert np.abs(seen.measured - true) <= seen.bound
    assert seen.bound <= 0.02 * np.abs(seen.residual)


@pytest.mark.parametrize("step", [1e-2, 1e-3, 1e-4])
def test_curvature_is_no_error(step: float) -> None:
    """A step that is too wide is made narrower until it is not."""
    seen, _, probe = look(lambda x: np.sin(3 * x).sum(), 3 * np.cos(3 * POINT), step=step)
    true = draw_direction(probe, 1) @ (3 * np.cos(3 * POINT))
    assert seen.known.all()
    assert not seen.differs.any()
    assert np.abs(seen.measured - true) <= seen.bound
    assert seen.bound < 1e-6


def test_kink_that_a_pair_crosses_is_no_error() -> None:
    """From closer by it is out of reach."""
    point = np.where(np.arange(30) == 7, 1e-4, POINT)
    seen, calls, _ = look(
        lambda x: np.abs(x - 1e-4 * 0.9 * (point == 1e-4)).sum(), np.sign(point), point, step=0.3
    )
    assert seen.known.all()
    assert not seen.differs.any()
    assert calls <= 8


def test_curvature_close_to_the_error_is_no_kink() -> None:
    """It falls with the step, however little that is made smaller since the error is slight."""
    noise, squares = 1e-9, 0.3 * np.ones(30)
    direction = draw_direction(probe_of(linear(SLOPES), SLOPES, POINT)[0], 1)
    error = 5 * 4e-6 / np.abs(direction @ SLOPES)
    seen, calls, _ = look(
        lambda x: x @ SLOPES + squares @ (x - POINT) ** 2, (1 + error) * SLOPES, noise=noise
    )
    assert (calls, seen.from_pairs) == (4, True)
    assert seen.differs.all()


def test_kink_at_the_point_has_no_one_derivative() -> None:
    """A ladder tells, and what was claimed is kept."""
    point = np.where(np.arange(30) == 7, 0.0, POINT)
    claim = np.sign(point) + 0.1
    seen, calls, probe = look(lambda x: np.abs(x).sum(), claim, point)
    assert not seen.from_pairs
    assert seen.status.tolist() == [Status.KINK]
    assert not seen.known.any()
    assert 40 < calls <= 50
    assert seen.claimed == pytest.approx([draw_direction(probe, 1) @ claim])


def test_function_that_is_undefined_around_the_point_is_not_known() -> None:
    """No bound is given."""
    seen, _, _ = look(lambda x: np.where((x == POINT).all(), 1.0, np.nan), SLOPES)
    assert not seen.known.any()
    assert np.isinf(seen.bound).all()


def test_each_output_must_stand() -> None:
    """One that agrees at once does not speak for the one beside it."""
    matrix = np.stack([SLOPES, 2 * SLOPES], axis=1)
    claim = matrix * [1.0, 1.01]
    seen, calls, _ = look(lambda x: x @ matrix, claim)
    assert seen.differs.tolist() == [False, True]
    assert calls == 4


@FEW_EXAMPLES
@given(st.floats(1e-6, 1.0), st.integers(0, 29), st.sampled_from([-1, 1]))
def test_error_that_is_clearly_above_the_noise_is_seen(
    size: float, coordinate: int, sign: int
) -> None:
    """Whatever its size and place."""
    claim = SLOPES.copy()
    claim[coordinate] += sign * size / POINT[coordinate]
    seen, _, probe = look(linear(SLOPES), claim)
    weight = probe.directions.weight(1, coordinate)
    error = sign * size / POINT[coordinate] * weight
    assert seen.differs.all()
    assert np.abs(seen.residual - error) <= 2 * seen.bound


def test_pair_along_another_direction_is_trusted_as_far_as_the_one_that_settled() -> None:
    """Twice the truncation that was seen there, beside its own noise."""
    settled = seen_as(3.0, 1.0, 5e-6, Status.SMOOTH)
    seen = with_truncation_of(settled, 2, PAIR)
    assert (seen.which, seen.step, seen.from_pairs) == (2, 1e-3, True)
    assert seen.residual.tolist() == [3.0]
    assert seen.bound == pytest.approx([9e-6])
    assert seen.status.tolist() == [Status.SMOOTH]
    noisy = with_truncation_of(replace(settled, bound=np.array([1e-7])), 2, PAIR)
    assert noisy.bound == pytest.approx([1e-6])


def test_pair_shows_what_a_ladder_told_by_a_step_that_is_small_enough() -> None:
    """What is compared with it later is off by its truncation, not by none."""
    probe, counted = probe_of(
        lambda x: np.sin(30 * x).sum(), 31 * np.cos(30 * POINT), POINT, noise=1e-13
    )
    true = draw_direction(probe, 1) @ (30 * np.cos(30 * POINT))
    everything, bound = whole_region(probe.directions.segments), np.array([1e-6])
    told = replace(seen_as(31 / 30 * true, true, 1e-6, Status.SMOOTH), from_pairs=False)
    told = replace(told, claimed=np.array([told.claimed]), measured=np.array([true]), bound=bound)
    seen = remeasure_by_pair(probe, told, everything, 0)
    assert (seen.from_pairs, seen.which) == (True, 1)
    assert 2 < counted.calls <= 6
    assert seen.step < told.step
    assert np.abs(seen.measured - true) <= seen.bound <= 1e-5 * np.abs(true)
    counted.calls = 0
    assert remeasure_by_pair(probe, seen, everything, 0) is seen
    assert counted.calls == 0


def test_difference_is_one_that_is_two_bounds_large() -> None:
    """In either direction."""
    assert seen_as(3.0, 1.0, 0.99, Status.SMOOTH).differs.all()
    assert seen_as(1.0, 3.0, 0.99, Status.SMOOTH).differs.all()
    assert not seen_as(3.0, 1.0, 1.01, Status.SMOOTH).differs.any()


def test_clearness_is_in_units_of_the_bound() -> None:
    """Without any bound everything is clear."""
    assert seen_as(1.0, 3.0, 0.5, Status.SMOOTH).significance(0) == 4.0
    assert seen_as(1.0, 3.0, 0.0, Status.SMOOTH).significance(0) == np.inf


@pytest.mark.parametrize("status", list(Status))
def test_only_a_plain_derivative_is_known(status: Status) -> None:
    """Measured from both sides, with a bound."""
    plain = status in {Status.SMOOTH, Status.UNREFINED}
    assert seen_as(1.0, 1.0, 0.5, status).known.all() == plain
    assert not seen_as(1.0, 1.0, np.inf, status).known.any()
    assert not seen_as(1.0, np.nan, 0.5, status).known.any()


def test_pair_that_is_settled_is_given_back_as_it_is() -> None:
    """Without another evaluation."""
    probe, counted = probe_of(linear(SLOPES), SLOPES, POINT)
    everything = whole_region(probe.directions.segments)
    pair = probe.difference(1, everything, 1e-2)
    counted.calls = 0
    seen = refine_difference(probe, 1, everything, pair)
    assert counted.calls == 0
    assert (seen.step, seen.measured[0]) == (1e-2, pair.measured[0])


def test_pair_that_left_the_domain_is_outside() -> None:
    """Nothing is known then."""
    settled = seen_as(3.0, 1.0, 5e-6, Status.SMOOTH)
    seen = with_truncation_of(settled, 2, replace(PAIR, measured=np.array([np.nan])))
    assert seen.status.tolist() == [Status.UNDEFINED]
    assert not seen.known.any()
