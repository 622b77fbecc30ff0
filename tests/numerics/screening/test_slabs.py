"""Slabs of a region."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_gradcheck.numerics.screening.places import Segment, whole
from pytest_gradcheck.numerics.screening.slabs import Slabs
from tests.numerics.screening.builders import FEW, coordinates_of, segments_of

SHAPES = st.lists(
    st.lists(st.integers(1, 7), min_size=1, max_size=3).map(tuple), min_size=1, max_size=5
)


@FEW
@given(SHAPES, st.integers(1, 60))
def test_every_coordinate_is_in_the_slab_that_its_digit_says(
    shapes: list[tuple[int, ...]], count: int
) -> None:
    """And in no other: together they are the region, in order."""
    region = whole(segments_of(shapes))
    slabs = Slabs.of(region, count)
    parts = [slabs.part(number, region) for number in range(slabs.count)]
    held = [k for part in parts for box in part for k in coordinates_of(box)]
    assert held == list(range(sum(box.size for box in region)))
    code = slabs.code
    for number, part in enumerate(parts):
        for box in part:
            factors = np.broadcast_to(code.factors(0, box, box), box.lengths)
            assert factors == pytest.approx(1 + number / code.base)


@FEW
@given(SHAPES, st.integers(1, 60), st.data())
def test_part_of_a_region_has_its_part_of_a_slab(
    shapes: list[tuple[int, ...]], count: int, data: st.DataObject
) -> None:
    """What a slab has in common with a box is in both."""
    region = whole(segments_of(shapes))
    slabs = Slabs.of(region, count)
    box = data.draw(st.sampled_from(region))
    if box.size > 1:
        box = data.draw(st.sampled_from(box.halves()))
    number = data.draw(st.integers(0, slabs.count - 1))
    slab = {k for whole_box in slabs.part(number, region) for k in coordinates_of(whole_box)}
    parts = slabs.part(number, (box,))
    common = {k for part in parts for k in coordinates_of(part)}
    assert all(part.size for part in parts)
    assert common == slab & set(coordinates_of(box))


@pytest.mark.parametrize(
    ("shape", "count", "lengths"),
    [
        ((784, 1000), 784, (1, 1000)),
        ((784, 1000), 28, (28, 1000)),
        ((784, 1000), 2000, (1, 334)),
        ((1000,), 31, (33,)),
        ((3, 40, 50), 12, (1, 10, 50)),
        ((4, 5, 6), 4, (1, 5, 6)),
        ((10, 40), 20, (1, 20)),
    ],
)
def test_slabs_are_as_thick_as_asked_for(
    shape: tuple[int, ...], count: int, lengths: tuple[int, ...]
) -> None:
    """Whole rows where that is near enough, parts of rows else."""
    region = (Segment(5, shape).box(),)
    (box,) = Slabs.of(region, count).part(0, region)
    assert box.lengths == lengths


def test_small_boxes_share_a_slab() -> None:
    """As long as there is room; a large one has slabs of its own."""
    region = whole(segments_of([(3,), (2,), (4,), (20,), (1,)]))
    slabs = Slabs.of(region, 5)
    parts = [[box.start for box in slabs.part(k, region)] for k in range(slabs.count)]
    assert parts == [[0, 3], [5], [9], [16], [23], [29]]
    full = whole(segments_of([(3,), (2,), (4,), (1,)]))
    assert [box.start for box in Slabs.of(full, 2).part(0, full)] == [0, 3]


def test_slabs_are_counted_from_the_first_to_the_last() -> None:
    """In which a part of the region lies."""
    region = whole(segments_of([(8, 25)]))
    slabs = Slabs.of(region, 4)
    (box,) = region
    assert slabs.count_in(region) == 4
    assert slabs.count_in((box.along(0, 3, 7),)) == 3
    assert slabs.count_in((box.at(0, 3),)) == 1
    (vector,) = whole(segments_of([(8,)]))
    assert Slabs.of((vector,), 4).count_in((vector.along(0, 1, 5),)) == 3


def test_slabs_hold_all_at_an_index_of_the_axis_across_which_they_are_cut() -> None:
    """Not where rows are cut themselves; and a column is in all of them."""
    (box,) = region = whole(segments_of([(8, 25)]))
    assert Slabs.of(region, 8).hold_all_at(box, 0)
    assert not Slabs.of(region, 8).hold_all_at(box, 1)
    assert not Slabs.of(region, 40).hold_all_at(box, 0)
    assert not Slabs.of(region, 40).hold_all_at(box, 1)
