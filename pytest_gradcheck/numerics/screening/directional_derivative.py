"""Looking along one direction until what is seen stands: claim and measurement, with a bound.

It must not judge; it says how far claim and measurement are apart, and how well that is known.
"""

# MERGED What is claimed and what is measured along a direction, by one central pair.
#
# It must not decide anything; it goes there, comes back and compares nothing.

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
from pytest_gradcheck.numerics.richardson import extrapolate
from pytest_gradcheck.numerics.screening.array_regions import Box, Region, whole_region
from pytest_gradcheck.numerics.screening.direction_weights import Code, CodedDirections

__all__ = [
    "APART",
    "DirectionProbe",
    "DirectionalDerivative",
    "DirectionalDifference",
    "as_close",
    "as_pair",
    "directional_derivative",
    "refine",
]


#: Roundings of the point by which residuals along the same direction may differ, and so many
#: of them are the least that a step should be.
PATH = 4.0
FINEST = 64.0


@dataclass(frozen=True, slots=True)
class DirectionalDifference:
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
class DirectionProbe:
    """Takes projections; they have no room of their own, but draw directions in the point's.

    Attributes
    ----------
    function : Function
        What is measured; all of its point is moved, and put back.
    claims : Claims
        What is claimed of it.
    directions : CodedDirections
        The directions.
    roundings : ndarray, shape (segments, m)
        By how much the rounding of all claims of a segment may change what they say along
        a direction.
    here : ndarray, shape (n,)
        Where the point is put back to: a copy of it that stays.
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
        """The least step that leads, about, where it should."""
        return FINEST * self.point_rounding

    @property
    def line_noise(self) -> Floats:
        """The noise of outputs at places that are rounded, and not asked where they are."""
        return np.maximum(self.function.noise, self.point_rounding * self.function.sizes)

    def take(
        self, which: int, region: Region, step: float, code: Code | None = None
    ) -> DirectionalDifference:
        """Measure along a direction in a region, one step to both sides: two evaluations."""
        base = self.function.base
        (above, below), (claimed_above, claimed_below) = self._go(which, region, [step], code)
        with np.errstate(all="ignore"):
            claimed = (claimed_above - claimed_below) / (2 * step)
            measured = (above - below) / (2 * step)
            bend = ((above - base) + (below - base)) / step
            noise = NOISE_FACTOR * self.function.noise / step + self.rounding(region)
            # A step is rounded, and leads a little elsewhere than another.
            noise += PATH * self.point_rounding / step * np.abs(claimed - measured)
        return DirectionalDifference(step, claimed, measured, bend, noise)

    def rounding(self, region: Region) -> Floats:
        """Return what the rounding of claims in a region may do, independent for each."""
        numbers = self.directions.segment_numbers()
        which = [numbers[box.segment.start] for box in region]
        shares = np.array([box.size / box.segment.size for box in region])
        return np.asarray(np.sqrt((self.roundings[which] ** 2 * shares[:, None]).sum(axis=0)))

    def without(self, boxes: Sequence[Box]) -> DirectionProbe:
        """Return the same that does not move some boxes."""
        without = (*self.directions.excluded, *boxes)
        return replace(self, directions=replace(self.directions, excluded=without))

    def claimed(self, which: int) -> Floats:
        """Return the claimed derivative along a direction by segment, shape (segments, m)."""
        claimed = np.zeros((len(self.directions.segments), self.function.base.size))
        with self._moving() as direction:
            self.directions.draw(direction, which, whole_region(self.directions.segments))
            for number, segment in enumerate(self.directions.segments):
                for part in chunks(segment.start, segment.stop):
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
                for part in chunks(0, here.size):
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
        for part in chunks(0, here.size):
            np.subtract(2 * here[part], there[part], out=there[part])
        yield there

    def _place(self, which: int, region: Region, step: float, code: Code | None) -> Floats:
        """Move the point along a direction."""
        there = self.function.point
        self.directions.draw(there, which, region, code)
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
        for part in chunks(0, here.size):
            change += self.claims.along(part.start, there[part] - here[part])
        return change


#: Claim and measurement differ when they are this many bounds apart.
APART = 2.0

#: What differs is looked at again this much closer, at most and at least; so often.
NARROWER = 8.0
LEAST = 2.0
LOOKS = 3

#: Truncation falls with the square of the step, to within this factor; then it is known.
CONVERGED = 2.0

#: What differs is not the same where it moved by more than this share of itself.
MOVED = 0.5

#: A kink at the point bends a function by as much however close one looks: by so many times
#: the noise, or it might be that.
VISIBLE_BEND = 3.0


@dataclass(frozen=True, slots=True)
class DirectionalDerivative:
    """What was seen along a direction, of m outputs.

    Attributes
    ----------
    which : int
        The direction.
    step : float
        The step that the measurement rests on.
    claimed, measured, bound : ndarray, shape (m,)
        Derivatives along it, and a bound on the error of the measured one; infinite
        where nothing is known.
    bend : ndarray, shape (m,)
        By how much slopes to both sides differ per unit of step; infinite where that is
        not known.
    status : ndarray of int8, shape (m,)
        Values of `Status`.
    settled : bool
        Whether pairs settled it, without a ladder.
    """

    which: int
    step: float
    claimed: Floats
    measured: Floats
    bound: Floats
    bend: Floats
    status: NDArray[np.int8]
    settled: bool

    @property
    def residual(self) -> Floats:
        """By how much more is claimed than measured."""
        return np.asarray(self.claimed - self.measured)

    @property
    def differs(self) -> Booleans:
        """Where claim and measurement are apart."""
        return np.asarray(np.abs(self.residual) > APART * self.bound)

    @property
    def told(self) -> Booleans:
        """Where claim or measurement can be told from zero."""
        size = np.maximum(np.abs(self.claimed), np.abs(self.measured))
        return np.asarray(size > APART * self.bound)

    @property
    def hidden(self) -> Floats:
        """The largest error along the direction that could have gone unseen."""
        return np.asarray(np.abs(self.residual) + APART * self.bound)

    def clear(self, output: int) -> float:
        """Return how far they are apart for one output, in units of the bound."""
        bound = float(self.bound[output])
        return abs(float(self.residual[output])) / bound if bound else np.inf

    @property
    def known(self) -> Booleans:
        """Where the function has one derivative along the direction, and it was measured."""
        plain = (self.status == Status.SMOOTH) | (self.status == Status.UNREFINED)
        return np.asarray(plain & np.isfinite(self.bound) & np.isfinite(self.measured))


def directional_derivative(
    projector: DirectionProbe, which: int, region: Region, step: float
) -> DirectionalDerivative:
    """Look along a direction in a region.

    Parameters
    ----------
    projector : DirectionProbe
        Goes there.
    which, region : int, Region
        The direction, and where it is not zero.
    step : float
        That balances noise and truncation, in units of the direction.

    Returns
    -------
    DirectionalDerivative
        With a bound on what was measured; see `refine`.
    """
    return refine(projector, which, region, projector.take(which, region, step))


def refine(
    projector: DirectionProbe, which: int, region: Region, seen: DirectionalDifference
) -> DirectionalDerivative:
    """Look again along a direction, until what is seen stands.

    What agrees at once is settled. Else the step shrinks: truncation falls, a kink that
    was crossed is out of reach, and a difference that is real stays. Where neither comes
    true a ladder tells, 40 evaluations.

    Parameters
    ----------
    projector : DirectionProbe
        Goes there.
    which, region : int, Region
        The direction, and where it is not zero.
    seen : DirectionalDifference
        A pair along it.

    Returns
    -------
    DirectionalDerivative
        With a bound on what was measured.
    """
    if _near(seen).all():
        return _as_seen(which, seen, seen.noise)
    expected = np.zeros_like(seen.noise)
    for _ in range(LOOKS):
        narrower = min(_narrower(seen), seen.step / projector.finest)
        if narrower < LEAST:
            break
        closer = projector.take(which, region, seen.step / narrower)
        moved = np.abs(closer.residual - seen.residual)
        left = CONVERGED * moved / (narrower**2 - 1)
        still = moved <= APART * (seen.noise + closer.noise)
        plain = (moved <= MOVED * np.abs(closer.residual)) & ~_kinked(seen, closer)
        converges = (moved <= expected) & (left <= APART * closer.noise) & plain
        stands = still & plain
        if (_near(closer) | stands | converges).all():
            if (stands & (seen.noise + moved <= closer.noise)).all():
                return _as_seen(which, seen, seen.noise + moved)
            left = np.where(converges, left, np.where(stands, moved, 0.0))
            return _as_seen(which, closer, closer.noise + left)
        seen, expected = closer, CONVERGED * moved / narrower**2
    return _climbed(projector, which, region, seen.claimed)


def as_close(
    settled: DirectionalDerivative, which: int, seen: DirectionalDifference
) -> DirectionalDerivative:
    """Take a pair along another direction at the step of one that is settled.

    What truncation does there it does here, about.
    """
    scale = np.maximum(settled.bound - seen.noise, 0.0)
    return _as_seen(which, seen, seen.noise + 2 * scale)


def as_pair(
    projector: DirectionProbe, seen: DirectionalDerivative, region: Region, output: int
) -> DirectionalDerivative:
    """Return what a pair shows of what a ladder told of one output.

    Pairs along parts of the direction are compared with it, and a ladder knows better than any
    of its pairs. Where the two differ the step is the reason: two evaluations for each that is
    tried, none for what pairs have settled.
    """
    if seen.settled:
        return seen
    step = seen.step
    for _ in range(LOOKS):
        pair = projector.take(seen.which, region, step)
        moved = np.abs(pair.measured - seen.measured)
        if moved[output] <= APART * (pair.noise + seen.bound)[output]:
            break
        step = max(step / NARROWER, projector.finest)
    return _as_seen(seen.which, pair, pair.noise + seen.bound + moved)


def _near(seen: DirectionalDifference) -> Booleans:
    """Tell where claim and measurement agree."""
    return np.asarray(np.abs(seen.residual) <= APART * seen.noise)


def _narrower(seen: DirectionalDifference) -> float:
    """Return how much closer to look, so that what differs would still be visible."""
    with np.errstate(all="ignore"):
        clear = np.abs(seen.residual) / (2 * APART * seen.noise)
    return float(np.clip(np.nanmax(clear, initial=LEAST), LEAST, NARROWER))


def _kinked(seen: DirectionalDifference, closer: DirectionalDifference) -> Booleans:
    """Tell where the slopes to both sides differ by about as much from closer by."""
    bend, narrower = np.abs(closer.bend), seen.step / closer.step
    same = bend > np.abs(seen.bend) / np.sqrt(narrower)
    return np.asarray(
        same & (bend > VISIBLE_BEND * closer.noise) & (bend > np.abs(closer.residual) / 8)
    )


def _as_seen(which: int, seen: DirectionalDifference, bound: Floats) -> DirectionalDerivative:
    status = np.where(np.isfinite(seen.measured), Status.SMOOTH, Status.UNDEFINED)
    return DirectionalDerivative(
        which,
        seen.step,
        seen.claimed,
        seen.measured,
        np.where(np.isfinite(bound), bound, np.inf),
        np.abs(seen.bend) / seen.step,
        status.astype(np.int8),
        settled=True,
    )


@dataclass(frozen=True, slots=True)
class _Ray(Line):
    """The function along a direction that is drawn anew for every step."""

    projector: DirectionProbe
    which: int
    region: Region

    @property
    def unit(self) -> float:
        return 1.0

    def at(self, steps: Floats) -> tuple[Floats, Floats]:
        return steps, self.projector.at(self.which, self.region, steps)


def _climbed(
    projector: DirectionProbe, which: int, region: Region, claimed: Floats
) -> DirectionalDerivative:
    function = projector.function
    found = extrapolate(_Ray(projector, which, region), function.base, projector.line_noise)
    found = found.reaching(claimed)
    step = float(found.step.min())
    bend = np.full_like(claimed, np.inf)
    return DirectionalDerivative(
        which, step, claimed, found.value, found.bound, bend, found.status, settled=False
    )
