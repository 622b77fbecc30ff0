"""Whether outputs move with coordinates they should not: what is off a diagonal.

All coordinates are moved at once, then those alone whose number has a one as its k-th
binary digit, for each digit. An output that moves with its own coordinate alone is where
one of the two left it, to the last digit and without truncation, however far that was; any
two coordinates differ in a digit, so that one of the moves tells them apart, and the digits
in which an output is elsewhere say how the coordinate's number that it moves with differs
from its own. It is a group test as R. Dorfman's, "The detection of defective members of
large populations", Ann. Math. Statist. 14 (1943) 436, with the design of a binary code.

It must not judge; far from the point it only finds, close to it it measures.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from pytest_gradcheck.numerics.function import Function
from pytest_gradcheck.numerics.line_restriction import CoordinateLine
from pytest_gradcheck.numerics.measurement import EPS, Booleans, Floats, Indices
from pytest_gradcheck.numerics.random_directions import signed_direction
from pytest_gradcheck.numerics.richardson import extrapolate

__all__ = ["Coupling", "OffDiagonalEntry", "find_coupling", "measure_entry"]

#: How far all coordinates are moved, in units of their scales: what is seen from afar may not
#: be so at the point, and is looked for closer by.
REACHES = (0.1, 1e-3, 1e-5)

#: What noise may do to the difference of two outputs, in units of it.
NOISE = 10.0

#: So many of the outputs that are moved by others are followed to what moves them.
FOLLOWED = 5

#: A coordinate moves an output when its derivative is so many bounds from zero.
APART = 2.0

#: The least weight of a coordinate in a direction.
LEAST = 0.5


@dataclass(frozen=True, slots=True)
class OffDiagonalEntry:
    """An output, and a coordinate that may move it.

    Attributes
    ----------
    coordinate, output : int
        Which.
    value, bound, step : float
        The derivative, measured by a ladder, how well, and with which step.
    """

    coordinate: int
    output: int
    value: float
    bound: float
    step: float


@dataclass(frozen=True, slots=True)
class Coupling:
    """How outputs move with coordinates that are not their own.

    Attributes
    ----------
    outputs : ndarray of int
        Outputs that do; none where that was not confirmed close to the point.
    pairs : tuple of OffDiagonalEntry
        Some of these with what moves them.
    hidden : ndarray, shape (m,)
        Per unit of its scale, the largest derivative by another coordinate that could hide;
        infinite where nothing is known.
    """

    outputs: Indices
    pairs: tuple[OffDiagonalEntry, ...]
    hidden: Floats


def find_coupling(
    function: Function, own: Indices, inside: Booleans, rng: np.random.Generator
) -> Coupling:
    """Look for outputs that move with coordinates that are not their own.

    Parameters
    ----------
    function : Function
        What is measured.
    own : ndarray of int, shape (n, w)
        The outputs that each coordinate may move.
    inside : ndarray of bool, shape (n,)
        Coordinates around which the function is defined to both sides.
    rng : numpy.random.Generator
        Draws how far each is moved.

    Returns
    -------
    Coupling
        Costs one evaluation, and one for each binary digit of the largest number.
    """
    number = np.full(function.base.size, -1)
    number[own] = own[:, :1]
    scale = function.scales.meaningful(slice(None))
    hidden = np.full(function.base.shape, np.inf)
    for reach in REACHES:
        moved = _Moved.along(function, own, signed_direction(reach * scale, rng), inside)
        if moved is None:
            continue
        seen = moved.beside(number)
        hidden = np.maximum(seen.apart, moved.tolerance) / (LEAST * reach)
        if not seen.marks.any():
            break
        outputs = np.flatnonzero(seen.marks)
        worst = np.argsort(-(seen.apart / moved.tolerance)[outputs], kind="stable")[:FOLLOWED]
        pairs = [
            pair
            for output in outputs[worst].tolist()
            for pair in moved.followed(output, int(number[output] ^ seen.marks[output]))
        ]
        if pairs:
            return Coupling(outputs, tuple(pairs), hidden)
    return Coupling(np.zeros(0, dtype=np.intp), (), hidden)


@dataclass(frozen=True, slots=True)
class _Moved:
    """All coordinates moved along a direction, and the outputs there."""

    function: Function
    own: Indices
    direction: Floats
    there: Floats
    tolerance: Floats

    @classmethod
    def along(
        cls, function: Function, own: Indices, direction: Floats, inside: Booleans
    ) -> _Moved | None:
        """Move all coordinates to where their outputs are defined; None where none are."""
        there = _outputs(function, direction)
        if not np.isfinite(there).any():
            direction[~inside] = 0.0
            there = _outputs(function, direction)
        for factor in (-1.0, 0.0):
            gone = ~np.isfinite(there[own]).all(axis=1)
            if gone.any():
                direction[gone] *= factor
                there = _outputs(function, direction)
        if not np.isfinite(there).any():
            return None
        rounding = EPS * np.maximum(np.abs(there), np.abs(function.base))
        tolerance = NOISE * np.maximum(function.noise, np.nan_to_num(rounding))
        return cls(function, own, direction, there, tolerance)

    def beside(self, number: Indices) -> _Beside:
        """See with which other coordinates outputs move, by the digits of their numbers."""
        base, own = self.function.base, number[self.own[:, 0]]
        marks, largest = np.zeros(base.shape, dtype=np.int64), np.zeros_like(base)
        for digit in range(int(number.max()).bit_length()):
            rows = (own >> digit & 1).astype(bool)
            if rows.all() or not rows.any():
                continue
            outputs = _outputs(self.function, np.where(rows, self.direction, 0.0))
            expected = np.where(number >> digit & 1, self.there, base)
            with np.errstate(all="ignore"):
                apart = np.nan_to_num(np.abs(outputs - expected), posinf=0.0)
            marks |= (apart > self.tolerance).astype(np.int64) << digit
            np.maximum(largest, apart, out=largest)
        return _Beside(marks, largest)

    def followed(self, output: int, number: int) -> list[OffDiagonalEntry]:
        """Measure an output by the coordinates that are likely to move it, close to the point."""
        suspects = np.flatnonzero(self.own[:, 0] == number)
        return _measured(self.function, suspects, output) or _measured(
            self.function, self._halved(output), output
        )

    def _halved(self, output: int) -> Indices:
        """Find a coordinate that moves an output which is not its own, by halving."""
        base, tolerance = self.function.base[output], self.tolerance[output]
        rest = np.flatnonzero((self.own != output).all(axis=1))
        while rest.size > 1:
            half = rest[: rest.size // 2]
            part = np.zeros_like(self.direction)
            part[half] = self.direction[half]
            moves = abs(_outputs(self.function, part)[output] - base) > tolerance
            rest = half if moves else rest[half.size :]
        return rest


@dataclass(frozen=True, slots=True)
class _Beside:
    """What outputs show of coordinates that are not their own.

    Attributes
    ----------
    marks : ndarray of int, shape (m,)
        The digits in which the number of what moves an output differs from its own; 0 for none.
    apart : ndarray, shape (m,)
        How far they were from where they should have been.
    """

    marks: Indices
    apart: Floats


def _outputs(function: Function, direction: Floats) -> Floats:
    """Evaluate once with the whole point moved, shape (m,)."""
    return np.asarray(function.evaluate([function.point + direction])[0])


def _measured(function: Function, suspects: Indices, output: int) -> list[OffDiagonalEntry]:
    """Measure an output by each of some coordinates; return those that do move it."""
    found = (measure_entry(function, suspect, output) for suspect in suspects.tolist())
    return [pair for pair in found if abs(pair.value) > APART * pair.bound]


def measure_entry(function: Function, coordinate: int, output: int) -> OffDiagonalEntry:
    """Measure the derivative of one output by one coordinate, by a ladder: 40 evaluations."""

    def evaluate(points: Iterable[Floats]) -> Floats:
        return np.stack([function.evaluate([point])[0, output : output + 1] for point in points])

    scale = float(function.scales.own(np.array([coordinate]))[0])
    line = CoordinateLine(evaluate, function.point, coordinate, scale)
    at = slice(output, output + 1)
    climbed = extrapolate(line, function.base[at], function.noise[at])
    figures = (climbed.value, climbed.bound, climbed.step)
    return OffDiagonalEntry(coordinate, output, *(float(figure[0]) for figure in figures))
