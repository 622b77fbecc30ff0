"""Regions of the point: the arrays that it is made of, and boxes of indices in them.

The point is one flat vector. A `Segment` is the part of it that holds one array, in C order. A
`Box` is the product of one index range per axis of a segment, as ``array[2:5, :]`` is, and a
`Region` is several whole segments or one box.

It does not evaluate anything.
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
    """One array of the user, stored in the point in C order.

    Attributes
    ----------
    start : int
        The first coordinate of the array.
    shape : tuple of int
        The shape of the array, with at least one axis.
    rounding : float
        The relative rounding error of the claims about the array.

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
        """The number of coordinates."""
        return prod(self.shape)

    @property
    def stop(self) -> int:
        """One past the last coordinate."""
        return self.start + self.size

    def contains(self, coordinate: int) -> bool:
        """Return whether a coordinate is in the segment."""
        return self.start <= coordinate < self.stop

    def box(self) -> Box:
        """Return the box of the whole segment."""
        return Box(self, tuple((0, length) for length in self.shape))

    def element(self, coordinate: int) -> Box:
        """Return the box of one coordinate."""
        return self.box().element(coordinate - self.start)


@dataclass(frozen=True, slots=True)
class Box:
    """A part of a segment: one index range, ``(start, stop)``, per axis."""

    segment: Segment
    ranges: tuple[tuple[int, int], ...]

    @property
    def lengths(self) -> tuple[int, ...]:
        """The shape of the box."""
        return tuple(stop - start for start, stop in self.ranges)

    @property
    def size(self) -> int:
        """The number of coordinates."""
        return prod(self.lengths)

    @property
    def is_whole(self) -> bool:
        """Whether the box is the whole segment."""
        return self.lengths == self.segment.shape

    @property
    def start(self) -> int:
        """The first coordinate."""
        return self.segment.start + self._offset([start for start, _ in self.ranges])

    @property
    def stop(self) -> int:
        """One past the last coordinate."""
        return self.segment.start + self._offset([stop - 1 for _, stop in self.ranges]) + 1

    def contains(self, coordinate: int) -> bool:
        """Return whether a coordinate is in the box."""
        if not self.segment.contains(coordinate):
            return False
        index = np.unravel_index(coordinate - self.segment.start, self.segment.shape)
        pairs = zip(index, self.ranges, strict=True)
        return all(start <= k < stop for k, (start, stop) in pairs)

    def intersects(self, other: Box) -> bool:
        """Return whether two boxes have coordinates in common."""
        pairs = zip(self.ranges, other.ranges, strict=False)
        return self.segment == other.segment and all(
            start < other_stop and other_start < stop
            for (start, stop), (other_start, other_stop) in pairs
        )

    def coordinate(self, number: int) -> int:
        """Return the coordinate of the `number`-th element of the box in C order."""
        return self.segment.start + self._offset(self._index(number))

    def _index(self, number: int) -> list[int]:
        """Return the index in the segment of the `number`-th element of the box."""
        index = np.unravel_index(number, self.lengths)
        return [start + int(k) for (start, _), k in zip(self.ranges, index, strict=True)]

    def _offset(self, index: Sequence[int]) -> int:
        """Return the offset of an index from the start of the segment, in C order."""
        offset = 0
        for k, length in zip(index, self.segment.shape, strict=True):
            offset = offset * length + k
        return offset

    def corners(self) -> list[int]:
        """Return the numbers of the corner elements in C order, each once.

        Examples
        --------
        >>> Segment(10, (2, 3)).box().corners(), Segment(0, (4,)).box().corners()
        ([0, 2, 3, 5], [0, 3])
        """
        ends = [sorted({0, length - 1}) for length in self.lengths]
        return [int(np.ravel_multi_index(corner, self.lengths)) for corner in product(*ends)]

    def element(self, number: int) -> Box:
        """Return the box of the `number`-th element alone."""
        return Box(self.segment, tuple((k, k + 1) for k in self._index(number)))

    def at_index(self, axis: int, index: int) -> Box:
        """Return the part at one index of an axis, counted from the start of the box."""
        start = self.ranges[axis][0] + index
        return self.with_range(axis, start, start + 1)

    def halves(self, *, first_axis: bool = False) -> tuple[Box, Box]:
        """Return both halves along the last axis, or the first one, that is longer than 1."""
        axes = [axis for axis, length in enumerate(self.lengths) if length > 1]
        axis = axes[0 if first_axis else -1]
        start, stop = self.ranges[axis]
        middle = (start + stop) // 2
        return self.with_range(axis, start, middle), self.with_range(axis, middle, stop)

    def with_range(self, axis: int, start: int, stop: int) -> Box:
        """Return the box with another range on one axis."""
        return Box(self.segment, (*self.ranges[:axis], (start, stop), *self.ranges[axis + 1 :]))

    def with_full_axes(self) -> Box:
        """Return the box with every axis of more than one index extended to its full length."""
        return Box(
            self.segment,
            tuple(
                (start, stop) if stop - start == 1 else (0, length)
                for (start, stop), length in zip(self.ranges, self.segment.shape, strict=True)
            ),
        )

    def slabs(self, size: int) -> Iterator[Box]:
        """Yield slabs of at most about `size` coordinates, cut across the longest axis."""
        axis = int(np.argmax(self.lengths))
        start, stop = self.ranges[axis]
        thickness = max(1, size * self.lengths[axis] // max(self.size, 1))
        for first in range(start, stop, thickness):
            yield self.with_range(axis, first, min(first + thickness, stop))

    def view(self, vector: NDArray[Number]) -> NDArray[Number]:
        """Return the elements of the box in a vector over the segment, as a view."""
        slices = tuple(slice(start, stop) for start, stop in self.ranges)
        return vector.reshape(self.segment.shape)[slices]


#: Several whole segments, or one box.
Region = tuple[Box, ...]


def whole_region(segments: Sequence[Segment]) -> Region:
    """Return the region of some whole segments."""
    return tuple(segment.box() for segment in segments)


def bisect_region(region: Region, *, first_axis: bool = False) -> tuple[Region, Region]:
    """Split a region into two parts of about equal size.

    Several segments are split between two of them. One box is split as `Box.halves` does.

    Examples
    --------
    >>> first, second, third = Segment(0, (5,)), Segment(5, (4,)), Segment(9, (90,))
    >>> [len(part) for part in bisect_region(whole_region([first, second, third]))]
    [2, 1]
    """
    if len(region) == 1:
        first, second = region[0].halves(first_axis=first_axis)
        return (first,), (second,)
    sizes = np.cumsum([box.size for box in region])
    count = 1 + int(np.argmin(np.abs(sizes[:-1] - sizes[-1] / 2)))
    return region[:count], region[count:]
