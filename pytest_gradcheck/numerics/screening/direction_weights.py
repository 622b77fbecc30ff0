"""Random directions over all coordinates or some, weighted by digits of the coordinates' numbers.

Direction k has the entries ``sign * U[0.5, 1.5] * scale * gain``. They are drawn from a generator
that is seeded by k and the block of coordinates, so that a direction can be drawn again, in whole
or in part, and is never stored. With a `Code` each entry is multiplied by ``1 + digit / base``,
where the digit is one of a number of the coordinate: the change of a residual then tells the
digit of the coordinate that is wrong, as weighted checksums tell the element of a matrix product
that is wrong (J.-Y. Jou and J. A. Abraham, Proc. IEEE 74 (1986) 732).

It does not evaluate anything, and does not depend on what a direction is used for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from pytest_gradcheck.numerics.coordinate_scales import Scales
from pytest_gradcheck.numerics.measurement import Floats, Indices
from pytest_gradcheck.numerics.random_directions import seeded_generator, signed_direction
from pytest_gradcheck.numerics.screening.subarrays import Box, Region, Segment

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

#: The number of coordinates that are drawn in one block, from one generator.
BLOCK = 1 << 16


class Numbering(Protocol):
    """A numbering of coordinates, whose digits a `Code` uses."""

    def __call__(self, order: int, box: Box, part: Box) -> Indices:
        """Return the numbers of the coordinates in a part of the `order`-th box of a region.

        Their shape broadcasts to that of the part.
        """
        ...  # pragma: no cover


@dataclass(frozen=True, slots=True)
class Code:
    """One digit of the numbers of coordinates: ``number // divisor % base``.

    Attributes
    ----------
    numbering : Numbering
        The numbers of the coordinates.
    divisor, base : int
        The place value of the digit, and its base.
    """

    numbering: Numbering
    divisor: int
    base: int

    def factors(self, order: int, box: Box, part: Box) -> Floats:
        """Return ``1 + digit / base`` for the coordinates in a part of the `order`-th box."""
        numbers = self.numbering(order, box, part)
        return np.asarray(1.0 + numbers // self.divisor % self.base / self.base)


def by_box(order: int, box: Box, part: Box) -> Indices:
    """Return the number of the box that the coordinates are in."""
    del box, part
    return np.array(order)


def by_axis(axis: int) -> Numbering:
    """Return the numbering of coordinates by their index on an axis, from the start of the box."""

    def numbering(order: int, box: Box, part: Box) -> Indices:
        del order
        return _indices(part, box, axis)

    return numbering


def by_coordinate(order: int, box: Box, part: Box) -> Indices:
    """Return the positions of the coordinates in the point."""
    del order, box
    return part.segment.start + c_order_numbers(part, part.segment.box())


def by_position(inside: Box) -> Numbering:
    """Return the numbering of the coordinates of a box in its C order.

    Coordinates outside of the box get numbers without a meaning.
    """

    def numbering(order: int, box: Box, part: Box) -> Indices:
        del order, box
        is_same_segment = part.segment == inside.segment
        return c_order_numbers(part, inside) if is_same_segment else np.zeros((), dtype=np.intp)

    return numbering


def c_order_numbers(
    part: Box, inside: Box, axis: int | None = None, thickness: int = 1
) -> Indices:
    """Return the numbers of the coordinates of a part in C order of a box.

    Parameters
    ----------
    part : Box
        The coordinates. It may extend beyond the box.
    inside : Box
        The box, of the same segment.
    axis : int, optional
        The last axis that counts: coordinates that differ on later axes only get one number.
    thickness : int
        How many consecutive indices on `axis` get one number.

    Returns
    -------
    ndarray of int
        Of a shape that broadcasts to that of the part.
    """
    lengths = inside.lengths if axis is None else inside.lengths[: axis + 1]
    numbers: Indices = np.zeros([1] * len(part.lengths), dtype=np.intp)
    for k, length in enumerate(lengths):
        divisor = thickness if k == axis else 1
        numbers = numbers * -(-length // divisor) + _indices(part, inside, k) // divisor
    return numbers


def _indices(part: Box, box: Box, axis: int) -> Indices:
    """Return the indices of a part on an axis, counted from the start of a box.

    Their shape broadcasts to that of the part.
    """
    shape = [1] * len(part.lengths)
    shape[axis] = part.lengths[axis]
    return (np.arange(*part.ranges[axis]) - box.ranges[axis][0]).reshape(shape)


def _no_coordinates() -> Indices:
    return np.zeros(0, dtype=np.intp)


@dataclass(frozen=True, slots=True)
class CodedDirections:
    """Random directions, each with a number, the same every time they are drawn.

    Attributes
    ----------
    scales : Scales
        The natural step of each coordinate.
    segments : tuple of Segment
        The segments that the point consists of.
    gains : ndarray, shape (number of segments,)
        The factor by which each segment moves further than its natural steps.
    seed : int
        The seed of all directions.
    excluded : tuple of Box
        Boxes that no direction moves, because their errors are known already.
    fixed : ndarray of int
        Coordinates that no direction moves, because the function is far noisier there, or may
        have a kink or the edge of its domain.
    """

    scales: Scales
    segments: tuple[Segment, ...]
    gains: Floats
    seed: int
    excluded: Region = ()
    fixed: Indices = field(default_factory=_no_coordinates)

    def draw(self, out: Floats, which: int, region: Region, code: Code | None = None) -> None:
        """Write a direction to `out`, zero outside of a region.

        Parameters
        ----------
        out : ndarray, shape (n,)
            Is overwritten.
        which : int
            The number of the direction.
        region : Region
            The coordinates that move.
        code : Code, optional
            Multiplies each entry by ``1 + digit / base``.
        """
        out[:] = 0.0
        numbers, last_block = self.segment_numbers(), dict[int, Floats]()
        for run in _contiguous_runs(region):
            edges = [box.start for box in run] + [run[-1].stop]
            self._fill(out, which, edges[0], edges[-1], last_block)
            gains = self.gains[[numbers[box.segment.start] for box in run]]
            out[edges[0] : edges[-1]] *= np.repeat(gains, np.diff(edges))
        for order, box in enumerate(region):
            if code is None and box.is_whole:
                continue
            segment = box.segment
            part = out[segment.start : segment.stop]
            shaped = part.reshape(segment.shape)
            for axis, (start, stop) in enumerate(box.ranges):
                earlier_axes = (slice(None),) * axis
                shaped[(*earlier_axes, slice(0, start))] = 0.0
                shaped[(*earlier_axes, slice(stop, None))] = 0.0
            if code is not None:
                for slab in box.slabs(BLOCK):
                    inside = slab.view(part)
                    inside *= code.factors(order, box, slab)
        for box in self.excluded:
            box.view(out[box.segment.start : box.segment.stop])[...] = 0.0
        out[self.fixed] = 0.0

    def segment_numbers(self) -> dict[int, int]:
        """Return the number of each segment, keyed by its first coordinate."""
        return {segment.start: k for k, segment in enumerate(self.segments)}

    def weight(self, which: int, coordinate: int) -> float:
        """Return one entry of a direction over everything."""
        start = coordinate // BLOCK * BLOCK
        number = next(k for k, s in enumerate(self.segments) if s.contains(coordinate))
        block = self._block(which, start)
        return float(block[coordinate - start] * self.gains[number])

    def _fill(
        self, out: Floats, which: int, start: int, stop: int, last_block: dict[int, Floats]
    ) -> None:
        """Write the entries from `start` to `stop`, before gains.

        The last block is kept in `last_block`, keyed by its first coordinate, because small
        segments share one.
        """
        for first in range(start // BLOCK * BLOCK, stop, BLOCK):
            if first not in last_block:
                last_block.clear()
                last_block[first] = self._block(which, first)
            block = last_block[first]
            low, high = max(start, first), min(stop, first + block.size)
            out[low:high] = block[low - first : high - first]

    def _block(self, which: int, first: int) -> Floats:
        """Draw the block of entries that begins with a coordinate."""
        scale = self.scales.own(slice(first, first + BLOCK))
        rng = seeded_generator(self.seed, which, first)
        return signed_direction(scale, rng)


def _contiguous_runs(region: Region) -> Iterator[list[Box]]:
    """Yield runs of boxes that follow each other in the point without a gap."""
    run, stop = list[Box](), -1
    for box in region:
        if run and stop != box.start:
            yield run
            run = []
        run.append(box)
        stop = box.stop
    if run:
        yield run
