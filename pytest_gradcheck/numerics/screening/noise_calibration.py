"""Calibration of a screen: the noise and the sizes of outputs, before claims are compared.

The noise is read from the differences of seven equispaced values along a direction (as by
ECnoise: J. J. Moré and S. M. Wild, SIAM J. Sci. Comput. 33 (2011) 1292), which costs six
evaluations. The same values give a derivative along the direction. Where they bend too much to
show the noise, the spacing is reduced; where no spacing is conclusive, `estimate_noise` tries
wider ones. A few coordinates may make outputs far noisier than all others do; these are found one
by one (`noisy_coordinates`).

It does not compare claims with measurements.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import factorial

import numpy as np

from pytest_gradcheck.numerics.central_difference import NOISE_FACTOR
from pytest_gradcheck.numerics.function import Function
from pytest_gradcheck.numerics.line_restriction import DirectionLine, sample
from pytest_gradcheck.numerics.measurement import EPS, Booleans, Floats, Indices
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
from pytest_gradcheck.numerics.screening.directional_derivative import (
    DirectionalDifference,
    DirectionProbe,
)
from pytest_gradcheck.numerics.screening.subarrays import whole_region

__all__ = [
    "calibrate_noise",
    "calibrate_noise_widely",
    "calibrate_sizes",
    "noisy_coordinates",
]

#: Relative spacings of the seven values, tried in turn where values bend too much to show the
#: noise, and the number of values on each side of the point.
SPACINGS = (3e-8, 1e-10, 3e-13)
PER_SIDE = 3

#: The orders of differences that vanish for smooth values but for noise: of all seven values, and
#: of the four on one side.
HIGH_ORDERS = (4, 5, 6)
ONE_SIDED_ORDERS = (2, 3)

#: Below this share of the noise of all values, the values on one side are smooth.
SMOOTHER = 1e-2

#: Noise that exceeds what closer values show by this factor may be an oscillation. So may values
#: that vary by no more than this multiple of their noise, if it is so many roundings.
RAISED = 30.0
UNLIKELY_ROUNDINGS = 1e3

#: Noise above this share of an output may come from a few coordinates. Each costs so many
#: evaluations to examine.
EXCESSIVE_NOISE = 1e-5
EVALUATIONS_PER_COORDINATE = 4

#: The truncation error of a derivative from the outer values is below this share of its difference
#: from that by the inner values, which are a third as far apart.
TRUNCATION = 0.25


@dataclass(frozen=True, slots=True)
class _EquispacedValues:
    """Seven equispaced values along a direction, and the noise that they show.

    Attributes
    ----------
    spacing : float
        The spacing, in units of the direction.
    values : ndarray, shape (7, m)
        Outputs; those at the point are in the middle.
    claimed : ndarray, shape (m,)
        The claimed derivative along the direction.
    noise : ndarray, shape (m,)
        The noise; where the values are not conclusive, an upper bound.
    is_conclusive : ndarray of bool, shape (m,)
        Whether the values behave like noise, or are smooth to the last digit.
    all_change : ndarray of bool, shape (m,)
        Whether each value differs from the next.
    """

    spacing: float
    values: Floats
    claimed: Floats
    noise: Floats
    is_conclusive: Booleans
    all_change: Booleans

    @classmethod
    def measure(
        cls, probe: DirectionProbe, which: int, spacing: float, least: Floats
    ) -> _EquispacedValues:
        """Evaluate along a direction over everything; the noise is at least `least`."""
        everything = whole_region(probe.directions.segments)
        values, claimed = probe.table(which, everything, spacing, PER_SIDE)
        with np.errstate(all="ignore"):
            sigma, is_noise = noise_from_differences(values)
            smooth = are_smooth(values)
            bound = np.where(smooth, 0.0, _noise_bound(values))
            noise = np.maximum(np.where(is_noise, sigma, bound), least)
        all_change = (np.diff(values, axis=0) != 0).all(axis=0)
        return cls(spacing, values, claimed / spacing, noise, is_noise | smooth, all_change)

    def may_oscillate(self, least: Floats) -> Booleans:
        """Return where the values show noise only, but far more of it than the rounding."""
        only_noise = np.ptp(self.values, axis=0) <= RAISED * self.noise
        return np.asarray(
            self.is_conclusive & only_noise & (self.noise > UNLIKELY_ROUNDINGS * least)
        )

    def difference(self, probe: DirectionProbe) -> DirectionalDifference:
        """Return the derivative from the two outermost values."""
        values, step, base = self.values, PER_SIDE * self.spacing, self.values[PER_SIDE]
        right, left = values[-1], values[0]
        with np.errstate(all="ignore"):
            measured = (right - left) / (2 * step)
            inner = (values[PER_SIDE + 1] - values[PER_SIDE - 1]) / (2 * self.spacing)
            noise = NOISE_FACTOR * probe.function.noise / step
            noise += TRUNCATION * np.abs(measured - inner)
            noise += probe.rounding(whole_region(probe.directions.segments))
            bend = ((right - base) + (left - base)) / step
        return DirectionalDifference(step, self.claimed, measured, bend, noise)


def calibrate_noise(
    probe: DirectionProbe, repeat: Floats, which: int
) -> tuple[DirectionProbe, DirectionalDifference]:
    """Estimate the noise from seven equispaced values: six evaluations for each spacing.

    Parameters
    ----------
    probe : DirectionProbe
        The function, whose noise is not known.
    repeat : ndarray, shape (m,)
        A second evaluation at the point.
    which : int
        The number of the direction.

    Returns
    -------
    probe : DirectionProbe
        The same with the noise, which is that of `calibrate_noise_widely` where no spacing gives
        a finite one.
    difference : DirectionalDifference
        The derivative along the direction, from the same values.
    """
    base, tables = probe.function.base, list[_EquispacedValues]()
    least, resolved = minimum_noise(base, repeat), np.zeros(base.shape, dtype=bool)
    for spacing in SPACINGS:
        table = _EquispacedValues.measure(probe, which, spacing, least)
        tables.append(table)
        resolved |= table.is_conclusive & ~table.may_oscillate(least)
        if not (table.all_change & ~resolved).any():
            break
    bound = np.min([np.where(one.all_change, one.noise, np.inf) for one in tables], axis=0)
    noise = np.full(base.shape, np.inf)
    for one in tables:
        noise = np.where(one.is_conclusive & np.isinf(noise), one.noise, noise)
    noise = np.where(np.isinf(noise), bound, noise)
    closest = tables[-1]
    raised = closest.all_change & (noise > RAISED * closest.noise)
    aliased = tables[0].may_oscillate(least) & raised
    if aliased.any():
        direction = _direction(probe, which)
        noise = np.where(aliased, _at_most_ceiling(noise, probe.function, direction), noise)
    is_known = np.isfinite(noise).all()
    probe = _with_noise(probe, noise) if is_known else calibrate_noise_widely(probe, repeat)
    return probe, closest.difference(probe)


def calibrate_noise_widely(probe: DirectionProbe, repeat: Floats) -> DirectionProbe:
    """Estimate the noise from values at ever wider spacings, at most 32 evaluations.

    An estimate that is far above the noise known before may be an oscillation. Then 40 more
    evaluations show whether the bend falls steadily towards the point, see `noise_ceiling`.

    Parameters
    ----------
    probe : DirectionProbe
        The function, whose noise is not known, or is known too badly.
    repeat : ndarray, shape (m,)
        A second evaluation at the point.

    Returns
    -------
    DirectionProbe
        The same with the noise, which is never less than before.
    """
    function, direction = probe.function, _defined_direction(probe)
    noise = estimate_noise(
        function.evaluate, function.point, base=function.base, repeat=repeat, direction=direction
    )
    raised = (noise > RAISED * function.noise) & (function.noise > 0)
    if raised.any():
        noise = np.where(raised, _at_most_ceiling(noise, function, direction), noise)
    return _with_noise(probe, np.maximum(noise, function.noise))


def noisy_coordinates(probe: DirectionProbe, repeat: Floats, budget: int) -> Indices:
    """Find the coordinates that make outputs jump, or far noisier than all others do.

    Parameters
    ----------
    probe : DirectionProbe
        The function, whose noise is known.
    repeat : ndarray, shape (m,)
        A second evaluation at the point.
    budget : int
        The number of evaluations that may be spent on single coordinates.

    Returns
    -------
    ndarray of int
        The coordinates. There are none, at no cost, where the noise is small relative to all
        outputs, and none where all coordinates are noisy, see `noise_groups`.
    """
    function, directions = probe.function, probe.directions
    none = np.zeros(0, dtype=np.intp)
    if not np.any(function.noise > EXCESSIVE_NOISE * np.abs(function.base)):
        return none
    groups = noise_groups(
        function.evaluate,
        function.point,
        base=function.base,
        repeat=repeat,
        direction=_defined_direction(probe),
        noise=function.noise,
        segments=[(segment.start, segment.stop) for segment in directions.segments],
        most=budget // EVALUATIONS_PER_COORDINATE,
    )
    noisy = [group.indices for group in groups if group.noise is function.noise]
    has_quiet_groups = len(noisy) < len(groups)
    return noisy[0] if noisy and has_quiet_groups else none


def calibrate_sizes(probe: DirectionProbe, which: int) -> DirectionProbe:
    """Measure how much outputs vary, by one evaluation.

    Parameters
    ----------
    probe : DirectionProbe
        The function, whose sizes are estimates from its claims.
    which : int
        The number of the direction.

    Returns
    -------
    DirectionProbe
        The same with measured sizes, see `output_sizes`.
    """
    function, direction = probe.function, _direction(probe, which)
    # A coordinate of 1e-200 may move forward on a scale of 1 nevertheless.
    direction *= function.scales.meaningful(slice(None)) / function.scales.own(slice(None))
    sizes = output_sizes(
        function.evaluate,
        function.point,
        base=function.base,
        noise=function.noise,
        direction=direction,
    )
    return replace(probe, function=replace(function, sizes=sizes))


def _noise_bound(values: Floats) -> Floats:
    """Return an upper bound on the noise of values, from differences of high order.

    For smooth values these are mostly noise. Where the values on one side are far smoother, all
    seven contain a kink or a jump at the point, and only that side counts.
    """
    both_sides = np.max([_noise_level(values, order) for order in HIGH_ORDERS], axis=0)
    halves = values[: PER_SIDE + 1], values[PER_SIDE:]
    levels = [
        np.max([_noise_level(half, order) for order in ONE_SIDED_ORDERS], axis=0)
        for half in halves
    ]
    one_side = np.min(levels, axis=0)
    return np.asarray(np.where(one_side < SMOOTHER * both_sides, one_side, both_sides))


def _noise_level(values: Floats, order: int) -> Floats:
    """Return the noise of values whose differences of an order contain nothing else."""
    squares = np.mean(np.diff(values, n=order, axis=0) ** 2, axis=0)
    return np.asarray(factorial(order) * np.sqrt(squares / factorial(2 * order)))


def _at_most_ceiling(noise: Floats, function: Function, direction: Floats) -> Floats:
    """Return the noise, at most its ceiling along a direction: 40 evaluations.

    What exceeds the ceiling is an oscillation, see `noise_ceiling`.
    """
    line = DirectionLine(function.evaluate, function.point, direction)
    samples = sample(line, function.base)
    with np.errstate(all="ignore"):
        return np.minimum(noise, noise_ceiling(samples.bend, EPS * np.abs(function.base)))


def _direction(probe: DirectionProbe, which: int) -> Floats:
    """Draw a direction over everything, as a new vector."""
    direction = np.empty_like(probe.here)
    probe.directions.draw(direction, which, whole_region(probe.directions.segments))
    return direction


def _defined_direction(probe: DirectionProbe) -> Floats:
    """Draw a direction along which the function is defined, and that moves no fixed coordinate."""
    function = probe.function
    scale = function.scales.own(slice(None))
    scale[probe.directions.fixed] = 0.0
    rng = np.random.default_rng(probe.directions.seed)
    return defined_direction(
        function.evaluate, function.point, scale=scale, reach=3 * WIDE_SPACING, rng=rng
    )


def _with_noise(probe: DirectionProbe, noise: Floats) -> DirectionProbe:
    return replace(probe, function=replace(probe.function, noise=noise))
