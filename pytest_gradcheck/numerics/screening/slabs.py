"""Slabs: parts of a region that one digit tells apart.

It must not measure anything; it says which slab a coordinate is in, and what lies in a slab.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pytest_gradcheck.numerics.measurement import Indices
from pytest_gradcheck.numerics.screening.places import Box, Region
from pytest_gradcheck.numerics.screening.weights import Code, in_order

__all__ = ["Slabs"]


@dataclass(frozen=True, slots=True)
class _Stack:
    """The slabs of one box: `thick` indices of an axis each, of one index of those before it."""

    box: Box
    axis: int
    thick: int
    first: int

    @property
    def lengths(self) -> tuple[int, ...]:
        """How many slabs there are along each axis, up to the one that is cut."""
        lengths = self.box.lengths
        return (*lengths[: self.axis], -(-lengths[self.axis] // self.thick))

    @property
    def last(self) -> int:
        """The number of its last slab."""
        return self.first + math.prod(self.lengths) - 1

    def numbers(self, part: Box) -> Indices:
        """Return the slab of each coordinate of a part of the box, of a shape that broadcasts."""
        return self.first + in_order(part, self.box, self.axis, self.thick)

    def part(self, number: int, box: Box) -> Box | None:
        """Return what a part of the box has in common with a slab, None where that is nothing."""
        if not self.first <= number <= self.last:
            return None
        index = np.unravel_index(number - self.first, self.lengths)
        for axis, at in enumerate(index):
            thick = self.thick if axis == self.axis else 1
            low = self.box.ranges[axis][0] + int(at) * thick
            start, stop = box.ranges[axis]
            start, stop = max(start, low), min(stop, low + thick)
            if start >= stop:
                return None
            box = box.along(axis, start, stop)
        return box


@dataclass(frozen=True, slots=True)
class Slabs:
    """A region in slabs of about as many coordinates each, numbered in C order.

    Small boxes share one; a larger box is cut across its first axis where that is enough.

    Examples
    --------
    >>> from pytest_gradcheck.numerics.screening.places import Segment, whole
    >>> everything = whole([Segment(0, (8, 3)), Segment(24, (3,))])
    >>> slabs = Slabs.of(everything, 5)
    >>> slabs.count, [box.ranges for box in slabs.part(1, everything)]
    (5, [((2, 4), (0, 3))])
    """

    stacks: tuple[_Stack, ...]

    @classmethod
    def of(cls, region: Region, count: int) -> Slabs:
        """Cut a region into about `count` slabs of as many coordinates each."""
        size = sum(box.size for box in region) / count
        stacks, number, filled = list[_Stack](), -1, size
        for box in region:
            axis, thick = _cut(box.lengths, size)
            fits = filled + box.size <= size
            stacks.append(_Stack(box, axis, thick, number if fits else number + 1))
            number, filled = stacks[-1].last, filled + box.size if fits else box.size
        return cls(tuple(stacks))

    @property
    def count(self) -> int:
        """How many there are."""
        return self.stacks[-1].last + 1

    @property
    def code(self) -> Code:
        """The digit that tells them apart."""
        return Code(self._numbers, 1, self.count)

    def part(self, number: int, region: Region) -> Region:
        """Return what a part of the region has in common with a slab."""
        parts = (self._stack(box).part(number, box) for box in region)
        return tuple(part for part in parts if part is not None)

    def count_in(self, region: Region) -> int:
        """Return in how many slabs a part of the region lies, from the first to the last."""
        ends = (region[0].single(0), region[-1].single(region[-1].size - 1))
        low, high = (self._stack(end).numbers(end).item() for end in ends)
        return int(high - low) + 1

    def hold_all_at(self, box: Box, axis: int) -> bool:
        """Tell whether all of a box at one index of an axis lies in one slab."""
        return self._stack(box).axis == axis == 0

    def _stack(self, box: Box) -> _Stack:
        return next(stack for stack in self.stacks if stack.box.segment == box.segment)

    def _numbers(self, order: int, box: Box, part: Box) -> Indices:
        del order, box
        return self._stack(part).numbers(part)


def _cut(lengths: tuple[int, ...], size: float) -> tuple[int, int]:
    """Return the axis to cut for parts of about this size, and how thick they are along it."""
    pieces = [max(1, round(math.prod(lengths[axis:]) / size)) for axis in range(len(lengths))]
    axis = max((axis for axis, count in enumerate(pieces) if count > 1), default=0)
    return axis, -(-lengths[axis] // pieces[axis])
