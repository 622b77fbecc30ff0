"""Reading where an error is from how its weight changes: residuals are linear in the error.

It must not decide what an error means. Where the coordinates are weighted by ``1 + digit /
base`` of their number, the residual of an error at one of them grows by just that, and the
digit can be read off; where errors are at several, what is read is seldom an integer.
"""

# MERGED Slabs: parts of a region that one digit tells apart.
#
# It must not measure anything; it says which slab a coordinate is in, and what lies in a slab.
# MERGED By how much more is claimed than measured in a region, and how well that is known.
#
# It must not measure anything; it keeps apart what is independent of other measurements along
# the same direction, and what is not.

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pytest_gradcheck.numerics.measurement import Indices
from pytest_gradcheck.numerics.screening.array_regions import Box, Region, whole_region
from pytest_gradcheck.numerics.screening.direction_weights import (
    Code,
    Numbering,
    by_axis,
    by_box,
    by_coordinate,
    by_position,
    c_order_numbers,
)
from pytest_gradcheck.numerics.screening.directional_derivative import (
    DirectionalDerivative,
    DirectionalDifference,
    DirectionProbe,
)

__all__ = ["Decoder", "Residual", "Slabs"]


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
        return self.first + c_order_numbers(part, self.box, self.axis, self.thick)

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
            box = box.with_range(axis, start, stop)
        return box


@dataclass(frozen=True, slots=True)
class Slabs:
    """A region in slabs of about as many coordinates each, numbered in C order.

    Small boxes share one; a larger box is cut across its first axis where that is enough.

    Examples
    --------
    >>> from pytest_gradcheck.numerics.screening.array_regions import Segment, whole_region
    >>> everything = whole_region([Segment(0, (8, 3)), Segment(24, (3,))])
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
        ends = (region[0].element(0), region[-1].element(region[-1].size - 1))
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


#: How uncertain a ratio of two residuals is, in units of how uncertain each is: by noise, and by
#: the rounding of claims, most of which is the same in both.
UNSURE = 1.5
ALIKE = 0.75


@dataclass(frozen=True, slots=True)
class Residual:
    """By how much more is claimed than measured in a region, and how well that is known.

    Attributes
    ----------
    region : Region
        Where.
    residual : float
        Along a direction.
    noise : float
        Bound on what noise does to it, which is another whenever one measures.
    rounding : float
        Bound on what the rounding of the claims in the region does to it, which is there
        however often one measures, and in every part of it what that part does.
    coded : float or None
        The residual with the coordinates weighted by a digit, where that is known.
    slabs : Slabs or None
        That digit says in which of these it is: what is read of a region serves its parts.
    mixed : bool
        Whether that digit is one by chance: several are off, in several slabs.
    depth : int
        How many cuts in a row left errors on both sides.
    across : bool
        Whether to cut the first axis next, and not the last.
    """

    region: Region
    residual: float
    noise: float
    rounding: float = 0.0
    coded: float | None = None
    slabs: Slabs | None = None
    mixed: bool = False
    depth: int = 0
    across: bool = False

    @property
    def bound(self) -> float:
        """How well the residual is known."""
        return self.noise + self.rounding

    @property
    def clear(self) -> float:
        """The residual in units of its bound."""
        return abs(self.residual) / self.bound if self.bound else math.inf

    @property
    def unsure(self) -> float:
        """How uncertain its ratio to the same residual, otherwise weighted, is."""
        if not self.residual:
            return math.inf
        return (UNSURE * self.noise + ALIKE * self.rounding) / abs(self.residual)

    @property
    def size(self) -> int:
        """How many coordinates the region has."""
        return sum(box.size for box in self.region)

    def minus(self, region: Region, part: Residual) -> Residual:
        """Return what is left of it in `region` without a part that was measured."""
        coded = None
        if self.coded is not None and part.coded is not None:
            coded = self.coded - part.coded
        return Residual(
            region,
            self.residual - part.residual,
            math.hypot(self.noise, part.noise),
            _without(self.rounding, part.rounding),
            coded,
            self.slabs,
        )

    def of(self, part: Residual) -> Residual:
        """Return what is known of a part that all of it is due to."""
        return replace(
            self,
            region=part.region,
            residual=part.residual,
            noise=part.noise,
            rounding=part.rounding,
        )

    def less(self, box: Box, share: float, bound: float) -> Residual:
        """Return what is left of it without the known share of a coordinate in the region."""
        coded = self.coded
        if coded is not None and self.slabs is not None:
            coded -= share * float(self.slabs.code.factors(0, box, box).item())
        return replace(self, residual=self.residual - share, noise=self.noise + bound, coded=coded)

    def within(self, region: Region, rounding: float) -> Residual:
        """Return the same, all of it being due to a part in which claims are rounded by so much.

        What the rounding of the others does is then no longer in what is measured of it.
        """
        noise = math.hypot(self.noise, _without(self.rounding, rounding))
        return replace(self, region=region, noise=noise, rounding=rounding)


def _without(whole_region: float, part: float) -> float:
    """Return the rounding of the rest: that of different claims adds up in squares."""
    return math.sqrt(max(whole_region**2 - part**2, 0.0))


#: A digit is read when what is read is this close to an integer, and known as well; what is
#: known better must be closer, but never so close.
CLOSE = 0.25
CLOSEST = 0.02

#: A digit that is to serve parts should be clear still where a residual is so much fainter.
FAINTER = 16.0

#: Slabs that are worth a digit; where one is known, so many times those that are left.
FEWEST = 4
FINER = 2

#: A kink was crossed where slopes differ by so many times what curvature explains; then one
#: looks so much closer, so often.
KINKED = 3.0
CLOSER = 8.0
CLOSER_LOOKS = 2

#: Curvature bends as much less as the step is smaller, to within this share.
SAME_CURVATURE = 0.1

#: Coded directions reach further by this factor, in the middle.
REACH = 1.5

#: More digits than these are not worth reading: cutting is cheaper.
DIGITS = 4


@dataclass(frozen=True, slots=True)
class Decoder:
    """Measures residuals of one output, all along the same direction with the same step.

    Attributes
    ----------
    projector : DirectionProbe
        Goes there.
    which : int
        The direction.
    step : float
        In units of the direction.
    output : int
        The output.
    bend : float
        How much the function bends along it, per unit of step; more is a kink.
    """

    projector: DirectionProbe
    which: int
    step: float
    output: int
    bend: float

    @classmethod
    def of(cls, projector: DirectionProbe, sight: DirectionalDerivative, output: int) -> Decoder:
        """Read what is off in one output along the direction of a sight."""
        bend = float(sight.bend[output])
        return cls(projector, sight.which, sight.step, output, bend)

    def all_of(self, sight: DirectionalDerivative) -> Residual:
        """Return what a sight of everything shows."""
        everything = whole_region(self.projector.directions.segments)
        residual, bound = float(sight.residual[self.output]), float(sight.bound[self.output])
        rounding = self._rounding(everything)
        return Residual(everything, residual, max(bound - rounding, 0.0), rounding)

    def weight(self, coordinate: int) -> float:
        """Return the weight of a coordinate in the direction."""
        return self.projector.directions.weight(self.which, coordinate)

    def measure(self, region: Region, code: Code | None = None) -> Residual:
        """Measure the residual of a region: two evaluations, more where kinks are crossed."""
        step = self.step if code is None else self.step / REACH
        seen = self.projector.take(self.which, region, step, code)
        for _ in range(CLOSER_LOOKS):
            if not self._crossed(seen) or (code is not None and self._is_legible(seen, code)):
                break
            step /= CLOSER
            closer = self.projector.take(self.which, region, step, code)
            if self._curves(seen, closer):
                break
            seen = closer
        rounding = self._rounding(region)
        noise = max(float(seen.noise[self.output]) - rounding, 0.0)
        return Residual(region, float(seen.residual[self.output]), noise, rounding)

    def _rounding(self, region: Region) -> float:
        return float(self.projector.rounding(region)[self.output])

    def _crossed(self, seen: DirectionalDifference) -> bool:
        """Tell whether slopes to both sides differ by more than curvature explains."""
        smooth = KINKED * self.bend * seen.step + KINKED * seen.noise[self.output]
        return bool(abs(seen.bend[self.output]) > smooth)

    def _is_legible(self, seen: DirectionalDifference, code: Code) -> bool:
        """Tell whether a digit is the same whatever a kink did: half of its bend, at most."""
        residual, bend = abs(seen.residual[self.output]), abs(seen.bend[self.output])
        return bool(code.base * bend / 2 <= CLOSEST * residual)

    def _curves(self, seen: DirectionalDifference, closer: DirectionalDifference) -> bool:
        """Tell whether a bend falls with the step: that of a kink does not."""
        expected = seen.bend[self.output] * closer.step / seen.step
        doubt = SAME_CURVATURE * abs(expected) + KINKED * closer.noise[self.output]
        return bool(abs(closer.bend[self.output] - expected) <= doubt < abs(expected))

    def with_slabs(self, excess: Residual) -> Residual:
        """Measure a digit that tells parts of a region apart, where none is known, or clear."""
        clear = CLOSE / max(FAINTER * excess.unsure, CLOSE / excess.size)
        count = min(math.floor(clear), math.isqrt(excess.size - 1) + 1)
        known = 1 if excess.slabs is None else excess.slabs.count_in(excess.region)
        if known > 1 and count < FINER * known:
            return excess
        if count < FEWEST:
            return replace(excess, coded=None, slabs=None)
        return self.coded(excess, Slabs.of(excess.region, count))

    def coded(self, excess: Residual, slabs: Slabs | None) -> Residual:
        """Measure in which slab a region is off: two evaluations."""
        if slabs is None:
            return excess
        coded = self.measure(excess.region, slabs.code).residual
        return replace(excess, coded=coded, slabs=slabs, mixed=False)

    def without(self, boxes: Sequence[Box]) -> Decoder:
        """Return the same that does not move some boxes."""
        return replace(self, projector=self.projector.without(boxes))

    def closer(self, excess: Residual, box: Box) -> Residual:
        """Return the excess of a box that all of it is due to; measured anew where that pays.

        It does where the rounding of claims outside of the box leaves fewer digits clear.
        """
        within = excess.within((box,), self._rounding((box,)))
        alone = replace(within, noise=excess.noise)
        if 1 + _digits(box, alone) < _digits(box, within):
            return self.measure((box,))
        return within

    def box(self, excess: Residual) -> Box | None:
        """Read which box of a region an error is in; None where that is no single one."""
        number = self._read(excess, by_box, len(excess.region))
        return None if number is None else excess.region[number]

    def place(self, excess: Residual) -> Box:
        """Narrow the box of an error to the index it is at, on each axis that has one.

        Returns
        -------
        Box
            A single coordinate, a row, a column or a slab; the box itself where the
            error is at several indices of every axis.
        """
        (box,) = excess.region
        inside = self.slab(excess)
        narrowed = box
        for axis, (first, _) in enumerate(box.ranges):
            if not inside and excess.slabs is not None and excess.slabs.hold_all_at(box, axis):
                continue  # What is at one index of it would be in one slab.
            start, stop = inside[0].ranges[axis] if inside else box.ranges[axis]
            number = self._read(excess, by_axis(axis), stop - start, start=start - first)
            if number is not None:
                narrowed = narrowed.at_index(axis, number)
        return narrowed

    def coordinate(self, excess: Residual) -> int | None:
        """Read the one coordinate an error is at, in the slab that is known."""
        if excess.size == 1:
            return excess.region[0].start
        region = self.slab(excess)
        if not region:
            return None
        if len(region) == 1:
            (box,) = region
            # One digit may be one by chance: another is read where the slab is a coordinate.
            number = self._read(excess, by_position(box), max(box.size, 2))
            return None if number is None or number >= box.size else box.coordinate(number)
        start, stop = region[0].start, region[-1].stop
        return self._read(excess, by_coordinate, stop - start, start=start)

    def slab(self, excess: Residual) -> Region:
        """Return the part of a region in the slab that is off; all of it where that is unclear.

        Nothing, where what is off is in no single slab.
        """
        slabs = excess.slabs
        if slabs is None or excess.unsure * slabs.count > CLOSE:
            return excess.region
        digit = None if excess.mixed else self._digit(excess, slabs.code, excess.coded)
        return () if digit is None else slabs.part(digit, excess.region)

    def _read(
        self,
        excess: Residual,
        numbers: Numbering,
        count: int,
        *,
        start: int = 0,
    ) -> int | None:
        """Read which of `count` numbers from `start` on, two evaluations a digit."""
        base = _base(count, excess.unsure)
        if base is None:
            return None
        number, divisor = 0, 1
        while divisor < count:
            code = Code(numbers, divisor, base)
            digit = self._digit(excess, code, self.measure(excess.region, code).residual)
            if digit is None:
                return None
            number, divisor = number + digit * divisor, divisor * base
        # What was read is the remainder by all digits together.
        further = (number - start) % divisor
        return start + further if further < count else None

    @staticmethod
    def _digit(excess: Residual, code: Code, coded: float | None) -> int | None:
        if coded is None or not np.isfinite(coded) or not excess.residual:
            return None
        read = float(coded / excess.residual - 1) * code.base
        digit: int = round(read)
        close = max(excess.unsure * code.base, CLOSEST)
        near = close <= CLOSE and abs(read - digit) <= close
        return digit if near and 0 <= digit < code.base else None


def _base(count: int, unsure: float) -> int | None:
    """Return the base in which numbers below `count` have the fewest digits that are clear."""
    for digits in range(1, DIGITS + 1):
        base = math.ceil(round(math.pow(count, 1 / digits), 9))
        if unsure * base <= CLOSE:
            return base
    return None


def _digits(box: Box, excess: Residual) -> float:
    """Return how many digits it takes to read all indices of a place in a box."""
    bases = [(length, _base(length, excess.unsure)) for length in box.lengths if length > 1]
    return sum(
        math.inf if base is None else math.ceil(round(math.log(length, base), 9))
        for length, base in bases
    )
