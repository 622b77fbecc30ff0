"""Where a screen goes: along which directions, how far each coordinate, by which step.

It must not evaluate the function, or compare anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pytest_gradcheck.numerics.claims import Claims
from pytest_gradcheck.numerics.function import Function
from pytest_gradcheck.numerics.measurement import Floats, Indices
from pytest_gradcheck.numerics.pairs import NOISE_FACTOR, SMALLEST_STEP, balanced_steps
from pytest_gradcheck.numerics.screening.places import Segment
from pytest_gradcheck.numerics.screening.profile import Profile
from pytest_gradcheck.numerics.screening.projecting import Projector
from pytest_gradcheck.numerics.screening.reach import grain
from pytest_gradcheck.numerics.screening.weights import Weights

__all__ = ["Aim", "aim"]

#: The least weight of a coordinate in a direction, in units of how far its segment is moved.
LEAST = 0.5

#: Where the rounding of claims hides errors steps are no larger than makes noise this share
#: of it: larger ones would only cross kinks.
QUIET = 0.03


@dataclass(frozen=True, slots=True)
class Aim:
    """How far the coordinates of a function are moved, and what that should show.

    Attributes
    ----------
    profile : Profile
        How large claims are.
    projector : Projector
        With the function and the directions.
    """

    profile: Profile
    projector: Projector

    @property
    def least(self) -> Floats:
        """The least weight of a coordinate of each segment in a direction."""
        return LEAST * self.projector.weights.lifts

    def holding(self, coordinates: Indices) -> Aim:
        """Return the same that leaves some coordinates where they are."""
        weights = replace(self.projector.weights, held=coordinates)
        return replace(self, projector=replace(self.projector, weights=weights))

    @property
    def tolerance(self) -> Floats:
        """The change along a direction by all claims, had they one sign, shape (m,)."""
        lifts = self.projector.weights.lifts
        return np.asarray((lifts[:, None] * self.profile.total).sum(axis=0))

    def change(self, numbers: Sequence[int] | slice = slice(None)) -> Floats:
        """Return how large derivatives along directions in some segments are likely to be."""
        lifts = self.projector.weights.lifts[:, None]
        return np.asarray(np.linalg.norm((lifts * self.profile.norm)[numbers], axis=0))

    @property
    def is_rounded(self) -> bool:
        """Whether the rounding of claims hides more of their errors than noise does."""
        step, rounding = self.step(), self._rounding(slice(None))
        return bool((rounding > NOISE_FACTOR * self.projector.function.noise / step).any())

    def step(self, numbers: Sequence[int] | slice = slice(None)) -> float:
        """Return the step along directions in some segments that shows most."""
        function = self.projector.function
        step = float(balanced_steps(function, self.change(numbers)[None], np.ones(1))[0])
        with np.errstate(all="ignore"):
            quiet = NOISE_FACTOR * function.noise / (QUIET * self._rounding(numbers))
        quiet_step = max(float(np.nanmax(quiet, initial=0.0)), SMALLEST_STEP)
        return max(min(step, quiet_step), self.projector.finest)

    def hidden(self, numbers: Sequence[int] | slice) -> Floats:
        """Return what noise and rounding should hide along directions in some segments."""
        noise = NOISE_FACTOR * self.projector.function.noise / self.step(numbers)
        return np.asarray(noise + self._rounding(numbers))

    def _rounding(self, numbers: Sequence[int] | slice) -> Floats:
        return np.asarray(np.linalg.norm(self.projector.roundings[numbers], axis=0))


def aim(
    function: Function,
    claims: Claims,
    segments: tuple[Segment, ...],
    *,
    here: Floats,
    seed: int,
    rng: np.random.Generator,
) -> Aim:
    """Decide how far to move coordinates.

    Parameters
    ----------
    function : Function
        With the scales that coordinates are moved by; its sizes need not be known.
    claims : Claims
        What is claimed of it.
    segments : tuple of Segment
        They cover the point.
    here : ndarray, shape (n,)
        A copy of the point that stays.
    seed : int
        Decides the directions.
    rng : numpy.random.Generator
        Draws the claims that are looked at.

    Returns
    -------
    Aim
        By as much as makes small segments show as the others do.
    """
    weights = Weights(function.scales, segments, np.ones(len(segments)), seed)
    profile = Profile.of(claims, segments, function.scales, rng)
    nothing = np.zeros_like(profile.norm)
    fine = grain(here, function.scales.limits)
    projector = Projector(function, claims, weights, nothing, here, fine)
    natural = _aimed(projector, profile, profile.lifts())
    if not function.noise.any() or not natural.is_rounded:
        return natural
    return _aimed(projector, profile, profile.lifts_where_rounded(segments))


def _aimed(projector: Projector, profile: Profile, lifts: Floats) -> Aim:
    function, weights = projector.function, replace(projector.weights, lifts=lifts)
    rounded = np.array([segment.rounding for segment in weights.segments]) * lifts
    roundings = profile.norm * rounded[:, None]
    aimed = Aim(profile, replace(projector, weights=weights, roundings=roundings))
    sizes = np.where(aimed.change() > 0, aimed.change(), np.abs(function.base))
    function = replace(function, sizes=sizes)
    return replace(aimed, projector=replace(aimed.projector, function=function))
