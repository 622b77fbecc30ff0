"""A directional derivative, refined until it can be trusted, with an error bound.

The derivative along a random direction compares all claims at once: what is claimed is their
product with the direction, and what is measured is one central pair, two evaluations. Where the
two differ, smaller steps follow (`refine`): truncation falls with the square of the step, a kink
that was crossed falls out of reach, and the error of a claim stays. Where none of these shows
clearly, Richardson extrapolation decides, in 40 evaluations.

`torch.autograd.gradcheck` in its fast mode also compares along random directions, at one fixed
step and with a tolerance. Here the bound follows from what the steps show.

It does not judge: it returns the two values and how well they are known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.numerics.central_difference import NOISE_FACTOR
from pytest_gradcheck.numerics.function import Claims, Function
from pytest_gradcheck.numerics.line_restriction import Line
from pytest_gradcheck.numerics.measurement import EPS, Booleans, Floats, Status, chunks
from pytest_gradcheck.numerics.refinement import Refinement, refine
from pytest_gradcheck.numerics.richardson import extrapolate
from pytest_gradcheck.numerics.screening.direction_weights import Code, CodedDirections
from pytest_gradcheck.numerics.screening.subarrays import Box, Region, whole_region

__all__ = [
    "SIGNIFICANT",
    "DirectionProbe",
    "DirectionalDerivative",
    "DirectionalDifference",
    "directional_derivative",
    "refine_difference",
    "remeasure_by_pair",
    "with_truncation_of",
]

#: Residuals along the same direction may differ by so many roundings of the point. The smallest
#: step is so many of them.
PATH = 4.0
FINEST = 64.0

#: Claim and measurement differ when they are this many bounds apart.
SIGNIFICANT = 2.0

#: A pair that differs is followed by one at a step so many times smaller, at most and at least,
#: and by so many in all.
NARROWER = 8.0
LEAST = 2.0
NARROWER_PAIRS = 3

#: Truncation falls with the square of the step, to within this factor.
CONVERGED = 2.0

#: A residual that changes by more than this share of itself is not stable.
CHANGED = 0.5

#: The bend of a kink is the same at every step. It is visible at so many times the noise.
VISIBLE_BEND = 3.0


@dataclass(frozen=True, slots=True)
class DirectionalDifference:
    """A central pair along a direction, of m outputs, per unit of step.

    Attributes
    ----------
    step : float
        The step, in units of the direction.
    claimed, measured : ndarray, shape (m,)
        The directional derivative.
    bend : ndarray, shape (m,)
        By how much the slope to the right exceeds the slope to the left.
    noise : ndarray, shape (m,)
        Bound on the error of `measured` by noise.
    """

    step: float
    claimed: Floats
    measured: Floats
    bend: Floats
    noise: Floats

    @property
    def residual(self) -> Floats:
        """Claimed minus measured."""
        return np.asarray(self.claimed - self.measured)


@dataclass(frozen=True, slots=True)
class DirectionProbe:
    """Measures along directions. Each direction is drawn in the memory of the point itself.

    Attributes
    ----------
    function : Function
        What is measured. All of its point is moved, and put back.
    claims : Claims
        What is claimed of it.
    directions : CodedDirections
        The directions.
    roundings : ndarray, shape (segments, m)
        Bound on the change of the claimed directional derivative by the rounding of all claims
        of a segment.
    here : ndarray, shape (n,)
        A copy of the point, to put it back.
    point_rounding : float
        The rounding of the point, in units of the direction.
    """

    function: Function
    claims: Claims
    directions: CodedDirections
    roundings: Floats
    here: Floats
    point_rounding: float = EPS

    @property
    def finest(self) -> float:
        """The smallest step that is not dominated by the rounding of the point."""
        return FINEST * self.point_rounding

    @property
    def line_noise(self) -> Floats:
        """The noise of outputs at points that are rounded without being corrected for that."""
        return np.maximum(self.function.noise, self.point_rounding * self.function.sizes)

    def difference(
        self, which: int, region: Region, step: float, code: Code | None = None
    ) -> DirectionalDifference:
        """Measure a central pair along a direction in a region: two evaluations."""
        base = self.function.base
        (above, below), (claimed_above, claimed_below) = self._evaluate_with_changes(
            which, region, [step], code
        )
        with np.errstate(all="ignore"):
            claimed = (claimed_above - claimed_below) / (2 * step)
            measured = (above - below) / (2 * step)
            bend = ((above - base) + (below - base)) / step
            noise = NOISE_FACTOR * self.function.noise / step + self.rounding(region)
            # The rounding of the point makes every step lead in a slightly different direction.
            noise += PATH * self.point_rounding / step * np.abs(claimed - measured)
        return DirectionalDifference(step, claimed, measured, bend, noise)

    def rounding(self, region: Region) -> Floats:
        """Return the change by the rounding of claims in a region, independent for each."""
        numbers = self.directions.segment_numbers()
        which = [numbers[box.segment.start] for box in region]
        shares = np.array([box.size / box.segment.size for box in region])
        return np.asarray(np.sqrt((self.roundings[which] ** 2 * shares[:, None]).sum(axis=0)))

    def without(self, boxes: Sequence[Box]) -> DirectionProbe:
        """Return a probe that does not move some boxes."""
        without = (*self.directions.excluded, *boxes)
        return replace(self, directions=replace(self.directions, excluded=without))

    def claimed(self, which: int) -> Floats:
        """Return the claimed derivative along a direction by segment, shape (segments, m)."""
        claimed = np.zeros((len(self.directions.segments), self.function.base.size))
        with self._point_restored() as direction:
            self.directions.draw(direction, which, whole_region(self.directions.segments))
            for number, segment in enumerate(self.directions.segments):
                for part in chunks(segment.start, segment.stop):
                    claimed[number] += self.claims.along(part.start, direction[part])
        return claimed

    def table(
        self, which: int, region: Region, spacing: float, number: int
    ) -> tuple[Floats, Floats]:
        """Evaluate at equally spaced points on both sides, from left to right.

        They are equally spaced to the last digit. Where the function changes much over a rounding
        of the point, a misplaced value would look like noise.

        Returns
        -------
        values : ndarray, shape (2 number + 1, m)
            The value at the point itself is in the middle.
        claimed : ndarray, shape (m,)
            The claimed change from one to the next.
        """
        here, claimed = self.here, list[Floats]()

        def points() -> Iterator[Floats]:
            for k in range(1, number + 1):
                there = self._point_along(which, region, spacing, None)
                if k == 1:
                    claimed.append(self._claimed_change(there))
                for part in chunks(0, here.size):
                    there[part] = here[part] + k * (there[part] - here[part])
                yield from self._mirrored(there)

        with self._point_restored():
            outputs = self.function.evaluate(points())
        values = np.concatenate([outputs[1::2][::-1], self.function.base[None], outputs[::2]])
        return values, claimed[0]

    def at(self, which: int, region: Region, steps: Floats) -> Floats:
        """Evaluate at each step along a direction, shape (steps, m)."""

        def points() -> Iterator[Floats]:
            for step in steps.tolist():
                yield self._point_along(which, region, step, None)

        with self._point_restored():
            return self.function.evaluate(points())

    def _evaluate_with_changes(
        self, which: int, region: Region, steps: Sequence[float], code: Code | None
    ) -> tuple[Floats, Floats]:
        """Evaluate each step to the right, then to the left; also return the claimed changes."""
        claimed = list[Floats]()

        def points() -> Iterator[Floats]:
            for there in self._mirrored_points(which, region, steps, code):
                claimed.append(self._claimed_change(there))
                yield there

        with self._point_restored():
            outputs = self.function.evaluate(points())
        return outputs, np.stack(claimed)

    def _mirrored_points(
        self, which: int, region: Region, steps: Sequence[float], code: Code | None
    ) -> Iterator[Floats]:
        for step in steps:
            yield from self._mirrored(self._point_along(which, region, step, code))

    def _mirrored(self, there: Floats) -> Iterator[Floats]:
        """Yield a point, then its mirror image, to within a rounding of the point."""
        here = self.here
        yield there
        for part in chunks(0, here.size):
            np.subtract(2 * here[part], there[part], out=there[part])
        yield there

    def _point_along(self, which: int, region: Region, step: float, code: Code | None) -> Floats:
        """Move the point along a direction."""
        there = self.function.point
        self.directions.draw(there, which, region, code)
        there *= step
        there += self.here
        return there

    @contextmanager
    def _point_restored(self) -> Iterator[Floats]:
        """Yield the point, and put it back at the end."""
        try:
            yield self.function.point
        finally:
            self.function.point[:] = self.here

    def _claimed_change(self, there: Floats) -> Floats:
        """Return the claimed change from the point to another one, as rounded."""
        here, change = self.here, np.zeros_like(self.function.base)
        for part in chunks(0, here.size):
            change += self.claims.along(part.start, there[part] - here[part])
        return change


@dataclass(frozen=True, slots=True)
class DirectionalDerivative:
    """A derivative along a direction, of m outputs.

    Attributes
    ----------
    which : int
        The direction.
    step : float
        The step of the measurement.
    claimed, measured, bound : ndarray, shape (m,)
        The two values, and a bound on the error of the measured one; infinite where nothing is
        known.
    bend : ndarray, shape (m,)
        By how much the slopes to both sides differ per unit of step; infinite where that is not
        known.
    status : ndarray of int8, shape (m,)
        Values of `Status`.
    from_pairs : bool
        Whether it was measured by pairs, without Richardson extrapolation.
    """

    which: int
    step: float
    claimed: Floats
    measured: Floats
    bound: Floats
    bend: Floats
    status: NDArray[np.int8]
    from_pairs: bool

    @property
    def residual(self) -> Floats:
        """Claimed minus measured."""
        return np.asarray(self.claimed - self.measured)

    @property
    def differs(self) -> Booleans:
        """Where claim and measurement differ significantly."""
        return np.asarray(np.abs(self.residual) > SIGNIFICANT * self.bound)

    @property
    def nonzero(self) -> Booleans:
        """Where claim or measurement differs significantly from zero."""
        size = np.maximum(np.abs(self.claimed), np.abs(self.measured))
        return np.asarray(size > SIGNIFICANT * self.bound)

    @property
    def undetected(self) -> Floats:
        """The largest error along the direction that could have gone undetected."""
        return np.asarray(np.abs(self.residual) + SIGNIFICANT * self.bound)

    def significance(self, output: int) -> float:
        """Return the residual of one output in units of its bound."""
        bound = float(self.bound[output])
        return abs(float(self.residual[output])) / bound if bound else np.inf

    @property
    def known(self) -> Booleans:
        """Where the function has one derivative along the direction, and it was measured."""
        smooth = (self.status == Status.SMOOTH) | (self.status == Status.UNREFINED)
        return np.asarray(smooth & np.isfinite(self.bound) & np.isfinite(self.measured))


def directional_derivative(
    probe: DirectionProbe, which: int, region: Region, step: float
) -> DirectionalDerivative:
    """Measure the derivative along a direction in a region.

    Parameters
    ----------
    probe : DirectionProbe
        Measures pairs.
    which, region : int, Region
        The direction, and where it is not zero.
    step : float
        The first step, which balances noise and truncation, in units of the direction.

    Returns
    -------
    DirectionalDerivative
        With a bound on the error, see `refine_difference`.
    """
    return refine_difference(probe, which, region, probe.difference(which, region, step))


def refine_difference(
    probe: DirectionProbe, which: int, region: Region, first: DirectionalDifference
) -> DirectionalDerivative:
    """Refine a difference along a direction until it can be trusted.

    A difference that agrees with the claims is accepted at once. Otherwise the step shrinks until
    the residual is stable, or converges as truncation does, and else Richardson extrapolation
    decides.

    Parameters
    ----------
    probe : DirectionProbe
        Measures pairs.
    which, region : int, Region
        The direction, and where it is not zero.
    first : DirectionalDifference
        A pair along it.

    Returns
    -------
    DirectionalDerivative
        Two evaluations for each narrower pair, 40 where Richardson extrapolation is needed.
    """
    result = _from_pair(which, first, first.noise) if _agrees(first).all() else None
    start = _NarrowerPairs(probe, which, region, first, np.zeros_like(first.noise), result)
    last = refine(start, maxiter=NARROWER_PAIRS)
    if last.result is not None:
        return last.result
    return _extrapolated(probe, which, region, last.pair.claimed)


@dataclass(frozen=True, slots=True)
class _NarrowerPairs(Refinement[float, DirectionalDifference]):
    """Pairs along a direction at ever smaller steps, until the residual is stable.

    Attributes
    ----------
    probe, which, region
        See `refine_difference`.
    pair : DirectionalDifference
        The last pair.
    expected : ndarray, shape (m,)
        The largest change of the residual that truncation explains.
    result : DirectionalDerivative or None
        Which can be trusted.
    """

    probe: DirectionProbe
    which: int
    region: Region
    pair: DirectionalDifference
    expected: Floats
    result: DirectionalDerivative | None

    def check_termination(self) -> bool:
        return self.result is not None

    @property
    def narrower(self) -> float:
        """By which factor the next step is smaller."""
        return min(_narrower(self.pair), self.pair.step / self.probe.finest)

    def pre_func_eval(self) -> float | None:
        return None if self.narrower < LEAST else self.pair.step / self.narrower

    def func_eval(self, step: float) -> DirectionalDifference:
        return self.probe.difference(self.which, self.region, step)

    def post_func_eval(self, measured: DirectionalDifference) -> _NarrowerPairs:
        first, narrower = self.pair, self.narrower
        change = np.abs(measured.residual - first.residual)
        truncation = CONVERGED * change / (narrower**2 - 1)
        unchanged = change <= SIGNIFICANT * (first.noise + measured.noise)
        smooth = (change <= CHANGED * np.abs(measured.residual)) & ~_is_kinked(first, measured)
        is_small = truncation <= SIGNIFICANT * measured.noise
        converges = (change <= self.expected) & is_small & smooth
        stable = unchanged & smooth
        result = None
        if (_agrees(measured) | stable | converges).all():
            if (stable & (first.noise + change <= measured.noise)).all():
                result = _from_pair(self.which, first, first.noise + change)
            else:
                error = np.where(converges, truncation, np.where(stable, change, 0.0))
                result = _from_pair(self.which, measured, measured.noise + error)
        expected = CONVERGED * change / narrower**2
        return replace(self, pair=measured, expected=expected, result=result)


def with_truncation_of(
    reference: DirectionalDerivative, which: int, pair: DirectionalDifference
) -> DirectionalDerivative:
    """Return a pair along another direction at the step of a reference.

    Truncation is about as large along one as along the other.
    """
    truncation = np.maximum(reference.bound - pair.noise, 0.0)
    return _from_pair(which, pair, pair.noise + 2 * truncation)


def remeasure_by_pair(
    probe: DirectionProbe, reference: DirectionalDerivative, region: Region, output: int
) -> DirectionalDerivative:
    """Measure a directional derivative by a pair that agrees with its extrapolated value.

    Pairs along parts of the direction are compared with it, and an extrapolated value is more
    accurate than any pair. Where the two differ the step is the reason, and a smaller one
    follows: two evaluations each. What was measured by pairs is returned as it is.
    """
    if reference.from_pairs:
        return reference
    first = probe.difference(reference.which, region, reference.step)
    start = _MatchingPair(probe, reference, region, output, first)
    pair = refine(start, maxiter=NARROWER_PAIRS - 1).pair
    change = np.abs(pair.measured - reference.measured)
    return _from_pair(reference.which, pair, pair.noise + reference.bound + change)


@dataclass(frozen=True, slots=True)
class _MatchingPair(Refinement[float, DirectionalDifference]):
    """Pairs at ever smaller steps, until one agrees with an extrapolated value."""

    probe: DirectionProbe
    reference: DirectionalDerivative
    region: Region
    output: int
    pair: DirectionalDifference

    def check_termination(self) -> bool:
        change = np.abs(self.pair.measured - self.reference.measured)
        bound = SIGNIFICANT * (self.pair.noise + self.reference.bound)
        return bool(change[self.output] <= bound[self.output])

    def pre_func_eval(self) -> float:
        return max(self.pair.step / NARROWER, self.probe.finest)

    def func_eval(self, step: float) -> DirectionalDifference:
        return self.probe.difference(self.reference.which, self.region, step)

    def post_func_eval(self, measured: DirectionalDifference) -> _MatchingPair:
        return replace(self, pair=measured)


def _agrees(pair: DirectionalDifference) -> Booleans:
    """Return where claim and measurement agree to within the noise."""
    return np.asarray(np.abs(pair.residual) <= SIGNIFICANT * pair.noise)


def _narrower(pair: DirectionalDifference) -> float:
    """Return by which factor to divide the step, so that the residual would remain visible."""
    with np.errstate(all="ignore"):
        visible = np.abs(pair.residual) / (2 * SIGNIFICANT * pair.noise)
    return float(np.clip(np.nanmax(visible, initial=LEAST), LEAST, NARROWER))


def _is_kinked(first: DirectionalDifference, second: DirectionalDifference) -> Booleans:
    """Return where the slopes to both sides differ by about as much at the smaller step."""
    bend, narrower = np.abs(second.bend), first.step / second.step
    same = bend > np.abs(first.bend) / np.sqrt(narrower)
    visible = bend > VISIBLE_BEND * second.noise
    return np.asarray(same & visible & (bend > np.abs(second.residual) / 8))


def _from_pair(which: int, pair: DirectionalDifference, bound: Floats) -> DirectionalDerivative:
    """Return the directional derivative that a pair shows, with a bound on its error."""
    status = np.where(np.isfinite(pair.measured), Status.SMOOTH, Status.UNDEFINED)
    return DirectionalDerivative(
        which,
        pair.step,
        pair.claimed,
        pair.measured,
        np.where(np.isfinite(bound), bound, np.inf),
        np.abs(pair.bend) / pair.step,
        status.astype(np.int8),
        from_pairs=True,
    )


@dataclass(frozen=True, slots=True)
class _DrawnLine(Line):
    """The function along a direction that is drawn anew at every step."""

    probe: DirectionProbe
    which: int
    region: Region

    @property
    def unit(self) -> float:
        return 1.0

    def at(self, steps: Floats) -> tuple[Floats, Floats]:
        return steps, self.probe.at(self.which, self.region, steps)


def _extrapolated(
    probe: DirectionProbe, which: int, region: Region, claimed: Floats
) -> DirectionalDerivative:
    """Measure a directional derivative by Richardson extrapolation."""
    line = _DrawnLine(probe, which, region)
    found = extrapolate(line, probe.function.base, probe.line_noise).reaching(claimed)
    step = float(found.step.min())
    bend = np.full_like(claimed, np.inf)
    return DirectionalDerivative(
        which, step, claimed, found.value, found.bound, bend, found.status, from_pairs=False
    )
