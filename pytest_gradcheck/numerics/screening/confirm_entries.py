"""Confirmation of single entries that a screen points to, by as few evaluations as possible.

A central pair decides where it shows a clear error, or agrees with the claim. An error that the
directional derivatives predict for the entry (`Expected`) counts as clear where the pair shows
just that error, because the two measurements are independent. What pairs leave undecided is
measured as in a full check.

It does not search: it is told which entries.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from pytest_gradcheck.numerics.central_difference import (
    CentralPairs,
    balanced_steps,
    measure_pairs,
)
from pytest_gradcheck.numerics.coordinate_scales import Scales
from pytest_gradcheck.numerics.coordinatewise.coordinate_sweep import sweep_coordinates
from pytest_gradcheck.numerics.measurement import Booleans, Floats, Measurement, Status, chunks
from pytest_gradcheck.numerics.refinement import Refinement, refine
from pytest_gradcheck.numerics.screening.directional_derivative import SIGNIFICANT, DirectionProbe
from pytest_gradcheck.numerics.screening.subarrays import Box

__all__ = ["SLIGHT", "Expected", "SingleEntries"]

#: A relative difference below this is not clear from a pair. It may be that between a smooth
#: branch and the whole function.
SLIGHT = 1e-3

#: The error that a pair shows is clear where the bend and the noise of the pair are below this
#: share of it.
CLEAR = 0.1

#: An error is the expected one where the two differ by less than this share of it.
AS_EXPECTED = 0.5

#: Where an output is smaller than this, terms of order one may cancel in it. Small steps do not
#: show the rounding of these terms, so that a pair proves nothing.
SMALL = 1e-6

#: The number of claims of a segment whose size is read.
SAMPLED = 1024


@dataclass(frozen=True, slots=True)
class Expected:
    """The error of a claim that directional derivatives predict, of one output."""

    output: int
    error: float
    bound: float


@dataclass(frozen=True, slots=True)
class SingleEntries:
    """Measures coordinates one by one.

    Attributes
    ----------
    probe : DirectionProbe
        With the function and its claims.
    agreement : float
        Relative difference at which claim and measurement agree.
    rng : numpy.random.Generator
        For the sweep of a coordinate that no pair decides.
    widest : float
        The largest step, in units of scales. It is finite where directional derivatives needed a
        smaller step than the natural one.
    branches : set of int
        Outputs for which the error of an entry may be that of a smooth branch.
    """

    probe: DirectionProbe
    agreement: float
    rng: np.random.Generator
    widest: float = np.inf
    branches: set[int] = field(default_factory=set)

    def measure(self, coordinate: int, expected: Expected | None = None) -> Measurement:
        """Measure one coordinate: two evaluations where a pair decides, otherwise a sweep."""
        function = self.probe.function
        # The first step is in units of the entry itself, however small: that may be its scale.
        scales: tuple[Scales, ...] = (function.scales.unfloored(),)
        if expected is not None and function.scales.floor:
            scales = (*scales, function.scales)
        start = _DecidingPair(self, coordinate, expected, scales)
        decided = refine(start, maxiter=len(scales)).result
        return self._sweep(coordinate) if decided is None else decided

    def _sweep(self, coordinate: int) -> Measurement:
        """Measure one coordinate as in a full check."""
        size = np.abs(self.claim(coordinate))
        shares = self.allowed(coordinate, size)[size > 0] / size[size > 0]
        agreement = float(shares.min(initial=1.0)) if shares.size else self.agreement
        found = sweep_coordinates(
            self.probe.function,
            self.probe.claims,
            np.array([coordinate]),
            agreement=agreement,
            rng=self.rng,
            suspected=True,
        )
        self.branches.update(np.flatnonzero(found.status[0] == Status.BRANCH).tolist())
        return found

    def claim(self, coordinate: int) -> Floats:
        """Return the claims about a coordinate, shape (m,)."""
        return np.asarray(self.probe.claims.take(np.array([coordinate]))[0])

    def claims_anything(self, box: Box, output: int) -> bool:
        """Return whether any claim about a whole segment is not zero."""
        spans = chunks(box.start, box.stop)
        rows = (self.probe.claims.rows(span.start, span.stop) for span in spans)
        return any(bool(some[:, output].any()) for some in rows)

    def allowed(self, coordinate: int, size: Floats) -> Floats:
        """Return the errors that are allowed for claims of some size, shape (m,).

        A small claim may be as inaccurate as the largest one: the result of a sum is rounded as
        its terms are.
        """
        segment = next(s for s in self.probe.directions.segments if s.contains(coordinate))
        some = np.arange(segment.start, segment.stop, -(-segment.size // SAMPLED))
        largest = np.abs(self.probe.claims.take(some)).max(axis=0)
        rounding = segment.rounding * np.maximum(largest, size)
        return np.asarray(np.maximum(self.agreement * size, rounding))

    def errors(self, coordinate: int, found: Measurement) -> Floats:
        """Return the errors of claims, 0 where they may be right, shape (m,)."""
        claim, value, bound = self.claim(coordinate), found.value[0], found.bound[0]
        error = claim - value
        size = np.maximum(np.abs(claim), np.abs(value))
        allowed = np.maximum(SIGNIFICANT * bound, self.allowed(coordinate, size))
        wrong = np.asarray(np.abs(error) > allowed)
        for (_, output), (low, high) in found.kinks.items():
            wrong[output] = not low <= claim[output] <= high
        return np.where(wrong, error, 0.0)


@dataclass(frozen=True, slots=True)
class _DecidingPair(Refinement[Scales, tuple[Scales, CentralPairs]]):
    """Pairs of one coordinate at steps of one scale after another, until one decides.

    Attributes
    ----------
    entries, coordinate, expected
        See `SingleEntries.measure`.
    scales : tuple of Scales
        Those that are left.
    result : Measurement or None
        Which decides.
    """

    entries: SingleEntries
    coordinate: int
    expected: Expected | None
    scales: tuple[Scales, ...]
    result: Measurement | None = None

    def check_termination(self) -> bool:
        return self.result is not None

    def pre_func_eval(self) -> Scales | None:
        return self.scales[0] if self.scales else None

    def func_eval(self, step: Scales) -> tuple[Scales, CentralPairs]:
        function, indices = self.entries.probe.function, np.array([self.coordinate])
        claim, scale = self.entries.claim(self.coordinate)[None], step.own(indices)
        steps = balanced_steps(function, claim, scale)
        return step, measure_pairs(
            function, indices, np.minimum(steps, self.entries.widest * scale)
        )

    def post_func_eval(self, measured: tuple[Scales, CentralPairs]) -> _DecidingPair:
        scales, pair = measured
        bound = pair.noise + np.abs(pair.bend) / 2
        if not self._decides(scales, pair, bound).all():
            return replace(self, scales=self.scales[1:])
        found = Measurement.blank(*pair.value.shape)
        found.value[:], found.bound[:], found.step[:] = pair.value, bound, pair.step
        return replace(self, result=found)

    def _decides(self, scales: Scales, pair: CentralPairs, bound: Floats) -> Booleans:
        """Return for which outputs a pair decides, shape (1, m)."""
        entries = self.entries
        claim = entries.claim(self.coordinate)[None]
        error = np.abs(claim - pair.value)
        size = np.maximum(np.abs(claim), np.abs(pair.value))
        allowed = entries.allowed(self.coordinate, size[0])
        with np.errstate(all="ignore"):
            agrees = (error <= allowed) & (bound <= SLIGHT * size)
            clear = (bound <= CLEAR * error) & (error > SLIGHT * size)
        if scales.floor:
            clear[:] = False  # at so large a step only the expected error is believed
        if self.expected is not None:
            output, expected = self.expected.output, self.expected.error
            difference = np.abs((claim - pair.value)[0, output] - expected)
            tolerance = bound[0, output] + SIGNIFICANT * self.expected.bound
            is_known = bound[0, output] <= CLEAR * error[0, output]
            share = AS_EXPECTED * error[0, output]
            clear[0, output] &= difference <= tolerance + share
            clear[0, output] |= is_known and difference <= tolerance <= share
        clear &= ~pair.unchanged | (claim == 0)  # a rounded output is unchanged over small steps
        clear &= np.abs(entries.probe.function.base) > SMALL
        return np.asarray(agrees | clear)
