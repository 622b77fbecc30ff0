"""Regions of the point: segments, boxes and their parts."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pytest_gradcheck.numerics.screening.subarrays import (
    Box,
    Segment,
    bisect_region,
    whole_region,
)
from tests.numerics.screening.builders import FEW_EXAMPLES, boxes, coordinates_of, segments_of

SHAPES = st.lists(
    st.lists(st.integers(1, 6), min_size=1, max_size=2).map(tuple), min_size=1, max_size=6
)


def test_segment_contains_coordinates_from_start_to_stop() -> None:
    """The stop itself is not contained."""
    segment = Segment(10, (2, 3))
    assert (segment.size, segment.stop) == (6, 16)
    assert [k for k in range(30) if segment.contains(k)] == list(range(10, 16))


@FEW_EXAMPLES
@given(boxes())
def test_coordinates_of_a_box_are_in_c_order(box: Box) -> None:
    """They are those that slicing gives."""
    assert [box.coordinate(k) for k in range(box.size)] == coordinates_of(box)


@FEW_EXAMPLES
@given(boxes())
def test_box_starts_and_stops_with_its_coordinates(box: Box) -> None:
    """Coordinates in between may be outside of the box."""
    inside = coordinates_of(box)
    assert (box.start, box.stop) == (inside[0], inside[-1] + 1)


@FEW_EXAMPLES
@given(boxes())
def test_box_contains_its_coordinates_and_no_others(box: Box) -> None:
    """Other coordinates of the segment and beyond are not contained."""
    candidates = range(box.segment.start - 3, box.segment.stop + 3)
    assert [k for k in candidates if box.contains(k)] == coordinates_of(box)


@FEW_EXAMPLES
@given(boxes(), st.data())
def test_element_of_a_box_is_that_of_the_segment(box: Box, data: st.DataObject) -> None:
    """The number in the box and the coordinate in the segment give the same box."""
    number = data.draw(st.integers(0, box.size - 1))
    element = box.element(number)
    assert coordinates_of(element) == [box.coordinate(number)]
    assert box.segment.element(box.coordinate(number)) == element


@FEW_EXAMPLES
@given(boxes(), st.data())
def test_index_of_an_axis_counts_from_the_start_of_the_box(box: Box, data: st.DataObject) -> None:
    """It selects what `numpy.take` does from the array of the box."""
    axis = data.draw(st.integers(0, len(box.lengths) - 1))
    index = data.draw(st.integers(0, box.lengths[axis] - 1))
    inside = np.array(coordinates_of(box)).reshape(box.lengths)
    assert coordinates_of(box.at_index(axis, index)) == inside.take(index, axis).ravel().tolist()


@FEW_EXAMPLES
@given(boxes())
def test_elements_in_a_vector_are_a_view(box: Box) -> None:
    """Writing to the view writes to the vector."""
    vector = np.zeros(box.segment.size)
    box.view(vector)[...] = 1.0
    written = box.segment.start + np.flatnonzero(vector)
    assert written.tolist() == coordinates_of(box)


@FEW_EXAMPLES
@given(boxes())
def test_box_is_whole_where_it_has_all_coordinates_of_the_segment(box: Box) -> None:
    """No smaller box is."""
    assert box.is_whole == (box.size == box.segment.size)
    assert box.segment.box().is_whole


@FEW_EXAMPLES
@given(boxes().filter(lambda box: box.size > 1), st.booleans())
def test_halves_partition_a_box(box: Box, first_axis: bool) -> None:
    """Their sizes differ by at most one layer across the axis that is cut."""
    first, second = box.halves(first_axis=first_axis)
    assert sorted(coordinates_of(first) + coordinates_of(second)) == coordinates_of(box)
    pairs = zip(first.ranges, second.ranges, box.lengths, strict=True)
    (length,) = (length for one, other, length in pairs if one != other)
    assert 0 <= second.size - first.size <= box.size // length


def test_halves_are_cut_along_the_last_axis_or_the_first() -> None:
    """Axes of length 1 do not count."""
    box = Segment(0, (1, 4, 6, 1)).box()
    assert box.halves()[0].lengths == (1, 4, 3, 1)
    assert box.halves(first_axis=True)[0].lengths == (1, 2, 6, 1)
    first, second = bisect_region((box,), first_axis=True)
    assert first + second == box.halves(first_axis=True)


@FEW_EXAMPLES
@given(boxes(), st.integers(1, 40))
def test_slabs_partition_a_box(box: Box, size: int) -> None:
    """None is larger than requested, unless it is one layer thick."""
    slabs = list(box.slabs(size))
    assert sorted(k for slab in slabs for k in coordinates_of(slab)) == coordinates_of(box)
    layer = box.size // max(box.lengths)
    assert max(slab.size for slab in slabs) <= max(size, layer)


def test_slabs_are_as_thick_as_the_size_allows() -> None:
    """Several layers form one slab where they fit."""
    assert [s.size for s in Segment(5, (2, 10)).box().slabs(7)] == [6, 6, 6, 2]


@FEW_EXAMPLES
@given(SHAPES)
def test_bisection_partitions_a_region(shapes: list[tuple[int, ...]]) -> None:
    """Repeated bisection ends at every coordinate once."""
    parts, elements = [whole_region(segments_of(shapes))], list[int]()
    while parts:
        part = parts.pop()
        if sum(box.size for box in part) == 1:
            elements.append(part[0].start)
        else:
            first, second = bisect_region(part)
            assert first
            assert second
            parts += [first, second]
    assert sorted(elements) == list(range(len(elements)))
    assert len(elements) == sum(segment.size for segment in segments_of(shapes))


@FEW_EXAMPLES
@given(SHAPES.filter(lambda shapes: len(shapes) > 1))
def test_segments_are_bisected_as_evenly_as_possible(shapes: list[tuple[int, ...]]) -> None:
    """No other split between two segments gives parts of more similar size."""
    region = whole_region(segments_of(shapes))
    sizes = [box.size for box in region]
    differences = [abs(sum(sizes[:k]) - sum(sizes[k:])) for k in range(1, len(sizes))]
    first, second = bisect_region(region)
    assert first + second == region
    assert abs(sum(sizes[: len(first)]) - sum(sizes[len(first) :])) == min(differences)


@FEW_EXAMPLES
@given(boxes(), st.data())
def test_boxes_intersect_where_they_share_coordinates(box: Box, data: st.DataObject) -> None:
    """Boxes of different segments never do."""
    ranges = []
    for length in box.segment.shape:
        start = data.draw(st.integers(0, length - 1))
        ranges.append((start, data.draw(st.integers(start + 1, length))))
    other = Box(box.segment, tuple(ranges))
    common = set(coordinates_of(box)) & set(coordinates_of(other))
    assert box.intersects(other) == other.intersects(box) == bool(common)
    elsewhere = Segment(box.segment.stop, box.segment.shape)
    assert not box.intersects(Box(elsewhere, other.ranges))
