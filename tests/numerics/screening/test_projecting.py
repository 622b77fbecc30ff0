"""Claim and measurement along a direction."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_gradcheck.numerics.screening.places import Box, whole
from pytest_gradcheck.numerics.screening.weights import Code, by_coordinate
from tests.numerics.screening.builders import FEW, direction_of, linear, projector_of, segments_of

RNG = np.random.default_rng(1)
POINT, SLOPES = RNG.normal(size=30), RNG.normal(size=30)
SHAPES = [(4, 5), (10,)]
EVERYTHING = whole(segments_of(SHAPES))


def test_right_claims_are_what_is_measured() -> None:
    """By two evaluations, neither of them at the point."""
    projector, counted = projector_of(linear(SLOPES), SLOPES, POINT, SHAPES)
    seen = projector.take(1, EVERYTHING, 1e-3)
    true = direction_of(projector, 1) @ SLOPES
    assert counted.calls == 2
    assert (seen.step, seen.claimed[0]) == (1e-3, pytest.approx(true, rel=1e-9))
    assert seen.measured == pytest.approx([true], rel=1e-9)
    assert np.abs(seen.bend) < 1e-9


@FEW
@given(st.integers(0, 29), st.floats(-10, 10))
def test_residual_is_the_error_times_its_weight(coordinate: int, error: float) -> None:
    """Too much claimed is positive."""
    claim = SLOPES.copy()
    claim[coordinate] += error
    projector, _ = projector_of(linear(SLOPES), claim, POINT, SHAPES)
    seen = projector.take(2, EVERYTHING, 1e-3)
    weight = projector.weights.weight(2, coordinate)
    assert seen.residual == pytest.approx([error * weight], abs=1e-9)


def test_point_is_left_as_it_is() -> None:
    """To the last bit; what is evaluated is another vector."""
    projector, _ = projector_of(lambda x: np.sin(x).sum(), SLOPES, POINT, SHAPES)
    projector.take(1, EVERYTHING, 0.1)
    projector.table(1, EVERYTHING, 0.1, 2)
    assert (projector.function.point == POINT).all()


def test_only_the_region_moves() -> None:
    """Coordinates outside of it stay where they are."""
    projector, _ = projector_of(lambda x: x, np.eye(30), POINT, SHAPES)
    seen = projector.take(1, (Box(segments_of(SHAPES)[0], ((1, 3), (0, 2))),), 1e-3)
    assert np.flatnonzero(seen.measured).tolist() == [5, 6, 10, 11]
    assert np.flatnonzero(seen.claimed).tolist() == [5, 6, 10, 11]


def test_coded_coordinates_move_further() -> None:
    """By the factor of their digit."""
    projector, _ = projector_of(lambda x: x, np.eye(30), POINT, SHAPES)
    seen = projector.take(1, EVERYTHING, 1e-3, Code(by_coordinate, 1, 30))
    expected = direction_of(projector, 1) * (1 + np.arange(30) / 30)
    assert seen.measured == pytest.approx(expected, rel=1e-9)
    assert seen.claimed == pytest.approx(expected, rel=1e-9)


def test_bend_is_how_much_the_slope_to_the_right_exceeds_that_to_the_left() -> None:
    """That of a sum of squares is twice the step times the squared length."""
    projector, _ = projector_of(lambda x: (x**2).sum(), 2 * POINT, POINT, SHAPES)
    seen = projector.take(1, EVERYTHING, 1e-3)
    direction = direction_of(projector, 1)
    assert seen.bend == pytest.approx([2e-3 * direction @ direction], rel=1e-6)
    assert seen.residual == pytest.approx([0], abs=1e-9)


def test_noise_is_that_of_two_values_over_the_step() -> None:
    """With a factor two of room."""
    projector, _ = projector_of(linear(SLOPES), SLOPES, POINT, SHAPES, noise=1e-10)
    assert projector.take(1, EVERYTHING, 1e-3).noise == pytest.approx([4e-7])


def test_rounding_of_claims_adds_to_the_noise_by_the_root_of_their_share() -> None:
    """Roundings are independent: half as many coordinates, and both segments, in squares."""
    projector, _ = projector_of(linear(SLOPES), SLOPES, POINT, SHAPES, noise=0.0)
    projector = replace(projector, roundings=np.array([[3e-8], [4e-8]]))
    first, second = segments_of(SHAPES)
    noise = [
        projector.take(1, region, 1e-3).noise.item()
        for region in (EVERYTHING, (second.box(),), (Box(first, ((0, 1), (0, 5))),))
    ]
    assert noise == pytest.approx([5e-8, 4e-8, 1.5e-8])


def test_claims_are_taken_over_the_way_that_was_really_gone() -> None:
    """A step that rounding of the point makes much longer is no error of the claim."""
    projector, _ = projector_of(lambda x: x[0] - 1e8, [1.0], np.array([1e8]))
    seen = projector.take(1, EVERYTHING_OF_ONE, 1e-15)
    weight = projector.weights.weight(1, 0)
    assert seen.residual == 0
    assert seen.claimed[0] != pytest.approx(weight, rel=1e-3)


EVERYTHING_OF_ONE = whole(segments_of([(1,)]))


def test_way_back_is_the_mirror_image() -> None:
    """Steps to both sides differ by rounding alone."""
    projector, _ = projector_of(lambda x: x - POINT, np.eye(30), POINT, SHAPES)
    values, _ = projector.table(1, EVERYTHING, 1e-3, 1)
    assert values[0] == pytest.approx(-values[2], rel=1e-9)


def test_table_is_from_left_to_right() -> None:
    """With the point in the middle, and the change that is claimed from one to the next."""
    projector, counted = projector_of(linear(SLOPES), 2 * SLOPES, POINT, SHAPES)
    values, claimed = projector.table(1, EVERYTHING, 0.1, 3)
    true = direction_of(projector, 1) @ SLOPES * 0.1
    assert counted.calls == 6
    assert values[:, 0] - POINT @ SLOPES == pytest.approx(true * np.arange(-3, 4), rel=1e-9)
    assert claimed == pytest.approx([2 * true], rel=1e-9)


def test_places_of_a_table_are_equally_far_apart_to_the_last_digit() -> None:
    """Or a steep function would look noisy far out, where numbers are far apart."""
    projector, _ = projector_of(lambda x: x[0] - 1e8, [1.0], np.array([1e8]))
    values, claimed = projector.table(1, EVERYTHING_OF_ONE, 1e-13, 3)
    assert claimed[0] != 0
    assert (np.diff(values[:, 0]) == claimed[0]).all()


def test_claims_of_each_segment_are_told_apart() -> None:
    """Without an evaluation, and for each output."""
    matrix = RNG.normal(size=(30, 2))
    projector, counted = projector_of(lambda x: x @ matrix, matrix, POINT, SHAPES)
    direction = direction_of(projector, 1)
    claimed = projector.claimed(1)
    assert claimed == pytest.approx(
        np.stack([direction[:20] @ matrix[:20], direction[20:] @ matrix[20:]])
    )
    assert counted.calls == 0


def test_many_coordinates_are_gone_along_by_blocks() -> None:
    """As far in the last block as in the first."""
    point = np.ones((1 << 17) + 5)
    projector, _ = projector_of(lambda x: x.sum(), point, point, noise=1e-10)
    seen = projector.take(1, whole(projector.weights.segments), 1e-3)
    true = direction_of(projector, 1).sum()
    assert seen.claimed == pytest.approx([true], abs=1e-6)
    assert seen.measured == pytest.approx([true], abs=1e-6)
    assert projector.claimed(1) == pytest.approx(np.array([[true]]))


def test_direction_is_gone_along_for_whoever_asks() -> None:
    """Over the region, an evaluation for each step."""
    projector, counted = projector_of(lambda x: x, np.eye(30), POINT, SHAPES)
    outputs = projector.at(1, EVERYTHING[1:], np.array([0.5, -2.0]))
    direction = direction_of(projector, 1)
    direction[:20] = 0
    assert outputs.tolist() == [(POINT + s * direction).tolist() for s in (0.5, -2.0)]
    assert counted.calls == 2
