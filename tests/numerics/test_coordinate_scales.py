"""The natural scale of each coordinate."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pytest_gradcheck.numerics.coordinate_scales import Scales

EVERY = slice(None)


def test_scale_is_the_magnitude_of_the_coordinate() -> None:
    """A coordinate that is not zero is its own scale, whatever its neighbours are."""
    point = np.array([1e-6, -1.0, 1e6])
    assert Scales.of(point, [(0, 3)]).own(EVERY).tolist() == [1e-6, 1.0, 1e6]


def test_zero_takes_the_median_of_its_own_segment() -> None:
    """A zero has the median magnitude of its segment, not of the whole point."""
    point = np.array([0.0, -2.0, 4.0, 0.0, 100.0])
    assert Scales.of(point, [(0, 3), (3, 5)]).own(EVERY).tolist() == [2.0, 2.0, 4.0, 100.0, 100.0]


def test_segment_of_zeros_has_scale_one() -> None:
    """Where no coordinate has a magnitude the scale is 1."""
    assert Scales.of(np.zeros(3), [(0, 3)]).own(EVERY).tolist() == [1.0, 1.0, 1.0]


def test_typical_scale_is_the_median_of_the_nonzero_coordinates() -> None:
    """For every coordinate it is that of its own segment."""
    point = np.array([0.0, -2.0, 4.0, 100.0])
    scales = Scales.of(point, [(0, 3), (3, 4)])
    assert scales.typical(np.array([0, 3, 1])).tolist() == [2.0, 100.0, 2.0]
    assert scales.typical(EVERY).tolist() == [2.0, 2.0, 2.0, 100.0]


def test_negligible_coordinates_do_not_count_in_the_median() -> None:
    """However many there are: 1e-200 is negligible beside 2."""
    point = np.array([1e-200, 1e-201, 1e-202, -2.0, 1e-12])
    assert Scales.of(point, [(0, 5)]).medians.tolist() == [1e-12]
    assert Scales.of(point[:4], [(0, 4)]).medians.tolist() == [2.0]


def test_meaningful_scale_of_a_negligible_coordinate_is_the_typical_one() -> None:
    """1e-200 beside 2 is negligible; 1e-12 is not."""
    scales = Scales.of(np.array([1e-200, 1e-12, 2.0, 3.0, 4.0]), [(0, 5)])
    assert scales.meaningful(EVERY).tolist() == [2.0, 1e-12, 2.0, 3.0, 4.0]


def test_meaningful_scale_of_negligible_coordinates_only_is_one() -> None:
    """Where all coordinates are below any physical quantity they have no typical scale."""
    scales = Scales.of(np.full(3, 1e-200), [(0, 3)])
    assert scales.own(EVERY).tolist() == [1e-200] * 3
    assert scales.meaningful(EVERY).tolist() == [1.0] * 3


def test_median_of_very_many_is_that_of_the_medians_of_chunks() -> None:
    """Every nonzero coordinate counts; the median is one of the magnitudes."""
    point = np.random.default_rng(0).normal(size=300_001)
    point[:100_000] = 0
    (median,) = Scales.of(point, [(0, point.size)]).medians
    assert np.isclose(median, np.median(np.abs(point[100_000:])), rtol=1e-2)
    assert median in np.abs(point)


def test_least_scale_is_that_of_each_segment() -> None:
    """It is found among however many coordinates."""
    point = np.ones(200_000)
    point[[70_000, 150_000]] = 1e-3, -1e-4
    assert Scales.of(point, [(0, 100_000), (100_000, 200_000)]).least().tolist() == [1e-3, 1e-4]


@given(arrays(np.float64, 5, elements=st.floats(allow_nan=False, allow_infinity=False)))
def test_smallest_relative_step_is_not_zero(point: np.ndarray) -> None:
    """The scale is large enough that 1e-12 times it is not zero."""
    before = point.copy()
    scale = Scales.of(point, [(0, 2), (2, 5)]).own(EVERY)
    assert (scale * 1e-12 > 0).all()
    assert (point == before).all()


def test_limits_are_the_largest_scales() -> None:
    """They take precedence over the magnitude and the floor."""
    scales = Scales.of(np.array([0.0, -2.0, 4.0]), [(0, 3)])
    limited = replace(scales, limits=np.array([np.inf, 3.0, 1.0]))
    assert limited.own(EVERY).tolist() == [2.0, 2.0, 1.0]
    assert replace(limited, floor=2.0).own(np.array([2, 1])).tolist() == [1.0, 3.0]
    assert limited.typical(EVERY).tolist() == [2.0, 2.0, 2.0]
