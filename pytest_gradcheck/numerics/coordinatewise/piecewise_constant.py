"""Piecewise constant outputs, and smooth outputs of which a term is piecewise constant.

An output that is constant around the point, as a floor or a count is, has the derivative zero. An
output that is rounded looks the same along one coordinate, yet its derivative is the slope that
larger steps show. `PlateauDetector` separates the two by what other coordinates of the array do:
all of them are rounded alike.

A term that is rounded inside the function is constant between its jumps. Small steps see only the
other terms, perfectly smooth, and miss the slope of this one. The jumps are found in differences
of high order at wider steps, and the extrapolation is repeated with their height as quantization
noise, the additive model of B. Widrow (IRE Trans. Circuit Theory 3 (1956) 266).

It does not judge a claim. It is given the claims, since a zero that no step contradicts is
evidence already, and what agrees with a claim needs no search for jumps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from pytest_gradcheck.numerics.coordinatewise.block_differences import Block
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
    output_rounding,
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


#: A plateau is at least this wide, in relative steps to both sides.
NARROWEST_PLATEAU = 1e-9

#: The relative step of a pair that is not to meet a jump.
CLOSE_STEP = 2e-9

#: A smooth output differs at all of a few points that are this relative step apart. One that is
#: rounded to fewer digits has one value there, or two where it happens to jump.
ROUNDING_PROBE_STEP = 1e-8
ROUNDING_PROBE_OFFSETS = (-3, -2, -1, 1, 2, 3)

#: A jump by less than this share of the output is due to rounding: to float64 where the output is
#: smooth in other coordinates, to an unknown type where it is not known to be.
FINE_ROUNDING = 1e-8
COARSE_ROUNDING = 1e-5

#: Relative spacings of equispaced samples that may show jumps, and the number of samples to each
#: side of the point.
SPACINGS: Floats = 0.1 * 4.0 ** -np.arange(12.0)
POINTS = 6
OFFSETS: Floats = np.arange(-POINTS, POINTS + 1.0)

#: Differences of this order are next to nothing for smooth values, and so many times the height
#: for a jump.
ORDER = 6
AMPLIFICATION = 10.0

#: A spacing is examined where the central difference over it, or over the next larger one, is away
#: from the measured derivative by this share of the difference to be explained.
CHANGED_SHARE = 0.25

#: Jumps exceed the noise of the extrapolation by this factor. They are noise up to this share of
#: the variation along the line, of the output (`COARSE_ROUNDING`), or up to this height: that of
#: the rounding of numbers of order one. Higher ones are a feature of the function.
ROUGHER = 8.0
TINY = 1e-2
ROUNDING_OF_ONE = 8 * EPS

#: Jumps of a height over a spacing explain slopes up to so many times their quotient: plateaus are
#: wider than the next smaller spacing, a quarter as long.
EXPLAINED = 8.0

#: A jump is located by subdivision, each time into so many parts: first of several spacings, into
#: many parts, since other jumps may be in them. Of its height this share is left in the end.
LOCATED_SPACINGS = 6
SUBDIVISIONS = (24, 6, 6, 6, 6)
SAME_HEIGHT = 0.3


def jumps_beyond_plateau(
    claim: Floats, plateau: Plateau, size: Floats, least: Floats | float
) -> Booleans:
    """Return which outputs are claimed to be constant, are so around the point, and jump beyond.

    Parameters
    ----------
    claim : ndarray
        Claimed derivatives.
    plateau : Plateau
        How far outputs keep their values, and by how much they change then.
    size : ndarray
        How large outputs are.
    least : ndarray or float
        The share of it that a jump must exceed.

    Returns
    -------
    ndarray of bool
        Of the shape that the arguments broadcast to.
    """
    jumps = (plateau.jump > 0) & (plateau.jump > least * size)
    return np.asarray((claim == 0) & (plateau.half_width >= NARROWEST_PLATEAU) & jumps)


def all_distinct(values: Floats) -> Booleans:
    """Return which outputs have a different value at each of k points, the first axis."""
    return np.asarray((np.diff(np.sort(values, axis=0), axis=0) > 0).all(axis=0))


@dataclass(frozen=True, slots=True)
class _Smoothness:
    """Which of m outputs are claimed to change along some coordinates, and which are smooth."""

    claimed: Booleans
    smooth: Booleans


@dataclass(slots=True)
class PlateauDetector:
    """Detects outputs that are piecewise constant, as opposed to rounded.

    Attributes
    ----------
    function : Function
        What is measured.
    claims : callable
        ``claims(start, stop)`` returns the claimed derivatives, shape (stop - start, m).
    rng : numpy.random.Generator
        Draws the directions in which smoothness is tested.
    """

    function: Function
    claims: Callable[[int, int], Floats]
    rng: np.random.Generator
    _tested: dict[tuple[int, int], _Smoothness] = field(default_factory=dict)

    def detect(self, indices: Indices, claim: Floats, plateau: Plateau) -> Booleans:
        """Return which outputs are constant around the point, and jump further away.

        Parameters
        ----------
        indices : ndarray of int, shape (k,)
            Coordinates.
        claim : ndarray, shape (k, m)
            Claimed derivatives; only zeros can be confirmed.
        plateau : Plateau
            How far outputs keep their values along each, fields of shape (k, m).

        Returns
        -------
        ndarray of bool, shape (k, m)
            Costs six evaluations for each array in question, once, and six along all arrays
            where an output is claimed to change with others only.
        """
        # What rounds a sum is small against its terms, however well they cancel.
        size = np.maximum(np.abs(self.function.base), self.function.sizes)
        result = jumps_beyond_plateau(claim, plateau, size, 0.0)
        rows = np.flatnonzero(result.any(axis=1))
        starts = np.append(self.function.scales.starts, self.function.point.size)
        segments = np.searchsorted(starts, indices[rows], side="right") - 1
        for segment in np.unique(segments).tolist():
            some = rows[segments == segment]
            own = self._test(int(starts[segment]), int(starts[segment + 1]))
            every = own if own.claimed.all() else self._test(0, self.function.point.size)
            claimed = own.claimed | every.claimed
            smooth = np.where(own.claimed, own.smooth, every.smooth)
            part = Plateau(plateau.half_width[some], plateau.jump[some])
            least = np.where(claimed, FINE_ROUNDING, COARSE_ROUNDING)
            jumps = jumps_beyond_plateau(claim[some], part, size, least)
            result[some] = (smooth | ~claimed) & jumps
        return result

    def settle(self, block: Block, open_: Booleans) -> Booleans:
        """Record plateaus that pairs show, where the noise may be that of jumps beyond.

        Parameters
        ----------
        block : Block
            Coordinates that were measured by pairs.
        open_ : ndarray of bool, shape (k,)
            Which of them are not settled.

        Returns
        -------
        ndarray of bool, shape (k,)
            Which are settled now. Costs two evaluations for each that is claimed to be zero
            and changed at its first pair, where outputs are noisier than their rounding.
        """
        function, found, indices = block.function, block.found, block.indices
        settled = np.zeros(indices.shape, dtype=bool)
        zero = (block.claim == 0) & open_[:, None]
        zero &= function.noise > FINE_ROUNDING * np.abs(function.base)
        if not zero.any():
            return settled
        unchanged = zero & (found.status[indices] == Status.UNCHANGED)
        half_width = np.where(unchanged, found.step[indices][:, None], 0.0)
        rows = np.flatnonzero((zero & ~unchanged).any(axis=1))
        if rows.size:
            part = block.take(rows)
            pairs = part.central_pairs(CLOSE_STEP * part.scale)
            close = pairs.step[:, None] * pairs.unchanged
            half_width[rows] = np.where(unchanged[rows], half_width[rows], close)
        noise = np.broadcast_to(function.noise, half_width.shape)
        plateau = Plateau(half_width / block.scale[:, None], np.where(zero, noise, 0.0))
        flat = self.detect(indices, block.claim, plateau)
        rounding = output_rounding(function.base)
        for row, output in np.argwhere(flat).tolist():
            bound = float(rounding[output] / half_width[row, output])
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
        """Record the plateaus of one coordinate.

        Parameters
        ----------
        index : int
            The coordinate.
        claim : ndarray, shape (m,)
            Claimed derivatives with respect to it.
        measured : LineMeasurement
            The extrapolation along it.
        unit : float
            The absolute length of a relative step of 1.
        found : Measurement
            Written to.
        """
        plateau, rounding = measured.plateau, output_rounding(self.function.base)
        unchanged = (claim == 0) & (plateau.half_width > 0) & (plateau.jump == 0)
        found.status[index, unchanged] = Status.UNCHANGED
        row = Plateau(plateau.half_width[None], plateau.jump[None])
        flat = self.detect(np.array([index]), claim[None], row)[0]
        for output in np.flatnonzero(flat).tolist():
            bound = float(rounding[output] / (plateau.half_width[output] * unit))
            found.set_plateau(index, output, bound)

    def _test(self, start: int, stop: int) -> _Smoothness:
        """Test smoothness along those coordinates ``start:stop`` that are claimed to matter."""
        if (start, stop) not in self._tested:
            function, size = self.function, self.function.point.size
            moving = np.zeros(size, dtype=bool)
            claimed = np.zeros(function.base.shape, dtype=bool)
            for part in chunks(start, stop):
                nonzero = self.claims(part.start, part.stop) != 0
                moving[part] = nonzero.any(axis=1)
                claimed |= nonzero.any(axis=0)
            direction = signed_direction(function.scales.own(slice(None)), self.rng)
            direction[~moving] = 0.0
            steps = [ROUNDING_PROBE_STEP * offset for offset in ROUNDING_PROBE_OFFSETS]
            values = evaluate_along(function.evaluate, function.point, direction, steps)
            self._tested[start, stop] = _Smoothness(claimed, all_distinct(values))
        return self._tested[start, stop]


def extrapolate_with_quantization_noise(
    line: Line,
    base: Floats,
    noise: Floats,
    measured: LineMeasurement,
    *,
    claim: Floats,
    agreement: float,
) -> LineMeasurement:
    """Repeat an extrapolation with quantization noise, where that would explain a difference.

    Parameters
    ----------
    line, base, noise
        See `extrapolate`.
    measured : LineMeasurement
        What `extrapolate` returned for them.
    claim : ndarray, shape (m,)
        Claimed derivatives per unit of absolute step.
    agreement : float
        Relative difference at which claim and measurement agree.

    Returns
    -------
    LineMeasurement
        The same where nothing differs, or where central differences over larger steps are no
        other. Else it costs 12 evaluations for each of up to twelve spacings, 53 for each output
        that seems to jump, and another extrapolation where one does.
    """
    with np.errstate(all="ignore"):
        error = np.abs(claim - measured.value)
        differs = measured.differs(claim, agreement)
        if not differs.any():
            return measured
        error = np.where(differs, error, np.inf)
        residual_noise = measured.bound * measured.step
        change = np.abs(measured.central - measured.value)[: SPACINGS.size]
        steps = RELATIVE_STEPS[: SPACINGS.size, None] * line.unit
        changed = (change >= CHANGED_SHARE * error) & (
            change * steps >= ROUGHER * residual_noise / 2
        )
        examined = np.asarray(changed.any(axis=1))
        examined[1:] |= examined[:-1].copy()
        if not examined.any():
            return measured
        heights = _explaining_jumps(
            line, base, residual_noise, error * line.unit, SPACINGS[examined]
        )
    return extrapolate(line, base, noise, least=heights) if heights.any() else measured


def _explaining_jumps(
    line: Line, base: Floats, noise: Floats, error: Floats, spacings: Floats
) -> Floats:
    """Return the heights of jumps that would explain errors per relative step, else 0."""
    steps = spacings[:, None] * OFFSETS
    outputs = np.broadcast_to(base, (*steps.shape, base.size)).copy()
    outputs[:, OFFSETS != 0] = line.at(steps[:, OFFSETS != 0].ravel())[1].reshape(
        spacings.size, -1, base.size
    )
    changes = np.abs(outputs - base)
    variation = np.max(changes, axis=(0, 1), initial=0.0, where=np.isfinite(changes))
    highest = np.maximum(TINY * variation, COARSE_ROUNDING * np.abs(base))
    highest = np.maximum(highest, ROUNDING_OF_ONE)
    differences = np.abs(np.diff(outputs, n=ORDER, axis=1))
    heights = differences.max(axis=1) / AMPLIFICATION
    lowest = ROUGHER * np.maximum(noise, EPS * np.abs(outputs).max(axis=1))
    seen = (heights > lowest) & (heights <= highest)
    seen &= error * spacings[:, None] <= EXPLAINED * heights
    found, columns = np.zeros_like(base), np.flatnonzero(seen.any(axis=0))
    if columns.size:
        smallest = spacings.size - 1 - np.argmax(seen[::-1, columns], axis=0)
        spacing = spacings[smallest]
        roughest = differences[smallest, :, columns].argmax(axis=1)
        centre = (roughest + ORDER / 2 - POINTS) * spacing
        found[columns] = _located_jumps(line, centre, spacing, columns)
    return found


def _located_jumps(line: Line, centre: Floats, spacing: Floats, columns: Indices) -> Floats:
    """Return how high outputs jump around a step, 0 where subdivision shrinks the change."""
    heights, length = [], LOCATED_SPACINGS * spacing
    for count in SUBDIVISIONS:
        points = centre + length * (np.arange(count + 1.0)[:, None] / count - 0.5)
        changes = np.diff(np.stack([line.each(steps, columns) for steps in points]), axis=0)
        excess = np.abs(changes - np.median(changes, axis=0))
        heights.append(excess.max(axis=0))
        centre = centre + length * ((excess.argmax(axis=0) + 0.5) / count - 0.5)
        length = length / count
    is_jump: Booleans = heights[-1] > SAME_HEIGHT * heights[-3]
    return np.where(is_jump, heights[-1], 0.0)
