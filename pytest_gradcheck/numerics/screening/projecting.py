"""What is claimed and what is measured along a direction, by one central pair.

It must not decide anything; it goes there, comes back and compares nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pytest_gradcheck.numerics.claims import Claims
from pytest_gradcheck.numerics.function import Function
from pytest_gradcheck.numerics.measurement import Floats
from pytest_gradcheck.numerics.pairs import NOISE_FACTOR
from pytest_gradcheck.numerics.screening.places import Region, whole
from pytest_gradcheck.numerics.screening.weights import Code, Weights, blocks

__all__ = ["Projection", "Projector"]


@dataclass(frozen=True, slots=True)
class Projection:
    """A central pair along a direction; per unit of step, for each of m outputs.

    Attributes
    ----------
    step : float
        The step, in units of the direction.
    claimed, measured : ndarray, shape (m,)
        The derivative along it.
    bend : ndarray, shape (m,)
        By how much the slope to the right exceeds the slope to the left.
    noise : ndarray, shape (m,)
        Bound on what noise alone may do to `measured`.
    """

    step: float
    claimed: Floats
    measured: Floats
    bend: Floats
    noise: Floats

    @property
    def residual(self) -> Floats:
        """By how much more is claimed than measured."""
        return np.asarray(self.claimed - self.measured)


@dataclass(frozen=True, slots=True)
class Projector:
    """Takes projections; two vectors of the point's size are held beside it.

    Attributes
    ----------
    function : Function
        What is measured; its point is changed in place, and put back.
    claims : Claims
        What is claimed of it.
    weights : Weights
        The directions.
    roundings : ndarray, shape (segments, m)
        By how much the rounding of all claims of a segment may change what they say along
        a direction.
    kept, direction : ndarray, shape (n,)
        The point as it was, and room for a direction.
    """

    function: Function
    claims: Claims
    weights: Weights
    roundings: Floats
    kept: Floats
    direction: Floats

    @classmethod
    def of(
        cls, function: Function, claims: Claims, weights: Weights, roundings: Floats
    ) -> Projector:
        """Make room."""
        point = function.point
        return cls(function, claims, weights, roundings, point.copy(), np.empty_like(point))

    def take(
        self, which: int, region: Region, step: float, code: Code | None = None
    ) -> Projection:
        """Measure along a direction in a region, one step to both sides: two evaluations."""
        self.weights.draw(self.direction, which, region, code)
        base = self.function.base
        above, claimed_above = self._go(step)
        below, claimed_below = self._go(-step)
        with np.errstate(all="ignore"):
            return Projection(
                step,
                (claimed_above - claimed_below) / (2 * step),
                (above - below) / (2 * step),
                ((above - base) + (below - base)) / step,
                NOISE_FACTOR * self.function.noise / step + self._rounding(region),
            )

    def _rounding(self, region: Region) -> Floats:
        """Return what the rounding of claims in a region may do, independent for each."""
        numbers = {segment.start: k for k, segment in enumerate(self.weights.segments)}
        which = [numbers[box.segment.start] for box in region]
        shares = np.array([box.size / box.segment.size for box in region])
        return np.asarray(np.sqrt((self.roundings[which] ** 2 * shares[:, None]).sum(axis=0)))

    def claimed(self, which: int) -> Floats:
        """Return the claimed derivative along a direction by segment, shape (segments, m)."""
        self.weights.draw(self.direction, which, whole(self.weights.segments))
        claimed = np.zeros((len(self.weights.segments), self.function.base.size))
        for number, segment in enumerate(self.weights.segments):
            for part in blocks(segment.start, segment.stop):
                claimed[number] += self.claims.along(part.start, self.direction[part])
        return claimed

    def values(self, which: int, region: Region, steps: list[float]) -> Floats:
        """Evaluate at steps along a direction, shape (steps, m)."""
        self.weights.draw(self.direction, which, region)
        return np.stack([self._go(step)[0] for step in steps])

    def _go(self, step: float) -> tuple[Floats, Floats]:
        """Evaluate a step away; return outputs, and their change as claimed."""
        point, kept = self.function.point, self.kept
        claimed = np.zeros_like(self.function.base)
        try:
            for part in blocks(0, point.size):
                point[part] += step * self.direction[part]
                # As far as it really went: sums are rounded.
                claimed += self.claims.along(part.start, point[part] - kept[part])
            return self.function.evaluate(point), claimed
        finally:
            point[:] = kept
