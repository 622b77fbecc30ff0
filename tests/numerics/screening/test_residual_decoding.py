"""Reading places off residuals."""

# MERGED Slabs of a region.
# MERGED What is known of a residual.

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_gradcheck.binding.backward.claims import DenseClaim
from pytest_gradcheck.numerics.screening.direction_weights import Code, by_box, by_coordinate
from pytest_gradcheck.numerics.screening.residual_decoding import Decoder, Residual, Slabs
from pytest_gradcheck.numerics.screening.subarrays import (
    Box,
    Region,
    Segment,
    bisect_region,
    whole_region,
)
from tests.numerics.functions import Counted, Floats
from tests.numerics.screening.builders import (
    FEW_EXAMPLES,
    Shapes,
    coordinates_of,
    derivative_with,
    draw_direction,
    linear,
    probe_of,
    segments_of,
)

SLAB_SHAPES = st.lists(
    st.lists(st.integers(1, 7), min_size=1, max_size=3).map(tuple), min_size=1, max_size=5
)


@FEW_EXAMPLES
@given(SLAB_SHAPES, st.integers(1, 60))
def test_every_coordinate_is_in_the_slab_that_its_digit_says(
    shapes: list[tuple[int, ...]], count: int
) -> None:
    """And in no other: together they are the region, in order."""
    region = whole_region(segments_of(shapes))
    slabs = Slabs.of(region, count)
    parts = [slabs.part(number, region) for number in range(slabs.count)]
    held = [k for part in parts for box in part for k in coordinates_of(box)]
    assert held == list(range(sum(box.size for box in region)))
    code = slabs.code
    for number, part in enumerate(parts):
        for box in part:
            factors = np.broadcast_to(code.factors(0, box, box), box.lengths)
            assert factors == pytest.approx(1 + number / code.base)


@FEW_EXAMPLES
@given(SLAB_SHAPES, st.integers(1, 60), st.data())
def test_part_of_a_region_has_its_part_of_a_slab(
    shapes: list[tuple[int, ...]], count: int, data: st.DataObject
) -> None:
    """What a slab has in common with a box is in both."""
    region = whole_region(segments_of(shapes))
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
    region = whole_region(segments_of([(3,), (2,), (4,), (20,), (1,)]))
    slabs = Slabs.of(region, 5)
    parts = [[box.start for box in slabs.part(k, region)] for k in range(slabs.count)]
    assert parts == [[0, 3], [5], [9], [16], [23], [29]]
    full = whole_region(segments_of([(3,), (2,), (4,), (1,)]))
    assert [box.start for box in Slabs.of(full, 2).part(0, full)] == [0, 3]


def test_slabs_are_counted_from_the_first_to_the_last() -> None:
    """In which a part of the region lies."""
    region = whole_region(segments_of([(8, 25)]))
    slabs = Slabs.of(region, 4)
    (box,) = region
    assert slabs.count_in(region) == 4
    assert slabs.count_in((box.with_range(0, 3, 7),)) == 3
    assert slabs.count_in((box.at_index(0, 3),)) == 1
    (vector,) = whole_region(segments_of([(8,)]))
    assert Slabs.of((vector,), 4).count_in((vector.with_range(0, 1, 5),)) == 3


def test_slabs_hold_all_at_an_index_of_the_axis_across_which_they_are_cut() -> None:
    """Not where rows are cut themselves; and a column is in all of them."""
    (box,) = region = whole_region(segments_of([(8, 25)]))
    assert Slabs.of(region, 8).hold_all_at(box, 0)
    assert not Slabs.of(region, 8).hold_all_at(box, 1)
    assert not Slabs.of(region, 40).hold_all_at(box, 0)
    assert not Slabs.of(region, 40).hold_all_at(box, 1)


WHOLE_REGION = whole_region(segments_of([(8, 25), (3, 40), (7,)]))
SLABS = Slabs.of(WHOLE_REGION, 18)


def test_what_is_left_without_a_part_is_known_by_subtraction() -> None:
    """Residuals are differences; bounds add up in squares."""
    first, second = WHOLE_REGION[:1], WHOLE_REGION[1:]
    part = Residual(first, 1.0, 3.0, coded=1.5, slabs=SLABS)
    rest = Residual(WHOLE_REGION, 5.0, 4.0, coded=7.0, slabs=SLABS, depth=2).minus(second, part)
    assert (rest.region, rest.residual, rest.coded) == (second, 4.0, 5.5)
    assert rest.slabs is SLABS
    assert rest.bound == pytest.approx(5.0)
    assert rest.size == 127
    assert Residual(WHOLE_REGION, 5.0, 4.0).minus(second, part).coded is None


@FEW_EXAMPLES
@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_rounding_of_a_part_is_not_in_the_rest(noise: float, first: float, second: float) -> None:
    """It is the same in the part and in the whole; noise is not."""
    together = Residual(WHOLE_REGION, 5.0, noise, float(np.hypot(first, second)))
    rest = together.minus(WHOLE_REGION[1:], Residual(WHOLE_REGION[:1], 1.0, noise, first))
    assert rest.rounding == pytest.approx(second, abs=1e-7)
    assert rest.noise == pytest.approx(np.sqrt(2) * noise)


def test_residual_is_clear_in_units_of_its_bound() -> None:
    """Of either sign; without any bound everything is clear."""
    assert Residual(WHOLE_REGION, -6.0, 2.0).significance == 3.0
    assert Residual(WHOLE_REGION, -6.0, 1.0, 1.0).significance == 3.0
    assert Residual(WHOLE_REGION, 1.0, 0.0).significance == np.inf


def test_ratio_is_surer_where_rounding_is_what_hides() -> None:
    """Most of that is in both residuals; of nothing there is no ratio."""
    assert Residual(WHOLE_REGION, -6.0, 2.0).ratio_error == pytest.approx(0.5)
    assert Residual(WHOLE_REGION, -6.0, 0.0, 2.0).ratio_error == pytest.approx(0.25)
    assert Residual(WHOLE_REGION, 0.0, 1.0).ratio_error == np.inf


def test_rounding_outside_of_a_part_is_noise_to_it() -> None:
    """It is not in what is measured of the part."""
    within = Residual(WHOLE_REGION, 5.0, 12.0, 5.0).within(WHOLE_REGION[:1], 0.0)
    assert (within.region, within.residual) == (WHOLE_REGION[:1], 5.0)
    assert (within.noise, within.rounding) == (13.0, 0.0)


def test_part_that_all_is_due_to_keeps_what_is_known_of_the_whole() -> None:
    """Its digit, and how to cut it; not the region and the residual."""
    known = Residual(
        WHOLE_REGION, 5.0, 4.0, 3.0, 7.0, SLABS, ambiguous=True, depth=1, first_axis=True
    )
    part = known.of(Residual(WHOLE_REGION[:1], 4.9, 2.0, 1.0))
    assert part == Residual(
        WHOLE_REGION[:1], 4.9, 2.0, 1.0, 7.0, SLABS, ambiguous=True, depth=1, first_axis=True
    )


SHAPES = [(8, 25), (3, 40), (7,)]
SIZE = 327
POINT = np.random.default_rng(1).normal(size=SIZE)
SLOPES = np.random.default_rng(2).normal(size=SIZE)
EVERYTHING = whole_region(segments_of(SHAPES))


def reading(
    errors: Mapping[int, float],
    clear: float = 1e6,
    region: Region = EVERYTHING,
    shapes: Shapes = SHAPES,
) -> tuple[Decoder, Residual, Counted]:
    """Return a reader of a function whose claims are off at some coordinates."""
    claim: Floats = SLOPES.copy()
    for coordinate, error in errors.items():
        claim[coordinate] += error
    probe, counted = probe_of(linear(SLOPES), claim, POINT, shapes)
    reader = Decoder.of(probe, derivative_with(clear, 1.0), 0)
    residual = reader.measure(region).residual
    counted.calls = 0
    return reader, Residual(region, residual, abs(residual) / clear), counted


@FEW_EXAMPLES
@given(st.integers(0, SIZE - 1), st.floats(2, 1e7))
def test_any_coordinate_is_read_however_clear_it_is(coordinate: int, clear: float) -> None:
    """What noise might hide is not read at all, and never wrongly."""
    reader, excess, _ = reading({coordinate: 1.0}, clear)
    read = reader.coordinate(reader.with_slabs(excess))
    assert read == (coordinate if clear >= 64 else read)
    assert read in {coordinate, None}


@FEW_EXAMPLES
@given(st.integers(0, SIZE - 1), st.floats(64, 1e7))
def test_coordinate_is_read_in_a_part_too(coordinate: int, clear: float) -> None:
    """In halves of halves, with the first digit that serves them all."""
    reader, _, _ = reading({coordinate: -2.0}, clear)
    region = EVERYTHING
    for _ in range(4):
        first, second = bisect_region(region)
        region = first if any(box.contains(coordinate) for box in first) else second
    part = reader.measure(region)
    excess = reader.with_slabs(Residual(region, part.residual, abs(part.residual) / clear))
    assert reader.coordinate(excess) == coordinate


def test_clear_residual_is_read_in_two_digits() -> None:
    """Which slab, then where in it; the first serves all parts."""
    reader, excess, counted = reading({123: 1.0}, 1e6)
    coded = reader.with_slabs(excess)
    assert counted.calls == 2
    assert reader.with_slabs(coded) is coded
    assert reader.coordinate(coded) == 123
    assert counted.calls == 4


def test_fainter_residual_is_read_in_more_digits() -> None:
    """Each costs two evaluations; the first is known."""
    reader, excess, counted = reading({123: 1.0}, 500.0)
    coded = reader.with_slabs(excess)
    assert coded.slabs == Slabs.of(EVERYTHING, 5)
    counted.calls = 0
    assert reader.coordinate(replace(coded, noise=coded.noise * 5)) == 123
    assert counted.calls == 4


def test_slab_of_one_coordinate_is_not_believed_at_once() -> None:
    """Its digit may be one by chance: two errors of which one is read are not there."""
    reader, _, _ = reading({}, 1e6, EVERYTHING[2:])
    errors = {k: 1.0 / reader.weight(k) for k in (320, 322)}
    reader, excess, _ = reading(errors, 1e6, EVERYTHING[2:])
    coded = reader.coded(excess, Slabs.of(EVERYTHING[2:], 7))
    assert reader.slab(coded)[0].start == 321
    assert reader.coordinate(coded) is None


def test_digit_that_is_not_clear_enough_is_read_anew() -> None:
    """In a smaller base, digit by digit."""
    reader, excess, counted = reading({123: 1.0}, 1e6)
    faint = Residual(EVERYTHING, excess.residual, abs(excess.residual) / 150)
    assert reader.coordinate(faint) == 123
    assert counted.calls == 4


def test_single_coordinate_needs_no_reading() -> None:
    """It is the only one there."""
    single = (EVERYTHING[0].segment.element(42),)
    reader, excess, counted = reading({42: 1.0}, 1e3, single)
    assert reader.coordinate(excess) == 42
    assert counted.calls == 0


def test_part_that_is_in_few_slabs_is_told_apart_by_finer_ones() -> None:
    """A digit that tells few parts apart is of little use."""
    reader, excess, counted = reading({123: 1.0}, 2000.0)
    coded = reader.with_slabs(excess)
    (box,), first = EVERYTHING[:1], coded.slabs
    assert first == Slabs.of(EVERYTHING, 19)
    assert reader.with_slabs(replace(coded, region=(box,))).slabs == first
    rows = replace(coded, region=(box.with_range(0, 2, 6),))
    finer = reader.with_slabs(rows)
    assert finer.slabs == Slabs.of(rows.region, 10)
    assert counted.calls == 4
    assert reader.coordinate(finer) == 123


def test_digit_by_chance_is_not_read_again() -> None:
    """Several errors are in several slabs, as was found out."""
    reader, excess, _ = reading({123: 1.0})
    coded = reader.with_slabs(excess)
    assert reader.slab(coded)
    assert reader.slab(replace(coded, ambiguous=True)) == ()
    assert reader.slab(reader.coded(replace(coded, ambiguous=True), coded.slabs)) == reader.slab(
        coded
    )


def test_axis_is_not_read_across_which_no_slab_has_it_all() -> None:
    """A column is in all slabs, a row in one, in which there is little left to read."""
    box = EVERYTHING[1]
    column = {200 + 40 * row + 7: 1.0 + row for row in range(3)}
    reader, excess, counted = reading(column, 1e6, (box,))
    coded = reader.coded(excess, Slabs.of((box,), 3))
    counted.calls = 0
    assert reader.place(coded).ranges == ((0, 3), (7, 8))
    assert counted.calls == 2
    row = {240 + k: 1.0 + k for k in range(40)}
    reader, excess, counted = reading(row, 1e6, (box,))
    coded = reader.coded(excess, Slabs.of((box,), 3))
    counted.calls = 0
    assert reader.place(coded).ranges == ((1, 2), (0, 40))
    assert counted.calls == 2


def test_digit_that_would_not_be_clear_in_parts_is_not_measured() -> None:
    """Cutting makes it so, where rounding is what hides."""
    reader, excess, counted = reading({123: 1.0}, 10.0)
    assert reader.with_slabs(excess).slabs is None
    assert reader.coded(excess, None) is excess
    assert counted.calls == 0


@pytest.mark.parametrize(("rounded", "calls"), [(3e-2, 2), (1e-6, 0)])
def test_box_is_measured_anew_where_rounding_elsewhere_blurs_digits(
    rounded: float, calls: int
) -> None:
    """Two evaluations that save others."""
    reader, excess, counted = reading({3: 1.0})
    roundings = np.full((3, 1), 1e-9)
    roundings[1:] = rounded * abs(excess.residual)
    reader = replace(reader, probe=replace(reader.probe, roundings=roundings))
    noisy = replace(excess, noise=1e-9, rounding=float(np.linalg.norm(roundings)))
    closer = reader.closer(noisy, EVERYTHING[0])
    assert counted.calls == calls
    assert closer.region == EVERYTHING[:1]
    assert closer.residual == pytest.approx(excess.residual)
    assert reader.place(closer).start == 3


def test_two_errors_are_not_read_as_one() -> None:
    """Their digits mix to what is no integer."""
    for other in (20, 100, 326):
        reader, excess, _ = reading({11: 1.0, other: 0.7})
        assert reader.coordinate(reader.with_slabs(excess)) is None


def test_nothing_is_read_of_what_does_not_differ() -> None:
    """There is no ratio to nothing."""
    reader, _, _ = reading({})
    nothing = Residual(EVERYTHING, 0.0, 0.0, coded=1.0)
    assert reader.coordinate(nothing) is None


def test_box_of_an_error_is_read() -> None:
    """Two evaluations, for however many boxes."""
    for coordinate, number in ((3, 0), (250, 1), (325, 2)):
        reader, excess, counted = reading({coordinate: 1.0})
        assert reader.box(excess) == EVERYTHING[number]
        assert counted.calls == 2


def test_errors_in_two_boxes_are_in_no_single_one() -> None:
    """However large they are, they do not add up to a third."""
    reader, excess, _ = reading({3: 1.0, 250: 2.0})
    assert reader.box(excess) is None


def test_only_box_is_the_one() -> None:
    """Nothing is evaluated for it."""
    reader, excess, counted = reading({3: 1.0}, region=EVERYTHING[:1])
    assert reader.box(excess) == EVERYTHING[0]
    assert counted.calls == 0


@pytest.mark.parametrize(
    ("coordinates", "ranges"),
    [
        ([57], ((2, 3), (7, 8))),
        ([50, 57, 61], ((2, 3), (0, 25))),
        ([7, 32, 182], ((0, 8), (7, 8))),
        ([0, 26, 199], ((0, 8), (0, 25))),
    ],
)
def test_place_of_errors_is_narrowed_on_each_axis(
    coordinates: list[int], ranges: tuple[tuple[int, int], ...]
) -> None:
    """An entry, a row, a column, or all of the matrix where there is no such place."""
    errors = dict(zip(coordinates, (1.0, 0.8, 1.3), strict=False))
    segment = EVERYTHING[0].segment
    reader, excess, _ = reading(errors, region=EVERYTHING[:1])
    assert reader.place(excess) == Box(segment, ranges)


def test_error_in_a_row_of_one_entry_each_is_placed() -> None:
    """An axis that is one long has one index."""
    reader, excess, _ = reading(
        {30: 1.0}, region=whole_region(segments_of([(1, 327)])), shapes=[(1, 327)]
    )
    assert reader.place(excess).start == 30
    assert reader.place(excess).size == 1


def test_coded_directions_go_as_far_as_plain_ones() -> None:
    """Their weights are half as large again, in the middle."""
    reader, _, counted = reading({})
    seen = list[Floats]()

    def note(x: Floats) -> float:
        seen.append(x.copy())
        return 0.0

    counted.function = note
    reader.measure(EVERYTHING)
    reader.measure(EVERYTHING, Code(by_coordinate, 1, SIZE))
    plain, coded = (np.abs(x - POINT) / np.abs(POINT) for x in (seen[0], seen[2]))
    assert coded / plain == pytest.approx((1 + np.arange(SIZE) / SIZE) / 1.5, rel=1e-6)


def test_residual_of_one_output_is_measured() -> None:
    """With the noise of it."""
    matrix = np.stack([SLOPES, SLOPES], axis=1)
    probe, _ = probe_of(lambda x: x @ matrix, matrix * [1, 2], POINT, noise=1e-9)
    region, seen = whole_region(probe.directions.segments), derivative_with(1e6, 1.0, outputs=2)
    excesses = [Decoder.of(probe, seen, m).measure(region) for m in (0, 1)]
    assert abs(excesses[0].residual) < 1e-9
    assert excesses[1].residual == pytest.approx(probe.claimed(1)[0, 0], rel=1e-6)
    assert [e.bound for e in excesses] == pytest.approx([4e-7, 4e-7])


def bending(bend: float, function: Callable[[Floats], Any]) -> tuple[Decoder, Counted]:
    """Return a reader of a function that bends by so much along what was seen of it."""
    probe, counted = probe_of(function, 1.5 * SLOPES, POINT)
    seen = replace(derivative_with(1e6, 1.0), bend=np.array([bend]))
    return Decoder.of(probe, seen, 0), counted


def test_bend_that_falls_with_the_step_is_no_kink() -> None:
    """However little the function bent along the direction without the code: one look tells."""
    reader, counted = bending(0.0, lambda x: x @ SLOPES + (x - POINT) @ (x - POINT) / 2)
    read = reader.measure(whole_region(reader.probe.directions.segments))
    assert counted.calls == 4
    claimed = reader.probe.claimed(1)[0, 0]
    assert read.residual == pytest.approx(claimed / 3, rel=1e-6)


def test_kink_is_looked_closer_at_until_it_is_out_of_reach() -> None:
    """Its bend does not fall with the step, or falls to nothing."""
    edge = POINT[7] + 5e-4 * np.abs(POINT[7])
    reader, counted = bending(0.0, lambda x: x @ SLOPES + 100 * np.abs(x[7] - edge))
    claim = 1.5 * SLOPES - 100.0 * (np.arange(SIZE) == 7)
    reader = replace(reader, probe=replace(reader.probe, claims=DenseClaim(claim[:, None])))
    read = reader.measure(whole_region(reader.probe.directions.segments))
    assert counted.calls == 6
    assert read.residual == pytest.approx(draw_direction(reader.probe, 1) @ SLOPES / 2, rel=1e-5)


def test_kink_too_slight_for_the_digit_is_not_looked_closer_at() -> None:
    """What is read is the same whatever it did; a base of many digits shows it."""
    reader, counted = bending(0.0, lambda x: x @ SLOPES + 1e-3 * np.abs(x[7] - POINT[7]))
    everything = whole_region(reader.probe.directions.segments)
    for base, calls in ((3, 2), (SIZE, 6)):
        counted.calls = 0
        reader.measure(everything, Code(by_coordinate, 1, base))
        assert counted.calls == calls


@pytest.mark.parametrize(
    ("read", "digit"), [(0, 0), (1, 1), (3, 3), (2.015, 2), (2.03, None), (-1, None), (4, None)]
)
def test_digit_is_an_integer_below_the_base(read: float, digit: int | None) -> None:
    """What is read is close to one, or nothing is."""
    excess = Residual(EVERYTHING, -2.0, 1e-9)
    code = Code(by_box, 1, 4)
    assert Decoder._digit(excess, code, -2.0 * (1 + read / 4)) == digit
