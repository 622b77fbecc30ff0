"""Finding which claims are off."""

# MERGED How far what is off reaches.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_gradcheck.numerics.screening.array_regions import Box, whole_region
from pytest_gradcheck.numerics.screening.confirm_entries import SingleEntries
from pytest_gradcheck.numerics.screening.locate_errors import ErrorSearch, bounding_box
from pytest_gradcheck.numerics.screening.residual_decoding import Decoder, Residual, Slabs
from tests.numerics.functions import Counted, Floats
from tests.numerics.screening.builders import (
    FEW,
    Shapes,
    coordinates_of,
    linear,
    projector_of,
    segments_of,
    sight_of,
)

SHAPE = (20, 32)
GROWN_SIZE = 640
GROWN_POINT = np.random.default_rng(1).normal(size=GROWN_SIZE)
GROWN_SLOPES = np.random.default_rng(2).uniform(1, 2, size=GROWN_SIZE)
(SEGMENT,) = segments_of([SHAPE])


def reading(wrong: Sequence[int]) -> tuple[Decoder, Counted]:
    """Return a reader of claims of which some are half as large again as is true."""
    claim = GROWN_SLOPES.copy()
    claim[list(wrong)] *= 1.5
    probe, counted = projector_of(linear(GROWN_SLOPES), claim, GROWN_POINT, [SHAPE])
    return Decoder.of(probe, sight_of(1e6, 1.0), 0), counted


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
    single = SEGMENT.element(inside)
    assert bounding_box(reader, single) == block
    wider = Box(SEGMENT, tuple((max(a - 1, 0), b + 1) for a, b in single.ranges))
    inner = tuple((a, min(b, n)) for (a, b), n in zip(wider.ranges, SHAPE, strict=True))
    assert bounding_box(reader, Box(SEGMENT, inner)) == block


@pytest.mark.parametrize(("rows", "calls"), [((0, 20), 8), ((4, 9), 24)])
def test_end_of_an_axis_costs_two_evaluations(rows: tuple[int, int], calls: int) -> None:
    """Other ends are found by halving."""
    block = Box(SEGMENT, (rows, (0, 32)))
    reader, counted = reading(coordinates_of(block))
    counted.calls = 0
    assert bounding_box(reader, block) == block
    assert counted.calls <= calls


SHAPES = [(8, 25), (3, 40), (7,)]
SIZE = 327
POINT = np.random.default_rng(1).normal(size=SIZE)
POINTS = np.random.default_rng(3).normal(size=8000)
SLOPES = np.random.default_rng(2).uniform(1, 2, size=SIZE)


def search(
    errors: Mapping[int, float],
    *,
    budget: int = 1000,
    shapes: Shapes = SHAPES,
    point: Floats = POINT,
    slopes: Floats = SLOPES,
    **options: Any,
) -> tuple[ErrorSearch, Counted]:
    """Search for errors in the claims of a linear function; return what was found."""
    claim: Floats = slopes.copy()
    for coordinate, error in errors.items():
        claim[coordinate] += error
    probe, counted = projector_of(linear(slopes), claim, point, shapes, **options)
    everything, step = whole_region(probe.directions.segments), 1e-2
    seen = probe.difference(1, everything, step)
    excess = Residual(everything, float(seen.residual[0]), float(seen.noise[0]))
    reader = Decoder.of(probe, sight_of(excess.residual, excess.bound, step=step), 0)
    rng = np.random.default_rng(0)
    entries = SingleEntries(probe, 1e-6, rng)
    found = ErrorSearch(reader, entries, lambda: counted.calls < budget, rng)
    counted.calls = 0
    found.run(excess)
    assert (probe.function.point == point).all()
    return found, counted


@FEW
@given(st.integers(0, SIZE - 1), st.floats(0.01, 100), st.sampled_from([-1, 1]))
def test_one_error_is_read_off(coordinate: int, size: float, sign: int) -> None:
    """Which segment, then which index of each axis: a dozen evaluations at most."""
    found, counted = search({coordinate: sign * size})
    (suspect,) = found.suspects
    assert suspect.box.start == coordinate
    assert suspect.box.size == 1
    assert abs(suspect.error - sign * size) <= 2 * suspect.bound + 1e-12 * size
    assert counted.calls <= 2 + 2 * 2
    assert not found.findings
    assert not found.left


def test_suspect_was_seen_with_its_own_step() -> None:
    """That of the direction, times its weight; its bound likewise."""
    found, _ = search({100: 0.5}, noise=1e-9)
    (suspect,) = found.suspects
    weight = abs(found.reader.weight(100))
    assert suspect.step == pytest.approx(1e-2 * weight)
    assert suspect.bound == pytest.approx(4e-7 / weight)


def test_errors_in_several_segments_are_told_apart() -> None:
    """By cutting between segments, and by reading each."""
    errors = {3: 0.5, 250: -0.3, 325: 0.7}
    found, counted = search(errors)
    assert {s.box.start: pytest.approx(s.error) for s in found.suspects} == errors
    assert counted.calls <= 30


def test_several_errors_in_one_matrix_are_told_apart() -> None:
    """That share neither row nor column, and are too few to be everywhere."""
    errors = {3: 0.5, 57: -0.3, 90: 0.7, 180: 0.2}
    found, counted = search(errors)
    assert {s.box.start: pytest.approx(s.error) for s in found.suspects} == errors
    assert not found.findings
    assert counted.calls <= 100


def test_wrong_row_is_found_as_one() -> None:
    """Two of its entries were measured, and are off."""
    found, counted = search(
        {k: 0.1 + k % 7 for k in range(225, 240)} | dict.fromkeys(range(200, 225), 1.0)
    )
    (finding,) = found.findings
    assert finding.box.ranges == ((0, 1), (0, 40))
    assert (finding.output, finding.wrong, len(finding.measured)) == (0, 2, 2)
    assert all(finding.box.contains(coordinate) for coordinate, _ in finding.measured)
    assert finding.relative_error is None
    assert not found.suspects
    assert counted.calls <= 20


def test_wrong_column_is_found_as_one() -> None:
    """Coordinates that lie apart in the point."""
    found, _ = search({k: 0.1 + k % 3 for k in range(4, 200, 25)})
    (finding,) = found.findings
    assert finding.box.ranges == ((0, 8), (4, 5))


def test_segment_that_is_wrong_everywhere_is_found_as_one() -> None:
    """In which no single place is off."""
    found, counted = search({k: 0.1 + k % 11 for k in range(200, 320)})
    (finding,) = found.findings
    assert finding.box.is_whole
    assert finding.box.start == 200
    assert counted.calls <= 20


def test_everything_wrong_is_found_by_segment() -> None:
    """Each of them is sampled."""
    found, _ = search({k: 0.1 + k % 11 for k in range(SIZE)})
    boxes = [finding.box for finding in found.findings]
    assert sorted(box.start for box in boxes if box.is_whole)[:2] == [0, 200]
    assert not found.left


def test_row_in_which_half_is_right_is_found_all_the_same() -> None:
    """Six of its entries are looked at, at most; two that are off are enough."""
    found, _ = search({k: 0.1 + k % 7 for k in range(200, 240, 2)})
    assert [finding.box.ranges for finding in found.findings] == [((0, 1), (0, 40))]
    (finding,) = found.findings
    assert finding.wrong == 2 <= len(finding.measured) <= 6


@pytest.mark.parametrize(
    ("axis", "indices"),
    [(0, (3,)), (0, (3, 4)), (0, (3, 90)), (1, (3,)), (1, (3, 4)), (1, (3, 30))],
)
@pytest.mark.parametrize("seed", range(3))
def test_rows_and_columns_are_found_beside_scattered_errors(
    axis: int, indices: tuple[int, ...], seed: int
) -> None:
    """Of one matrix: in the slab that they share, or all of one where a part of it is off."""
    (segment,) = segments_of([(200, 40)])
    lines = [segment.box().at_index(axis, k) for k in indices]
    off = [(k, 1.0 + n % 7) for line in lines for n, k in enumerate(coordinates_of(line))]
    errors = dict(off) | {int(k): 2.0 for k in np.random.default_rng(seed).choice(8000, 5)}
    found, counted = search(errors, point=POINTS, slopes=np.ones(POINTS.size), shapes=[(200, 40)])
    held = {k for finding in found.findings for k in coordinates_of(finding.box)}
    assert held == {k for k, _ in off}
    assert {s.box.start for s in found.suspects} <= set(errors)
    assert counted.calls <= 300


def test_what_was_found_right_is_not_suspected_again() -> None:
    """Unless it is all there is: several errors that read as one are cut."""
    found, _ = search({60: 1.0})
    (suspect,) = found.suspects
    excess = found.reader.with_slabs(found.reader.measure((suspect.box.segment.box(),)))
    found.suspects.clear()
    assert found._explain(excess) == []
    assert [s.box for s in found.suspects] == [suspect.box]
    found.right, found.suspects = [suspect.box], []
    assert found._explain(excess)
    assert found.suspects == []
    assert found._explain(found.reader.measure((suspect.box,))) == []
    assert [s.box for s in found.suspects] == [suspect.box]


def test_errors_that_share_a_slab_are_looked_for_there() -> None:
    """At once, and all of them: two evaluations instead of two for every cut."""
    found, counted = search({100: 1.0, 118: 0.7})
    region = whole_region(segments_of(SHAPES)[:1])
    excess = found.reader.coded(found.reader.measure(region), Slabs.of(region, 8))
    found.suspects.clear()
    counted.calls = 0
    queue = found._cut(excess)
    while queue:
        queue += found._explain(queue.pop())
    assert sorted(s.box.start for s in found.suspects) == [100, 118]
    assert counted.calls <= 20


def test_errors_in_small_boxes_that_share_a_slab_are_looked_for_there() -> None:
    """They are several boxes still."""
    shapes = [(100,), (3,), (2,), (100,)]
    everything = whole_region(segments_of(shapes))
    found, _ = search({101: 1.0, 104: 0.7}, shapes=shapes, point=POINT[:205], slopes=SLOPES[:205])
    assert sorted(s.box.start for s in found.suspects) == [101, 104]
    slabs = Slabs.of(everything, 5)
    excess = found.reader.coded(found.reader.measure(everything), slabs)
    (part,) = found._cut(excess)
    assert [box.start for box in part.region] == [100, 103]
    assert part.residual == pytest.approx(excess.residual)


def test_slab_of_a_digit_by_chance_is_left_at_once() -> None:
    """What several errors read as is not looked for in the parts either."""
    reader, region = search({})[0].reader, whole_region(segments_of(SHAPES)[:1])
    # Rows 1 and 3 by as much: read as the second.
    found, _ = search({k: 1.0 / reader.weight(k) for k in (30, 80)})
    excess = found.reader.coded(found.reader.measure(region), Slabs.of(region, 8))
    (slab,) = found.reader.slab(excess)
    assert slab.ranges == ((2, 3), (0, 25))
    parts = found._cut(excess)
    assert len(parts) == 1
    assert parts[0].ambiguous
    assert found.reader.slab(parts[0]) == ()


def test_cut_goes_the_other_way_after_both_sides_were_off() -> None:
    """Rows lie on both sides of a column, columns on both sides of a row."""
    found, _ = search({3: 1.0, 65: 1.0, 180: 1.0})
    (box,) = whole_region(found.reader.probe.directions.segments[:1])
    parts = found._cut(found.reader.measure((box,)))
    assert [part.region[0].lengths for part in parts] == [(8, 12), (8, 13)]
    assert all(part.across and part.depth == 1 for part in parts)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_nothing_that_is_right_is_suspected(count: int) -> None:
    """Scattered errors, wherever they are."""
    rng = np.random.default_rng(count)
    for _ in range(5):
        errors = {int(k): float(rng.uniform(0.5, 2)) for k in rng.choice(SIZE, count, False)}
        found, _ = search(errors)
        held = {k for f in found.findings for k in coordinates_of(f.box)}
        suspected = {s.box.start for s in found.suspects}
        assert suspected <= set(errors)
        assert set(errors) <= suspected | held
        assert not found.left


def test_search_ends_with_its_budget() -> None:
    """What it did not explain is left, all of it."""
    errors = {3: 0.5, 57: -0.3, 90: 0.7, 180: 0.2}
    found, counted = search(errors, budget=4)
    left = [k for part in found.left for box in part.region for k in coordinates_of(box)]
    assert counted.calls <= 20
    assert set(errors) - {s.box.start for s in found.suspects} <= set(left)
    assert found.left


def test_nothing_is_found_where_nothing_is_off() -> None:
    """Noise is no reason to go on."""
    found, counted = search({}, noise=1e-9)
    assert (found.suspects, found.findings, found.left) == ([], [], [])
    assert counted.calls <= 6


def test_largest_residual_is_explained_first() -> None:
    """So that the budget is spent on what is most off."""
    found, _ = search({3: 0.1, 250: 10.0, 325: 3.0})
    assert [s.box.start for s in found.suspects] == [250, 325, 3]


@pytest.mark.parametrize("errors", [{320: 1.0}, {321: 1.0}, {320: 1.0, 321: 2.0}])
def test_one_entry_that_is_off_is_not_enough(errors: Mapping[int, float]) -> None:
    """Of a box of two, both must be; one is a suspect, that was measured already."""
    found, _ = search(errors)
    box = Box(found.reader.probe.directions.segments[2], ((0, 2),))
    found.findings.clear()
    found.suspects.clear()
    excess = found.reader.measure((box,))
    rest = found._explain_box(excess, box, tries=2, enough=2)
    assert [finding.wrong for finding in found.findings] == [2] * (len(errors) == 2)
    # That one is right is known, now and then, before the other is measured.
    assert bool(rest) == (len(errors) == 1 and not found.suspects)
    assert [s.box.start for s in found.suspects] in ([], list(errors)[:1])
    for suspect in found.suspects:
        assert suspect.measured is not None
        assert found.reader.measure((box,)).residual == pytest.approx(0, abs=1e-6)


def test_what_is_left_without_an_entry_that_was_measured_is_known() -> None:
    """With its code; nothing moves the entry from then on."""
    found, _ = search({60: 1.0, 61: 2.0})
    probe = found.reader.probe
    weights = replace(probe.directions, excluded=())
    found.reader = replace(found.reader, probe=replace(probe, directions=weights))
    region = found.reader.probe.directions.segments[0].box()
    excess = found.reader.with_slabs(found.reader.measure((region,)))
    rest = found._without(excess, [(60, found.entries.measure(60))])
    again = found.reader.coded(found.reader.measure((region,)), excess.slabs)
    assert rest.residual == pytest.approx(again.residual, rel=1e-6)
    assert rest.coded == pytest.approx(again.coded, rel=1e-6)
    assert rest.noise > excess.noise
    assert found.reader.coordinate(rest) == 61


def test_segment_that_was_forgotten_is_sampled_at_once() -> None:
    """No axis is read where nothing is claimed."""
    errors = {k: -SLOPES[k] for k in range(200, 320)}
    found, counted = search(errors)
    assert [f.box.is_whole for f in found.findings] == [True]
    assert counted.calls == 2 + 4 * 2
    rest, _ = search({203: 1.0}, slopes=np.where(np.arange(SIZE) // 120 == 1, 0.0, SLOPES))
    assert [s.box.start for s in rest.suspects] == [203]


def test_cut_that_leaves_all_on_one_side_keeps_the_digit() -> None:
    """It is not measured again."""
    found, counted = search({3: 1.0, 60: 1.0})
    (box,) = whole_region(found.reader.probe.directions.segments[:1])
    reader = found.reader
    both = reader.with_slabs(reader.measure((box,)))
    counted.calls = 0
    (part,) = found._cut(both)
    assert counted.calls == 2
    assert part.region[0].size == 96
    again = reader.coded(reader.measure(part.region), both.slabs)
    assert part.coded == pytest.approx(again.coded)
    assert part.residual == pytest.approx(again.residual)


def test_block_is_found_as_one() -> None:
    """For a fraction of what its parts would cost; scattered errors beside it are found, too."""
    segment = segments_of([(200, 40)])[0]
    block = Box(segment, ((50, 110), (10, 30)))
    errors = {k: 0.1 + k % 11 for k in [*coordinates_of(block), 7, 7000]}
    found, counted = search(errors, point=POINTS, slopes=np.ones(8000), shapes=[(200, 40)])
    assert [finding.box for finding in found.findings] == [block]
    assert sorted(s.box.start for s in found.suspects) == [7, 7000]
    assert not found.left
    assert counted.calls <= 250


def test_block_that_is_no_row_is_found_in_parts() -> None:
    """Four of four that are off make a part of it; what is right is in none."""
    errors = {k: 0.1 + k % 11 for k in range(250)}
    slopes, shapes = np.ones(POINTS.size), [(200, 40)]
    found, counted = search(errors, point=POINTS, slopes=slopes, shapes=shapes)
    held = {k for finding in found.findings for k in coordinates_of(finding.box)}
    assert held | {s.box.start for s in found.suspects} <= set(errors)
    assert len(held) >= 240
    assert counted.calls <= 250


def test_entries_that_are_off_all_over_are_told_from_those_that_are_right() -> None:
    """Where every cut leaves some on both sides boxes are sampled, the rest is read."""
    chosen = np.random.default_rng(1).choice(200, 80, replace=False).tolist()
    found, counted = search({k: 1.0 + k % 3 for k in chosen})
    held = {k for finding in found.findings for k in coordinates_of(finding.box)}
    named = held | {s.box.start for s in found.suspects}
    assert named <= set(chosen)
    assert len(named) >= 40
    assert counted.calls <= 600
    assert not found.left
