"""Measured derivatives, and chunks of long vectors."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_gradcheck.numerics.measurement import Measurement, chunks


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.integers(0, 3 << 16))
def test_chunks_cover_the_coordinates_without_overlap(first: int, length: int) -> None:
    """Each starts where the one before ends, and none exceeds the size of a chunk."""
    ends = [first]
    for part in chunks(first, first + length):
        assert part.start == ends[-1]
        assert 0 < part.stop - part.start <= 1 << 16
        ends.append(part.stop)
    assert ends[-1] == first + length


def test_measurement_of_one_coordinate_has_its_kinks() -> None:
    """They are counted from it."""
    found = Measurement.blank(3, 2)
    found.value[:] = np.arange(6.0).reshape(3, 2)
    found.set_kink(0, 1, (-1.0, 1.0))
    found.set_kink(2, 1, (-3.0, 3.0))
    one = found.of_coordinate(2)
    assert one.value.tolist() == [[4.0, 5.0]]
    assert one.kinks == {(0, 1): (-3.0, 3.0)}
