"""The noise of a function: rounding, quadrature, iterations that are stopped.

Noise is estimated from a table of differences of seven equispaced values, as by ECnoise (J. J.
Moré and S. M. Wild, "Estimating computational noise", SIAM J. Sci. Comput. 33 (2011) 1292, after
R. W. Hamming): the differences of order k of independent noise of size sigma have the mean square
``(2k)! / (k!)^2 sigma^2``, those of a smooth function vanish with the spacing. Unlike ECnoise,
which is given a spacing, several are tried here, a bend on one side of the point only is no noise,
and jumps and oscillations are examined further. How a function deviates from a straight line over
ever smaller steps bounds its noise from above (`noise_ceiling`) and from below (`noise_floor`).

A label that is held as a number, or a coordinate that a number of iterations depends on, makes
the function noisy along every direction that moves it. `noise_groups` estimates the noise of
groups of coordinates, since the function may be smooth in all others.

It does not estimate a derivative.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import factorial

import numpy as np

from pytest_gradcheck.numerics.line_restriction import DirectionLine, sample
from pytest_gradcheck.numerics.measurement import (
    EPS,
    Booleans,
    Evaluate,
    Floats,
    Indices,
    chunks,
    output_rounding,
)
from pytest_gradcheck.numerics.random_directions import evaluate_along

__all__ = [
    "WIDE_SPACING",
    "NoiseGroup",
    "are_smooth",
    "estimate_noise",
    "minimum_noise",
    "noise_ceiling",
    "noise_floor",
    "noise_from_differences",
    "noise_groups",
    "sudden_drops",
]


#: Relative spacings, tried in turn until the values behave like noise. One is not enough: an
#: iterative solver looks smooth at 1e-11, and float32 constant; float16 is constant up to 1e-3.
SPACINGS = (1e-11, 1e-9, 1e-7, 1e-5, 1e-3)

#: A first change by so many roundings is a jump: a smooth function would have changed visibly, by
#: the hundredth part, at the spacing before.
CLEAR_CHANGE = 1e4

#: Values may be smooth between jumps that only a wide spacing shows: it shows so many times the
#: noise. A jump has this share of its height at a tenth of the spacing; of a kink less is left.
WIDE_SPACING = 1e-5
NARROWER_SPACING = 1e-6
JUMP_FACTOR = 30.0
SAME_HEIGHT = 0.3

#: The highest order of differences; there are seven points on a line, the middle one given.
ORDERS = 6
MIDDLE = ORDERS // 2
OFFSETS = np.delete(np.arange(-MIDDLE, MIDDLE + 1.0), MIDDLE)

#: The rows of each order in the table of all differences, and the factor from their mean square
#: to that of the noise.
TABLE_ROWS = list(pairwise(accumulate(range(ORDERS, 0, -1), initial=0)))
WEIGHTS = np.array([[factorial(k) ** 2 / factorial(2 * k)] for k in range(1, ORDERS + 1)])
FIRST_ROWS = np.array([first for first, _ in TABLE_ROWS])
COUNTS = np.array([[last - first] for first, last in TABLE_ROWS])

#: How many consecutive orders must agree on the noise, and up to which factor.
AGREEING_ORDERS = 3
AGREEMENT = 4.0
WINDOWS = np.arange(ORDERS - AGREEING_ORDERS)[:, None] + np.arange(AGREEING_ORDERS)

#: Differences of these orders vanish for smooth values, but for rounding.
HIGH_ORDERS = (4, 5)

#: The bend of three values with noise is sqrt(6) times as large, and the largest of some bends
#: about twice that.
BEND_OF_NOISE = 5.0

#: A side of the point is straight when it bends by less than this share of the noise.
STRAIGHT = 1e-2

#: By how many roundings smooth values may differ from a parabola.
SMOOTH_ROUNDINGS = 2.0

#: Values that were smooth at a narrower spacing, and are noisier than so many roundings at a
#: wider one, may oscillate in between.
OSCILLATING = 1e4

#: From one step to one a quarter as long the bend of a smooth function falls by 16, that of an odd
#: one by 64. What falls by more than this was a jump or a kink further away.
SUDDEN_DROP = 1000.0

#: Noise may be small at one step by chance, not at so many. What falls by this factor per step
#: is not noise.
CONFIRMING_STEPS = 3
FALLING = 8.0

#: Jumps are noise below this share of the largest bend, where the bends at neighbouring steps
#: agree up to this factor; those of a kink differ by four.
TINY_JUMP = 1e-5
FLAT = 3.0

#: Groups of coordinates are examined where the noise exceeds so many roundings.
EXCESSIVE = 1e4

#: Up to so many arrays are examined one by one; more are bisected.
FEW_ARRAYS = 8

#: A group has a noise of its own where it is below this share of that of all coordinates.
QUIETER = 0.1

#: Two relative steps to each side of the point show a jump there, when the gap exceeds their
#: difference, or the rounding, by this factor; up to how many coordinates are examined.
JUMP_STEPS = (1e-11, 3e-11)
GAP_FACTOR = 100.0
MOST_COORDINATES = 2500


def estimate_noise(
    evaluate: Evaluate,
    point: Floats,
    *,
    base: Floats,
    repeat: Floats,
    direction: Floats,
) -> Floats:
    """Estimate the noise of every output along a direction.

    Parameters
    ----------
    evaluate : callable
        The function, ``evaluate(points) -> outputs``.
    point : ndarray, shape (n,)
        Where; not changed.
    base, repeat : ndarray, shape (m,)
        Two evaluations at `point`; their difference is noise already.
    direction : ndarray, shape (n,)
        A random direction with entries of the natural size of a step.

    Returns
    -------
    ndarray, shape (m,)
        The noise of each output in its own units, at least its rounding. Costs 12
        evaluations where values behave like those of float64, at most 30, and 40 more where
        noise appears above a spacing that showed none, or wide values are not smooth: see
        `noise_ceiling`.
    """

    def measure(spacing: float) -> tuple[Floats, Floats, Booleans]:
        values = _values(evaluate, point, base, direction, spacing)
        with np.errstate(all="ignore"):
            return (values, *noise_from_differences(values))

    minimum = minimum_noise(base, repeat)
    noise, found, spacing = np.zeros_like(base), np.zeros(base.shape, dtype=bool), 0.0
    is_rough = np.zeros(base.shape, dtype=bool)
    unchanged, lowest_jump = np.zeros(base.shape, dtype=bool), np.full(base.shape, np.inf)
    smooth = np.zeros(base.shape, dtype=bool)
    for spacing in SPACINGS:
        values, sigma, is_noise = measure(spacing)
        change, both_sides = _smallest_change(values)
        sudden = unchanged & ~found & (change > CLEAR_CHANGE * EPS * np.abs(base))
        lowest_jump = np.where(sudden, np.minimum(lowest_jump, change), lowest_jump)
        jumps = sudden & both_sides
        noise = np.where(jumps, lowest_jump, np.where(~found & is_noise, sigma, noise))
        found |= is_noise | jumps
        smooth |= ~found & (change > 0)
        # A change on one side only may be that of a kink; the next spacing decides.
        unchanged = (change == 0) | (unchanged & ~both_sides)
        if found.all() or (spacing == WIDE_SPACING and not unchanged.any()):
            break
    if spacing < WIDE_SPACING:
        values, wide, is_noise = measure(WIDE_SPACING)
        with np.errstate(all="ignore"):
            is_rough = _roughness(values) > JUMP_FACTOR * np.maximum(noise, minimum)
        has_jumps = is_noise & (wide > JUMP_FACTOR * noise)
        if has_jumps.any():
            _, narrow, is_noise = measure(NARROWER_SPACING)
            has_jumps &= is_noise & (narrow > SAME_HEIGHT * wide)
            noise, smooth = np.where(has_jumps, wide, noise), smooth | has_jumps
        is_rough &= ~has_jumps
    may_oscillate = smooth & (noise > OSCILLATING * minimum)
    if may_oscillate.any() or is_rough.any():
        with np.errstate(all="ignore"):
            samples = sample(DirectionLine(evaluate, point, direction), base)
            ceiling = noise_ceiling(samples.bend, minimum)
            risen = _risen(samples.bend[samples.relative <= MIDDLE * WIDE_SPACING])
        if may_oscillate.any():
            noise = np.where(smooth, np.minimum(noise, ceiling), noise)
        # Seven values by chance do not look like noise, or not at both spacings.
        shown = np.minimum(risen, ceiling) / BEND_OF_NOISE
        noise = np.where(is_rough, np.maximum(noise, shown), noise)
    return np.asarray(np.maximum(noise, minimum))


def _roughness(values: Floats) -> Floats:
    """Return the noise that would explain differences of high order, as nothing smooth does."""
    levels = [
        np.sqrt(WEIGHTS[order - 1]) * np.abs(np.diff(values, n=order, axis=0)).max(axis=0)
        for order in HIGH_ORDERS
    ]
    return np.asarray(np.max(levels, axis=0))


def _risen(bend: Floats) -> Floats:
    """Return the largest bend that exceeds one at a larger step, as no smooth function has.

    Parameters
    ----------
    bend : ndarray, shape (k, m)
        See `noise_ceiling`.

    Returns
    -------
    ndarray, shape (m,)
        The bend of each output, 0 where all fall with the step.
    """
    lowest = np.minimum.accumulate(bend, axis=0)
    return np.asarray(np.max(bend[1:], axis=0, initial=0.0, where=bend[1:] > lowest[:-1]))


def _values(
    evaluate: Evaluate, point: Floats, base: Floats, direction: Floats, spacing: float
) -> Floats:
    """Evaluate at seven points along a line, the given one in the middle; shape (7, m)."""
    around = evaluate_along(evaluate, point, direction, (spacing * OFFSETS).tolist())
    return np.concatenate([around[:MIDDLE], base[None], around[MIDDLE:]])


def _smallest_change(values: Floats) -> tuple[Floats, Booleans]:
    """Return the smallest change between neighbours of `values`, shape (7, m), 0 for none.

    Also returns whether they change on both sides of the middle: a change on one side only may
    be that of a kink.
    """
    changes = np.abs(values[1:] - values[:-1])
    changing = changes > 0
    both_sides = np.asarray(changing[:MIDDLE].any(axis=0) & changing[MIDDLE:].any(axis=0))
    smallest = np.where(changing, changes, np.inf).min(axis=0)
    return np.where(np.isfinite(smallest), smallest, 0.0), both_sides


def minimum_noise(base: Floats, repeat: Floats) -> Floats:
    """Return the rounding of outputs, or twice the difference of two evaluations if that is more.

    The rounding is at least the smallest subnormal number.
    """
    return np.asarray(np.maximum(output_rounding(base), 2 * np.abs(base - repeat)))


def noise_from_differences(values: Floats) -> tuple[Floats, Booleans]:
    """Estimate noise from the table of differences of seven values.

    Parameters
    ----------
    values : ndarray, shape (7, m)
        Of m outputs at equispaced points.

    Returns
    -------
    sigma : ndarray, shape (m,)
        The noise, 0 where the values do not behave like noise.
    found : ndarray of bool, shape (m,)
        Where they do.
    """
    # A table is some eighty times as large as an output: it is made chunk by chunk.
    tables = [_read_table(values[:, part]) for part in chunks(0, max(values.shape[1], 1))]
    if len(tables) == 1:
        return tables[0]
    sigma, found = (np.concatenate(which) for which in zip(*tables, strict=True))
    return sigma, found


def _read_table(values: Floats) -> tuple[Floats, Booleans]:
    """Return the noise where three orders agree on it, and their differences change sign."""
    size = np.abs(values).max(axis=0)
    size = np.where(np.isfinite(size) & (size > 0), size, 1.0)
    scaled = values / size
    outputs = values.shape[1]
    # Not by a product with a matrix: differences of close numbers are exact one by one.
    table, differences = np.empty((TABLE_ROWS[-1][1], outputs)), scaled
    for first, last in TABLE_ROWS:
        np.subtract(differences[1:], differences[:-1], out=table[first:last])
        differences = table[first:last]
    levels = np.sqrt(WEIGHTS * (np.add.reduceat(table**2, FIRST_ROWS, axis=0) / COUNTS))
    below = np.minimum.reduceat(table, FIRST_ROWS, axis=0) < 0
    alternates = below & (np.maximum.reduceat(table, FIRST_ROWS, axis=0) > 0)
    consecutive = levels[WINDOWS]
    lowest = consecutive.min(axis=1)
    agree = (consecutive.max(axis=1) <= AGREEMENT * lowest) & (lowest > 0)
    agree &= alternates[: len(lowest)]
    found = agree.any(axis=0)
    sigma = np.where(found, levels[agree.argmax(axis=0), np.arange(outputs)], 0.0)
    # Where one side is straight, the table shows a kink or a jump at the point.
    found &= _straighter_side(table[slice(*TABLE_ROWS[1])]) >= STRAIGHT * sigma
    return sigma * size, found


def _straighter_side(second_differences: Floats) -> Floats:
    """Return the bend of values on that side of the point on which they bend less."""
    bends = np.abs(second_differences)
    return np.asarray(np.minimum(bends[: MIDDLE - 1].max(axis=0), bends[1 - MIDDLE :].max(axis=0)))


def are_smooth(values: Floats) -> Booleans:
    """Return where `values`, shape (7, m), all change, and are smooth to the last digit.

    Seven values may all be rounded alike by chance: no noise in a table is then no evidence of
    a smooth function.
    """
    rounding = SMOOTH_ROUNDINGS * EPS * np.abs(values).max(axis=0)
    changes = np.abs(np.diff(values, axis=0)).min(axis=0) > CLEAR_CHANGE * rounding
    return np.asarray(changes & (np.abs(np.diff(values, n=3, axis=0)).max(axis=0) <= rounding))


def noise_ceiling(bend: Floats, least: Floats) -> Floats:
    """Bound the noise from above by the bend of a function over ever smaller steps.

    An oscillation, or a plateau, looks like noise at spacings above the length on which the
    function varies. Below that length the bend falls with the square of the step, down to the
    noise. The bend of noise does not fall, and that of a jump falls suddenly.

    Parameters
    ----------
    bend : ndarray, shape (k, m)
        The deviation from a straight line at k steps, the largest first and each a quarter of
        the one before, see `LineSamples.bend`.
    least : ndarray, shape (m,)
        The rounding of the outputs; a bend below it carries no information.

    Returns
    -------
    ndarray, shape (m,)
        The bend at the smallest step, or at the last one before a sudden drop.

    Examples
    --------
    >>> steps = 1e3 * 0.25 ** np.arange(20.0)
    >>> oscillating = np.abs(2 - 2 * np.cos(steps)) + 1e-15
    >>> noise_ceiling(oscillating[:, None], np.array([1e-16])) < 1e-13
    array([ True])
    >>> jumping = np.where(steps > 1e-3, 1e-6, 0.0) + steps**2 * 1e-9
    >>> noise_ceiling(jumping[:, None], np.array([1e-16])) >= 1e-6
    array([ True])
    """
    drops = sudden_drops(bend, least)
    last = np.where(drops.any(axis=0), np.argmax(drops, axis=0), len(bend) - 1)
    before = np.arange(CONFIRMING_STEPS)[:, None]
    steps = np.clip(last - before, 0, None)
    confirming = np.take_along_axis(_at_least(bend, least), steps, axis=0)
    return np.asarray((confirming / FALLING**before).max(axis=0))


def noise_floor(bend: Floats, least: Floats) -> Floats:
    """Bound the noise from below by tiny jumps that a function makes beyond the smallest steps.

    Where a bend is flat over two steps or more and then drops suddenly, values jump. Jumps
    that are tiny against the variation of the function are those of rounding, of terms that
    cancel, or of a tolerance; the slope between them is not that of the function.

    Parameters
    ----------
    bend, least : ndarray
        See `noise_ceiling`.

    Returns
    -------
    ndarray, shape (m,)
        The height of such jumps, 0 where there are none.

    Examples
    --------
    >>> steps = 0.3 * 0.25 ** np.arange(20.0)
    >>> jumping = np.where(steps > 1e-7, 1e-12, 0.0) + steps**2
    >>> noise_floor(jumping[:, None], np.array([1e-25])) < 2e-12
    array([ True])
    """
    drops = sudden_drops(bend, least)
    last = len(drops) - 1 - np.argmax(drops[::-1], axis=0)
    steps = np.clip(last - np.arange(CONFIRMING_STEPS)[:, None], 0, None)
    # One of them may be small by chance.
    plateau = np.sort(np.take_along_axis(_at_least(bend, least), steps, axis=0), axis=0)[1:]
    largest = np.max(bend, axis=0, initial=0.0, where=np.isfinite(bend))
    flat = plateau.max(axis=0) <= FLAT * plateau.min(axis=0)
    tiny = plateau.max(axis=0) <= TINY_JUMP * largest
    return np.where(drops.any(axis=0) & flat & tiny, plateau.max(axis=0), 0.0)


def sudden_drops(bend: Floats, least: Floats) -> Booleans:
    """Return after which steps a bend drops by more than that of a smooth function.

    A jump shows alike at all steps beyond it. A pole shows at one step only, and growth that is
    steep over large steps is steeper still over larger ones: these are no drops.

    Parameters
    ----------
    bend, least : ndarray
        See `noise_ceiling`.

    Returns
    -------
    ndarray of bool, shape (k - 1, m)
        Whether the bends at all smaller steps are that much smaller.
    """
    bend = _at_least(bend, least)
    current, smaller = bend[:-1], np.maximum.accumulate(bend[:0:-1])[::-1]
    before = np.vstack([np.zeros_like(bend[:1]), bend[:-2]])
    larger = np.maximum.accumulate(before)
    steep = np.isinf(current) | (before > SUDDEN_DROP * current)
    # Where smaller steps bend by more than the output itself, its own fall is still ahead.
    ahead = (least > 0) & (smaller > least / EPS)
    return np.asarray((np.minimum(current, larger) > SUDDEN_DROP * smaller) & ~(steep | ahead))


def _at_least(bend: Floats, least: Floats) -> Floats:
    return np.fmax(bend, least)


@dataclass(frozen=True, slots=True)
class NoiseGroup:
    """Coordinates with a noise of their own.

    Attributes
    ----------
    indices : ndarray of int, shape (k,)
        The coordinates, ascending.
    noise : ndarray, shape (m,)
        The noise of each output when these coordinates are moved.
    """

    indices: Indices
    noise: Floats


@dataclass(frozen=True, slots=True)
class _Subspaces:
    """Directions through the point along which only some coordinates move."""

    evaluate: Evaluate
    point: Floats
    base: Floats
    repeat: Floats
    direction: Floats

    def noise(self, indices: Indices) -> Floats:
        """Estimate the noise along some coordinates."""
        return estimate_noise(
            self.evaluate,
            self.point,
            base=self.base,
            repeat=self.repeat,
            direction=self._direction(indices),
        )

    def has_jump(self, indices: Indices) -> bool:
        """Return whether an output jumps at the point along some coordinates; 4 evaluations."""
        steps = [side * step for side in (1.0, -1.0) for step in JUMP_STEPS]
        values = evaluate_along(self.evaluate, self.point, self._direction(indices), steps)
        with np.errstate(all="ignore"):
            gap = np.abs(values - self.base).reshape(2, len(JUMP_STEPS), -1)
            spread = np.ptp(values.reshape(2, len(JUMP_STEPS), -1), axis=1)
            minimum = minimum_noise(self.base, self.repeat)
            return bool((gap.min(axis=1) > GAP_FACTOR * np.maximum(spread, minimum)).any())

    def _direction(self, indices: Indices) -> Floats:
        direction = np.zeros_like(self.direction)
        direction[indices] = self.direction[indices]
        return direction


def noise_groups(
    evaluate: Evaluate,
    point: Floats,
    *,
    base: Floats,
    repeat: Floats,
    direction: Floats,
    noise: Floats,
    segments: Sequence[tuple[int, int]],
    most: int = MOST_COORDINATES,
) -> list[NoiseGroup]:
    """Find groups of coordinates that have a noise of their own.

    Parameters
    ----------
    evaluate, point, base, repeat, direction
        As for `estimate_noise`; the direction moves all coordinates.
    noise : ndarray, shape (m,)
        The noise along it.
    segments : sequence of (start, stop)
        Coordinates that belong together, those of one array each.
    most : int
        The largest group in which every coordinate is examined for a jump at the point.

    Returns
    -------
    list of NoiseGroup
        All coordinates together; empty, at no cost, where the noise along all of them is that
        of rounding. Else it costs one estimate for each segment, up to eight, or for halves of
        them, and where a group jumps at the point four evaluations for each of its coordinates.
    """
    if point.size < 2 or not (noise > EXCESSIVE * minimum_noise(base, repeat)).any():
        return []
    subspaces = _Subspaces(evaluate, point, base, repeat, direction)
    arrays = [np.arange(start, stop) for start, stop in segments if stop > start]
    whole = NoiseGroup(np.arange(point.size), noise)
    groups = [
        part
        for group in (_split(subspaces, arrays, noise) if len(arrays) > 1 else [whole])
        for part in _jumps_separated(subspaces, group, most)
    ]
    quieter = [group for group in groups if _is_quieter(group, noise)]
    others = [group.indices for group in groups if not _is_quieter(group, noise)]
    rest = [NoiseGroup(np.sort(np.concatenate(others)), noise)] if others else []
    return [*quieter, *rest]


def _split(subspaces: _Subspaces, arrays: Sequence[Indices], noise: Floats) -> list[NoiseGroup]:
    """Estimate the noise of arrays: of few one by one, of many by bisection."""
    if len(arrays) <= FEW_ARRAYS:
        return [NoiseGroup(array, subspaces.noise(array)) for array in arrays]
    middle = len(arrays) // 2
    halves = [(half, np.concatenate(half)) for half in (arrays[:middle], arrays[middle:])]
    found = [(half, NoiseGroup(joined, subspaces.noise(joined))) for half, joined in halves]
    if not any(_is_quieter(group, noise) for _, group in found):
        return [group for _, group in found]
    return [
        group
        for half, whole in found
        for group in ([whole] if _is_quieter(whole, noise) else _split(subspaces, half, noise))
    ]


def _is_quieter(group: NoiseGroup, noise: Floats) -> bool:
    return bool(np.any(group.noise < QUIETER * noise))


def _jumps_separated(subspaces: _Subspaces, group: NoiseGroup, most: int) -> list[NoiseGroup]:
    """Separate the coordinates of a group at which an output jumps from the others."""
    indices = group.indices
    least = EXCESSIVE * minimum_noise(subspaces.base, subspaces.repeat)
    if not 1 < indices.size <= most or not np.any(group.noise > least):
        return [group]
    if not subspaces.has_jump(indices):
        return [group]
    jumping: Booleans = np.array(
        [subspaces.has_jump(indices[k : k + 1]) for k in range(indices.size)]
    )
    if jumping.all():
        return [group]
    others = indices[~jumping]
    return [NoiseGroup(indices[jumping], group.noise), NoiseGroup(others, subspaces.noise(others))]
