"""Long vectors in parts."""

from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_gradcheck.numerics.measurement import chunks


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 3 << 16))
def test_parts_cover_what_they_are_asked_for_without_overlap(first: int, length: int) -> None:
    """One starts where the one before ends, and none is larger than a part."""
    ends = [first]
    for part in chunks(first, first + length):
        assert part.start == ends[-1]
        assert 0 < part.stop - part.start <= 1 << 16
        ends.append(part.stop)
    assert ends[-1] == first + length
