"""Entries off the diagonal of a Jacobian: outputs that depend on coordinates not their own.

The outputs of an elementwise function depend on their own coordinate only. All coordinates are
moved at once, then for each binary digit those whose number has a one there. In each evaluation,
an output without other dependences has one of two known values, to the last digit and however far
the coordinates are moved. Any two numbers differ in a digit, so that every other dependence
shows, and the digits in which it does are the difference of the two numbers. This is a group test
(R. Dorfman, Ann. Math. Statist. 14 (1943) 436), non-adaptive, with the pools of a binary code
(D.-Z. Du and F. K. Hwang, Combinatorial Group Testing and its Applications, 2000).

It does not judge: entries that the test finds far from the point are measured close to it.
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

#: How far all coordinates are moved, in units of their scales. A dependence that is found far from
#: the point may not exist there, and is looked for closer to it.
LENGTHS = (0.1, 1e-3, 1e-5)

#: Bound on the effect of noise on the difference of two outputs, in units of the noise.
NOISE_FACTOR = 10.0

#: For how many of the coupled outputs a coordinate is looked for.
EXAMINED = 5

#: An entry is nonzero when it is so many bounds from zero.
NONZERO = 2.0

#: The roundings of an output that grows by more than this factor hide what others do to it.
GROWTH = 1e8

#: The least weight of a coordinate in a direction.
LEAST_WEIGHT = 0.5


@dataclass(frozen=True, slots=True)
class OffDiagonalEntry:
    """The derivative of an output with respect to a coordinate that is not its own.

    Attributes
    ----------
    coordinate, output : int
        Their indices.
    value, bound, step : float
        The derivative, a bound on its error, and the absolute step of the extrapolation.
    """

    coordinate: int
    output: int
    value: float
    bound: float
    step: float


@dataclass(frozen=True, slots=True)
class Coupling:
    """The dependence of outputs on coordinates that are not their own.

    Attributes
    ----------
    outputs : ndarray of int
        Outputs with such a dependence; empty where none was confirmed close to the point.
    pairs : tuple of OffDiagonalEntry
        Some of the entries.
    hidden : ndarray, shape (m,)
        Per unit of its scale, the largest derivative with respect to another coordinate that
        may be undetected; infinite where nothing is known.
    """

    outputs: Indices
    pairs: tuple[OffDiagonalEntry, ...]
    hidden: Floats


def find_coupling(
    function: Function, output_indices: Indices, inside: Booleans, rng: np.random.Generator
) -> Coupling:
    """Find outputs that depend on coordinates that are not their own.

    Parameters
    ----------
    function : Function
        What is measured.
    output_indices : ndarray of int, shape (n, w)
        The outputs of each coordinate.
    inside : ndarray of bool, shape (n,)
        Coordinates around which the function is defined on both sides.
    rng : numpy.random.Generator
        Draws how far each coordinate is moved.

    Returns
    -------
    Coupling
        Costs one evaluation, and one for each binary digit of the largest number.
    """
    number = np.full(function.base.size, -1)
    number[output_indices] = output_indices[:, :1]
    scale = function.scales.meaningful(slice(None))
    hidden = np.full(function.base.shape, np.inf)
    for length in LENGTHS:
        direction = signed_direction(length * scale, rng)
        test = _GroupTest.along(function, output_indices, direction, inside)
        if test is None:
            continue
        result = test.run(number)
        hidden = np.maximum(result.deviation, test.tolerance) / (LEAST_WEIGHT * length)
        if not result.digits.any():
            break
        outputs = np.flatnonzero(result.digits)
        ratios = (result.deviation / test.tolerance)[outputs]
        largest = np.argsort(-ratios, kind="stable")[:EXAMINED]
        pairs = [
            pair
            for output in outputs[largest].tolist()
            for pair in test.entries(output, int(number[output] ^ result.digits[output]))
        ]
        if pairs:
            return Coupling(outputs, tuple(pairs), hidden)
    return Coupling(np.zeros(0, dtype=np.intp), (), hidden)


@dataclass(frozen=True, slots=True)
class _GroupTestResult:
    """What a group test shows of m outputs.

    Attributes
    ----------
    digits : ndarray of int, shape (m,)
        The digits in which the number of another coordinate that an output depends on differs
        from its own; 0 for none.
    deviation : ndarray, shape (m,)
        The largest deviation from the expected value.
    """

    digits: Indices
    deviation: Floats


@dataclass(frozen=True, slots=True)
class _GroupTest:
    """All coordinates moved along a direction, and the outputs there."""

    function: Function
    output_indices: Indices
    direction: Floats
    moved: Floats
    tolerance: Floats

    @classmethod
    def along(
        cls, function: Function, output_indices: Indices, direction: Floats, inside: Booleans
    ) -> _GroupTest | None:
        """Move all coordinates to where their outputs are defined; None where none are."""
        moved = _evaluate(function, direction)
        if not np.isfinite(moved).any():
            direction[~inside] = 0.0
            moved = _evaluate(function, direction)
        for factor in (-1.0, 0.0):
            undefined = ~np.isfinite(moved[output_indices]).all(axis=1)
            if undefined.any():
                direction[undefined] *= factor
                moved = _evaluate(function, direction)
        if not np.isfinite(moved).any():
            return None
        direction, moved = _away_from_poles(function, output_indices, direction, moved)
        rounding = EPS * np.maximum(np.abs(moved), np.abs(function.base))
        tolerance = NOISE_FACTOR * np.maximum(function.noise, np.nan_to_num(rounding))
        return cls(function, output_indices, direction, moved, tolerance)

    def run(self, number: Indices) -> _GroupTestResult:
        """Move for each binary digit the coordinates whose number has a one there."""
        base, own = self.function.base, number[self.output_indices[:, 0]]
        digits, largest = np.zeros(base.shape, dtype=np.int64), np.zeros_like(base)
        for digit in range(int(number.max()).bit_length()):
            pool = (own >> digit & 1).astype(bool)
            if pool.all() or not pool.any():
                continue
            outputs = _evaluate(self.function, np.where(pool, self.direction, 0.0))
            expected = np.where(number >> digit & 1, self.moved, base)
            with np.errstate(all="ignore"):
                deviation = np.nan_to_num(np.abs(outputs - expected), posinf=0.0)
            digits |= (deviation > self.tolerance).astype(np.int64) << digit
            np.maximum(largest, deviation, out=largest)
        return _GroupTestResult(digits, largest)

    def entries(self, output: int, number: int) -> list[OffDiagonalEntry]:
        """Measure an output with respect to coordinates of a number, or to one of all others."""
        suspects = np.flatnonzero(self.output_indices[:, 0] == number)
        return _nonzero_entries(self.function, suspects, output) or _nonzero_entries(
            self.function, self._bisected(output), output
        )

    def _bisected(self, output: int) -> Indices:
        """Find a coordinate that an output depends on, not its own, by bisection."""
        base, tolerance = self.function.base[output], self.tolerance[output]
        rest = np.flatnonzero((self.output_indices != output).all(axis=1))
        while rest.size > 1:
            half = rest[: rest.size // 2]
            part = np.zeros_like(self.direction)
            part[half] = self.direction[half]
            changes = abs(_evaluate(self.function, part)[output] - base) > tolerance
            rest = half if changes else rest[half.size :]
        return rest


def _away_from_poles(
    function: Function, output_indices: Indices, direction: Floats, moved: Floats
) -> tuple[Floats, Floats]:
    """Return a direction and its outputs; coordinates whose outputs grow too much are reversed."""
    grows = (np.abs(moved) > GROWTH * np.abs(function.base)) & (function.base != 0)
    reversed_ = np.where(grows[output_indices].any(axis=1), -direction, direction)
    if (reversed_ == direction).all():
        return direction, moved
    there = _evaluate(function, reversed_)
    is_better = (np.abs(there) < np.abs(moved))[output_indices].all(axis=1)
    direction = np.where(is_better, reversed_, direction)
    return direction, _evaluate(function, direction)


def _evaluate(function: Function, direction: Floats) -> Floats:
    """Evaluate with the whole point moved, shape (m,)."""
    return np.asarray(function.evaluate([function.point + direction])[0])


def _nonzero_entries(
    function: Function, coordinates: Indices, output: int
) -> list[OffDiagonalEntry]:
    """Measure an output with respect to coordinates; return the entries that are not zero."""
    entries = (measure_entry(function, coordinate, output) for coordinate in coordinates.tolist())
    return [entry for entry in entries if abs(entry.value) > NONZERO * entry.bound]


def measure_entry(function: Function, coordinate: int, output: int) -> OffDiagonalEntry:
    """Measure the derivative of an output with respect to a coordinate; 40 evaluations."""

    def evaluate(points: Iterable[Floats]) -> Floats:
        return np.stack([function.evaluate([point])[0, output : output + 1] for point in points])

    scale = float(function.scales.own(np.array([coordinate]))[0])
    line = CoordinateLine(evaluate, function.point, coordinate, scale)
    only = slice(output, output + 1)
    measured = extrapolate(line, function.base[only], function.noise[only])
    fields = (measured.value, measured.bound, measured.step)
    return OffDiagonalEntry(coordinate, output, *(float(field[0]) for field in fields))
