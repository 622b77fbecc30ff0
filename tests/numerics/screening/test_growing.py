"""How far what is off reaches."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_gradcheck.numerics.screening.digits import Reader
from pytest_gradcheck.numerics.screening.growing import grown
from pytest_gradcheck.numerics.screening.places import Box
from tests.numerics.functions import Counted
from tests.numerics.screening.builders import (
    FEW,
    coordinates_of,
    linear,
    projector_of,
    segments_of,
    sight_of,
)

SHAPE = (20, 32)
SIZE = 640
POINT = np.random.default_rng(1).normal(size=SIZE)
SLOPES = np.random.default_rng(2).uniform(1, 2, size=SIZE)
(SEGMENT,) = segments_of([SHAPE])


def reading(wrong: Sequence[int]) -> tuple[Reader, Counted]:
    """Return a reader of claims of which some are half as large again as is true."""
    claim = SLOPES.copy()
    claim[list(wrong)] *= 1.5
    projector, counted = projector_of(linear(SLOPES), claim, POINT, [SHAPE])
    return Reader.of(projector, sight_of(1e6, 1.0), 0), counted


@FEW
@given(st.data())
def test_any_block_is_found_from_any_part_of_it(data: st.DataObject) -> None:
    """However little of it that is, and whatever lies beside it."""
    ranges = []
    for length in SHAPE:
        start = data.draw(st.integers(0, length - 1))
        ranges.append((start, data.draw(st.integers(start + 1, length))))
    block = Box(SEGMENT, tuple(ranges))
    inside = data.draw(st.sampled_from(coordinates_of(block)))
    reader, _ = reading(coordinates_of(block))
    single = SEGMENT.single(inside)
    assert grown(reader, single) == block
    wider = Box(SEGMENT, tuple((max(a - 1, 0), b + 1) for a, b in single.ranges))
    inner = tuple((a, min(b, n)) for (a, b), n in zip(wider.ranges, SHAPE, strict=True))
    assert grown(reader, Box(SEGMENT, inner)) == block


@pytest.mark.parametrize(("rows", "calls"), [((0, 20), 8), ((4, 9), 24)])
def test_end_of_an_axis_costs_two_evaluations(rows: tuple[int, int], calls: int) -> None:
    """Other ends are found by halving."""
    block = Box(SEGMENT, (rows, (0, 32)))
    reader, counted = reading(coordinates_of(block))
    counted.calls = 0
    assert grown(reader, block) == block
    assert counted.calls <= calls
