"""Looking along one direction until what is seen stands: claim and measurement, with a bound.

It must not judge; it says how far claim and measurement are apart, and how well that is known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.numerics.ladder import climb
from pytest_gradcheck.numerics.lines import Line
from pytest_gradcheck.numerics.measurement import Booleans, Floats, Status
from pytest_gradcheck.numerics.screening.places import Region
from pytest_gradcheck.numerics.screening.projecting import Projection, Projector

__all__ = ["APART", "Sight", "as_close", "as_pair", "settle", "sight"]

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
class Sight:
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
        plain = (self.status == Status.SMOOTH) | (self.status == Status.BRIEF)
        return np.asarray(plain & np.isfinite(self.bound) & np.isfinite(self.measured))


def sight(projector: Projector, which: int, region: Region, step: float) -> Sight:
    """Look along a direction in a region.

    Parameters
    ----------
    projector : Projector
        Goes there.
    which, region : int, Region
        The direction, and where it is not zero.
    step : float
        That balances noise and truncation, in units of the direction.

    Returns
    -------
    Sight
        With a bound on what was measured; see `settle`.
    """
    return settle(projector, which, region, projector.take(which, region, step))


def settle(projector: Projector, which: int, region: Region, seen: Projection) -> Sight:
    """Look again along a direction, until what is seen stands.

    What agrees at once is settled. Else the step shrinks: truncation falls, a kink that
    was crossed is out of reach, and a difference that is real stays. Where neither comes
    true a ladder tells, 40 evaluations.

    Parameters
    ----------
    projector : Projector
        Goes there.
    which, region : int, Region
        The direction, and where it is not zero.
    seen : Projection
        A pair along it.

    Returns
    -------
    Sight
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


def as_close(settled: Sight, which: int, seen: Projection) -> Sight:
    """Take a pair along another direction at the step of one that is settled.

    What truncation does there it does here, about.
    """
    scale = np.maximum(settled.bound - seen.noise, 0.0)
    return _as_seen(which, seen, seen.noise + 2 * scale)


def as_pair(projector: Projector, seen: Sight, region: Region, output: int) -> Sight:
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


def _near(seen: Projection) -> Booleans:
    """Tell where claim and measurement agree."""
    return np.asarray(np.abs(seen.residual) <= APART * seen.noise)


def _narrower(seen: Projection) -> float:
    """Return how much closer to look, so that what differs would still be visible."""
    with np.errstate(all="ignore"):
        clear = np.abs(seen.residual) / (2 * APART * seen.noise)
    return float(np.clip(np.nanmax(clear, initial=LEAST), LEAST, NARROWER))


def _kinked(seen: Projection, closer: Projection) -> Booleans:
    """Tell where the slopes to both sides differ by about as much from closer by."""
    bend, narrower = np.abs(closer.bend), seen.step / closer.step
    same = bend > np.abs(seen.bend) / np.sqrt(narrower)
    return np.asarray(
        same & (bend > VISIBLE_BEND * closer.noise) & (bend > np.abs(closer.residual) / 8)
    )


def _as_seen(which: int, seen: Projection, bound: Floats) -> Sight:
    status = np.where(np.isfinite(seen.measured), Status.SMOOTH, Status.OUTSIDE)
    return Sight(
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

    projector: Projector
    which: int
    region: Region

    @property
    def unit(self) -> float:
        return 1.0

    def at(self, steps: Floats) -> tuple[Floats, Floats]:
        return steps, self.projector.at(self.which, self.region, steps)


def _climbed(projector: Projector, which: int, region: Region, claimed: Floats) -> Sight:
    function = projector.function
    found = climb(_Ray(projector, which, region), function.base, projector.line_noise)
    found = found.reaching(claimed)
    step = float(found.step.min())
    bend = np.full_like(claimed, np.inf)
    return Sight(which, step, claimed, found.value, found.bound, bend, found.status, settled=False)
