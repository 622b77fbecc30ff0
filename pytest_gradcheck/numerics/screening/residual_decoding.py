"""Decoding of the place of an error from residuals along coded directions.

A residual, claimed minus measured, is linear in the error. Where the coordinates are weighted by
``1 + digit / base``, with a digit of their number, the residual of an error at one coordinate
grows by that factor, and the digit can be read. Each digit costs two evaluations and divides the
candidates by `base`, where a group test (R. Dorfman, Ann. Math. Statist. 14 (1943) 436) divides
them by two: the answer of a test is a number here, known to within a bound. Where errors are at
several coordinates, the digit is seldom close to an integer, and nothing is read.

`Slabs` are parts of a region that one digit distinguishes, `Residual` is what is known of a
region, and `Decoder` measures and reads. It does not decide what an error means.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pytest_gradcheck.numerics.measurement import Indices
from pytest_gradcheck.numerics.refinement import Refinement, refine
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
from pytest_gradcheck.numerics.screening.subarrays import Box, Region, whole_region

__all__ = ["Decoder", "Residual", "Slabs"]

#: The uncertainty of the ratio of two residuals, in units of the uncertainty of each: by noise,
#: and by the rounding of claims, most of which is the same in both.
NOISE_IN_RATIO = 1.5
ROUNDING_IN_RATIO = 0.75

#: A digit is read when its value is this close to an integer, and its error is as small. What is
#: known better must be closer, but never closer than the second value.
CLOSE = 0.25
CLOSEST = 0.02

#: A digit that serves parts of a region should be readable for residuals so many times smaller.
FAINTER = 16.0

#: The fewest slabs that are worth a digit. Where a digit is known, so many times the slabs that
#: are left.
FEWEST = 4
FINER = 2

#: A kink was crossed where the slopes to both sides differ by so many times what curvature
#: explains. Then steps so many times smaller follow, at most so many.
KINKED = 3.0
NARROWER = 8.0
NARROWER_PAIRS = 2

#: The bend by curvature falls in proportion to the step, to within this share.
SAME_CURVATURE = 0.1

#: Coded directions are longer by this factor, in the median.
LONGER = 1.5

#: With more digits than these, bisection is cheaper.
DIGITS = 4


@dataclass(frozen=True, slots=True)
class _Stack:
    """The slabs of one box: each has `thick` indices of an axis, and one index of those before."""

    box: Box
    axis: int
    thick: int
    first: int

    @property
    def lengths(self) -> tuple[int, ...]:
        """The number of slabs along each axis, up to the one that is cut."""
        lengths = self.box.lengths
        return (*lengths[: self.axis], -(-lengths[self.axis] // self.thick))

    @property
    def last(self) -> int:
        """The number of its last slab."""
        return self.first + math.prod(self.lengths) - 1

    def numbers(self, part: Box) -> Indices:
        """Return the slab of each coordinate of a part of the box, in a shape that broadcasts."""
        return self.first + c_order_numbers(part, self.box, self.axis, self.thick)

    def part(self, number: int, box: Box) -> Box | None:
        """Return the intersection of a part of the box with a slab, None where it is empty."""
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
    """A region cut into slabs of about equal size, numbered in C order.

    Small boxes share a slab. A larger box is cut across its first axis where that is enough.

    Examples
    --------
    >>> from pytest_gradcheck.numerics.screening.subarrays import Segment, whole_region
    >>> everything = whole_region([Segment(0, (8, 3)), Segment(24, (3,))])
    >>> slabs = Slabs.of(everything, 5)
    >>> slabs.count, [box.ranges for box in slabs.part(1, everything)]
    (5, [((2, 4), (0, 3))])
    """

    stacks: tuple[_Stack, ...]

    @classmethod
    def of(cls, region: Region, count: int) -> Slabs:
        """Cut a region into about `count` slabs of equal size."""
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
        """The number of slabs."""
        return self.stacks[-1].last + 1

    @property
    def code(self) -> Code:
        """The digit that distinguishes them."""
        return Code(self._numbers, 1, self.count)

    def part(self, number: int, region: Region) -> Region:
        """Return the intersection of a part of the region with a slab."""
        parts = (self._stack(box).part(number, box) for box in region)
        return tuple(part for part in parts if part is not None)

    def count_in(self, region: Region) -> int:
        """Return over how many slabs a part of the region extends."""
        ends = (region[0].element(0), region[-1].element(region[-1].size - 1))
        low, high = (self._stack(end).numbers(end).item() for end in ends)
        return int(high - low) + 1

    def hold_all_at(self, box: Box, axis: int) -> bool:
        """Return whether all of a box at one index of an axis is in one slab."""
        return self._stack(box).axis == axis == 0

    def _stack(self, box: Box) -> _Stack:
        return next(stack for stack in self.stacks if stack.box.segment == box.segment)

    def _numbers(self, order: int, box: Box, part: Box) -> Indices:
        del order, box
        return self._stack(part).numbers(part)


def _cut(lengths: tuple[int, ...], size: float) -> tuple[int, int]:
    """Return the axis to cut into parts of about this size, and the thickness of a part."""
    pieces = [max(1, round(math.prod(lengths[axis:]) / size)) for axis in range(len(lengths))]
    axis = max((axis for axis, count in enumerate(pieces) if count > 1), default=0)
    return axis, -(-lengths[axis] // pieces[axis])


@dataclass(frozen=True, slots=True)
class Residual:
    """Claimed minus measured derivative in a region, along one direction, of one output.

    Attributes
    ----------
    region : Region
        Where.
    residual : float
        Its value.
    noise : float
        Bound on its error by noise, which is independent in every measurement.
    rounding : float
        Bound on its error by the rounding of the claims in the region. It is the same in every
        measurement, and part of it is in that of a part of the region.
    coded : float or None
        The residual with the coordinates weighted by a digit, where that was measured.
    slabs : Slabs or None
        The slabs that the digit distinguishes. What is read of a region serves its parts.
    ambiguous : bool
        Whether the digit is one by chance: there are errors in several slabs.
    depth : int
        The number of consecutive bisections that left errors on both sides.
    first_axis : bool
        Whether to bisect the first axis next, and not the last.
    """

    region: Region
    residual: float
    noise: float
    rounding: float = 0.0
    coded: float | None = None
    slabs: Slabs | None = None
    ambiguous: bool = False
    depth: int = 0
    first_axis: bool = False

    @property
    def bound(self) -> float:
        """Bound on the error of the residual."""
        return self.noise + self.rounding

    @property
    def significance(self) -> float:
        """The residual in units of its bound."""
        return abs(self.residual) / self.bound if self.bound else math.inf

    @property
    def ratio_error(self) -> float:
        """Bound on the error of its ratio to the same residual with other weights."""
        if not self.residual or not math.isfinite(self.residual):
            return math.inf
        return (NOISE_IN_RATIO * self.noise + ROUNDING_IN_RATIO * self.rounding) / abs(
            self.residual
        )

    @property
    def size(self) -> int:
        """The number of coordinates in the region."""
        return sum(box.size for box in self.region)

    def minus(self, region: Region, part: Residual) -> Residual:
        """Return the residual in the rest of a region, without a part that was measured."""
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
        """Return the residual of a part to which all of it is due."""
        return replace(
            self,
            region=part.region,
            residual=part.residual,
            noise=part.noise,
            rounding=part.rounding,
        )

    def minus_coordinate(self, box: Box, share: float, bound: float) -> Residual:
        """Return the residual without the known contribution of one coordinate in the region."""
        coded = self.coded
        if coded is not None and self.slabs is not None:
            coded -= share * float(self.slabs.code.factors(0, box, box).item())
        return replace(self, residual=self.residual - share, noise=self.noise + bound, coded=coded)

    def within(self, region: Region, rounding: float) -> Residual:
        """Return the residual of a part to which all of it is due, with its rounding.

        The rounding of claims outside of the part is not in a new measurement of the part.
        """
        noise = math.hypot(self.noise, _without(self.rounding, rounding))
        return replace(self, region=region, noise=noise, rounding=rounding)


def _without(total: float, part: float) -> float:
    """Return the rounding of the rest. Those of different claims add up in squares."""
    return math.sqrt(max(total**2 - part**2, 0.0))


@dataclass(frozen=True, slots=True)
class Decoder:
    """Measures residuals of one output along one direction, and reads where an error is.

    Attributes
    ----------
    probe : DirectionProbe
        Measures pairs.
    which : int
        The direction.
    step : float
        In units of the direction.
    output : int
        The output.
    bend : float
        The bend of the function along the direction, per unit of step, by its curvature.
    """

    probe: DirectionProbe
    which: int
    step: float
    output: int
    bend: float

    @classmethod
    def of(cls, probe: DirectionProbe, derivative: DirectionalDerivative, output: int) -> Decoder:
        """Return a decoder for one output, at the step of a directional derivative."""
        bend = float(derivative.bend[output])
        return cls(probe, derivative.which, derivative.step, output, bend)

    def all_of(self, derivative: DirectionalDerivative) -> Residual:
        """Return the residual of the whole point that a directional derivative shows."""
        everything = whole_region(self.probe.directions.segments)
        residual, bound = (
            float(derivative.residual[self.output]),
            float(derivative.bound[self.output]),
        )
        rounding = self._rounding(everything)
        return Residual(everything, residual, max(bound - rounding, 0.0), rounding)

    def weight(self, coordinate: int) -> float:
        """Return the weight of a coordinate in the direction."""
        return self.probe.directions.weight(self.which, coordinate)

    def measure(self, region: Region, code: Code | None = None) -> Residual:
        """Measure the residual of a region: two evaluations, more where kinks are crossed."""
        step = self.step if code is None else self.step / LONGER
        first = self.probe.difference(self.which, region, step, code)
        pair = refine(_UnkinkedPair(self, region, code, first), maxiter=NARROWER_PAIRS).pair
        rounding = self._rounding(region)
        noise = max(float(pair.noise[self.output]) - rounding, 0.0)
        return Residual(region, float(pair.residual[self.output]), noise, rounding)

    def _rounding(self, region: Region) -> float:
        return float(self.probe.rounding(region)[self.output])

    def with_slabs(self, residual: Residual) -> Residual:
        """Measure a digit that distinguishes parts of a region, where none is known or legible."""
        clear = CLOSE / max(FAINTER * residual.ratio_error, CLOSE / residual.size)
        count = min(math.floor(clear), math.isqrt(residual.size - 1) + 1)
        known = 1 if residual.slabs is None else residual.slabs.count_in(residual.region)
        if known > 1 and count < FINER * known:
            return residual
        if count < FEWEST:
            return replace(residual, coded=None, slabs=None)
        return self.coded(residual, Slabs.of(residual.region, count))

    def coded(self, residual: Residual, slabs: Slabs | None) -> Residual:
        """Measure the digit of the slab that contains the error: two evaluations."""
        if slabs is None:
            return residual
        coded = self.measure(residual.region, slabs.code).residual
        return replace(residual, coded=coded, slabs=slabs, ambiguous=False)

    def without(self, boxes: Sequence[Box]) -> Decoder:
        """Return a decoder that does not move some boxes."""
        return replace(self, probe=self.probe.without(boxes))

    def closer(self, residual: Residual, box: Box) -> Residual:
        """Return the residual of the box to which all of it is due.

        It is measured again where the rounding of claims outside of the box makes the digits
        longer by more than that costs.
        """
        within = residual.within((box,), self._rounding((box,)))
        alone = replace(within, noise=residual.noise)
        if 1 + _digits(box, alone) < _digits(box, within):
            return self.measure((box,))
        return within

    def box(self, residual: Residual) -> Box | None:
        """Read which box of a region contains the error; None where several do."""
        number = self._read(residual, by_box, len(residual.region))
        return None if number is None else residual.region[number]

    def place(self, residual: Residual) -> Box:
        """Narrow the box of an error to one index of each axis, where it is at one.

        Returns
        -------
        Box
            A single coordinate, a row, a column or a slab. It is the box itself where the
            error is at several indices of every axis.
        """
        (box,) = residual.region
        inside = self.slab(residual)
        narrowed = box
        for axis, (first, _) in enumerate(box.ranges):
            if not inside and residual.slabs is not None and residual.slabs.hold_all_at(box, axis):
                continue  # an error at one index of this axis would be in one slab
            start, stop = inside[0].ranges[axis] if inside else box.ranges[axis]
            number = self._read(residual, by_axis(axis), stop - start, start=start - first)
            if number is not None:
                narrowed = narrowed.at_index(axis, number)
        return narrowed

    def coordinate(self, residual: Residual) -> int | None:
        """Read the coordinate of an error in its slab; None where it is at several."""
        if residual.size == 1:
            return residual.region[0].start
        region = self.slab(residual)
        if not region:
            return None
        if len(region) == 1:
            (box,) = region
            # One digit may be right by chance. Another is read where the slab is a coordinate.
            number = self._read(residual, by_position(box), max(box.size, 2))
            return None if number is None or number >= box.size else box.coordinate(number)
        start, stop = region[0].start, region[-1].stop
        return self._read(residual, by_coordinate, stop - start, start=start)

    def slab(self, residual: Residual) -> Region:
        """Return the part of a region in the slab of the error.

        It is the whole region where the digit is not legible, and empty where the errors are in
        several slabs.
        """
        slabs = residual.slabs
        if slabs is None or residual.ratio_error * slabs.count > CLOSE:
            return residual.region
        digit = None if residual.ambiguous else self._digit(residual, slabs.code, residual.coded)
        return () if digit is None else slabs.part(digit, residual.region)

    def _read(
        self,
        residual: Residual,
        numbers: Numbering,
        count: int,
        *,
        start: int = 0,
    ) -> int | None:
        """Read one of `count` numbers from `start` on: two evaluations for each digit."""
        base = _base(count, residual.ratio_error)
        if base is None:
            return None
        number, divisor = 0, 1
        while divisor < count:
            code = Code(numbers, divisor, base)
            digit = self._digit(residual, code, self.measure(residual.region, code).residual)
            if digit is None:
                return None
            number, divisor = number + digit * divisor, divisor * base
        # The digits give the remainder of the number.
        further = (number - start) % divisor
        return start + further if further < count else None

    @staticmethod
    def _digit(residual: Residual, code: Code, coded: float | None) -> int | None:
        if coded is None or not np.isfinite(coded) or not residual.residual:
            return None
        read = float(coded / residual.residual - 1) * code.base
        digit: int = round(read)
        close = max(residual.ratio_error * code.base, CLOSEST)
        near = close <= CLOSE and abs(read - digit) <= close
        return digit if near and 0 <= digit < code.base else None


@dataclass(frozen=True, slots=True)
class _UnkinkedPair(Refinement[float, DirectionalDifference]):
    """Pairs in a region at ever smaller steps, until no kink is crossed that could matter.

    Attributes
    ----------
    decoder : Decoder
        With the direction and the output.
    region, code
        See `Decoder.measure`.
    pair : DirectionalDifference
        The last pair that is trusted.
    is_curved : bool
        Whether the bend falls with the step: it is curvature, and no kink.
    """

    decoder: Decoder
    region: Region
    code: Code | None
    pair: DirectionalDifference
    is_curved: bool = False

    def check_termination(self) -> bool:
        if self.is_curved or not self._crosses_kink():
            return True
        return self.code is not None and self._is_legible(self.code)

    def pre_func_eval(self) -> float:
        return self.pair.step / NARROWER

    def func_eval(self, step: float) -> DirectionalDifference:
        return self.decoder.probe.difference(self.decoder.which, self.region, step, self.code)

    def post_func_eval(self, measured: DirectionalDifference) -> _UnkinkedPair:
        output = self.decoder.output
        expected = self.pair.bend[output] * measured.step / self.pair.step
        tolerance = SAME_CURVATURE * abs(expected) + KINKED * measured.noise[output]
        if abs(measured.bend[output] - expected) <= tolerance < abs(expected):
            return replace(self, is_curved=True)
        return replace(self, pair=measured)

    def _crosses_kink(self) -> bool:
        """Return whether slopes to both sides differ by more than curvature explains."""
        pair, output = self.pair, self.decoder.output
        smooth = KINKED * self.decoder.bend * pair.step + KINKED * pair.noise[output]
        return bool(abs(pair.bend[output]) > smooth)

    def _is_legible(self, code: Code) -> bool:
        """Return whether a kink, which contributes half of its bend at most, changes no digit."""
        residual, bend = (
            abs(v[self.decoder.output]) for v in (self.pair.residual, self.pair.bend)
        )
        return bool(code.base * bend / 2 <= CLOSEST * residual)


def _base(count: int, unsure: float) -> int | None:
    """Return the base with the fewest digits for numbers below `count` that are legible."""
    for digits in range(1, DIGITS + 1):
        base = math.ceil(round(math.pow(count, 1 / digits), 9))
        if unsure * base <= CLOSE:
            return base
    return None


def _digits(box: Box, residual: Residual) -> float:
    """Return the number of digits of all indices of a coordinate in a box."""
    bases = [(length, _base(length, residual.ratio_error)) for length in box.lengths if length > 1]
    return sum(
        math.inf if base is None else math.ceil(round(math.log(length, base), 9))
        for length, base in bases
    )
