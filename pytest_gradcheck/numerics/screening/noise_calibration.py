"""What a screen needs to know before it looks: noise, natural sizes, how far to move what.

It must not look at claims along any direction.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import factorial

import numpy as np

from pytest_gradcheck.numerics.central_difference import NOISE_FACTOR
from pytest_gradcheck.numerics.function import Function
from pytest_gradcheck.numerics.line_restriction import DirectionLine, sample
from pytest_gradcheck.numerics.measurement import EPS, Booleans, Evaluate, Floats, Indices
from pytest_gradcheck.numerics.noise import (
    WIDE_SPACING,
    are_smooth,
    estimate_noise,
    minimum_noise,
    noise_ceiling,
    noise_from_differences,
    noise_groups,
)
from pytest_gradcheck.numerics.output_magnitude import output_sizes
from pytest_gradcheck.numerics.random_directions import defined_direction
from pytest_gradcheck.numerics.screening.array_regions import whole_region
from pytest_gradcheck.numerics.screening.directional_derivative import (
    DirectionalDifference,
    DirectionProbe,
)

__all__ = [
    "EvaluationCounter",
    "calibrate_noise",
    "calibrate_noise_widely",
    "calibrate_sizes",
    "noisy_coordinates",
]

#: Relative spacing of the values that show the noise, and of closer ones that are looked at
#: where those bend too much; so many are on each side.
SPACINGS = (3e-8, 1e-10, 3e-13)
PLACES = 3

#: Orders of differences in which nothing but noise is left of smooth values, of all seven and
#: of the four to one side.
HIGH = (4, 5, 6)
LOW = (2, 3)

#: The values to one side are smoother by this.
CLEAN = 1e-2

#: Noise that is so much more than closer values show may be an oscillation; so may what is
#: read where nothing else is seen, if it is so many roundings.
RAISED = 30.0
UNLIKELY = 1e3

#: Noise of such a share of an output may be that of some coordinates alone; one by one they
#: are looked at by so many evaluations.
LOUD = 1e-5
PROBES = 4

#: A derivative by values so close together is off by less than this share of what it differs
#: by from one by values a third as far apart.
CURVED = 0.25


@dataclass(slots=True)
class EvaluationCounter:
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

    def projection(self, probe: DirectionProbe) -> DirectionalDifference:
        """Return what the values show of the derivative."""
        values, step, base = self.values, PLACES * self.spacing, self.values[PLACES]
        right, left = values[-1], values[0]
        with np.errstate(all="ignore"):
            measured = (right - left) / (2 * step)
            close = (values[PLACES + 1] - values[PLACES - 1]) / (2 * self.spacing)
            noise = NOISE_FACTOR * probe.function.noise / step
            noise += CURVED * np.abs(measured - close)
            noise += probe.rounding(whole_region(probe.directions.segments))
            bend = ((right - base) + (left - base)) / step
        return DirectionalDifference(step, self.claimed, measured, bend, noise)


def calibrate_noise(
    probe: DirectionProbe, repeat: Floats, which: int
) -> tuple[DirectionProbe, DirectionalDifference]:
    """Read the noise from seven values close together, six evaluations.

    From places closer together still where they bend too much to tell.

    Parameters
    ----------
    probe : DirectionProbe
        Of a function whose noise is not known.
    repeat : ndarray, shape (m,)
        Another evaluation at the point.
    which : int
        The direction to look along.

    Returns
    -------
    probe : DirectionProbe
        The same, knowing it; where such values do not tell, by `calibrate_noise_widely`.
    seen : DirectionalDifference
        The derivative along the direction, as the values show it for nothing.
    """
    base, tables = probe.function.base, list[_Table]()
    least, clear = minimum_noise(base, repeat), np.zeros(base.shape, dtype=bool)
    for spacing in SPACINGS:
        table = _look(probe, which, spacing, least)
        tables.append(table)
        clear |= table.tells & ~table.is_blank(least)
        if not (table.moving & ~clear).any():
            break
    most = np.min([np.where(table.moving, table.noise, np.inf) for table in tables], axis=0)
    noise = np.full(base.shape, np.inf)
    for table in tables:
        noise = np.where(table.tells & np.isinf(noise), table.noise, noise)
    noise = np.where(np.isinf(noise), most, noise)
    aliased = tables[0].is_blank(least) & table.moving & (noise > RAISED * table.noise)
    if aliased.any():
        direction = _drawn(probe, which)
        noise = np.where(aliased, _lowered(noise, probe.function, direction), noise)
    known = np.isfinite(noise).all()
    probe = _knowing(probe, noise) if known else calibrate_noise_widely(probe, repeat)
    return probe, table.projection(probe)


def calibrate_noise_widely(probe: DirectionProbe, repeat: Floats) -> DirectionProbe:
    """Estimate the noise from values ever further apart, 32 evaluations at most.

    Where that is much more than was known of it, 40 more tell whether the function bends more
    and more on the way there: then it is none.

    Parameters
    ----------
    probe : DirectionProbe
        Of a function of whose noise nothing or too little is known.
    repeat : ndarray, shape (m,)
        Another evaluation at the point.

    Returns
    -------
    DirectionProbe
        The same, knowing it; never less than before.
    """
    function, direction = probe.function, _defined(probe)
    noise = estimate_noise(
        function.evaluate, function.point, base=function.base, repeat=repeat, direction=direction
    )
    raised = (noise > RAISED * function.noise) & (function.noise > 0)
    if raised.any():
        noise = np.where(raised, _lowered(noise, function, direction), noise)
    return _knowing(probe, np.maximum(noise, function.noise))


def noisy_coordinates(probe: DirectionProbe, repeat: Floats, affordable: int) -> Indices:
    """Tell which coordinates make outputs jump, or so noisy that nothing else would be seen.

    Parameters
    ----------
    probe : DirectionProbe
        Of a function whose noise is known.
    repeat : ndarray, shape (m,)
        Another evaluation at the point.
    affordable : int
        Evaluations that may be spent on looking at coordinates one by one.

    Returns
    -------
    ndarray of int
        None, at no cost, where the noise is no large share of any output; and where all are,
        see `noise_groups`.
    """
    function, weights, nobody = (
        probe.function,
        probe.directions,
        np.zeros(0, dtype=np.intp),
    )
    if not np.any(function.noise > LOUD * np.abs(function.base)):
        return nobody
    groups = noise_groups(
        function.evaluate,
        function.point,
        base=function.base,
        repeat=repeat,
        direction=_defined(probe),
        noise=function.noise,
        segments=[(segment.start, segment.stop) for segment in weights.segments],
        most=affordable // PROBES,
    )
    loud = [group.indices for group in groups if group.noise is function.noise]
    quiet = len(loud) < len(groups)
    return loud[0] if loud and quiet else nobody


def calibrate_sizes(probe: DirectionProbe, which: int) -> DirectionProbe:
    """Look by how much outputs vary, one evaluation.

    Parameters
    ----------
    probe : DirectionProbe
        Of a function about whose sizes there is only a guess.
    which : int
        The direction to look along.

    Returns
    -------
    DirectionProbe
        The same, knowing them, see `output_sizes`.
    """
    function, direction = probe.function, _drawn(probe, which)
    # Where a coordinate is 1e-200, forward may yet vary on a scale of 1.
    direction *= function.scales.meaningful(slice(None)) / function.scales.own(slice(None))
    sizes = output_sizes(
        function.evaluate,
        function.point,
        base=function.base,
        noise=function.noise,
        direction=direction,
    )
    return replace(probe, function=replace(function, sizes=sizes))


def _look(probe: DirectionProbe, which: int, spacing: float, least: Floats) -> _Table:
    everything = whole_region(probe.directions.segments)
    values, claimed = probe.table(which, everything, spacing, PLACES)
    with np.errstate(all="ignore"):
        sigma, seen = noise_from_differences(values)
        even = are_smooth(values)
        left = np.where(seen, sigma, np.where(even, 0.0, _left_by_smooth(values)))
    moving = (np.diff(values, axis=0) != 0).all(axis=0)
    return _Table(spacing, values, claimed / spacing, np.maximum(left, least), seen | even, moving)


def _left_by_smooth(values: Floats) -> Floats:
    """Return what is left of values in high differences: of smooth ones that is mostly noise.

    Where the values to one side are far smoother, what is left of all is a jump.
    """
    left = np.max([_level(values, order) for order in HIGH], axis=0)
    halves = values[: PLACES + 1], values[PLACES:]
    side = np.min([np.max([_level(h, order) for order in LOW], axis=0) for h in halves], axis=0)
    return np.asarray(np.where(side < CLEAN * left, side, left))


def _level(values: Floats, order: int) -> Floats:
    """Return the noise of values that nothing else is left of in differences of an order."""
    squares = np.mean(np.diff(values, n=order, axis=0) ** 2, axis=0)
    return np.asarray(factorial(order) * np.sqrt(squares / factorial(2 * order)))


def _lowered(noise: Floats, function: Function, direction: Floats) -> Floats:
    """Return what is left of noise that may be an oscillation, see `noise_ceiling`.

    Costs 40 evaluations.
    """
    rungs = sample(DirectionLine(function.evaluate, function.point, direction), function.base)
    with np.errstate(all="ignore"):
        return np.minimum(noise, noise_ceiling(rungs.bend, EPS * np.abs(function.base)))


def _drawn(probe: DirectionProbe, which: int) -> Floats:
    """Draw a direction over everything, as a vector of its own."""
    direction = np.empty_like(probe.here)
    probe.directions.draw(direction, which, whole_region(probe.directions.segments))
    return direction


def _defined(probe: DirectionProbe) -> Floats:
    """Draw a direction along which the function is defined; it moves what others do."""
    function = probe.function
    scale = function.scales.own(slice(None))
    scale[probe.directions.fixed] = 0.0
    rng = np.random.default_rng(probe.directions.seed)
    return defined_direction(
        function.evaluate, function.point, scale=scale, reach=3 * WIDE_SPACING, rng=rng
    )


def _knowing(probe: DirectionProbe, noise: Floats) -> DirectionProbe:
    return replace(probe, function=replace(probe.function, noise=noise))
