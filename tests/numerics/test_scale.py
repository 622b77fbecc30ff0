"""Scales: the size of a natural step."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pytest_gradcheck.numerics.scale import scales


def test_scale_is_the_magnitude_of_the_coordinate() -> None:
    """A coordinate that is not zero is its own scale, whatever its neighbours are."""
    point = np.array([1e-6, -1.0, 1e6])
    assert scales(point, [(0, 3)]).tolist() == [1e-6, 1.0, 1e6]


def test_zero_takes_the_median_of_its_own_segment() -> None:
    """A zero borrows the median magnitude of its segment, not of the whole point."""
    point = np.array([0.0, -2.0, 4.0, 0.0, 100.0])
    assert scales(point, [(0, 3), (3, 5)]).tolist() == [2.0, 2.0, 4.0, 100.0, 100.0]


def test_segment_of_zeros_has_scale_one() -> None:
    """Where nothing tells the scale it is 1."""
    assert scales(np.zeros(3), [(0, 3)]).tolist() == [1.0, 1.0, 1.0]


@given(arrays(np.float64, 5, elements=st.floats(allow_nan=False, allow_infinity=False)))
def test_every_step_of_a_ladder_moves_the_coordinate(point: np.ndarray) -> None:
    """The scale is large enough that its 1e-12th part is still a number that differs from 0."""
    before = point.copy()
    scale = scales(point, [(0, 2), (2, 5)])
    assert (scale * 1e-12 > 0).all()
    assert (point == before).all()
