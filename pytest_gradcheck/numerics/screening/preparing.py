"""What a screen needs to know before it looks: noise, natural sizes, how far to move what.

It must not look at claims along any direction.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import factorial

import numpy as np

from pytest_gradcheck.numerics.directions import defined_direction
from pytest_gradcheck.numerics.function import Function
from pytest_gradcheck.numerics.lines import DirectionLine
from pytest_gradcheck.numerics.measurement import EPS, Booleans, Evaluate, Floats
from pytest_gradcheck.numerics.noise import (
    WIDE,
    are_even,
    estimate_noise,
    least_noise,
    noise_ceiling,
    read_noise,
)
from pytest_gradcheck.numerics.pairs import NOISE_FACTOR
from pytest_gradcheck.numerics.rungs import sample
from pytest_gradcheck.numerics.screening.places import whole
from pytest_gradcheck.numerics.screening.projecting import Projection, Projector
from pytest_gradcheck.numerics.size import AWAY, sizes_of

__all__ = ["Tally", "know_noise", "know_noise_widely", "know_sizes"]

#: Relative spacing of the values that show the noise, and of closer ones that are looked at
#: where those bend too much; so many are on each side.
SPACINGS = (3e-8, 1e-10, 3e-13)
PLACES = 3

#: Orders of differences in which nothing but noise is left of smooth values.
HIGH = (4, 5, 6)

#: Noise that is so much more than closer values show may be an oscillation; so may what is
#: read where nothing else is seen, if it is so many roundings.
RAISED = 30.0
UNLIKELY = 1e3

#: A derivative by values so close together is off by less than this share of what it differs
#: by from one by values a third as far apart.
CURVED = 0.25


@dataclass(slots=True)
class Tally:
    """Counts evaluations of a function."""

    function: Evaluate
    calls: int = 0

    def __call__(self, points: Iterable[Floats]) -> Floats:
        """Evaluate."""
        outputs = self.function(points)
        self.calls += len(outputs)
        return outputs


@dataclass(frozen=True, slots=True)
class _Table:
    """Seven values close together along a direction, equally far apart.

    Attributes
    ----------
    spacing : float
        How far, in units of the direction.
    values : ndarray, shape (7, m)
        Outputs; those at the point in the middle.
    claimed : ndarray, shape (m,)
        The derivative along the direction.
    noise : ndarray, shape (m,)
        What is read of the noise; where it does not tell, what it is at most.
    tells : ndarray of bool, shape (m,)
        Whether values behave like noise, or are smooth to the last digit.
    moving : ndarray of bool, shape (m,)
        Whether each differs from the next.
    """

    spacing: float
    values: Floats
    claimed: Floats
    noise: Floats
    tells: Booleans
    moving: Booleans

    def is_blank(self, least: Floats) -> Booleans:
        """Tell where nothing but noise is seen, of much more than rounding: or an oscillation."""
        hides = np.ptp(self.values, axis=0) <= RAISED * self.noise
        return np.asarray(self.tells & hides & (self.noise > UNLIKELY * least))

    def projection(self, projector: Projector) -> Projection:
        """Return what the values show of the derivative."""
        values, step, base = self.values, PLACES * self.spacing, self.values[PLACES]
        right, left = values[-1], values[0]
        with np.errstate(all="ignore"):
            measured = (right - left) / (2 * step)
            close = (values[PLACES + 1] - values[PLACES - 1]) / (2 * self.spacing)
            noise = NOISE_FACTOR * projector.function.noise / step
            noise += CURVED * np.abs(measured - close)
            noise += projector.rounding(whole(projector.weights.segments))
            bend = ((right - base) + (left - base)) / step
        return Projection(step, self.claimed, measured, bend, noise)


def know_noise(projector: Projector, repeat: Floats, which: int) -> tuple[Projector, Projection]:
    """Read the noise from seven values close together, six evaluations.

    From places closer together still where they bend too much to tell.

    Parameters
    ----------
    projector : Projector
        Of a function whose noise is not known.
    repeat : ndarray, shape (m,)
        Another evaluation at the point.
    which : int
        The direction to look along.

    Returns
    -------
    projector : Projector
        The same, knowing it; where such values do not tell, by `know_noise_widely`.
    seen : Projection
        The derivative along the direction, as the values show it for nothing.
    """
    base, tables = projector.function.base, list[_Table]()
    least, clear = least_noise(base, repeat), np.zeros(base.shape, dtype=bool)
    for spacing in SPACINGS:
        table = _look(projector, which, spacing, least)
        tables.append(table)
        clear |= table.tells & ~table.is_blank(least)
        if not (table.moving & ~clear).any():
            break
    noise, found = np.full(base.shape, np.inf), np.zeros(base.shape, dtype=bool)
    for table in tables:
        usable = (table.tells | table.moving) & ~found
        noise = np.where(usable, np.fmin(noise, table.noise), noise)
        found |= table.tells
    aliased = tables[0].is_blank(least) & table.moving & (noise > RAISED * table.noise)
    if aliased.any():
        direction = np.empty_like(projector.here)
        projector.weights.draw(direction, which, whole(projector.weights.segments))
        noise = np.where(aliased, _lowered(noise, projector.function, direction), noise)
    known = np.isfinite(noise).all()
    projector = _knowing(projector, noise) if known else know_noise_widely(projector, repeat)
    return projector, table.projection(projector)


def know_noise_widely(projector: Projector, repeat: Floats) -> Projector:
    """Estimate the noise from values ever further apart, 32 evaluations at most.

    Where that is much more than was known of it, 40 more tell whether the function bends more
    and more on the way there: then it is none.

    Parameters
    ----------
    projector : Projector
        Of a function of whose noise nothing or too little is known.
    repeat : ndarray, shape (m,)
        Another evaluation at the point.

    Returns
    -------
    Projector
        The same, knowing it; never less than before.
    """
    function = projector.function
    direction = defined_direction(
        function.evaluate,
        function.point,
        scale=function.scales.own(slice(None)),
        reach=3 * WIDE,
        rng=np.random.default_rng(projector.weights.seed),
    )
    noise = estimate_noise(
        function.evaluate, function.point, base=function.base, repeat=repeat, direction=direction
    )
    raised = (noise > RAISED * function.noise) & (function.noise > 0)
    if raised.any():
        noise = np.where(raised, _lowered(noise, function, direction), noise)
    return _knowing(projector, np.maximum(noise, function.noise))


def know_sizes(projector: Projector, which: int) -> Projector:
    """Look by how much outputs vary, one evaluation.

    Parameters
    ----------
    projector : Projector
        Of a function about whose sizes there is only a guess.
    which : int
        The direction to look along.

    Returns
    -------
    Projector
        The same, knowing them, see `output_sizes`.
    """
    function = projector.function
    (away,) = projector.at(which, whole(projector.weights.segments), np.array([AWAY]))
    sizes = sizes_of(away, function.base, function.noise)
    return replace(projector, function=replace(function, sizes=sizes))


def _look(projector: Projector, which: int, spacing: float, least: Floats) -> _Table:
    everything = whole(projector.weights.segments)
    values, claimed = projector.table(which, everything, spacing, PLACES)
    with np.errstate(all="ignore"):
        sigma, seen = read_noise(values)
        even = are_even(values)
        left = np.where(seen, sigma, np.where(even, 0.0, _left_by_smooth(values)))
    moving = (np.diff(values, axis=0) != 0).all(axis=0)
    return _Table(spacing, values, claimed / spacing, np.maximum(left, least), seen | even, moving)


def _left_by_smooth(values: Floats) -> Floats:
    """Return what is left of values in high differences: of smooth ones that is mostly noise."""
    levels = [
        factorial(k)
        * np.sqrt(np.mean(np.diff(values, n=k, axis=0) ** 2, axis=0) / factorial(2 * k))
        for k in HIGH
    ]
    return np.asarray(np.max(levels, axis=0))


def _lowered(noise: Floats, function: Function, direction: Floats) -> Floats:
    """Return what is left of noise that may be an oscillation, see `noise_ceiling`.

    Costs 40 evaluations.
    """
    rungs = sample(DirectionLine(function.evaluate, function.point, direction), function.base)
    with np.errstate(all="ignore"):
        return np.minimum(noise, noise_ceiling(rungs.bend, EPS * np.abs(function.base)))


def _knowing(projector: Projector, noise: Floats) -> Projector:
    return replace(projector, function=replace(projector.function, noise=noise))
