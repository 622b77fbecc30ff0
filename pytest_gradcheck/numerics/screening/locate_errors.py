"""Where claims are off: decoding where one place explains a residual, cutting where several do.

It must not judge or name; it says which boxes are off, and what was measured in them.
"""

# MERGED How far what is off reaches around a box, on every side of it.
#
# It must not sample or name; it finds where residuals end.

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from pytest_gradcheck.numerics.measurement import Measurement
from pytest_gradcheck.numerics.screening.array_regions import Box, bisect_region
from pytest_gradcheck.numerics.screening.confirm_entries import SingleEntries
from pytest_gradcheck.numerics.screening.directional_derivative import SIGNIFICANT
from pytest_gradcheck.numerics.screening.residual_decoding import Decoder, Residual
from pytest_gradcheck.numerics.screening.screen_result import Finding, Suspect

__all__ = ["ErrorSearch", "bounding_box"]


def bounding_box(reader: Decoder, box: Box) -> Box:
    """Return the box that reaches, on each axis, from the first index that is off to the last.

    Parameters
    ----------
    reader : Decoder
        Measures residuals.
    box : Box
        Something in it is off.

    Returns
    -------
    Box
        What lies beyond it in the same rows and columns is right. Costs two evaluations for
        each end of an axis where it reaches that, twenty where a thousand are beyond.
    """
    for axis, length in enumerate(box.segment.shape):
        start, stop = box.ranges[axis]
        last = _reach(reader, box, axis, start, length)
        first = _reach(reader, box, axis, min(stop, last), 0)
        box = box.with_range(axis, first, last)
    return box


def _reach(reader: Decoder, box: Box, axis: int, inside: int, outside: int) -> int:
    """Return how far towards `outside` anything is off, from `inside`, to either side."""
    one = 1 if inside < outside else -1
    if _is_off(reader, box, axis, outside - one, outside):
        return outside
    while abs(outside - inside) > 1:
        middle = (inside + outside) // 2
        if _is_off(reader, box, axis, middle, outside):
            inside = middle
        else:
            outside = middle
    return outside


def _is_off(reader: Decoder, box: Box, axis: int, one: int, other: int) -> bool:
    """Tell whether anything between two places on an axis is off."""
    part = box.with_range(axis, min(one, other), max(one, other))
    return reader.measure((part,)).significance > SIGNIFICANT


#: A coordinate, and what was measured of it.
Sampled = tuple[int, Measurement]

#: A box in which no single place is off is sampled after so many cuts in a row with errors
#: on both sides, after fewer when it is no larger than this.
DEEP = 5
SMALL = 256
DENSE = 2

#: Coordinates of a place that was read that are sampled, and how many must be off.
SAMPLE = 6
ENOUGH = 2

#: All of a block must be: so many corners at most, and so many of the others; after so many
#: guesses that were wrong no more are made.
CORNERS = 8
MIDDLE = 4
GUESSES = 2

#: So many must be, of as many, where none was read: those of one row by chance are not.
ALL = 4


@dataclass(slots=True)
class ErrorSearch:
    """A search for what is off in one output.

    Attributes
    ----------
    reader : Decoder
        Measures residuals.
    entries : SingleEntries
        Measures coordinates.
    goes_on : callable
        ``goes_on() -> bool``, whether more evaluations are affordable.
    rng : numpy.random.Generator
        Draws samples.
    suspects : list of Suspect
        What explains residuals, by what was read.
    findings : list of Finding
        Boxes that are off, by what was measured in them.
    left : list of Residual
        What was not explained when the budget was spent.
    blocks : list of Box
        Those of the findings that no direction moves any more.
    guesses : list of Box
        What might have been such, and is not.
    right : collection of Box
        Coordinates that were suspects before, and are not off.
    """

    reader: Decoder
    entries: SingleEntries
    goes_on: Callable[[], bool]
    rng: np.random.Generator
    suspects: list[Suspect] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    left: list[Residual] = field(default_factory=list)
    blocks: list[Box] = field(default_factory=list)
    guesses: list[Box] = field(default_factory=list)
    right: Collection[Box] = ()

    def run(self, excess: Residual) -> None:
        """Search until every residual is explained, or the budget is spent."""
        queue = self._explain_all(excess)
        while queue:
            queue.sort(key=lambda part: part.significance)
            worst = queue.pop()
            if worst.significance <= SIGNIFICANT:
                return
            if not self.goes_on():
                self.left += [worst, *queue]
                return
            known = len(self.blocks)
            queue += self._explain(worst)
            queue = [self._without_blocks(part, self.blocks[known:]) for part in queue]

    def _explain_all(self, excess: Residual) -> list[Residual]:
        """Explain the residual of everything: most often one place does."""
        box = excess.region[0] if excess.size == 1 else self.reader.box(excess)
        return self._cut(excess) if box is None else self._explain(self.reader.closer(excess, box))

    def _explain(self, excess: Residual) -> list[Residual]:
        """Find what is off in a region; return what remains to be explained."""
        alone = len(excess.region) == 1
        is_whole = alone and excess.region[0].is_whole
        if not is_whole or excess.slabs is not None:
            coordinate = self.reader.coordinate(excess)
            for box in excess.region:
                if coordinate is not None and box.contains(coordinate):
                    single = box.segment.element(coordinate)
                    if self._may_be_off(single, excess):
                        return self._suspect(excess, single)
        if is_whole and not self.entries.claims_anything(excess.region[0], self.reader.output):
            # Most likely all of it was forgotten.
            rest = self._sample(excess, excess.region[0], tries=ALL, enough=ALL)
            return [] if rest is None else self._explain_place(rest)
        if is_whole:
            return self._explain_place(excess)
        dense = excess.depth >= (DENSE if excess.size <= SMALL else DEEP)
        if alone and dense:
            return self._explain_dense(replace(excess, depth=0))
        return self._cut(excess)

    def _explain_dense(self, excess: Residual) -> list[Residual]:
        """Explain a residual by its region, and all of the block that is a part of; else cut."""
        known, (box,) = len(self.findings), excess.region
        row = box.with_full_axes()
        if self._is_found(row):
            return []
        if min(box.lengths) == 1 and row != box and self._take_block(row, self._drawn(row, ALL)):
            return []
        rest = self._sample(excess, box, tries=ALL, enough=ALL)
        if rest is not None:
            return self._cut(rest)
        if len(self.findings) > known and len(self.guesses) < GUESSES:
            self._grow(box)
        return []

    def _grow(self, box: Box) -> None:
        """Take a block instead of a box that is a part of it."""
        block = bounding_box(self.reader, box)
        # What is no block reaches to all of its sides, yet to a corner by chance only.
        numbers = [*block.corners()[:CORNERS], *self._drawn(block, MIDDLE)]
        part = self.findings.pop()
        if not self._take_block(block, numbers):
            self.findings.append(part)
            self.guesses.append(block)

    def _take_block(self, block: Box, numbers: Sequence[int]) -> bool:
        """Take a block where all of these places in it are off: nothing moves it from then on."""
        is_block = self._is_off(block, numbers, enough=len(numbers))[0]
        if is_block:
            self.blocks.append(block)
            self.reader = self.reader.without([block])
        return is_block

    def _without_blocks(self, excess: Residual, blocks: Sequence[Box]) -> Residual:
        """Measure a region again that blocks are a part of which are known since."""
        if not any(box.intersects(block) for box in excess.region for block in blocks):
            return excess
        return replace(self.reader.measure(excess.region), depth=0)

    def _explain_place(self, excess: Residual) -> list[Residual]:
        """Find the index on each axis of a box at which it is off, or that all of it is."""
        (box,) = excess.region
        place = self.reader.place(excess)
        if place.size == 1:
            may_be = self._may_be_off(place, excess)
            return self._suspect(excess, place) if may_be else self._cut(excess)
        if place != box:
            row = place.with_full_axes()
            if self._is_found(row):
                return []
            # Of a part of a box it takes more to tell a row from two entries in it.
            if box.is_whole:
                return self._explain_box(excess, row, tries=SAMPLE, enough=ENOUGH)
            return self._explain_box(excess, row, tries=ALL, enough=ALL)
        if box.is_whole:
            return self._explain_box(excess, box, tries=ALL, enough=ALL)
        return self._cut(excess)

    def _may_be_off(self, single: Box, excess: Residual) -> bool:
        return single not in self.right or excess.size == 1

    def _is_found(self, box: Box) -> bool:
        return any(finding.box == box for finding in self.findings)

    def _suspect(self, excess: Residual, box: Box) -> list[Residual]:
        """Explain a residual by the error of one coordinate."""
        weight = self.reader.weight(box.start)
        size, step = abs(weight), self.reader.step
        found = Suspect(box, excess.residual / weight, excess.bound / size, step * size)
        self.suspects.append(found)
        return []

    def _cut(self, excess: Residual) -> list[Residual]:
        """Measure one half of a region, and get the other by subtraction.

        What is seen of one coordinate is its own, however unclear.
        """
        if excess.size == 1:
            return self._suspect(excess, excess.region[0])
        excess = self.reader.with_slabs(excess)
        inside = self.reader.slab(excess)
        if inside and inside != excess.region:
            part = self.reader.measure(inside)
            if excess.minus(excess.region, part).significance <= SIGNIFICANT:
                return self._explain_place(part) if len(inside) == 1 else [part]
            excess = replace(excess, ambiguous=True)
        first, second = bisect_region(excess.region, first_axis=excess.across)
        part = self.reader.measure(first)
        rest = excess.minus(second, part)
        # All that is off being on one side, so is all of the digit.
        same = replace(excess, depth=0)
        if part.significance <= SIGNIFICANT:
            return [same.of(rest)]
        if rest.significance <= SIGNIFICANT:
            return [same.of(part)]
        part = self.reader.coded(part, excess.slabs)
        parts = [part, excess.minus(second, part)]
        # Several rows lie on both sides of any column: one cuts the other way next.
        return [replace(p, depth=excess.depth + 1, across=not excess.across) for p in parts]

    def _explain_box(
        self, excess: Residual, box: Box, *, tries: int, enough: int
    ) -> list[Residual]:
        """Explain a residual by a box, if that is off; else cut."""
        rest = self._sample(excess, box, tries=tries, enough=enough)
        return [] if rest is None else self._cut(rest)

    def _sample(self, excess: Residual, box: Box, *, tries: int, enough: int) -> Residual | None:
        """Sample a box; return what is left to be explained where it is not off.

        Those of its coordinates that are off are suspects then.
        """
        is_off, off = self._is_off(box, self._drawn(box, tries), enough=min(enough, box.size))
        if is_off:
            return None
        inside = [one for one in off if excess.region[0].contains(one[0])]
        rest = self._without(excess, inside) if inside else excess
        return None if rest.significance <= SIGNIFICANT else rest

    def _drawn(self, box: Box, number: int) -> list[int]:
        """Draw places in a box."""
        drawn = self.rng.choice(box.size, min(number, box.size), replace=False)
        return [int(k) for k in drawn]

    def _is_off(
        self, box: Box, numbers: Sequence[int], *, enough: int
    ) -> tuple[bool, list[Sampled]]:
        """Take a box as found where enough of these places in it are off.

        Returns whether they are, and which.
        """
        measured, off = list[Sampled](), list[Sampled]()
        for number in numbers:
            if len(off) == enough or len(off) + len(numbers) - len(measured) < enough:
                break
            coordinate = box.coordinate(number)
            measured.append((coordinate, self.entries.measure(coordinate)))
            if self.entries.errors(*measured[-1])[self.reader.output]:
                off.append(measured[-1])
        if len(off) < enough:
            return False, off
        self.findings.append(Finding(box, self.reader.output, tuple(measured), len(off)))
        return True, off

    def _without(self, excess: Residual, off: Sequence[Sampled]) -> Residual:
        """Leave out coordinates that are off, and take their share of a residual off it."""
        (region,) = excess.region
        for coordinate, found in off:
            error = float(self.entries.errors(coordinate, found)[self.reader.output])
            bound, step = float(found.bound[0, self.reader.output]), float(found.step[0])
            suspect = Suspect(region.segment.element(coordinate), error, bound, step, found)
            self.suspects.append(suspect)
            weight = self.reader.weight(coordinate)
            excess = excess.minus_coordinate(suspect.box, error * weight, bound * abs(weight))
        self.reader = self.reader.without([suspect.box for suspect in self.suspects[-len(off) :]])
        return excess
