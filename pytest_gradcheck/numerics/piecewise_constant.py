"""Outputs that are constant around the point, told from those that are merely rounded.

A claim of exactly zero and a step that does not move the output by a bit are evidence already:
no ladder is needed where it is known that outputs are not merely rounded.

It must not estimate derivatives or judge a claim; it is told which are zero.
"""

# MERGED Outputs of which a part moves in stairs with treads wider than the steps of a ladder.
#
# A term that is rounded inside forward stands still between its jumps. Over small steps the
# others are seen alone, as smooth as can be, and the slope is short of that term's: only wider
# steps show that the function is rough.
#
# It must not judge; it is told a claim, since what agrees with one needs no such look.

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from pytest_gradcheck.numerics.coordinate_block import Block
from pytest_gradcheck.numerics.function import Function
from pytest_gradcheck.numerics.line_restriction import RELATIVE_STEPS, Line
from pytest_gradcheck.numerics.measurement import (
    EPS,
    Booleans,
    Floats,
    Indices,
    Measurement,
    Status,
    chunks,
)
from pytest_gradcheck.numerics.quantization import Plateau
from pytest_gradcheck.numerics.random_directions import evaluate_along, signed_direction
from pytest_gradcheck.numerics.richardson import LineMeasurement, extrapolate

__all__ = [
    "COARSE_ROUNDING",
    "FINE_ROUNDING",
    "ROUNDING_PROBE_OFFSETS",
    "ROUNDING_PROBE_STEP",
    "PlateauDetector",
    "all_distinct",
    "extrapolate_with_quantization_noise",
    "jumps_beyond_plateau",
]


#: Relative steps up to this must not move an output that is constant around the point.
WIDE = 1e-9

#: The relative step of a pair that is to meet no jump.
CLOSE = 2e-9

#: A smooth output differs at all of a few places that are this relative step apart; one that
#: is rounded to fewer digits has one value there, or two where it happens to jump.
ROUNDING_PROBE_STEP = 1e-8
ROUNDING_PROBE_OFFSETS = (-3, -2, -1, 1, 2, 3)

#: A jump by less than this share of the output is that of rounding: to float64 where the
#: output is smooth in others, to whatever type where nothing is known.
FINE_ROUNDING = 1e-8
COARSE_ROUNDING = 1e-5


def jumps_beyond_plateau(
    claim: Floats, level: Plateau, size: Floats, least: Floats | float
) -> Booleans:
    """Tell which outputs, claimed not to move, do not close to the point, and jump beyond.

    By more than a share `least` of their size; arrays that broadcast to one shape.
    """
    jumps = (level.jump > 0) & (level.jump > least * size)
    return np.asarray((claim == 0) & (level.half_width >= WIDE) & jumps)


def all_distinct(there: Floats) -> Booleans:
    """Tell which outputs differ at all of k places, the first axis of `there`."""
    return np.asarray((np.diff(np.sort(there, axis=0), axis=0) > 0).all(axis=0))


@dataclass(frozen=True, slots=True)
class _Seen:
    """What some coordinates show of m outputs: which are claimed to move, which are smooth."""

    claimed: Booleans
    smooth: Booleans


@dataclass(slots=True)
class PlateauDetector:
    """Tells where outputs are piecewise constant.

    ``floor(x)`` and a smooth function that is rounded look alike along one coordinate:
    they do not move, then jump. The derivative of the first is zero; of the second people
    mean the slope that larger steps show. What is rounded is so whichever coordinate moves;
    coordinates of one array are rounded alike.

    Attributes
    ----------
    function : Function
        What is measured.
    claims : callable
        ``claims(start, stop)`` returns the claimed derivatives, shape (stop - start, m).
    rng : numpy.random.Generator
        Draws the directions to look along.
    """

    function: Function
    claims: Callable[[int, int], Floats]
    rng: np.random.Generator
    _seen: dict[tuple[int, int], _Seen] = field(default_factory=dict)

    def found(self, indices: Indices, claim: Floats, level: Plateau) -> Booleans:
        """Tell which outputs are constant around the point, and jump further away.

        Parameters
        ----------
        indices : ndarray of int, shape (k,)
            Coordinates.
        claim : ndarray, shape (k, m)
            Claimed derivatives by them; none but zeros are borne out.
        level : Plateau
            How far outputs keep their values along each, fields of shape (k, m).

        Returns
        -------
        ndarray of bool, shape (k, m)
            Costs six evaluations for each array of the user's that is asked about, once, and
            six along all of them where others are claimed to move an output.
        """
        # What rounds a sum is small against its terms, however well they cancel.
        size = np.maximum(np.abs(self.function.base), self.function.sizes)
        result = jumps_beyond_plateau(claim, level, size, 0.0)
        rows = np.flatnonzero(result.any(axis=1))
        starts = np.append(self.function.scales.starts, self.function.point.size)
        segments = np.searchsorted(starts, indices[rows], side="right") - 1
        for segment in np.unique(segments).tolist():
            some = rows[segments == segment]
            own = self._look(int(starts[segment]), int(starts[segment + 1]))
            seen = own if own.claimed.all() else self._look(0, self.function.point.size)
            claimed = own.claimed | seen.claimed
            smooth = np.where(own.claimed, own.smooth, seen.smooth)
            part = Plateau(level.half_width[some], level.jump[some])
            jumps = jumps_beyond_plateau(
                claim[some], part, size, np.where(claimed, FINE_ROUNDING, COARSE_ROUNDING)
            )
            result[some] = (smooth | ~claimed) & jumps
        return result

    def settle(self, block: Block, open_: Booleans) -> Booleans:
        """Note what does not move close to the point, where noise is that of jumps.

        Parameters
        ----------
        block : Block
            Coordinates that pairs were taken of.
        open_ : ndarray of bool, shape (k,)
            Which of them need a further look.

        Returns
        -------
        ndarray of bool, shape (k,)
            Which need none any more. Costs two evaluations for each that is claimed to be zero
            and moved at its first pair, where outputs are noisier than rounding makes them.
        """
        function, found, indices = block.function, block.found, block.indices
        settled = np.zeros(indices.shape, dtype=bool)
        zero = (block.claim == 0) & open_[:, None]
        zero &= function.noise > FINE_ROUNDING * np.abs(function.base)
        if not zero.any():
            return settled
        still = zero & (found.status[indices] == Status.UNCHANGED)
        reach = np.where(still, found.step[indices][:, None], 0.0)
        rows = np.flatnonzero((zero & ~still).any(axis=1))
        if rows.size:
            part = block.take(rows)
            pairs = part.central_pairs(CLOSE * part.scale)
            reach[rows] = np.where(still[rows], reach[rows], pairs.step[:, None] * pairs.unchanged)
        noise = np.broadcast_to(function.noise, reach.shape)
        level = Plateau(reach / block.scale[:, None], np.where(zero, noise, 0.0))
        flat = self.found(indices, block.claim, level)
        for row, output in np.argwhere(flat).tolist():
            bound = EPS * float(np.abs(function.base[output]) / reach[row, output])
            found.set_plateau(int(indices[row]), output, bound)
        others = np.isin(found.status[indices], (Status.UNREFINED, Status.KINK))
        rows = np.flatnonzero(flat.any(axis=1) & ~(others & ~flat).any(axis=1))
        if rows.size:
            part = block.take(rows)
            settled[rows] = ~part.unresolved(np.zeros(rows.shape, dtype=bool))
        return settled

    def record(
        self, index: int, claim: Floats, measured: LineMeasurement, unit: float, found: Measurement
    ) -> None:
        """Note what of a coordinate does not move around the point.

        Parameters
        ----------
        index : int
            The coordinate.
        claim : ndarray, shape (m,)
            Claimed derivatives by it.
        measured : LineMeasurement
            What a ladder along it showed.
        unit : float
            The absolute length of a relative step of 1.
        found : Measurement
            Takes it.
        """
        level, base = measured.plateau, np.abs(self.function.base)
        found.status[index, (claim == 0) & (level.half_width > 0) & (level.jump == 0)] = (
            Status.UNCHANGED
        )
        rows = Plateau(level.half_width[None], level.jump[None])
        flat = self.found(np.array([index]), claim[None], rows)[0]
        for output in np.flatnonzero(flat).tolist():
            bound = EPS * float(base[output] / (level.half_width[output] * unit))
            found.set_plateau(index, output, bound)

    def _look(self, start: int, stop: int) -> _Seen:
        """Look along coordinates ``start:stop`` that are claimed to move any output."""
        if (start, stop) not in self._seen:
            function, size = self.function, self.function.point.size
            moving = np.zeros(size, dtype=bool)
            claimed = np.zeros(function.base.shape, dtype=bool)
            for part in chunks(start, stop):
                some = self.claims(part.start, part.stop) != 0
                moving[part] = some.any(axis=1)
                claimed |= some.any(axis=0)
            direction = signed_direction(function.scales.own(slice(None)), self.rng)
            direction[~moving] = 0.0
            steps = [ROUNDING_PROBE_STEP * place for place in ROUNDING_PROBE_OFFSETS]
            there = evaluate_along(function.evaluate, function.point, direction, steps)
            self._seen[start, stop] = _Seen(claimed, all_distinct(there))
        return self._seen[start, stop]


#: Relative spacings of the tables in which stairs are looked for, so many values to each side.
SPACINGS: Floats = 0.1 * 4.0 ** -np.arange(12.0)
POINTS = 6
STAIR_PLACES: Floats = np.arange(-POINTS, POINTS + 1.0)

#: Smooth values leave next to nothing in differences of this order, a jump so many times its
#: height.
ORDER = 6
SPREAD = 10.0

#: One that is as wide as the steps of a ladder is looked at where slopes over these, or the next
#: larger, are apart from what was measured by this share of what is to be explained.
MOVED = 0.25

#: Stairs are so many times as rough as the values that a ladder went by, and low: below this
#: share of what the function varies by along the line, or no more than rounding to whatever
#: type leaves of it, or of numbers of order one. Higher ones are what the function does.
ROUGHER = 8.0
TINY = 1e-2
OF_ONE = 8 * EPS

#: Between one spacing at which they show and one a quarter as wide, at which they do not, is
#: the width of a stair: the slopes that jumps make good are so many times their height over it.
EXPLAINED = 8.0

#: Looks closer, each into one of so many parts, where values change as they do not in the others;
#: first over so many spacings, into many, lest there be a jump in most of them. A jump is as high
#: from closer by.
REACH = 6
PARTS = (24, 6, 6, 6, 6)
AS_HIGH = 0.3


def extrapolate_with_quantization_noise(
    line: Line,
    base: Floats,
    noise: Floats,
    measured: LineMeasurement,
    *,
    claim: Floats,
    agreement: float,
) -> LineMeasurement:
    """Climb once more where a claim differs, and stairs would explain that.

    Parameters
    ----------
    line, base, noise
        See `extrapolate`.
    measured : LineMeasurement
        What a ladder showed.
    claim : ndarray, shape (m,)
        Claimed derivatives per unit of absolute step.
    agreement : float
        Relative difference at which claim and measurement agree.

    Returns
    -------
    LineMeasurement
        The same where nothing differs, or slopes over larger steps are no other. Else it costs
        12 evaluations for each of up to twelve tables, 53 more for each output that looks as if
        it moved in stairs, and a ladder with these as noise where any does.
    """
    with np.errstate(all="ignore"):
        error = np.abs(claim - measured.value)
        differs = measured.differs(claim, agreement)
        if not differs.any():
            return measured
        error = np.where(differs, error, np.inf)
        quiet = measured.bound * measured.step
        apart = np.abs(measured.central - measured.value)[: SPACINGS.size]
        steps = RELATIVE_STEPS[: SPACINGS.size, None] * line.unit
        moved = (apart >= MOVED * error) & (apart * steps >= ROUGHER * quiet / 2)
        wanted = np.asarray(moved.any(axis=1))
        wanted[1:] |= wanted[:-1].copy()
        if not wanted.any():
            return measured
        heights = _heights(line, base, quiet, error * line.unit, SPACINGS[wanted])
    return extrapolate(line, base, noise, least=heights) if heights.any() else measured


def _heights(line: Line, base: Floats, quiet: Floats, error: Floats, spacings: Floats) -> Floats:
    """Return the heights of stairs that would explain errors per relative step, else 0."""
    steps = spacings[:, None] * STAIR_PLACES
    outputs = np.broadcast_to(base, (*steps.shape, base.size)).copy()
    outputs[:, STAIR_PLACES != 0] = line.at(steps[:, STAIR_PLACES != 0].ravel())[1].reshape(
        spacings.size, -1, base.size
    )
    moves = np.abs(outputs - base)
    varies = np.max(moves, axis=(0, 1), initial=0.0, where=np.isfinite(moves))
    low = np.maximum(np.maximum(TINY * varies, COARSE_ROUNDING * np.abs(base)), OF_ONE)
    rough = np.abs(np.diff(outputs, n=ORDER, axis=1))
    heights = rough.max(axis=1) / SPREAD
    least = ROUGHER * np.maximum(quiet, EPS * np.abs(outputs).max(axis=1))
    seen = (heights > least) & (heights <= low)
    seen &= error * spacings[:, None] <= EXPLAINED * heights
    found, columns = np.zeros_like(base), np.flatnonzero(seen.any(axis=0))
    if columns.size:
        narrowest = spacings.size - 1 - np.argmax(seen[::-1, columns], axis=0)
        spacing = spacings[narrowest]
        centre = (rough[narrowest, :, columns].argmax(axis=1) + ORDER / 2 - POINTS) * spacing
        found[columns] = _jumps(line, centre, spacing, columns)
    return found


def _jumps(line: Line, centre: Floats, spacing: Floats, columns: Indices) -> Floats:
    """Return how high outputs jump around a place, 0 where they change less from closer by."""
    highest, length = [], REACH * spacing
    for number in PARTS:
        places = centre + length * (np.arange(number + 1.0)[:, None] / number - 0.5)
        changes = np.diff(np.stack([line.each(steps, columns) for steps in places]), axis=0)
        apart = np.abs(changes - np.median(changes, axis=0))
        highest.append(apart.max(axis=0))
        centre = centre + length * ((apart.argmax(axis=0) + 0.5) / number - 0.5)
        length = length / number
    is_jump: Booleans = highest[-1] > AS_HIGH * highest[-3]
    return np.where(is_jump, highest[-1], 0.0)
