"""Reading where an error is from how its weight changes: residuals are linear in the error.

It must not decide what an error means. Where the coordinates are weighted by ``1 + digit /
base`` of their number, the residual of an error at one of them grows by just that, and the
digit can be read off; where errors are at several, what is read is seldom an integer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from pytest_gradcheck.numerics.screening.places import Box, Region
from pytest_gradcheck.numerics.screening.projecting import Projection, Projector
from pytest_gradcheck.numerics.screening.sights import Sight
from pytest_gradcheck.numerics.screening.weights import (
    Code,
    Numbers,
    by_axis,
    by_box,
    by_coordinate,
)

__all__ = ["Excess", "Reader"]

#: A digit is read when what is read is this close to an integer, and known as well; what is
#: known better must be closer, but never so close.
CLOSE = 0.25
CLOSEST = 0.02

#: How uncertain a ratio of two residuals is, in units of how uncertain each is.
UNSURE = 1.5

#: The first digit should be clear still where a residual is so much fainter than the whole.
FAINTER = 16.0

#: A kink was crossed where slopes differ by so many times what curvature explains; then one
#: looks so much closer, so often.
KINKED = 3.0
CLOSER = 8.0
CLOSER_LOOKS = 2

#: Coded directions reach further by this factor, in the middle.
REACH = 1.5

#: More digits than these are not worth reading: cutting is cheaper.
DIGITS = 4


@dataclass(frozen=True, slots=True)
class Excess:
    """By how much more is claimed than measured in a region, and how well that is known.

    Attributes
    ----------
    region : Region
        Where.
    residual, bound : float
        Along a direction.
    coded : float or None
        The residual with the coordinates weighted by the reader's first digit, where that
        is known.
    depth : int
        How many cuts in a row left errors on both sides.
    """

    region: Region
    residual: float
    bound: float
    coded: float | None = None
    depth: int = 0

    @property
    def clear(self) -> float:
        """The residual in units of its bound."""
        return abs(self.residual) / self.bound if self.bound else np.inf

    @property
    def size(self) -> int:
        """How many coordinates the region has."""
        return sum(box.size for box in self.region)

    def minus(self, region: Region, part: Excess) -> Excess:
        """Return what is left of it in `region` without a part that was measured."""
        coded = None
        if self.coded is not None and part.coded is not None:
            coded = self.coded - part.coded
        bound = float(np.hypot(self.bound, part.bound))  # their noise is independent
        return Excess(region, self.residual - part.residual, bound, coded)


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
    first : Code
        The digit of coordinates that is measured with every part: what is read of the
        whole serves its parts.
    """

    projector: Projector
    which: int
    step: float
    output: int
    bend: float
    first: Code

    @classmethod
    def of(cls, projector: Projector, sight: Sight, output: int) -> Reader:
        """Read what is off in one output along the direction of a sight."""
        clear = sight.clear(output)
        count = projector.function.point.size
        base = _base(count, clear / FAINTER) or count
        divisor = 1
        while divisor * base < count:
            divisor *= base
        first = Code(by_coordinate, divisor, math.ceil(count / divisor))
        bend = float(sight.bend[output])
        return cls(projector, sight.which, sight.step, output, bend, first)

    def weight(self, coordinate: int) -> float:
        """Return the weight of a coordinate in the direction."""
        return self.projector.weights.weight(self.which, coordinate)

    def measure(self, region: Region, code: Code | None = None) -> Excess:
        """Measure the residual of a region: two evaluations, more where kinks are crossed."""
        step = self.step if code is None else self.step / REACH
        seen = self.projector.take(self.which, region, step, code)
        for _ in range(CLOSER_LOOKS):
            if not self._crossed(seen):
                break
            step /= CLOSER
            seen = self.projector.take(self.which, region, step, code)
        return Excess(region, float(seen.residual[self.output]), float(seen.noise[self.output]))

    def _crossed(self, seen: Projection) -> bool:
        """Tell whether slopes to both sides differ by more than curvature explains."""
        smooth = KINKED * self.bend * seen.step + KINKED * seen.noise[self.output]
        return bool(abs(seen.bend[self.output]) > smooth)

    def with_code(self, excess: Excess) -> Excess:
        """Add the first digit's residual, where it is not known: two evaluations."""
        if excess.coded is not None:
            return excess
        return replace(excess, coded=self.measure(excess.region, self.first).residual)

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
        narrowed = box
        for axis, length in enumerate(box.lengths):
            number = self._read(excess, by_axis(axis), length)
            if number is not None:
                narrowed = narrowed.at(axis, number)
        return narrowed

    def coordinate(self, excess: Excess) -> int | None:
        """Read the one coordinate an error is at, from its first digit on."""
        if excess.size == 1:
            return excess.region[0].start
        if UNSURE * self.first.base > CLOSE * excess.clear:
            return self._read(excess, by_coordinate, self.projector.function.point.size)
        high = self._digit(excess, self.first, excess.coded)
        if high is None:
            return None
        divisor = self.first.divisor
        return self._read(excess, by_coordinate, divisor, start=high * divisor)

    def _read(
        self,
        excess: Excess,
        numbers: Numbers,
        count: int,
        *,
        start: int = 0,
    ) -> int | None:
        """Read which of `count` numbers from `start` on, two evaluations a digit."""
        base = _base(count, excess.clear)
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
        close = max(UNSURE * code.base / excess.clear, CLOSEST)
        near = close <= CLOSE and abs(read - digit) <= close
        return digit if near and 0 <= digit < code.base else None


def _base(count: int, clear: float) -> int | None:
    """Return the base in which numbers below `count` have the fewest digits that are clear."""
    for digits in range(1, DIGITS + 1):
        base = math.ceil(round(math.pow(count, 1 / digits), 9))
        if UNSURE * base <= CLOSE * clear:
            return base
    return None
