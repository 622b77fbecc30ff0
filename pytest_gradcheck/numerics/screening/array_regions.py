"""Places in a point: segments that are arrays, and boxes in them.

It must not evaluate anything; it counts and cuts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["Box", "Region", "Segment", "bisect_region", "whole_region"]


Number = TypeVar("Number", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Segment:
    """One array of the user's, as it lies in the point in C order.

    Attributes
    ----------
    start : int
        Its first coordinate.
    shape : tuple of int
        Its axes, at least one; their product is the number of its coordinates.
    rounding : float
        By which share of themselves its claims may be off, since they are rounded.

    Examples
    --------
    >>> segment = Segment(10, (2, 3))
    >>> segment.stop, segment.box().ranges
    (16, ((0, 2), (0, 3)))
    """

    start: int
    shape: tuple[int, ...]
    rounding: float = 0.0

    @property
    def size(self) -> int:
        """How many coordinates it has."""
        return prod(self.shape)

    @property
    def stop(self) -> int:
        """One past its last coordinate."""
        return self.start + self.size

    def contains(self, coordinate: int) -> bool:
        """Tell whether a coordinate is one of its own."""
        return self.start <= coordinate < self.stop

    def box(self) -> Box:
        """Return all of it."""
        return Box(self, tuple((0, length) for length in self.shape))

    def element(self, coordinate: int) -> Box:
        """Return the box of one of its coordinates."""
        return self.box().element(coordinate - self.start)


@dataclass(frozen=True, slots=True)
class Box:
    """A part of a segment: a range on each of its axes."""

    segment: Segment
    ranges: tuple[tuple[int, int], ...]

    @property
    def lengths(self) -> tuple[int, ...]:
        """How long its axes are."""
        return tuple(stop - start for start, stop in self.ranges)

    @property
    def size(self) -> int:
        """How many coordinates it has."""
        return prod(self.lengths)

    @property
    def is_whole(self) -> bool:
        """Whether it is all of its segment."""
        return self.lengths == self.segment.shape

    @property
    def start(self) -> int:
        """Its first coordinate."""
        return self.segment.start + self._offset([start for start, _ in self.ranges])

    @property
    def stop(self) -> int:
        """One past its last coordinate."""
        return self.segment.start + self._offset([stop - 1 for _, stop in self.ranges]) + 1

    def contains(self, coordinate: int) -> bool:
        """Tell whether a coordinate lies in it."""
        if not self.segment.contains(coordinate):
            return False
        index = np.unravel_index(coordinate - self.segment.start, self.segment.shape)
        return all(a <= k < b for k, (a, b) in zip(index, self.ranges, strict=True))

    def intersects(self, other: Box) -> bool:
        """Tell whether another has coordinates in common with it."""
        pairs = zip(self.ranges, other.ranges, strict=False)
        return self.segment == other.segment and all(
            start < end and begin < stop for (start, stop), (begin, end) in pairs
        )

    def coordinate(self, number: int) -> int:
        """Return the coordinate of its `number`-th place in C order."""
        index = np.unravel_index(number, self.lengths)
        there = [start + int(k) for (start, _), k in zip(self.ranges, index, strict=True)]
        return self.segment.start + self._offset(there)

    def _offset(self, index: Sequence[int]) -> int:
        """Return where in its segment an index is, in C order."""
        offset = 0
        for k, length in zip(index, self.segment.shape, strict=True):
            offset = offset * length + k
        return offset

    def corners(self) -> list[int]:
        """Return the numbers of its corners, each once.

        Examples
        --------
        >>> Segment(10, (2, 3)).box().corners(), Segment(0, (4,)).box().corners()
        ([0, 2, 3, 5], [0, 3])
        """
        ends = [sorted({0, length - 1}) for length in self.lengths]
        return [int(np.ravel_multi_index(corner, self.lengths)) for corner in product(*ends)]

    def element(self, number: int) -> Box:
        """Return the box of its `number`-th place alone."""
        index = np.unravel_index(number, self.lengths)
        there = [start + int(k) for (start, _), k in zip(self.ranges, index, strict=True)]
        return Box(self.segment, tuple((k, k + 1) for k in there))

    def at_index(self, axis: int, index: int) -> Box:
        """Return the part of it at one index of an axis, counted from its own start."""
        start = self.ranges[axis][0] + index
        return self.with_range(axis, start, start + 1)

    def halves(self, *, across: bool = False) -> tuple[Box, Box]:
        """Cut it in the middle of the last axis that is longer than one, across of the first."""
        axes = [axis for axis, length in enumerate(self.lengths) if length > 1]
        axis = axes[0 if across else -1]
        start, stop = self.ranges[axis]
        middle = (start + stop) // 2
        return self.with_range(axis, start, middle), self.with_range(axis, middle, stop)

    def with_range(self, axis: int, start: int, stop: int) -> Box:
        """Return it with another range on one axis."""
        return Box(self.segment, (*self.ranges[:axis], (start, stop), *self.ranges[axis + 1 :]))

    def with_full_axes(self) -> Box:
        """Return it with whole axes, but for those on which it is one index."""
        return Box(
            self.segment,
            tuple(
                part if part[1] - part[0] == 1 else (0, length)
                for part, length in zip(self.ranges, self.segment.shape, strict=True)
            ),
        )

    def slabs(self, size: int) -> Iterator[Box]:
        """Cut it across its longest axis into parts of about `size` coordinates, or thinner."""
        axis = int(np.argmax(self.lengths))
        start, stop = self.ranges[axis]
        thick = max(1, size * self.lengths[axis] // max(self.size, 1))
        for first in range(start, stop, thick):
            yield self.with_range(axis, first, min(first + thick, stop))

    def view(self, vector: NDArray[Number]) -> NDArray[Number]:
        """Return its part of a vector over its segment's coordinates, as a view."""
        slices = tuple(slice(start, stop) for start, stop in self.ranges)
        return vector.reshape(self.segment.shape)[slices]


#: Several whole segments, or one box.
Region = tuple[Box, ...]


def whole_region(segments: Sequence[Segment]) -> Region:
    """Return the region of all segments."""
    return tuple(segment.box() for segment in segments)


def bisect_region(region: Region, *, across: bool = False) -> tuple[Region, Region]:
    """Cut a region in two: between segments, where there are several, as even as that goes.

    A box along its last axis, or across its first.

    Examples
    --------
    >>> first, second, third = Segment(0, (5,)), Segment(5, (4,)), Segment(9, (90,))
    >>> [len(part) for part in cut(whole([first, second, third]))]
    [2, 1]
    """
    if len(region) == 1:
        first, second = region[0].halves(across=across)
        return (first,), (second,)
    sizes = np.cumsum([box.size for box in region])
    at = 1 + int(np.argmin(np.abs(sizes[:-1] - sizes[-1] / 2)))
    return region[:at], region[at:]
