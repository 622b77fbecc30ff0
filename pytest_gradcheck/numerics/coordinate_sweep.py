"""The full sweep: the derivative by every coordinate, as cheaply as agreement allows.

It must not judge a claim. It is told the claims because a measurement that
agrees with an independent figure needs no second look, and others do.
"""

# MERGED Coordinates that still differ from their claims: which of them deserve a ladder.
#
# It must not evaluate anything; it ranks, and keeps a bounded number.
# MERGED A function of some of its coordinates, the others left where they are.
#
# It must not measure anything; it writes coordinates where they belong and takes them back.

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace

import numpy as np

from pytest_gradcheck.numerics.central_difference import measure_pairs
from pytest_gradcheck.numerics.coordinate_block import (
    CLEAR,
    UNCLEAR,
    Block,
    NoiseDominated,
    measure_by_pairs,
)
from pytest_gradcheck.numerics.discontinuities import (
    LARGEST_SOLVER_ERROR,
    are_analytic,
    branch_slope_errors,
    find_discontinuities,
)
from pytest_gradcheck.numerics.function import Claims, Function
from pytest_gradcheck.numerics.least_squares import verify_noisy_arrays
from pytest_gradcheck.numerics.line_restriction import CoordinateLine
from pytest_gradcheck.numerics.measurement import Booleans, Floats, Indices, Measurement, Status
from pytest_gradcheck.numerics.noisy_coordinates import measure_noise_dominated
from pytest_gradcheck.numerics.piecewise_constant import (
    PlateauDetector,
    extrapolate_with_quantization_noise,
)
from pytest_gradcheck.numerics.richardson import LineMeasurement, extrapolate
from pytest_gradcheck.numerics.step_size import Scales, claimed_length_scale

__all__ = ["CoordinateSweep", "ExtrapolationCandidates", "sweep_coordinates"]


#: How many coordinates get a ladder of their own: the worst, and a sample of the others.
WORST = 40
SAMPLED = 20


def _no_floats() -> Floats:
    return np.empty(0)


def _no_indices() -> Indices:
    return np.empty(0, dtype=np.intp)


@dataclass(slots=True)
class ExtrapolationCandidates:
    """The worst doubts met so far, and a random sample of the rest.

    Every doubt draws a lottery number when it comes; the lowest of those that
    are not among the worst are the sample, whatever the order they came in.

    Attributes
    ----------
    rng : numpy.random.Generator
        Draws the numbers.
    """

    rng: np.random.Generator
    _index: Indices = field(default_factory=_no_indices)
    _excess: Floats = field(default_factory=_no_floats)
    _scale: Floats = field(default_factory=_no_floats)
    _number: Floats = field(default_factory=_no_floats)

    def add(self, indices: Indices, excess: Floats, scale: Floats) -> None:
        """Take coordinates with how doubtful each is (0: not at all) and its ladder's scale."""
        doubtful = np.flatnonzero(excess)
        if not doubtful.size:
            return
        self._index = np.concatenate([self._index, indices[doubtful]])
        self._excess = np.concatenate([self._excess, excess[doubtful]])
        self._scale = np.concatenate([self._scale, scale[doubtful]])
        self._number = np.concatenate([self._number, self.rng.random(doubtful.size)])
        ranked = np.argsort(-self._excess, kind="stable")
        drawn = np.argsort(self._number, kind="stable")[: WORST + SAMPLED]
        self._keep(np.union1d(ranked[:WORST], drawn))

    def chosen(self) -> list[tuple[int, float]]:
        """Return the coordinates that get a ladder with their scales, the worst first.

        Those that are merely unclear are among the sample only.
        """
        if not self._index.size:
            return []
        ranked = np.argsort(-self._excess, kind="stable")
        worst = min(WORST, int(np.count_nonzero(self._excess > UNCLEAR)))
        rest = ranked[worst:]
        sample = rest[np.argsort(self._number[rest], kind="stable")[:SAMPLED]]
        rows = np.concatenate([ranked[:worst], sample])
        return list(zip(self._index[rows].tolist(), self._scale[rows].tolist(), strict=True))

    def _keep(self, rows: Indices) -> None:
        self._index, self._excess = self._index[rows], self._excess[rows]
        self._scale, self._number = self._scale[rows], self._number[rows]


#: Differences below this share of a derivative, or below that of the largest, may be those of
#: a branch, where so large a share of all coordinates is apart from what was claimed, and
#: the function jumps nearby.
SLIGHT = 5e-4
DISAGREEING_SHARE = 0.25

#: Larger ones may be where most coordinates are apart, none of several by so many times more
#: than half of them: a tolerance shows in all.
NEARLY_ALL_SHARE = 0.75
ALIKE = 100.0
FEW = 3

#: A factor is the same for all, up to this share of it.
FACTOR = 1e-2

#: So may others, where slopes over steps as large as these come so much closer to
#: the claim.
SECANTS = 0.3 * 4.0 ** -np.arange(6.0)[:, None]
CLOSER = 0.25

#: A ladder of wide steps needs no other beside it where it agrees with the claim and is clear, or
#: where its bound is this share of the derivative.
WELL_KNOWN = 1e-6

#: Stairs are looked for until so many claims are apart from what was measured all the same.
WRONG = 2

#: Derivatives looked at together. What a look allocates for each, some fifty numbers, is
#: nothing in itself; beside the vectors of a large point it is when they are fewer.
BLOCK = 512
SMALL_BLOCK = 144
LARGE_POINT = 4096


@dataclass(frozen=True, slots=True)
class CoordinateSweep:
    """The derivatives of a function by every coordinate.

    Attributes
    ----------
    function : Function
        What is measured.
    claims : callable
        ``claims(start, stop)`` returns the claimed derivatives, shape (stop - start, m).
    agreement : float
        Relative difference at which claim and measurement agree.
    rng : numpy.random.Generator
        Draws directions, and the sample where very many coordinates need a ladder.
    suspected : bool
        Whether the coordinates were chosen because their claims seem to be off: then it says
        nothing that all of them are.
    """

    function: Function
    claims: Callable[[int, int], Floats]
    agreement: float
    rng: np.random.Generator
    suspected: bool = False

    def measure(self) -> Measurement:
        """Sweep over all coordinates.

        Returns
        -------
        Measurement
            Costs two evaluations for each coordinate that agrees with its
            claim, more where noise or curvature hide that it does (see `measure_by_pairs`),
            and a ladder (see `extrapolate`) for those that still differ: for the worst
            40 and a sample of 20 where they are more.
        """
        size, outputs = self.function.point.size, self.function.base.size
        found, doubts = Measurement.blank(size, outputs), ExtrapolationCandidates(self.rng)
        levels = PlateauDetector(self.function, self.claims, self.rng)
        with np.errstate(all="ignore"):
            apart = self._look(found, doubts, levels)
        chosen = doubts.chosen()
        wrong = 0
        for index, scale in chosen:
            wrong += self._climb(index, scale, levels, found, is_wary=wrong < WRONG)
        if chosen and apart >= DISAGREEING_SHARE * size:
            everywhere = not self.suspected and apart >= NEARLY_ALL_SHARE * size
            self._allow_for_branches([index for index, _ in chosen], found, everywhere=everywhere)
        verify_noisy_arrays(
            self.function, self.claims, found, agreement=self.agreement, rng=self.rng
        )
        return found

    def _look(
        self, found: Measurement, doubts: ExtrapolationCandidates, levels: PlateauDetector
    ) -> int:
        """Look at all coordinates by pairs; return how many are apart from their claims."""
        size, outputs = self.function.point.size, self.function.base.size
        together = SMALL_BLOCK if size > LARGE_POINT else BLOCK
        length = max(1, together // max(outputs, 1))
        apart, drowned = 0, list[NoiseDominated]()
        for start in range(0, size, length):
            indices = np.arange(start, min(start + length, size))
            block = self._block(indices, self.claims(start, start + indices.size), found)
            seen = measure_by_pairs(block)
            seen = seen.without(indices, levels.settle(block, seen.is_open(indices)))
            if seen.excess.any():
                doubts.add(indices, seen.excess, self.function.scales.own(indices))
            apart += int(np.count_nonzero(seen.differs))
            drowned.append(seen.noise_dominated)
            if start + length >= size or sum(d.indices.size for d in drowned) >= length:
                self._look_further(NoiseDominated.joined(drowned), found, doubts)
                drowned = []
        return apart

    def _look_further(
        self, drowned: NoiseDominated, found: Measurement, doubts: ExtrapolationCandidates
    ) -> None:
        """Look at the drowned coordinates of one or many blocks."""
        if drowned.indices.size:
            claim = np.concatenate([self.claims(k, k + 1) for k in drowned.indices.tolist()])
            block = self._block(drowned.indices, claim, found)
            doubt, scale = measure_noise_dominated(block, drowned, self.rng)
            if doubt.any():
                own = self.function.scales.own(drowned.indices)
                doubts.add(drowned.indices, doubt, np.maximum(scale, own))

    def _block(self, indices: Indices, claim: Floats, found: Measurement) -> Block:
        function = self.function
        own = function.scales.own(indices)
        scale = np.minimum(own, claimed_length_scale(claim, self._size()))
        meaningful = function.scales.meaningful(indices, own)
        return Block(function, indices, claim, scale, meaningful, self.agreement, found)

    def _size(self) -> Floats:
        """Return how large outputs are, or how much they vary."""
        return np.asarray(np.maximum(np.abs(self.function.base), self.function.sizes))

    def _climb(
        self,
        index: int,
        scale: float,
        levels: PlateauDetector,
        found: Measurement,
        *,
        is_wary: bool,
    ) -> bool:
        """Settle one coordinate by a ladder; return whether its claim is apart from that.

        Where that is wary, stairs are looked for before a claim is apart.
        """
        function, claim = self.function, self.claims(index, index + 1)[0]
        own = float(function.scales.own(np.array([index]))[0])
        measured = self._along(index, scale, claim, is_wary)
        agrees = np.abs(measured.value - claim) <= measured.bound
        if scale > own and not measured.is_resolved(np.where(agrees, CLEAR, WELL_KNOWN)):
            measured = self._along(index, own, claim, is_wary).or_wider(measured)
        wide = max(1.0, float(function.scales.typical(np.array([index]))[0]))
        if wide > scale and (measured.is_unchanged & (claim != 0)).any():
            measured = measured.or_changing(self._along(index, wide, claim, is_wary))
        measured = measured.reaching(claim)
        found.value[index], found.bound[index] = measured.value, measured.bound
        found.step[index] = measured.step.min()
        found.status[index] = measured.status
        for output in range(function.base.size):
            found.kinks.pop((index, output), None)
            found.steepest[index, output] = float(measured.steepest[output])
        for output in np.flatnonzero(measured.status == Status.KINK).tolist():
            found.set_kink(index, output, measured.slopes(output))
        levels.keep(index, claim, measured, scale, found)
        return bool(measured.differs(claim, self.agreement).any())

    def _along(self, index: int, scale: float, claim: Floats, is_wary: bool) -> LineMeasurement:
        """Climb along one coordinate, with steps of its own or another scale."""
        function = self.function
        line = CoordinateLine(function.evaluate, function.point, index, scale)
        measured = extrapolate(line, function.base, function.noise)
        if not is_wary:
            return measured
        return extrapolate_with_quantization_noise(
            line, function.base, function.noise, measured, claim=claim, agreement=self.agreement
        )

    def _allow_for_branches(
        self, climbed: list[int], found: Measurement, *, everywhere: bool
    ) -> None:
        """Widen bounds where a difference may be that of a branch from the whole.

        A slight one is, where the function jumps nearby, as a solver does that adapts its
        steps or stops at a tolerance, or where jumps further away would make it good. A
        larger one is, where slopes over larger steps, across the jumps, approach the claim,
        or where all claims are off by what such a solver leaves.
        """
        indices = np.array(climbed)
        claim = np.concatenate([self.claims(k, k + 1) for k in climbed])
        value, bound = found.value[climbed], found.bound[climbed]
        error = np.abs(value - claim)
        off = (error > bound) & (found.status[climbed] == Status.SMOOTH)
        # A solver's errors are no smaller by the larger of its arguments, and small against
        # the largest derivative, not against each.
        scales = self.function.scales
        scale = np.minimum(scales.own(indices), scales.typical(indices))[:, None]
        moved = error * scale
        sizes = np.abs(found.value) * scales.own(slice(None))[:, None]
        largest = np.minimum(np.nanmax(sizes, axis=0, initial=0.0), self._size())
        slight = error <= SLIGHT * np.maximum(np.abs(claim), np.abs(value))
        slight |= moved <= SLIGHT * largest
        slight |= self._secants_approach(indices, claim, np.where(off & ~slight, error, 0.0))
        alike = everywhere & off & (moved <= LARGEST_SOLVER_ERROR * largest)
        alike &= _are_alike(moved, np.abs(value) * scale)
        worst = np.argmax(np.where(off, moved, 0.0), axis=0)
        may_be = bool(alike.any() or (off & slight)[worst, np.arange(worst.size)].any())
        # It draws from a copy: what is found of jumps does not depend on it.
        if may_be and not are_analytic(self.function, deepcopy(self.rng)).all():
            breaks = find_discontinuities(self.function, self.rng)
            jumps = breaks.found
            if (slight & off & ~jumps).any():
                slopes = branch_slope_errors(self.function, SLIGHT * largest, self.rng)
                jumps = jumps | (moved <= slopes)
            branch = off & ((slight & jumps) | (alike & breaks.explain(moved, largest)))
            found.status[climbed] = np.where(branch, Status.BRANCH, found.status[climbed])
            found.bound[climbed] = np.where(branch, error, bound)

    def _secants_approach(self, indices: Indices, claim: Floats, error: Floats) -> Booleans:
        """Tell which claims slopes over larger steps come much closer to than by `error`.

        None, where those of the coordinate that is furthest off do not: it costs twelve
        evaluations, and as many for each other that is off.
        """
        approached = np.zeros(claim.shape, dtype=bool)
        scale = self.function.scales.own(indices)
        for row in np.argsort(-error.max(axis=1), kind="stable").tolist():
            if not error[row].any():
                break
            at = indices[row : row + 1]
            apart = [
                np.abs(measure_pairs(self.function, at, scale[row] * step).value[0] - claim[row])
                for step in SECANTS
            ]
            # One of them is close by chance, where truncation is as large as the difference; and
            # all of them are to a claim of nothing, where the function saturates.
            close = np.array(apart) <= CLOSER * np.minimum(error[row], np.abs(claim[row]))
            approached[row] = (close[1:] & close[:-1]).any(axis=0) & (error[row] > 0)
            if not approached.any():
                break
        return approached


def _are_alike(moved: Floats, sizes: Floats) -> Booleans:
    """Tell which of k errors are not far larger than half of them.

    None, where all are the same share of what they are errors of: that is a factor.
    """
    if len(moved) < FEW:
        return np.ones(moved.shape, dtype=bool)
    middle = np.sort(moved, axis=0)[(len(moved) - 1) // 2]
    with np.errstate(all="ignore"):
        shares = moved / sizes
        is_factor = np.ptp(shares, axis=0) <= FACTOR * shares.max(axis=0)
    return np.asarray((moved <= ALIKE * middle) & ~is_factor)


@dataclass(frozen=True, slots=True)
class _Restricted:
    """Evaluates at values of some coordinates."""

    function: Function
    indices: Indices

    def evaluate(self, values: Iterable[Floats]) -> Floats:
        point, indices = self.function.point, self.indices
        kept = point[indices]

        def places() -> Iterator[Floats]:
            for value in values:
                point[indices] = value
                yield point

        try:
            return self.function.evaluate(places())
        finally:
            point[indices] = kept

    def claimed_slopes(self, values: Floats, direction: Floats) -> Floats | None:
        """Return the slopes along a direction that are claimed at values of some coordinates."""
        if self.function.claimed_slopes is None:
            return None
        point, along = self.function.point.copy(), np.zeros(self.function.point.size)
        point[self.indices], along[self.indices] = values, direction
        return self.function.claimed_slopes(point, along)


def sweep_coordinates(
    function: Function,
    claims: Claims,
    indices: Indices,
    *,
    agreement: float,
    rng: np.random.Generator,
    suspected: bool = False,
) -> Measurement:
    """Sweep over some coordinates, in order, as `CoordinateSweep` does over all.

    Parameters
    ----------
    function : Function
        Of all coordinates.
    claims : Claims
        About all of them.
    indices : ndarray of int, shape (k,)
        Those to measure, ascending.
    agreement : float
        Relative difference at which claim and measurement agree.
    rng, suspected
        As for `CoordinateSweep`.

    Returns
    -------
    Measurement
        Of the k coordinates.
    """
    restricted, point = _Restricted(function, indices), function.point[indices]
    starts = function.scales.starts
    segments = np.searchsorted(starts, indices, side="right") - 1
    first = np.flatnonzero(np.diff(segments, prepend=-1))
    limits = function.scales.limits
    scales = Scales(
        point,
        first,
        function.scales.medians[segments[first]],
        limits=None if limits is None else limits[indices],
    )
    claimed = claims.take(indices)
    inner = replace(
        function,
        evaluate=restricted.evaluate,
        point=point,
        scales=scales,
        claimed_slopes=restricted.claimed_slopes,
    )
    sweep = CoordinateSweep(
        inner, lambda start, stop: claimed[start:stop], agreement, rng, suspected
    )
    return sweep.measure()
