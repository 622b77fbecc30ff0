"""Localization of wrong claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_gradcheck.numerics.screening.confirm_entries import SingleEntries
from pytest_gradcheck.numerics.screening.locate_errors import ErrorSearch, bounding_box
from pytest_gradcheck.numerics.screening.residual_decoding import Decoder, Residual, Slabs
from pytest_gradcheck.numerics.screening.subarrays import Box, whole_region
from tests.numerics.functions import Counted, Floats
from tests.numerics.screening.builders import (
    FEW_EXAMPLES,
    Shapes,
    coordinates_of,
    derivative_with,
    linear,
    probe_of,
    segments_of,
)

SHAPE = (20, 32)
BLOCK_SIZE = 640
BLOCK_POINT = np.random.default_rng(1).normal(size=BLOCK_SIZE)
BLOCK_SLOPES = np.random.default_rng(2).uniform(1, 2, size=BLOCK_SIZE)
(SEGMENT,) = segments_of([SHAPE])


def decoder_of(wrong: Sequence[int]) -> tuple[Decoder, Counted]:
    """Return a decoder for claims of which some are 1.5 times the true derivative."""
    claim = BLOCK_SLOPES.copy()
    claim[list(wrong)] *= 1.5
    probe, counted = probe_of(linear(BLOCK_SLOPES), claim, BLOCK_POINT, [SHAPE])
    return Decoder.of(probe, derivative_with(1e6, 1.0), 0), counted


@FEW_EXAMPLES
@given(st.data())
def test_bounding_box_of_any_part_of_a_block_is_the_block(data: st.DataObject) -> None:
    """The size of the part and its surroundings do not matter."""
    ranges = []
    for length in SHAPE:
        start = data.draw(st.integers(0, length - 1))
        ranges.append((start, data.draw(st.integers(start + 1, length))))
    block = Box(SEGMENT, tuple(ranges))
    inside = data.draw(st.sampled_from(coordinates_of(block)))
    decoder, _ = decoder_of(coordinates_of(block))
    element = SEGMENT.element(inside)
    assert bounding_box(decoder, element) == block
    wider = Box(SEGMENT, tuple((max(a - 1, 0), b + 1) for a, b in element.ranges))
    inner = tuple((a, min(b, n)) for (a, b), n in zip(wider.ranges, SHAPE, strict=True))
    assert bounding_box(decoder, Box(SEGMENT, inner)) == block


@pytest.mark.parametrize(("rows", "calls"), [((0, 20), 8), ((4, 9), 24)])
def test_bounding_box_costs_two_evaluations_at_the_end_of_an_axis(
    rows: tuple[int, int], calls: int
) -> None:
    """Other ends are found by bisection."""
    block = Box(SEGMENT, (rows, (0, 32)))
    decoder, counted = decoder_of(coordinates_of(block))
    counted.calls = 0
    assert bounding_box(decoder, block) == block
    assert counted.calls <= calls


SHAPES = [(8, 25), (3, 40), (7,)]
SIZE = 327
POINT = np.random.default_rng(1).normal(size=SIZE)
POINTS = np.random.default_rng(3).normal(size=8000)
SLOPES = np.random.default_rng(2).uniform(1, 2, size=SIZE)


def search_for(
    errors: Mapping[int, float],
    *,
    budget: int = 1000,
    shapes: Shapes = SHAPES,
    point: Floats = POINT,
    slopes: Floats = SLOPES,
    **options: Any,
) -> tuple[ErrorSearch, Counted]:
    """Search for errors in the claims about a linear function; return the finished search."""
    claim: Floats = slopes.copy()
    for coordinate, error in errors.items():
        claim[coordinate] += error
    probe, counted = probe_of(linear(slopes), claim, point, shapes, **options)
    everything, step = whole_region(probe.directions.segments), 1e-2
    pair = probe.difference(1, everything, step)
    residual = Residual(everything, float(pair.residual[0]), float(pair.noise[0]))
    decoder = Decoder.of(probe, derivative_with(residual.residual, residual.bound, step=step), 0)
    rng = np.random.default_rng(0)
    entries = SingleEntries(probe, 1e-6, rng)
    found = ErrorSearch(decoder, entries, lambda: counted.calls < budget, rng)
    counted.calls = 0
    found.run(residual)
    assert (probe.function.point == point).all()
    return found, counted


@FEW_EXAMPLES
@given(st.integers(0, SIZE - 1), st.floats(0.01, 100), st.sampled_from([-1, 1]))
def test_single_error_is_decoded(coordinate: int, size: float, sign: int) -> None:
    """Six evaluations are enough for segment, index and error."""
    found, counted = search_for({coordinate: sign * size})
    (suspect,) = found.suspects
    assert suspect.box.start == coordinate
    assert suspect.box.size == 1
    assert abs(suspect.error - sign * size) <= 2 * suspect.bound + 1e-12 * size
    assert counted.calls <= 2 + 2 * 2
    assert not found.findings
    assert not found.unexplained


def test_step_of_a_suspect_is_that_of_its_coordinate() -> None:
    """It is the step along the direction times the weight; the bound is divided by the weight."""
    found, _ = search_for({100: 0.5}, noise=1e-9)
    (suspect,) = found.suspects
    weight = abs(found.decoder.weight(100))
    assert suspect.step == pytest.approx(1e-2 * weight)
    assert suspect.bound == pytest.approx(4e-7 / weight)


def test_errors_in_several_segments_are_separated() -> None:
    """Bisection between segments separates them, and each is decoded."""
    errors = {3: 0.5, 250: -0.3, 325: 0.7}
    found, counted = search_for(errors)
    assert {s.box.start: pytest.approx(s.error) for s in found.suspects} == errors
    assert counted.calls <= 30


def test_several_errors_in_one_matrix_are_separated() -> None:
    """They share neither row nor column, and are too few to be dense."""
    errors = {3: 0.5, 57: -0.3, 90: 0.7, 180: 0.2}
    found, counted = search_for(errors)
    assert {s.box.start: pytest.approx(s.error) for s in found.suspects} == errors
    assert not found.findings
    assert counted.calls <= 100


def test_wrong_row_is_one_finding() -> None:
    """Two of its coordinates are measured, and wrong."""
    found, counted = search_for(
        {k: 0.1 + k % 7 for k in range(225, 240)} | dict.fromkeys(range(200, 225), 1.0)
    )
    (finding,) = found.findings
    assert finding.box.ranges == ((0, 1), (0, 40))
    assert (finding.output, finding.wrong, len(finding.measured)) == (0, 2, 2)
    assert all(finding.box.contains(coordinate) for coordinate, _ in finding.measured)
    assert finding.relative_error is None
    assert not found.suspects
    assert counted.calls <= 20


def test_wrong_column_is_one_finding() -> None:
    """Its coordinates are not adjacent in the point."""
    found, _ = search_for({k: 0.1 + k % 3 for k in range(4, 200, 25)})
    (finding,) = found.findings
    assert finding.box.ranges == ((0, 8), (4, 5))


def test_wrong_segment_is_one_finding() -> None:
    """No single place in it is decoded."""
    found, counted = search_for({k: 0.1 + k % 11 for k in range(200, 320)})
    (finding,) = found.findings
    assert finding.box.is_whole
    assert finding.box.start == 200
    assert counted.calls <= 20


def test_errors_everywhere_are_found_by_segment() -> None:
    """Each segment is sampled."""
    found, _ = search_for({k: 0.1 + k % 11 for k in range(SIZE)})
    boxes = [finding.box for finding in found.findings]
    assert sorted(box.start for box in boxes if box.is_whole)[:2] == [0, 200]
    assert not found.unexplained


def test_half_wrong_row_is_a_finding() -> None:
    """At most six of its coordinates are measured; two wrong ones are enough."""
    found, _ = search_for({k: 0.1 + k % 7 for k in range(200, 240, 2)})
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
    """They are found in the slab that they share, or from a part of them."""
    (segment,) = segments_of([(200, 40)])
    lines = [segment.box().at_index(axis, k) for k in indices]
    wrong = [(k, 1.0 + n % 7) for line in lines for n, k in enumerate(coordinates_of(line))]
    errors = dict(wrong) | {int(k): 2.0 for k in np.random.default_rng(seed).choice(8000, 5)}
    found, counted = search_for(
        errors, point=POINTS, slopes=np.ones(POINTS.size), shapes=[(200, 40)]
    )
    found_wrong = {k for finding in found.findings for k in coordinates_of(finding.box)}
    assert found_wrong == {k for k, _ in wrong}
    assert {s.box.start for s in found.suspects} <= set(errors)
    assert counted.calls <= 300


def test_cleared_coordinate_is_not_suspected_again() -> None:
    """It is suspected expected only where it is the whole region."""
    found, _ = search_for({60: 1.0})
    (suspect,) = found.suspects
    residual = found.decoder.with_slabs(found.decoder.measure((suspect.box.segment.box(),)))
    found.suspects.clear()
    assert found._explain(residual) == []
    assert [s.box for s in found.suspects] == [suspect.box]
    found.cleared, found.suspects = [suspect.box], []
    assert found._explain(residual)
    assert found.suspects == []
    assert found._explain(found.decoder.measure((suspect.box,))) == []
    assert [s.box for s in found.suspects] == [suspect.box]


def test_errors_in_one_slab_are_searched_there() -> None:
    """That takes two evaluations, instead of two for every bisection."""
    found, counted = search_for({100: 1.0, 118: 0.7})
    region = whole_region(segments_of(SHAPES)[:1])
    residual = found.decoder.coded(found.decoder.measure(region), Slabs.of(region, 8))
    found.suspects.clear()
    counted.calls = 0
    queue = found._bisect(residual)
    while queue:
        queue += found._explain(queue.pop())
    assert sorted(s.box.start for s in found.suspects) == [100, 118]
    assert counted.calls <= 20


def test_errors_in_small_boxes_of_one_slab_are_searched_there() -> None:
    """The region still has several boxes."""
    shapes = [(100,), (3,), (2,), (100,)]
    everything = whole_region(segments_of(shapes))
    found, _ = search_for(
        {101: 1.0, 104: 0.7}, shapes=shapes, point=POINT[:205], slopes=SLOPES[:205]
    )
    assert sorted(s.box.start for s in found.suspects) == [101, 104]
    slabs = Slabs.of(everything, 5)
    residual = found.decoder.coded(found.decoder.measure(everything), slabs)
    (part,) = found._bisect(residual)
    assert [box.start for box in part.region] == [100, 103]
    assert part.residual == pytest.approx(residual.residual)


def test_slab_that_was_decoded_by_chance_is_discarded() -> None:
    """It is not searched in parts of the region, either."""
    decoder, region = search_for({})[0].decoder, whole_region(segments_of(SHAPES)[:1])
    # Equal residuals of rows 1 and 3 are decoded as row 2.
    found, _ = search_for({k: 1.0 / decoder.weight(k) for k in (30, 80)})
    residual = found.decoder.coded(found.decoder.measure(region), Slabs.of(region, 8))
    (slab,) = found.decoder.slab(residual)
    assert slab.ranges == ((2, 3), (0, 25))
    parts = found._bisect(residual)
    assert len(parts) == 1
    assert parts[0].ambiguous
    assert found.decoder.slab(parts[0]) == ()


def test_bisection_changes_axis_after_errors_in_both_halves() -> None:
    """Rows have errors on both sides of a column, and columns on both sides of a row."""
    found, _ = search_for({3: 1.0, 65: 1.0, 180: 1.0})
    (box,) = whole_region(found.decoder.probe.directions.segments[:1])
    parts = found._bisect(found.decoder.measure((box,)))
    assert [part.region[0].lengths for part in parts] == [(8, 12), (8, 13)]
    assert all(part.first_axis and part.depth == 1 for part in parts)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_only_wrong_coordinates_are_suspects(count: int) -> None:
    """Errors are scattered at random."""
    rng = np.random.default_rng(count)
    for _ in range(5):
        errors = {int(k): float(rng.uniform(0.5, 2)) for k in rng.choice(SIZE, count, False)}
        found, _ = search_for(errors)
        found_wrong = {k for f in found.findings for k in coordinates_of(f.box)}
        suspected = {s.box.start for s in found.suspects}
        assert suspected <= set(errors)
        assert set(errors) <= suspected | found_wrong
        assert not found.unexplained


def test_search_ends_with_its_budget() -> None:
    """All residuals that it did not explain are returned."""
    errors = {3: 0.5, 57: -0.3, 90: 0.7, 180: 0.2}
    found, counted = search_for(errors, budget=4)
    unexplained = [
        k for part in found.unexplained for box in part.region for k in coordinates_of(box)
    ]
    assert counted.calls <= 20
    assert set(errors) - {s.box.start for s in found.suspects} <= set(unexplained)
    assert found.unexplained


def test_nothing_is_found_where_all_claims_are_right() -> None:
    """Noise is no reason to continue."""
    found, counted = search_for({}, noise=1e-9)
    assert (found.suspects, found.findings, found.unexplained) == ([], [], [])
    assert counted.calls <= 6


def test_largest_residual_is_explained_first() -> None:
    """The budget is spent on the largest errors."""
    found, _ = search_for({3: 0.1, 250: 10.0, 325: 3.0})
    assert [s.box.start for s in found.suspects] == [250, 325, 3]


@pytest.mark.parametrize("errors", [{320: 1.0}, {321: 1.0}, {320: 1.0, 321: 2.0}])
def test_box_is_no_finding_where_one_coordinate_is_right(errors: Mapping[int, float]) -> None:
    """Both of a box of two must be wrong. A single wrong one becomes a measured suspect."""
    found, _ = search_for(errors)
    box = Box(found.decoder.probe.directions.segments[2], ((0, 2),))
    found.findings.clear()
    found.suspects.clear()
    residual = found.decoder.measure((box,))
    rest = found._explain_by(residual, box, 2, 2)
    assert [finding.wrong for finding in found.findings] == [2] * (len(errors) == 2)
    # The right one may be measured first: then the other one is not measured.
    assert bool(rest) == (len(errors) == 1 and not found.suspects)
    assert [s.box.start for s in found.suspects] in ([], list(errors)[:1])
    for suspect in found.suspects:
        assert suspect.measured is not None
        assert found.decoder.measure((box,)).residual == pytest.approx(0, abs=1e-6)


def test_residual_without_a_measured_coordinate_is_known() -> None:
    """Its code is known, too, and the coordinate does not move any more."""
    found, _ = search_for({60: 1.0, 61: 2.0})
    probe = found.decoder.probe
    directions = replace(probe.directions, excluded=())
    found.decoder = replace(found.decoder, probe=replace(probe, directions=directions))
    region = found.decoder.probe.directions.segments[0].box()
    residual = found.decoder.with_slabs(found.decoder.measure((region,)))
    rest = found._without_coordinates(residual, [(60, found.entries.measure(60))])
    expected = found.decoder.coded(found.decoder.measure((region,)), residual.slabs)
    assert rest.residual == pytest.approx(expected.residual, rel=1e-6)
    assert rest.coded == pytest.approx(expected.coded, rel=1e-6)
    assert rest.noise > residual.noise
    assert found.decoder.coordinate(rest) == 61


def test_segment_without_claims_is_sampled_first() -> None:
    """No index is decoded where nothing is claimed."""
    errors = {k: -SLOPES[k] for k in range(200, 320)}
    found, counted = search_for(errors)
    assert [f.box.is_whole for f in found.findings] == [True]
    assert counted.calls == 2 + 4 * 2
    rest, _ = search_for({203: 1.0}, slopes=np.where(np.arange(SIZE) // 120 == 1, 0.0, SLOPES))
    assert [s.box.start for s in rest.suspects] == [203]


def test_cut_that_leaves_all_on_one_side_keeps_the_digit() -> None:
    """It is not measured expected."""
    found, counted = search_for({3: 1.0, 60: 1.0})
    (box,) = whole_region(found.decoder.probe.directions.segments[:1])
    decoder = found.decoder
    both = decoder.with_slabs(decoder.measure((box,)))
    counted.calls = 0
    (part,) = found._bisect(both)
    assert counted.calls == 2
    assert part.region[0].size == 96
    expected = decoder.coded(decoder.measure(part.region), both.slabs)
    assert part.coded == pytest.approx(expected.coded)
    assert part.residual == pytest.approx(expected.residual)


def test_wrong_block_is_one_finding() -> None:
    """It costs a fraction of what its parts would. Scattered errors are found as well."""
    segment = segments_of([(200, 40)])[0]
    block = Box(segment, ((50, 110), (10, 30)))
    errors = {k: 0.1 + k % 11 for k in [*coordinates_of(block), 7, 7000]}
    found, counted = search_for(errors, point=POINTS, slopes=np.ones(8000), shapes=[(200, 40)])
    assert [finding.box for finding in found.findings] == [block]
    assert sorted(s.box.start for s in found.suspects) == [7, 7000]
    assert not found.unexplained
    assert counted.calls <= 250


def test_errors_that_form_no_block_are_found_in_parts() -> None:
    """A part is a finding where four of four samples are wrong."""
    errors = {k: 0.1 + k % 11 for k in range(250)}
    slopes, shapes = np.ones(POINTS.size), [(200, 40)]
    found, counted = search_for(errors, point=POINTS, slopes=slopes, shapes=shapes)
    found_wrong = {k for finding in found.findings for k in coordinates_of(finding.box)}
    assert found_wrong | {s.box.start for s in found.suspects} <= set(errors)
    assert len(found_wrong) >= 240
    assert counted.calls <= 250


def test_dense_errors_are_separated_from_right_coordinates() -> None:
    """Boxes with errors in both halves are sampled, and the others are decoded."""
    chosen = np.random.default_rng(1).choice(200, 80, replace=False).tolist()
    found, counted = search_for({k: 1.0 + k % 3 for k in chosen})
    found_wrong = {k for finding in found.findings for k in coordinates_of(finding.box)}
    named = found_wrong | {s.box.start for s in found.suspects}
    assert named <= set(chosen)
    assert len(named) >= 40
    assert counted.calls <= 600
    assert not found.unexplained
