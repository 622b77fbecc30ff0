"""What is claimed and what is measured along a direction, by one central pair.

It must not decide anything; it goes there, comes back and compares nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from pytest_gradcheck.numerics.claims import Claims
from pytest_gradcheck.numerics.function import Function
from pytest_gradcheck.numerics.measurement import EPS, Floats
from pytest_gradcheck.numerics.pairs import NOISE_FACTOR
from pytest_gradcheck.numerics.parts import parts
from pytest_gradcheck.numerics.screening.places import Box, Region, whole
from pytest_gradcheck.numerics.screening.weights import Code, Weights

__all__ = ["Projection", "Projector"]

#: Roundings of the point by which residuals along the same direction may differ, and so many
#: of them are the least that a step should be.
PATH = 4.0
FINEST = 64.0


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
    """Takes projections; they have no room of their own, but draw directions in the point's.

    Attributes
    ----------
    function : Function
        What is measured; all of its point is moved, and put back.
    claims : Claims
        What is claimed of it.
    weights : Weights
        The directions.
    roundings : ndarray, shape (segments, m)
        By how much the rounding of all claims of a segment may change what they say along
        a direction.
    here : ndarray, shape (n,)
        Where the point is put back to: a copy of it that stays.
    grain : float
        The rounding of the point, in units of the direction.
    """

    function: Function
    claims: Claims
    weights: Weights
    roundings: Floats
    here: Floats
    grain: float = EPS

    @property
    def finest(self) -> float:
        """The least step that leads, about, where it should."""
        return FINEST * self.grain

    @property
    def line_noise(self) -> Floats:
        """The noise of outputs at places that are rounded, and not asked where they are."""
        return np.maximum(self.function.noise, self.grain * self.function.sizes)

    def take(
        self, which: int, region: Region, step: float, code: Code | None = None
    ) -> Projection:
        """Measure along a direction in a region, one step to both sides: two evaluations."""
        base = self.function.base
        (above, below), (claimed_above, claimed_below) = self._go(which, region, [step], code)
        with np.errstate(all="ignore"):
            claimed = (claimed_above - claimed_below) / (2 * step)
            measured = (above - below) / (2 * step)
            bend = ((above - base) + (below - base)) / step
            noise = NOISE_FACTOR * self.function.noise / step + self.rounding(region)
            # A step is rounded, and leads a little elsewhere than another.
            noise += PATH * self.grain / step * np.abs(claimed - measured)
        return Projection(step, claimed, measured, bend, noise)

    def rounding(self, region: Region) -> Floats:
        """Return what the rounding of claims in a region may do, independent for each."""
        numbers = self.weights.numbers()
        which = [numbers[box.segment.start] for box in region]
        shares = np.array([box.size / box.segment.size for box in region])
        return np.asarray(np.sqrt((self.roundings[which] ** 2 * shares[:, None]).sum(axis=0)))

    def without(self, boxes: Sequence[Box]) -> Projector:
        """Return the same that does not move some boxes."""
        without = (*self.weights.without, *boxes)
        return replace(self, weights=replace(self.weights, without=without))

    def claimed(self, which: int) -> Floats:
        """Return the claimed derivative along a direction by segment, shape (segments, m)."""
        claimed = np.zeros((len(self.weights.segments), self.function.base.size))
        with self._moving() as direction:
            self.weights.draw(direction, which, whole(self.weights.segments))
            for number, segment in enumerate(self.weights.segments):
                for part in parts(segment.start, segment.stop):
                    claimed[number] += self.claims.along(part.start, direction[part])
        return claimed

    def table(
        self, which: int, region: Region, spacing: float, number: int
    ) -> tuple[Floats, Floats]:
        """Evaluate at so many places to both sides, equally far apart, from left to right.

        They are so to the last digit: one that is not where it should be looks like noise,
        where the function changes much over a rounding of the point.

        Returns
        -------
        values : ndarray, shape (2 number + 1, m)
            Those at the point itself in the middle.
        claimed : ndarray, shape (m,)
            The change from one to the next that is claimed.
        """
        here, claimed = self.here, list[Floats]()

        def places() -> Iterator[Floats]:
            for k in range(1, number + 1):
                there = self._place(which, region, spacing, None)
                if k == 1:
                    claimed.append(self._change(there))
                for part in parts(0, here.size):
                    there[part] = here[part] + k * (there[part] - here[part])
                yield from self._both(there)

        with self._moving():
            outputs = self.function.evaluate(places())
        values = np.concatenate([outputs[1::2][::-1], self.function.base[None], outputs[::2]])
        return values, claimed[0]

    def at(self, which: int, region: Region, steps: Floats) -> Floats:
        """Evaluate at each step along a direction, shape (steps, m)."""

        def places() -> Iterator[Floats]:
            for step in steps.tolist():
                yield self._place(which, region, step, None)

        with self._moving():
            return self.function.evaluate(places())

    def _go(
        self, which: int, region: Region, steps: Sequence[float], code: Code | None
    ) -> tuple[Floats, Floats]:
        """Evaluate each step to the right, then to the left; also return changes as claimed."""
        claimed = list[Floats]()

        def places() -> Iterator[Floats]:
            for there in self._places(which, region, steps, code):
                claimed.append(self._change(there))
                yield there

        with self._moving():
            outputs = self.function.evaluate(places())
        return outputs, np.stack(claimed)

    def _places(
        self, which: int, region: Region, steps: Sequence[float], code: Code | None
    ) -> Iterator[Floats]:
        for step in steps:
            yield from self._both(self._place(which, region, step, code))

    def _both(self, there: Floats) -> Iterator[Floats]:
        """Yield a place, then its mirror image, to within a rounding of the point."""
        here = self.here
        yield there
        for part in parts(0, here.size):
            np.subtract(2 * here[part], there[part], out=there[part])
        yield there

    def _place(self, which: int, region: Region, step: float, code: Code | None) -> Floats:
        """Move the point along a direction."""
        there = self.function.point
        self.weights.draw(there, which, region, code)
        there *= step
        there += self.here
        return there

    @contextmanager
    def _moving(self) -> Iterator[Floats]:
        """Let the point be moved, and put it back."""
        try:
            yield self.function.point
        finally:
            self.function.point[:] = self.here

    def _change(self, there: Floats) -> Floats:
        """Return what is claimed to change from the point to where it really went, rounded."""
        here, change = self.here, np.zeros_like(self.function.base)
        for part in parts(0, here.size):
            change += self.claims.along(part.start, there[part] - here[part])
        return change
