"""Random directions that are drawn again whenever they are needed, and coded ones."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_gradcheck.numerics.screening import direction_weights as module
from pytest_gradcheck.numerics.screening.direction_weights import (
    Code,
    CodedDirections,
    Numbering,
    by_axis,
    by_box,
    by_coordinate,
)
from pytest_gradcheck.numerics.screening.subarrays import Box, Region, Segment, whole_region
from tests.numerics.functions import Floats
from tests.numerics.screening.builders import (
    FEW_EXAMPLES,
    boxes,
    coded_directions,
    coordinates_of,
    segments_of,
)

POINT = np.random.default_rng(1).normal(size=200)
SHAPES = [(10, 12), (30,), (5, 5, 2)]
EVERYTHING = whole_region(segments_of(SHAPES))


def drawn(
    directions: CodedDirections, which: int, region: Region, code: Code | None = None
) -> Floats:
    """Return a direction, drawn over undefined values."""
    out = np.full(directions.scales.point.size, np.nan)
    directions.draw(out, which, region, code)
    return out


@FEW_EXAMPLES
@given(st.integers(0, 2**32), st.integers(0, 9), st.integers(5, 300))
def test_direction_drawn_by_blocks_has_the_weights_of_single_coordinates(
    seed: int, which: int, block: int
) -> None:
    """Block and segment boundaries make no difference."""
    directions = coded_directions(POINT, SHAPES, seed=seed, gains=[1.0, 5.0, 0.5])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK", block)
        single = [directions.weight(which, k) for k in range(POINT.size)]
        assert drawn(directions, which, EVERYTHING).tolist() == single


def test_direction_over_several_blocks_has_the_weights_of_single_coordinates() -> None:
    """The blocks have their real size here."""
    point = np.random.default_rng(2).normal(size=(1 << 17) + 10)
    directions = coded_directions(point, [(1 << 16, 2), (10,)], gains=[1.0, 3.0])
    direction = drawn(directions, 1, whole_region(directions.segments))
    for k in (0, (1 << 16) - 1, 1 << 16, (1 << 17) - 1, 1 << 17, point.size - 1):
        assert directions.weight(1, k) == direction[k]
    assert np.unique(np.abs(direction / point)).size == point.size


def test_direction_depends_on_its_number_and_the_seed_only() -> None:
    """It is the same each time that it is drawn."""
    directions = coded_directions(POINT, SHAPES)
    first = drawn(directions, 1, EVERYTHING)
    assert (drawn(directions, 1, EVERYTHING) == first).all()
    assert (drawn(directions, 2, EVERYTHING) != first).all()
    assert (drawn(replace(directions, seed=1), 1, EVERYTHING) != first).all()


def test_weights_are_about_the_scale_times_the_gain() -> None:
    """They are between 0.5 and 1.5 times that, with either sign."""
    direction = drawn(coded_directions(POINT, SHAPES, gains=[1.0, 5.0, 0.5]), 1, EVERYTHING)
    gains = np.repeat([1.0, 5.0, 0.5], [120, 30, 50])
    relative = direction / (gains * np.abs(POINT))
    assert ((np.abs(relative) >= 0.5 * (1 - 1e-12)) & (np.abs(relative) <= 1.5 + 1e-12)).all()
    assert 50 < np.count_nonzero(relative > 0) < 150


@FEW_EXAMPLES
@given(boxes())
def test_direction_in_a_region_is_a_part_of_that_over_everything(box: Box) -> None:
    """It is zero outside of the region."""
    segment = box.segment
    shapes = [(segment.start,), segment.shape] if segment.start else [segment.shape]
    directions = coded_directions(POINT[: segment.stop], shapes)
    everywhere = drawn(directions, 3, whole_region(directions.segments))
    part, inside = drawn(directions, 3, (box,)), coordinates_of(box)
    assert np.flatnonzero(part).tolist() == inside
    assert part[inside].tolist() == everywhere[inside].tolist()


@FEW_EXAMPLES
@given(boxes())
def test_excluded_boxes_do_not_move(box: Box) -> None:
    """All other coordinates do."""
    segment = Segment(0, box.segment.shape)
    box = Box(segment, box.ranges)
    directions = coded_directions(POINT[: segment.size], [segment.shape])
    everywhere = drawn(directions, 1, (segment.box(),))
    part = drawn(replace(directions, excluded=(box,)), 1, (segment.box(),))
    everywhere[coordinates_of(box)] = 0.0
    assert (part == everywhere).all()


@FEW_EXAMPLES
@given(boxes(), st.integers(1, 50), st.integers(1, 20))
def test_code_weights_coordinates_by_a_digit_of_their_position(
    box: Box, divisor: int, base: int
) -> None:
    """The factor is 1 plus the digit over the base."""
    factors = Code(by_coordinate, divisor, base).factors(0, box, box)
    expected = [1 + (k // divisor) % base / base for k in coordinates_of(box)]
    assert np.broadcast_to(factors, box.lengths).ravel().tolist() == expected


@FEW_EXAMPLES
@given(boxes(), st.data())
def test_numbers_on_an_axis_count_from_the_start_of_the_box(box: Box, data: st.DataObject) -> None:
    """Those of a part count from the start of the whole box, too."""
    axis = data.draw(st.integers(0, len(box.lengths) - 1))
    for part in (box, *box.slabs(3)):
        numbers = np.broadcast_to(by_axis(axis)(0, box, part), part.lengths).ravel()
        first = box.ranges[axis][0]
        index = np.unravel_index(
            np.array(coordinates_of(part)) - box.segment.start, box.segment.shape
        )
        assert numbers.tolist() == (index[axis] - first).tolist()


def test_number_of_a_box_is_its_position_in_the_region() -> None:
    """All its coordinates share the number."""
    directions = coded_directions(POINT, SHAPES)
    coded = drawn(directions, 1, EVERYTHING, Code(by_box, 1, 4)) / drawn(directions, 1, EVERYTHING)
    assert coded == pytest.approx(np.repeat([1.0, 1.25, 1.5], [120, 30, 50]))


@FEW_EXAMPLES
@given(st.sampled_from([by_coordinate, by_axis(0), by_axis(1)]), st.integers(1, 50))
def test_coded_direction_is_the_same_by_slabs(numbering: Numbering, block: int) -> None:
    """Every coordinate gets the factor of its own digit, whatever the size of the slabs."""
    directions, box = (
        coded_directions(POINT, SHAPES),
        Box(segments_of(SHAPES)[0], ((2, 9), (1, 12))),
    )
    code = Code(numbering, 2, 5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK", block)
        plain = drawn(directions, 1, (box,))
        coded = drawn(directions, 1, (box,), code)
    factors = np.broadcast_to(code.factors(0, box, box), box.lengths)
    expected = box.view(plain[:120]) * factors
    assert box.view(coded[:120]) == pytest.approx(expected, rel=1e-15)
    assert np.count_nonzero(coded) == box.size
