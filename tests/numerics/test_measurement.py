"""Chunks of long vectors."""

from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_gradcheck.numerics.measurement import chunks


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
