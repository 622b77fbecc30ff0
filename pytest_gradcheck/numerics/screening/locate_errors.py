"""Localization of wrong claims: decoding where one place explains a residual, else bisection.

The residual of a region, claimed minus measured, is the sum of its errors times their weights.
Most often a single coordinate, row or segment is wrong, and its place is decoded (see `Decoder`).
Where nothing can be decoded, the region is bisected: one half is measured, and the residual of
the other half follows by subtraction. Halves without a significant residual are dropped, as in
adaptive group testing (R. Dorfman, Ann. Math. Statist. 14 (1943) 436; F. K. Hwang, J. Amer.
Statist. Assoc. 67 (1972) 605). Where errors are dense, coordinates of a box are sampled, and the
box is a finding when enough of them are wrong.

It does not judge, and does not name parameters: it returns boxes in which claims are wrong, with
what was measured in them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from pytest_gradcheck.numerics.measurement import Measurement
from pytest_gradcheck.numerics.screening.confirm_entries import SingleEntries
from pytest_gradcheck.numerics.screening.directional_derivative import SIGNIFICANT
from pytest_gradcheck.numerics.screening.residual_decoding import Decoder, Residual
from pytest_gradcheck.numerics.screening.screen_result import Finding, Suspect
from pytest_gradcheck.numerics.screening.subarrays import Box, bisect_region

__all__ = ["ErrorSearch", "bounding_box"]

#: A box without a single place that explains its residual counts as dense after this many
#: consecutive bisections with errors in both halves. Boxes up to the size of a small one need
#: fewer.
DENSE_DEPTH = 5
SMALL = 256
DENSE_DEPTH_OF_SMALL = 2

#: Coordinates that are sampled in a place that was decoded, and how many of them must be wrong.
SAMPLE = 6
ENOUGH = 2

#: Coordinates that are sampled in a place that was not decoded. All must be wrong, since some
#: coordinates of one row may be wrong by chance.
SAMPLE_OF_UNDECODED = 4

#: Coordinates of a block that are sampled: at most so many corners, and so many others. All must
#: be wrong. After so many blocks that were not confirmed no others are tried.
CORNERS = 8
INNER = 4
ATTEMPTS = 2

#: A coordinate, and its measured derivatives.
Sampled = tuple[int, Measurement]


@dataclass(slots=True)
class ErrorSearch:
    """A search for the wrong claims about one output.

    Attributes
    ----------
    decoder : Decoder
        Measures residuals, and decodes places from them.
    entries : SingleEntries
        Measures single coordinates.
    may_continue : callable
        ``may_continue() -> bool``, whether the budget allows more evaluations.
    rng : numpy.random.Generator
        Draws samples.
    suspects : list of Suspect
        Coordinates that explain residuals.
    findings : list of Finding
        Boxes in which sampled coordinates are wrong.
    unexplained : list of Residual
        The residuals that were not explained when the budget was spent.
    blocks : list of Box
        The findings that no direction moves any more.
    rejected_blocks : list of Box
        Blocks that were sampled, and are not wrong throughout.
    cleared : collection of Box
        Coordinates that were suspects in an earlier search, and are not wrong.
    """

    decoder: Decoder
    entries: SingleEntries
    may_continue: Callable[[], bool]
    rng: np.random.Generator
    suspects: list[Suspect] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    unexplained: list[Residual] = field(default_factory=list)
    blocks: list[Box] = field(default_factory=list)
    rejected_blocks: list[Box] = field(default_factory=list)
    cleared: Collection[Box] = ()

    def run(self, residual: Residual) -> None:
        """Search until every residual is explained, or the budget is spent."""
        queue = self._explain_everything(residual)
        while queue:
            queue.sort(key=lambda part: part.significance)
            worst = queue.pop()
            if worst.significance <= SIGNIFICANT:
                return
            if not self.may_continue():
                self.unexplained += [worst, *queue]
                return
            known = len(self.blocks)
            queue += self._explain(worst)
            queue = [self._without_blocks(part, self.blocks[known:]) for part in queue]

    def _explain_everything(self, residual: Residual) -> list[Residual]:
        """Explain the residual of everything: most often one place does."""
        box = residual.region[0] if residual.size == 1 else self.decoder.box(residual)
        if box is None:
            return self._bisect(residual)
        return self._explain(self.decoder.closer(residual, box))

    def _explain(self, residual: Residual) -> list[Residual]:
        """Find what is wrong in a region; return the residuals that remain to be explained."""
        is_box = len(residual.region) == 1
        is_whole = is_box and residual.region[0].is_whole
        if not is_whole or residual.slabs is not None:
            coordinate = self.decoder.coordinate(residual)
            for box in residual.region:
                if coordinate is not None and box.contains(coordinate):
                    element = box.segment.element(coordinate)
                    if self._may_be_wrong(element, residual):
                        return self._suspect(residual, element)
        if is_whole and not self.entries.claims_anything(residual.region[0], self.decoder.output):
            # Most likely the gradient of the whole segment was forgotten.
            (box,) = residual.region
            rest = self._sample(residual, box, SAMPLE_OF_UNDECODED, SAMPLE_OF_UNDECODED)
            return [] if rest is None else self._explain_place(rest)
        if is_whole:
            return self._explain_place(residual)
        dense_depth = DENSE_DEPTH_OF_SMALL if residual.size <= SMALL else DENSE_DEPTH
        if is_box and residual.depth >= dense_depth:
            return self._explain_dense(replace(residual, depth=0))
        return self._bisect(residual)

    def _explain_dense(self, residual: Residual) -> list[Residual]:
        """Explain a residual by its whole box, and the block that the box is a part of.

        A box that is not wrong throughout is bisected.
        """
        known, (box,) = len(self.findings), residual.region
        row = box.with_full_axes()
        if self._is_found(row):
            return []
        if min(box.lengths) == 1 and row != box:
            sample = self._draw_sample(row, SAMPLE_OF_UNDECODED)
            if self._take_block(row, sample):
                return []
        rest = self._sample(residual, box, SAMPLE_OF_UNDECODED, SAMPLE_OF_UNDECODED)
        if rest is not None:
            return self._bisect(rest)
        if len(self.findings) > known and len(self.rejected_blocks) < ATTEMPTS:
            self._grow(box)
        return []

    def _grow(self, box: Box) -> None:
        """Replace the last finding, a box, by the block that it is a part of."""
        block = bounding_box(self.decoder, box)
        # Scattered errors extend to every side of their bounding box, but seldom to a corner.
        sample = [*block.corners()[:CORNERS], *self._draw_sample(block, INNER)]
        part = self.findings.pop()
        if not self._take_block(block, sample):
            self.findings.append(part)
            self.rejected_blocks.append(block)

    def _take_block(self, block: Box, sample: Sequence[int]) -> bool:
        """Take a block as a finding if its whole sample is wrong; no direction moves it then."""
        is_block = self._measure_sample(block, sample, len(sample))[0]
        if is_block:
            self.blocks.append(block)
            self.decoder = self.decoder.without([block])
        return is_block

    def _without_blocks(self, residual: Residual, blocks: Sequence[Box]) -> Residual:
        """Measure the residual of a region again if it contains coordinates of new blocks."""
        if not any(box.intersects(block) for box in residual.region for block in blocks):
            return residual
        return replace(self.decoder.measure(residual.region), depth=0)

    def _explain_place(self, residual: Residual) -> list[Residual]:
        """Explain the residual of a box by a coordinate or a row in it, or by all of it."""
        (box,) = residual.region
        place = self.decoder.place(residual)
        if place.size == 1:
            may_be_wrong = self._may_be_wrong(place, residual)
            return self._suspect(residual, place) if may_be_wrong else self._bisect(residual)
        if place != box:
            row = place.with_full_axes()
            if self._is_found(row):
                return []
            # In a part of a segment it takes more to distinguish a row from two coordinates.
            if box.is_whole:
                return self._explain_by(residual, row, SAMPLE, ENOUGH)
            return self._explain_by(residual, row, SAMPLE_OF_UNDECODED, SAMPLE_OF_UNDECODED)
        if box.is_whole:
            return self._explain_by(residual, box, SAMPLE_OF_UNDECODED, SAMPLE_OF_UNDECODED)
        return self._bisect(residual)

    def _explain_by(
        self, residual: Residual, box: Box, samples: int, enough: int
    ) -> list[Residual]:
        """Explain a residual by a box if enough samples of it are wrong, else bisect."""
        rest = self._sample(residual, box, samples, enough)
        return [] if rest is None else self._bisect(rest)

    def _may_be_wrong(self, element: Box, residual: Residual) -> bool:
        return element not in self.cleared or residual.size == 1

    def _is_found(self, box: Box) -> bool:
        return any(finding.box == box for finding in self.findings)

    def _suspect(self, residual: Residual, box: Box) -> list[Residual]:
        """Explain a residual by the error of one coordinate."""
        weight = self.decoder.weight(box.start)
        size, step = abs(weight), self.decoder.step
        error, bound = residual.residual / weight, residual.bound / size
        self.suspects.append(Suspect(box, error, bound, step * size))
        return []

    def _bisect(self, residual: Residual) -> list[Residual]:
        """Measure the residual of one half of a region; that of the other half is the rest.

        The residual of a single coordinate is explained by that coordinate, however uncertain.
        """
        if residual.size == 1:
            return self._suspect(residual, residual.region[0])
        residual = self.decoder.with_slabs(residual)
        slab = self.decoder.slab(residual)
        if slab and slab != residual.region:
            part = self.decoder.measure(slab)
            if residual.minus(residual.region, part).significance <= SIGNIFICANT:
                return self._explain_place(part) if len(slab) == 1 else [part]
            residual = replace(residual, ambiguous=True)
        first, second = bisect_region(residual.region, first_axis=residual.first_axis)
        part = self.decoder.measure(first)
        rest = residual.minus(second, part)
        # Where all errors are in one half, what was decoded of the region holds for that half.
        same = replace(residual, depth=0)
        if part.significance <= SIGNIFICANT:
            return [same.of(rest)]
        if rest.significance <= SIGNIFICANT:
            return [same.of(part)]
        part = self.decoder.coded(part, residual.slabs)
        parts = [part, residual.minus(second, part)]
        # Several rows have errors on both sides of any column: the next cut is across rows.
        depth, first_axis = residual.depth + 1, not residual.first_axis
        return [replace(part, depth=depth, first_axis=first_axis) for part in parts]

    def _sample(self, residual: Residual, box: Box, samples: int, enough: int) -> Residual | None:
        """Sample a box; return the residual that remains if the box is not wrong, else None.

        Wrong coordinates of a box that is not wrong itself become suspects. None is returned as
        well where they explain the residual.
        """
        sample = self._draw_sample(box, samples)
        is_wrong, wrong = self._measure_sample(box, sample, min(enough, box.size))
        if is_wrong:
            return None
        inside = [one for one in wrong if residual.region[0].contains(one[0])]
        rest = self._without_coordinates(residual, inside) if inside else residual
        return None if rest.significance <= SIGNIFICANT else rest

    def _draw_sample(self, box: Box, samples: int) -> list[int]:
        """Draw the numbers of elements of a box."""
        drawn = self.rng.choice(box.size, min(samples, box.size), replace=False)
        return [int(k) for k in drawn]

    def _measure_sample(
        self, box: Box, sample: Sequence[int], enough: int
    ) -> tuple[bool, list[Sampled]]:
        """Measure a sample of a box until enough of it is wrong, or can no longer be.

        Returns
        -------
        is_wrong : bool
            Whether enough is wrong. The box is a finding then.
        wrong : list of Sampled
            The wrong coordinates.
        """
        measured, wrong = list[Sampled](), list[Sampled]()
        for number in sample:
            if len(wrong) == enough or len(wrong) + len(sample) - len(measured) < enough:
                break
            coordinate = box.coordinate(number)
            measured.append((coordinate, self.entries.measure(coordinate)))
            if self.entries.errors(*measured[-1])[self.decoder.output]:
                wrong.append(measured[-1])
        if len(wrong) < enough:
            return False, wrong
        self.findings.append(Finding(box, self.decoder.output, tuple(measured), len(wrong)))
        return True, wrong

    def _without_coordinates(self, residual: Residual, wrong: Sequence[Sampled]) -> Residual:
        """Make wrong coordinates suspects, and subtract their errors from a residual."""
        (region,) = residual.region
        output = self.decoder.output
        for coordinate, found in wrong:
            error = float(self.entries.errors(coordinate, found)[output])
            bound, step = float(found.bound[0, output]), float(found.step[0])
            suspect = Suspect(region.segment.element(coordinate), error, bound, step, found)
            self.suspects.append(suspect)
            weight = self.decoder.weight(coordinate)
            residual = residual.minus_coordinate(suspect.box, error * weight, bound * abs(weight))
        new_suspects = self.suspects[-len(wrong) :]
        self.decoder = self.decoder.without([suspect.box for suspect in new_suspects])
        return residual


def bounding_box(decoder: Decoder, box: Box) -> Box:
    """Return the box that extends, on each axis, from the first wrong index to the last.

    Parameters
    ----------
    decoder : Decoder
        Measures residuals.
    box : Box
        A box that contains errors.

    Returns
    -------
    Box
        A larger box. Beyond it, the claims in the same rows and columns are right. It costs two
        evaluations for each end of an axis that the box reaches, and twenty for each other end
        with a thousand indices beyond.
    """
    for axis, length in enumerate(box.segment.shape):
        start, stop = box.ranges[axis]
        last = _limit_of_errors(decoder, box, axis, start, length)
        first = _limit_of_errors(decoder, box, axis, min(stop, last), 0)
        box = box.with_range(axis, first, last)
    return box


def _limit_of_errors(decoder: Decoder, box: Box, axis: int, inside: int, outside: int) -> int:
    """Return by bisection where errors end on an axis, between `inside` and `outside`."""
    direction = 1 if inside < outside else -1
    if _has_errors(decoder, box, axis, outside - direction, outside):
        return outside
    while abs(outside - inside) > 1:
        middle = (inside + outside) // 2
        if _has_errors(decoder, box, axis, middle, outside):
            inside = middle
        else:
            outside = middle
    return outside


def _has_errors(decoder: Decoder, box: Box, axis: int, one: int, other: int) -> bool:
    """Return whether the box has a significant residual between two positions on an axis."""
    part = box.with_range(axis, min(one, other), max(one, other))
    return decoder.measure((part,)).significance > SIGNIFICANT
