"""Directions over all coordinates or some: drawn when they are needed, never stored.

It must not evaluate anything, and is not told what a direction is for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from pytest_gradcheck.numerics.measurement import Floats, Indices
from pytest_gradcheck.numerics.random_directions import seeded_generator, signed_direction
from pytest_gradcheck.numerics.screening.array_regions import Box, Region, Segment
from pytest_gradcheck.numerics.step_size import Scales

__all__ = [
    "Code",
    "CodedDirections",
    "Numbering",
    "by_axis",
    "by_box",
    "by_coordinate",
    "by_position",
    "c_order_numbers",
]

#: Coordinates that are drawn together.
BLOCK = 1 << 16


def _none() -> Indices:
    return np.zeros(0, dtype=np.intp)


class Numbering(Protocol):
    """Gives coordinates the numbers whose digits are coded."""

    def __call__(self, order: int, box: Box, part: Box) -> Indices:
        """Return numbers of a part of the `order`-th box, of a shape that broadcasts to it."""
        ...  # pragma: no cover


@dataclass(frozen=True, slots=True)
class Code:
    """A digit of a number that coordinates have: ``number // divisor % base``.

    Attributes
    ----------
    numbers : Numbering
        The numbers.
    divisor, base : int
        Which digit.
    """

    numbers: Numbering
    divisor: int
    base: int

    def factors(self, order: int, box: Box, part: Box) -> Floats:
        """Return ``1 + digit / base`` for the coordinates of a part of a box."""
        numbers = self.numbers(order, box, part)
        return np.asarray(1.0 + numbers // self.divisor % self.base / self.base)


def _runs(region: Region) -> Iterator[list[Box]]:
    """Yield boxes together that lie one after the other in the point without a gap."""
    run, stop = list[Box](), -1
    for box in region:
        if run and stop != box.start:
            yield run
            run = []
        run.append(box)
        stop = box.stop
    if run:
        yield run


def by_box(order: int, box: Box, part: Box) -> Indices:
    """Return the number of the box that coordinates are in."""
    del box, part
    return np.array(order)


def by_axis(axis: int) -> Numbering:
    """Return what gives coordinates their index on an axis, from the start of their box."""

    def numbers(order: int, box: Box, part: Box) -> Indices:
        del order
        return _indices(part, box, axis)

    return numbers


def by_coordinate(order: int, box: Box, part: Box) -> Indices:
    """Return the coordinates themselves, as they lie in the point."""
    del order, box
    return part.segment.start + c_order_numbers(part, part.segment.box())


def by_position(inside: Box) -> Numbering:
    """Return what gives coordinates of a box their number in it, in C order; others any."""

    def numbers(order: int, box: Box, part: Box) -> Indices:
        del order, box
        alike = part.segment == inside.segment
        return c_order_numbers(part, inside) if alike else np.zeros((), dtype=np.intp)

    return numbers


def c_order_numbers(part: Box, inside: Box, axis: int | None = None, thick: int = 1) -> Indices:
    """Return the numbers of a part's coordinates in C order of a box, and of what lies around it.

    Up to an axis, where that is given: those behind it count alike, as do `thick` indices of it.
    """
    lengths = inside.lengths if axis is None else inside.lengths[: axis + 1]
    numbers: Indices = np.zeros([1] * len(part.lengths), dtype=np.intp)
    for number, length in enumerate(lengths):
        together = thick if number == axis else 1
        index = _indices(part, inside, number) // together
        numbers = numbers * -(-length // together) + index
    return numbers


def _indices(part: Box, box: Box, axis: int) -> Indices:
    """Return the indices of a part on an axis, counted from a box, of a shape that broadcasts."""
    along = [1] * len(part.lengths)
    along[axis] = part.lengths[axis]
    return (np.arange(*part.ranges[axis]) - box.ranges[axis][0]).reshape(along)


@dataclass(frozen=True, slots=True)
class CodedDirections:
    """Random directions by number, the same whenever they are drawn.

    Attributes
    ----------
    scales : Scales
        Natural steps of the coordinates.
    segments : tuple of Segment
        They cover the point.
    gains : ndarray, shape (number of segments,)
        How much larger than natural the steps of each segment are.
    seed : int
        Decides all directions.
    excluded : tuple of Box
        Parts that no direction moves: what is wrong there is known already.
    fixed : ndarray of int
        Coordinates that no direction moves: the function has a kink there, or ends.
    """

    scales: Scales
    segments: tuple[Segment, ...]
    gains: Floats
    seed: int
    excluded: Region = ()
    fixed: Indices = field(default_factory=_none)

    def draw(self, out: Floats, which: int, region: Region, code: Code | None = None) -> None:
        """Write direction `which` to `out`, shape (n,), zero outside of `region`.

        With a code each entry is multiplied by ``1 + digit / base``.
        """
        out[:] = 0.0
        numbers, drawn = self.segment_numbers(), dict[int, Floats]()
        for run in _runs(region):
            edges = [box.start for box in run] + [run[-1].stop]
            self._fill(out, which, edges[0], edges[-1], drawn)
            lifts = self.gains[[numbers[box.segment.start] for box in run]]
            out[edges[0] : edges[-1]] *= np.repeat(lifts, np.diff(edges))
        for number, box in enumerate(region):
            if code is None and box.is_whole:
                continue
            segment = box.segment
            part = out[segment.start : segment.stop]
            shaped = part.reshape(segment.shape)
            for axis, (start, stop) in enumerate(box.ranges):
                before = (slice(None),) * axis
                shaped[(*before, slice(0, start))] = 0.0
                shaped[(*before, slice(stop, None))] = 0.0
            if code is not None:
                for slab in box.slabs(BLOCK):
                    inside = slab.view(part)
                    inside *= code.factors(number, box, slab)
        for box in self.excluded:
            box.view(out[box.segment.start : box.segment.stop])[...] = 0.0
        out[self.fixed] = 0.0

    def segment_numbers(self) -> dict[int, int]:
        """Return the number of each segment by its first coordinate."""
        return {segment.start: k for k, segment in enumerate(self.segments)}

    def weight(self, which: int, coordinate: int) -> float:
        """Return one entry of direction `which`."""
        start = coordinate // BLOCK * BLOCK
        number = next(k for k, s in enumerate(self.segments) if s.contains(coordinate))
        block = self._block(which, start)
        return float(block[coordinate - start] * self.gains[number])

    def _fill(
        self, out: Floats, which: int, start: int, stop: int, drawn: dict[int, Floats]
    ) -> None:
        """Write what is drawn; the last block is kept, since small segments share it."""
        for first in range(start // BLOCK * BLOCK, stop, BLOCK):
            if first not in drawn:
                drawn.clear()
                drawn[first] = self._block(which, first)
            block = drawn[first]
            low, high = max(start, first), min(stop, first + block.size)
            out[low:high] = block[low - first : high - first]

    def _block(self, which: int, first: int) -> Floats:
        scale = self.scales.own(slice(first, first + BLOCK))
        rng = seeded_generator(self.seed, which, first)
        return signed_direction(scale, rng)
