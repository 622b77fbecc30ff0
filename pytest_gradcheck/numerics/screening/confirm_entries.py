"""Measuring single coordinates that a screen points to, as cheaply as that can be trusted.

It must not search; it is told which.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pytest_gradcheck.numerics.central_difference import balanced_steps, measure_pairs
from pytest_gradcheck.numerics.coordinate_sweep import sweep_coordinates
from pytest_gradcheck.numerics.measurement import Floats, Measurement, Status, chunks
from pytest_gradcheck.numerics.screening.array_regions import Box
from pytest_gradcheck.numerics.screening.directional_derivative import SIGNIFICANT, DirectionProbe
from pytest_gradcheck.numerics.step_size import Scales

__all__ = ["SLIGHT", "Expected", "SingleEntries"]

#: A difference of this share of a derivative is not clear from a pair, and may be that between
#: a branch and the whole.
SLIGHT = 1e-3

#: What a pair shows stands by itself where its slopes to both sides, and noise, differ by
#: less than this share of the error that it shows.
CLEAR = 0.1

#: An error that was expected is that where both differ by less than this share of it.
TELLING = 0.5

#: Claims that are looked at to see how large they are in a segment.
LOOKED_AT = 1024


@dataclass(frozen=True, slots=True)
class Expected:
    """The error that the claim about a coordinate should have, by what was seen of others."""

    output: int
    error: float
    bound: float


#: An output below this may be what terms of order one leave, and their rounding with it, which
#: small steps do not show: of that a pair proves nothing.
SMALL = 1e-6


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
        For sweeps of what a pair leaves open.
    widest : float
        The largest step, in units of scales: that at which directions were settled, where
        that took a smaller one than is natural.
    branches : set of int
        Outputs of which an entry was met that is off by no more than branches may be.
    """

    probe: DirectionProbe
    agreement: float
    rng: np.random.Generator
    widest: float = np.inf
    branches: set[int] = field(default_factory=set)

    def measure(self, coordinate: int, expected: Expected | None = None) -> Measurement:
        """Measure one coordinate: two evaluations where that shows a clear error, else a sweep.

        An error that was expected, by what directions over everything show, is clear where
        it is just that: two measurements that agree, and know nothing of each other.
        """
        function, indices = self.probe.function, np.array([coordinate])
        # By itself it moves by its own size, however small: it may have a meaning there.
        alone = self._look(coordinate, function.scales.unfloored(), expected)
        if alone is None and expected is not None and function.scales.floor:
            alone = self._look(coordinate, function.scales, expected)
        if alone is not None:
            return alone
        size = np.abs(self.claim(coordinate))
        shares = self.allowed(coordinate, size)[size > 0] / size[size > 0]
        agreement = float(shares.min(initial=1.0)) if shares.size else self.agreement
        found = sweep_coordinates(
            function,
            self.probe.claims,
            indices,
            agreement=agreement,
            rng=self.rng,
            suspected=True,
        )
        self.branches.update(np.flatnonzero(found.status[0] == Status.BRANCH).tolist())
        return found

    def _look(
        self, coordinate: int, scales: Scales, expected: Expected | None
    ) -> Measurement | None:
        """Measure one coordinate by a pair; None where that leaves open what is true."""
        function, indices = self.probe.function, np.array([coordinate])
        claim, scale = self.claim(coordinate)[None], scales.own(indices)
        steps = np.minimum(balanced_steps(function, claim, scale), self.widest * scale)
        pair = measure_pairs(function, indices, steps)
        bound = pair.noise + np.abs(pair.bend) / 2
        error = np.abs(claim - pair.value)
        size = np.maximum(np.abs(claim), np.abs(pair.value))
        allowed = self.allowed(coordinate, size[0])
        with np.errstate(all="ignore"):
            agrees = (error <= allowed) & (bound <= SLIGHT * size)
            clear = (bound <= CLEAR * error) & (error > SLIGHT * size)
        if scales.floor:
            clear[:] = False  # so far away only what was expected is believed
        if expected is not None:
            output = expected.output
            apart = np.abs((claim - pair.value)[0, output] - expected.error)
            doubt = bound[0, output] + SIGNIFICANT * expected.bound
            known = bound[0, output] <= CLEAR * error[0, output]
            share = TELLING * error[0, output]
            clear[0, output] &= apart <= doubt + share
            clear[0, output] |= known and apart <= doubt <= share
        clear &= ~pair.unchanged | (claim == 0)  # what is rounded stands still over small steps
        clear &= np.abs(function.base) > SMALL
        if not (agrees | clear).all():
            return None
        found = Measurement.blank(1, claim.shape[1])
        found.value[:], found.bound[:], found.step[:] = pair.value, bound, pair.step
        return found

    def claim(self, coordinate: int) -> Floats:
        """Return the claims about a coordinate, shape (m,)."""
        return np.asarray(self.probe.claims.take(np.array([coordinate]))[0])

    def claims_anything(self, box: Box, output: int) -> bool:
        """Tell whether any claim about a whole segment is not zero."""
        spans = chunks(box.start, box.stop)
        rows = (self.probe.claims.rows(span.start, span.stop) for span in spans)
        return any(bool(some[:, output].any()) for some in rows)

    def allowed(self, coordinate: int, size: Floats) -> Floats:
        """Return the errors that claims of this size are allowed, shape (m,).

        Rounding may do to a small claim what it does to the largest: what is left of a sum is
        rounded as its terms are.
        """
        segment = next(s for s in self.probe.directions.segments if s.contains(coordinate))
        some = np.arange(segment.start, segment.stop, -(-segment.size // LOOKED_AT))
        largest = np.abs(self.probe.claims.take(some)).max(axis=0)
        rounding = segment.rounding * np.maximum(largest, size)
        return np.asarray(np.maximum(self.agreement * size, rounding))

    def errors(self, coordinate: int, found: Measurement) -> Floats:
        """Return how far claims are off, 0 where they may be right, shape (m,)."""
        claim, value, bound = self.claim(coordinate), found.value[0], found.bound[0]
        error = claim - value
        size = np.maximum(np.abs(claim), np.abs(value))
        allowed = np.maximum(SIGNIFICANT * bound, self.allowed(coordinate, size))
        wrong = np.asarray(np.abs(error) > allowed)
        for (_, output), (low, high) in found.kinks.items():
            wrong[output] = not low <= claim[output] <= high
        return np.where(wrong, error, 0.0)
