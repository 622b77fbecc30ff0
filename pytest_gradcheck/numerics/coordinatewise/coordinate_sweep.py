"""The full sweep: derivatives with respect to every coordinate, refined where a claim differs.

Every coordinate is measured by one central pair, and by a second one where the first differs from
its claim. What still differs is measured by Richardson extrapolation: all of few coordinates, of
many the worst and a random sample. The claims decide only how much is spent on a coordinate: a
measurement that agrees with an independent figure needs no confirmation.
`scipy.optimize.check_grad` takes one forward difference per coordinate, without a bound.

A small difference is allowed for where the function jumps nearby, as the result of a solver does
that stops at a tolerance or adapts its steps (see `solver_jumps`).

It does not judge a claim.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace

import numpy as np

from pytest_gradcheck.numerics.central_difference import measure_pairs
from pytest_gradcheck.numerics.coordinate_scales import Scales, claimed_length_scale
from pytest_gradcheck.numerics.coordinatewise.block_differences import (
    CLEAR,
    UNCLEAR,
    Block,
    NoiseDominated,
    measure_by_pairs,
)
from pytest_gradcheck.numerics.coordinatewise.noisy_coordinates import measure_noise_dominated
from pytest_gradcheck.numerics.coordinatewise.piecewise_constant import (
    PlateauDetector,
    extrapolate_with_quantization_noise,
)
from pytest_gradcheck.numerics.coordinatewise.solver_jumps import (
    LARGEST_SOLVER_ERROR,
    are_analytic,
    branch_slope_errors,
    find_discontinuities,
)
from pytest_gradcheck.numerics.function import Claims, Function
from pytest_gradcheck.numerics.least_squares import verify_noisy_arrays
from pytest_gradcheck.numerics.line_restriction import CoordinateLine
from pytest_gradcheck.numerics.measurement import Booleans, Floats, Indices, Measurement, Status
from pytest_gradcheck.numerics.richardson import LineMeasurement, extrapolate

__all__ = ["CoordinateSweep", "ExtrapolationCandidates", "sweep_coordinates"]


#: How many coordinates are extrapolated: the worst, and a sample of the others.
WORST = 40
SAMPLED = 20

#: Derivatives that are measured together. Some fifty numbers are allocated for each: fewer are
#: taken at a large point, beside whose vectors that would count.
BLOCK = 512
SMALL_BLOCK = 144
LARGE_POINT = 4096

#: An extrapolation with wide steps is not repeated with smaller ones where it agrees with the
#: claim and is clear, or where its bound is below this share of the derivative.
WELL_KNOWN = 1e-6

#: Quantization noise is looked for until so many claims differ in spite of it.
WRONG = 2

#: A difference below this share of a derivative, or of the largest, is slight. It may be that of
#: a smooth branch where the function jumps nearby, and this share of all coordinates differ.
SLIGHT = 5e-4
DISAGREEING_SHARE = 0.25

#: So may a larger one where slopes over wide steps, so large relatively, are closer to the claim
#: by this factor.
WIDE_STEPS = 0.3 * 4.0 ** -np.arange(6.0)[:, None]
CLOSER = 0.25

#: So may larger ones where this share of all coordinates differ, and of at least so many none by
#: more than this factor times the median: a tolerance affects all derivatives alike.
NEARLY_ALL_SHARE = 0.75
FEW = 3
ALIKE = 100.0

#: Relative errors that agree up to this share are a common factor, not a tolerance.
COMMON_FACTOR = 1e-2


def _no_floats() -> Floats:
    return np.empty(0)


def _no_indices() -> Indices:
    return np.empty(0, dtype=np.intp)


@dataclass(slots=True)
class ExtrapolationCandidates:
    """Coordinates that differ from their claims: the worst so far, and a sample of the others.

    The sample is drawn by reservoir sampling: every coordinate gets a random key when it is
    added, and those with the smallest keys are kept, whatever the order they were added in.

    Attributes
    ----------
    rng : numpy.random.Generator
        Draws the keys.
    """

    rng: np.random.Generator
    _index: Indices = field(default_factory=_no_indices)
    _excess: Floats = field(default_factory=_no_floats)
    _scale: Floats = field(default_factory=_no_floats)
    _key: Floats = field(default_factory=_no_floats)

    def add(self, indices: Indices, excess: Floats, scale: Floats) -> None:
        """Add coordinates, each with the excess of its error (0: none) and its scale."""
        rows = np.flatnonzero(excess)
        if not rows.size:
            return
        self._index = np.concatenate([self._index, indices[rows]])
        self._excess = np.concatenate([self._excess, excess[rows]])
        self._scale = np.concatenate([self._scale, scale[rows]])
        self._key = np.concatenate([self._key, self.rng.random(rows.size)])
        ranked = np.argsort(-self._excess, kind="stable")
        drawn = np.argsort(self._key, kind="stable")[: WORST + SAMPLED]
        self._keep(np.union1d(ranked[:WORST], drawn))

    def selected(self) -> list[tuple[int, float]]:
        """Return the coordinates to extrapolate with their scales, the worst first.

        Those that are merely unclear are in the sample only.
        """
        if not self._index.size:
            return []
        ranked = np.argsort(-self._excess, kind="stable")
        worst = min(WORST, int(np.count_nonzero(self._excess > UNCLEAR)))
        rest = ranked[worst:]
        sample = rest[np.argsort(self._key[rest], kind="stable")[:SAMPLED]]
        rows = np.concatenate([ranked[:worst], sample])
        return list(zip(self._index[rows].tolist(), self._scale[rows].tolist(), strict=True))

    def _keep(self, rows: Indices) -> None:
        self._index, self._excess = self._index[rows], self._excess[rows]
        self._scale, self._key = self._scale[rows], self._key[rows]


@dataclass(frozen=True, slots=True)
class CoordinateSweep:
    """The derivatives of a function with respect to every coordinate.

    Attributes
    ----------
    function : Function
        What is measured.
    claims : callable
        ``claims(start, stop)`` returns the claimed derivatives, shape (stop - start, m).
    agreement : float
        Relative difference at which claim and measurement agree.
    rng : numpy.random.Generator
        Draws directions, and the sample of coordinates to extrapolate.
    suspected : bool
        Whether the coordinates were selected because their claims seem wrong. That all of them
        differ is then no evidence.
    """

    function: Function
    claims: Callable[[int, int], Floats]
    agreement: float
    rng: np.random.Generator
    suspected: bool = False

    def measure(self) -> Measurement:
        """Measure all coordinates.

        Returns
        -------
        Measurement
            Costs two evaluations for each coordinate that agrees with its claim, more where
            noise or curvature hide that it does (see `measure_by_pairs`), and an extrapolation
            (see `extrapolate`) for those that still differ: for the worst 40 and a sample of 20
            where they are more.
        """
        size, outputs = self.function.point.size, self.function.base.size
        found, candidates = Measurement.blank(size, outputs), ExtrapolationCandidates(self.rng)
        plateaus = PlateauDetector(self.function, self.claims, self.rng)
        with np.errstate(all="ignore"):
            disagreeing = self._measure_by_pairs(found, candidates, plateaus)
        selected = candidates.selected()
        wrong = 0
        for index, scale in selected:
            wrong += self._extrapolate(
                index, scale, plateaus, found, allow_quantization=wrong < WRONG
            )
        if selected and disagreeing >= DISAGREEING_SHARE * size:
            everywhere = not self.suspected and disagreeing >= NEARLY_ALL_SHARE * size
            extrapolated = [index for index, _ in selected]
            self._allow_for_branches(extrapolated, found, everywhere=everywhere)
        verify_noisy_arrays(
            self.function, self.claims, found, agreement=self.agreement, rng=self.rng
        )
        return found

    def _measure_by_pairs(
        self,
        found: Measurement,
        candidates: ExtrapolationCandidates,
        plateaus: PlateauDetector,
    ) -> int:
        """Measure all coordinates by pairs; return how many differ from their claims."""
        size, outputs = self.function.point.size, self.function.base.size
        derivatives = SMALL_BLOCK if size > LARGE_POINT else BLOCK
        length = max(1, derivatives // max(outputs, 1))
        disagreeing, noisy = 0, list[NoiseDominated]()
        for start in range(0, size, length):
            indices = np.arange(start, min(start + length, size))
            block = self._block(indices, self.claims(start, start + indices.size), found)
            result = measure_by_pairs(block)
            result = result.without(indices, plateaus.settle(block, result.is_open(indices)))
            if result.excess.any():
                candidates.add(indices, result.excess, self.function.scales.own(indices))
            disagreeing += int(np.count_nonzero(result.differs))
            noisy.append(result.noise_dominated)
            if start + length >= size or sum(n.indices.size for n in noisy) >= length:
                self._measure_noisy(NoiseDominated.joined(noisy), found, candidates)
                noisy = []
        return disagreeing

    def _measure_noisy(
        self, noisy: NoiseDominated, found: Measurement, candidates: ExtrapolationCandidates
    ) -> None:
        """Measure the noise-dominated coordinates of one or many blocks."""
        if noisy.indices.size:
            claim = np.concatenate([self.claims(k, k + 1) for k in noisy.indices.tolist()])
            block = self._block(noisy.indices, claim, found)
            excess, scale = measure_noise_dominated(block, noisy, self.rng)
            if excess.any():
                own = self.function.scales.own(noisy.indices)
                candidates.add(noisy.indices, excess, np.maximum(scale, own))

    def _block(self, indices: Indices, claim: Floats, found: Measurement) -> Block:
        function = self.function
        own = function.scales.own(indices)
        scale = np.minimum(own, claimed_length_scale(claim, self._size()))
        meaningful = function.scales.meaningful(indices, own)
        return Block(function, indices, claim, scale, meaningful, self.agreement, found)

    def _size(self) -> Floats:
        """Return how large outputs are, or how much they vary if that is more."""
        return np.asarray(np.maximum(np.abs(self.function.base), self.function.sizes))

    def _extrapolate(
        self,
        index: int,
        scale: float,
        plateaus: PlateauDetector,
        found: Measurement,
        *,
        allow_quantization: bool,
    ) -> bool:
        """Measure a coordinate by extrapolation; return whether its claim differs from that."""
        function, claim = self.function, self.claims(index, index + 1)[0]
        own = float(function.scales.own(np.array([index]))[0])
        measured = self._along(index, scale, claim, allow_quantization)
        agrees = np.abs(measured.value - claim) <= measured.bound
        if scale > own and not measured.is_resolved(np.where(agrees, CLEAR, WELL_KNOWN)):
            measured = self._along(index, own, claim, allow_quantization).or_wider(measured)
        wide = max(1.0, float(function.scales.typical(np.array([index]))[0]))
        if wide > scale and (measured.is_unchanged & (claim != 0)).any():
            measured = measured.or_changing(self._along(index, wide, claim, allow_quantization))
        measured = measured.reaching(claim)
        found.value[index], found.bound[index] = measured.value, measured.bound
        found.step[index] = measured.step.min()
        found.status[index] = measured.status
        for output in range(function.base.size):
            found.kinks.pop((index, output), None)
            found.steepest[index, output] = float(measured.steepest[output])
        for output in np.flatnonzero(measured.status == Status.KINK).tolist():
            found.set_kink(index, output, measured.slopes(output))
        plateaus.record(index, claim, measured, scale, found)
        return bool(measured.differs(claim, self.agreement).any())

    def _along(
        self, index: int, scale: float, claim: Floats, allow_quantization: bool
    ) -> LineMeasurement:
        """Extrapolate along one coordinate, with steps in units of a scale."""
        function = self.function
        line = CoordinateLine(function.evaluate, function.point, index, scale)
        measured = extrapolate(line, function.base, function.noise)
        if not allow_quantization:
            return measured
        return extrapolate_with_quantization_noise(
            line, function.base, function.noise, measured, claim=claim, agreement=self.agreement
        )

    def _allow_for_branches(
        self, indices: list[int], found: Measurement, *, everywhere: bool
    ) -> None:
        """Widen bounds to differences that may be those of a smooth branch from the whole.

        A slight difference may be, where the function jumps nearby, or where jumps further away
        would make up for it. A larger one may be, where slopes over wide steps, across the
        jumps, approach the claim, or where nearly all claims differ by as much as a solver's
        tolerance may do.
        """
        selected = np.array(indices)
        claim = np.concatenate([self.claims(k, k + 1) for k in indices])
        value, bound = found.value[indices], found.bound[indices]
        error = np.abs(value - claim)
        differs = (error > bound) & (found.status[indices] == Status.SMOOTH)
        # The error of a solver is small against the largest derivative, not against each, and does
        # not shrink with the size of an argument.
        scales = self.function.scales
        scale = np.minimum(scales.own(selected), scales.typical(selected))[:, None]
        change = error * scale
        sizes = np.abs(found.value) * scales.own(slice(None))[:, None]
        largest = np.minimum(np.nanmax(sizes, axis=0, initial=0.0), self._size())
        slight = error <= SLIGHT * np.maximum(np.abs(claim), np.abs(value))
        slight |= change <= SLIGHT * largest
        large_error = np.where(differs & ~slight, error, 0.0)
        slight |= self._wide_slopes_approach(selected, claim, large_error)
        alike = everywhere & differs & _are_alike(change, np.abs(value) * scale)
        # A solver that explains some of the differences of an output explains all of them.
        alike &= (~differs | (change <= LARGEST_SOLVER_ERROR * largest)).all(axis=0)
        worst = np.argmax(np.where(differs, change, 0.0), axis=0)
        may_be = bool(alike.any() or (differs & slight)[worst, np.arange(worst.size)].any())
        # A copy of the generator: what is found of jumps does not depend on this test.
        if may_be and not are_analytic(self.function, deepcopy(self.rng)).all():
            breaks = find_discontinuities(self.function, self.rng)
            jumps = breaks.found
            if (slight & differs & ~jumps).any():
                slopes = branch_slope_errors(self.function, SLIGHT * largest, self.rng)
                jumps = jumps | (change <= slopes)
            branch = differs & ((slight & jumps) | (alike & breaks.explain(change, largest)))
            found.status[indices] = np.where(branch, Status.BRANCH, found.status[indices])
            found.bound[indices] = np.where(branch, error, bound)

    def _wide_slopes_approach(self, indices: Indices, claim: Floats, error: Floats) -> Booleans:
        """Return which claims are much closer to slopes over wide steps than `error`.

        The coordinate with the largest error is examined first, for twelve evaluations, and the
        next one only if its claim is.
        """
        approached = np.zeros(claim.shape, dtype=bool)
        scale = self.function.scales.own(indices)
        for row in np.argsort(-error.max(axis=1), kind="stable").tolist():
            if not error[row].any():
                break
            index, steps = indices[row : row + 1], scale[row] * WIDE_STEPS
            slopes = [measure_pairs(self.function, index, step).value[0] for step in steps]
            # One slope may be close by chance, where truncation is as large as the difference. All
            # of them are close to a claim of zero, where the function saturates.
            distances = np.abs(np.array(slopes) - claim[row])
            close = distances <= CLOSER * np.minimum(error[row], np.abs(claim[row]))
            approached[row] = (close[1:] & close[:-1]).any(axis=0) & (error[row] > 0)
            if not approached.any():
                break
        return approached


def _are_alike(change: Floats, sizes: Floats) -> Booleans:
    """Return which of k errors are not far larger than their median.

    None, where all are the same share of their derivatives: that is a common factor.
    """
    if len(change) < FEW:
        return np.ones(change.shape, dtype=bool)
    median = np.sort(change, axis=0)[(len(change) - 1) // 2]
    with np.errstate(all="ignore"):
        shares = change / sizes
        is_factor = np.ptp(shares, axis=0) <= COMMON_FACTOR * shares.max(axis=0)
    return np.asarray((change <= ALIKE * median) & ~is_factor)


@dataclass(frozen=True, slots=True)
class _Restriction:
    """A function of some of its coordinates, the others fixed."""

    function: Function
    indices: Indices

    def evaluate(self, values: Iterable[Floats]) -> Floats:
        """Evaluate at values of the coordinates; the point is restored."""
        point, indices = self.function.point, self.indices
        original = point[indices]

        def points() -> Iterator[Floats]:
            for value in values:
                point[indices] = value
                yield point

        try:
            return self.function.evaluate(points())
        finally:
            point[indices] = original

    def claimed_slopes(self, values: Floats, direction: Floats) -> Floats | None:
        """Return the claimed derivatives along a direction at values of the coordinates."""
        if self.function.claimed_slopes is None:
            return None
        point, full_direction = self.function.point.copy(), np.zeros(self.function.point.size)
        point[self.indices], full_direction[self.indices] = values, direction
        return self.function.claimed_slopes(point, full_direction)


def sweep_coordinates(
    function: Function,
    claims: Claims,
    indices: Indices,
    *,
    agreement: float,
    rng: np.random.Generator,
    suspected: bool = False,
) -> Measurement:
    """Measure some coordinates as `CoordinateSweep` measures all.

    Parameters
    ----------
    function : Function
        A function of all coordinates.
    claims : Claims
        Claims about all of them.
    indices : ndarray of int, shape (k,)
        The coordinates to measure, ascending.
    agreement : float
        Relative difference at which claim and measurement agree.
    rng, suspected
        As for `CoordinateSweep`.

    Returns
    -------
    Measurement
        The derivatives with respect to the k coordinates, in their order.
    """
    restriction, point = _Restriction(function, indices), function.point[indices]
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
        evaluate=restriction.evaluate,
        point=point,
        scales=scales,
        claimed_slopes=restriction.claimed_slopes,
    )
    sweep = CoordinateSweep(
        inner, lambda start, stop: claimed[start:stop], agreement, rng, suspected
    )
    return sweep.measure()
