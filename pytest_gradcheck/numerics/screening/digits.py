"""Reading where an error is from how its weight changes: residuals are linear in the error.

It must not decide what an error means. Where the coordinates are weighted by ``1 + digit /
base`` of their number, the residual of an error at one of them grows by just that, and the
digit can be read off; where errors are at several, what is read is seldom an integer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pytest_gradcheck.numerics.screening.excess import Excess
from pytest_gradcheck.numerics.screening.places import Box, Region, whole
from pytest_gradcheck.numerics.screening.projecting import Projection, Projector
from pytest_gradcheck.numerics.screening.sights import Sight
from pytest_gradcheck.numerics.screening.slabs import Slabs
from pytest_gradcheck.numerics.screening.weights import (
    Code,
    Numbers,
    by_axis,
    by_box,
    by_coordinate,
    by_place,
)

__all__ = ["Reader"]

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
ALIKE = 0.1

#: Coded directions reach further by this factor, in the middle.
REACH = 1.5

#: More digits than these are not worth reading: cutting is cheaper.
DIGITS = 4


@dataclass(frozen=True, slots=True)
class Reader:
    """Measures residuals of one output, all along the same direction with the same step.

    Attributes
    ----------
    projector : Projector
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

    projector: Projector
    which: int
    step: float
    output: int
    bend: float

    @classmethod
    def of(cls, projector: Projector, sight: Sight, output: int) -> Reader:
        """Read what is off in one output along the direction of a sight."""
        bend = float(sight.bend[output])
        return cls(projector, sight.which, sight.step, output, bend)

    def all_of(self, sight: Sight) -> Excess:
        """Return what a sight of everything shows."""
        everything = whole(self.projector.weights.segments)
        residual, bound = float(sight.residual[self.output]), float(sight.bound[self.output])
        rounding = self._rounding(everything)
        return Excess(everything, residual, max(bound - rounding, 0.0), rounding)

    def weight(self, coordinate: int) -> float:
        """Return the weight of a coordinate in the direction."""
        return self.projector.weights.weight(self.which, coordinate)

    def measure(self, region: Region, code: Code | None = None) -> Excess:
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
        return Excess(region, float(seen.residual[self.output]), noise, rounding)

    def _rounding(self, region: Region) -> float:
        return float(self.projector.rounding(region)[self.output])

    def _crossed(self, seen: Projection) -> bool:
        """Tell whether slopes to both sides differ by more than curvature explains."""
        smooth = KINKED * self.bend * seen.step + KINKED * seen.noise[self.output]
        return bool(abs(seen.bend[self.output]) > smooth)

    def _is_legible(self, seen: Projection, code: Code) -> bool:
        """Tell whether a digit is the same whatever a kink did: half of its bend, at most."""
        residual, bend = abs(seen.residual[self.output]), abs(seen.bend[self.output])
        return bool(code.base * bend / 2 <= CLOSEST * residual)

    def _curves(self, seen: Projection, closer: Projection) -> bool:
        """Tell whether a bend falls with the step: that of a kink does not."""
        expected = seen.bend[self.output] * closer.step / seen.step
        doubt = ALIKE * abs(expected) + KINKED * closer.noise[self.output]
        return bool(abs(closer.bend[self.output] - expected) <= doubt < abs(expected))

    def with_slabs(self, excess: Excess) -> Excess:
        """Measure a digit that tells parts of a region apart, where none is known, or clear."""
        clear = CLOSE / max(FAINTER * excess.unsure, CLOSE / excess.size)
        count = min(math.floor(clear), math.isqrt(excess.size - 1) + 1)
        known = 1 if excess.slabs is None else excess.slabs.count_in(excess.region)
        if known > 1 and count < FINER * known:
            return excess
        if count < FEWEST:
            return replace(excess, coded=None, slabs=None)
        return self.coded(excess, Slabs.of(excess.region, count))

    def coded(self, excess: Excess, slabs: Slabs | None) -> Excess:
        """Measure in which slab a region is off: two evaluations."""
        if slabs is None:
            return excess
        coded = self.measure(excess.region, slabs.code).residual
        return replace(excess, coded=coded, slabs=slabs, mixed=False)

    def without(self, boxes: Sequence[Box]) -> Reader:
        """Return the same that does not move some boxes."""
        return replace(self, projector=self.projector.without(boxes))

    def closer(self, excess: Excess, box: Box) -> Excess:
        """Return the excess of a box that all of it is due to; measured anew where that pays.

        It does where the rounding of claims outside of the box leaves fewer digits clear.
        """
        within = excess.within((box,), self._rounding((box,)))
        alone = replace(within, noise=excess.noise)
        if 1 + _digits(box, alone) < _digits(box, within):
            return self.measure((box,))
        return within

    def box(self, excess: Excess) -> Box | None:
        """Read which box of a region an error is in; None where that is no single one."""
        number = self._read(excess, by_box, len(excess.region))
        return None if number is None else excess.region[number]

    def place(self, excess: Excess) -> Box:
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
                narrowed = narrowed.at(axis, number)
        return narrowed

    def coordinate(self, excess: Excess) -> int | None:
        """Read the one coordinate an error is at, in the slab that is known."""
        if excess.size == 1:
            return excess.region[0].start
        region = self.slab(excess)
        if not region:
            return None
        if len(region) == 1:
            (box,) = region
            # One digit may be one by chance: another is read where the slab is a coordinate.
            number = self._read(excess, by_place(box), max(box.size, 2))
            return None if number is None or number >= box.size else box.coordinate(number)
        start, stop = region[0].start, region[-1].stop
        return self._read(excess, by_coordinate, stop - start, start=start)

    def slab(self, excess: Excess) -> Region:
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
        excess: Excess,
        numbers: Numbers,
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
    def _digit(excess: Excess, code: Code, coded: float | None) -> int | None:
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


def _digits(box: Box, excess: Excess) -> float:
    """Return how many digits it takes to read all indices of a place in a box."""
    bases = [(length, _base(length, excess.unsure)) for length in box.lengths if length > 1]
    return sum(
        math.inf if base is None else math.ceil(round(math.log(length, base), 9))
        for length, base in bases
    )
