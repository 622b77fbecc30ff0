"""How much of a function's value is noise: rounding, quadrature, stopped iterations.

It must not know derivatives: it looks at a few values along one line.
"""

# MERGED Noise of groups of coordinates, where the noise along all of them at once is large.
#
# A label held as a number, or a coordinate that an iteration depends on, makes the joint line
# noisy; forward may be smooth by all others.
#
# It must not know derivatives; it moves coordinates, and reads noise.

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import factorial

import numpy as np

from pytest_gradcheck.numerics.line_restriction import DirectionLine, sample
from pytest_gradcheck.numerics.measurement import (
    EPS,
    SUBNORMAL,
    Booleans,
    Evaluate,
    Floats,
    Indices,
    chunks,
)
from pytest_gradcheck.numerics.random_directions import evaluate_along

__all__ = [
    "MIDDLE",
    "OFFSETS",
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


#: Relative spacings, tried in turn until the values behave like noise. One is
#: not enough: an iterative solver looks smooth at 1e-11, float32 constant; the
#: last is for values that stand still even then, as those of float16 do.
SPACINGS = (1e-11, 1e-9, 1e-7, 1e-5, 1e-3)

#: A first move is a jump when the hundredth part of it could not have gone unseen.
UNMISSED = 1e4

#: Values may be smooth between jumps that only a wide spacing shows. Jumps are as
#: high at a tenth of it; kinks, which look alike, are a tenth as high or gone.
WIDE_SPACING = 1e-5
NARROWER = 1e-6
JUMPY = 30.0
AS_HIGH = 0.3

#: Differences up to this order; seven points along the line, the middle one given.
ORDERS = 6
MIDDLE = ORDERS // 2
OFFSETS = np.delete(np.arange(-MIDDLE, MIDDLE + 1.0), MIDDLE)

#: Rows of each order in a table of all differences, of one order after the other, and by
#: which factor their sum of squares is that of noise.
ROWS = list(pairwise(accumulate(range(ORDERS, 0, -1), initial=0)))
WEIGHTS = np.array([[factorial(k) ** 2 / factorial(2 * k)] for k in range(1, ORDERS + 1)])
FIRSTS = np.array([first for first, _ in ROWS])
COUNTS = np.array([[last - first] for first, last in ROWS])

#: Orders of the table that must agree on the noise, and to which factor.
AGREEING_ORDERS = 3
AGREEMENT = 4.0
WINDOWS = np.arange(ORDERS - AGREEING_ORDERS)[:, None] + np.arange(AGREEING_ORDERS)

#: From one step to one a quarter as long, a smooth function bends by a 16th, one that is odd
#: by a 64th. What drops by more was a jump or a kink, and bends nearer the point say nothing
#: of it. Noise may be small in one bend by chance, not in three; what still falls by this
#: factor, or faster, is no noise.
SUDDEN_DROP = 1000.0
WITNESSES = 3
FALLS = 8.0

#: Jumps by less than this share of what a function bends by over its scale are noise, where
#: bends at two steps are alike to this factor; those of a kink are apart by four.
TINY_JUMP = 1e-5
FLAT = 3.0

#: Values that were smooth at a narrower spacing and are noisier than so many roundings at a
#: wider one may oscillate in between.
OSCILLATING = 1e4

#: Values rounded by chance all alike, or not, differ from a parabola by so many roundings.
EVEN = 2.0

#: One side of the point counts as clean when it bends this much less than the table says.
CLEAN = 1e-2


def estimate_noise(
    evaluate: Evaluate,
    point: Floats,
    *,
    base: Floats,
    repeat: Floats,
    direction: Floats,
) -> Floats:
    """Estimate the noise of every output from a difference table.

    High differences of a smooth function vanish with the spacing, those of
    noise grow with the binomial coefficients. Hamming's table of seven values
    tells them apart: J. J. More and S. M. Wild, "Estimating computational
    noise", SIAM J. Sci. Comput. 33 (2011) 1292.

    Parameters
    ----------
    evaluate : callable
        The function, ``evaluate(points) -> outputs``.
    point : ndarray, shape (n,)
        Where; left as it is.
    base, repeat : ndarray, shape (m,)
        Two evaluations at `point`: what differs is noise already.
    direction : ndarray, shape (n,)
        Along which to look: a random one, of the natural size of a step.

    Returns
    -------
    ndarray, shape (m,)
        Noise of each output in its own units, at least its rounding. Costs 12
        evaluations where values behave like those of float64, 30 at most; 40 more where
        noise sets in above a spacing that showed none: see `noise_ceiling`.
    """

    def look(spacing: float) -> tuple[Floats, Floats, Booleans]:
        values = _values(evaluate, point, base, direction, spacing)
        with np.errstate(all="ignore"):
            return (values, *noise_from_differences(values))

    noise, found, spacing = np.zeros_like(base), np.zeros(base.shape, dtype=bool), 0.0
    still, least = np.zeros(base.shape, dtype=bool), np.full(base.shape, np.inf)
    smooth = np.zeros(base.shape, dtype=bool)
    for spacing in SPACINGS:
        values, sigma, seen = look(spacing)
        moved, both = _smallest_move(values)
        # Smooth values would have moved, by a hundredth, at the spacing before.
        sudden = still & ~found & (moved > UNMISSED * EPS * np.abs(base))
        least = np.where(sudden, np.minimum(least, moved), least)
        jumps = sudden & both
        noise = np.where(jumps, least, np.where(~found & seen, sigma, noise))
        found |= seen | jumps
        smooth |= ~found & (moved > 0)
        # A move on one side only may be a kink: both sides tell at the next spacing.
        still = (moved == 0) | (still & ~both)
        if found.all() or (spacing == WIDE_SPACING and not still.any()):
            break
    if spacing < WIDE_SPACING:
        _, wide, seen = look(WIDE_SPACING)
        jumpy = seen & (wide > JUMPY * noise)
        if jumpy.any():
            _, narrow, seen = look(NARROWER)
            jumpy &= seen & (narrow > AS_HIGH * wide)
            noise, smooth = np.where(jumpy, wide, noise), smooth | jumpy
    rounding = minimum_noise(base, repeat)
    if (smooth & (noise > OSCILLATING * rounding)).any():
        with np.errstate(all="ignore"):
            bend = sample(DirectionLine(evaluate, point, direction), base).bend
        noise = np.where(smooth, np.minimum(noise, noise_ceiling(bend, rounding)), noise)
    return np.asarray(np.maximum(noise, rounding))


def minimum_noise(base: Floats, repeat: Floats) -> Floats:
    """Return the rounding of outputs, or what they differ by when evaluated again.

    Below the normal numbers it is the smallest subnormal, not a share of the output.
    """
    rounding = np.maximum(EPS * np.abs(base), SUBNORMAL)
    return np.asarray(np.maximum(rounding, 2 * np.abs(base - repeat)))


def noise_ceiling(bend: Floats, least: Floats) -> Floats:
    """Bound the noise from above by how a function bends over ever smaller steps.

    An oscillation, or a plateau, looks like noise at spacings above the length on which the
    function varies; below, its bend falls with the square of the step, gradually, down to
    the noise. That of noise does not fall, and that of a jump falls at once.

    Parameters
    ----------
    bend : ndarray, shape (k, m)
        How far values at k steps, largest first and each a quarter of the one before, are
        from a straight line.
    least : ndarray, shape (m,)
        Rounding of the outputs: what lies below it drops for no reason.

    Returns
    -------
    ndarray, shape (m,)
        What the bend comes down to, going from the largest step on until it drops.

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
    before = np.arange(WITNESSES)[:, None]
    witnesses = np.take_along_axis(_visible(bend, least), np.clip(last - before, 0, None), axis=0)
    return np.asarray((witnesses / FALLS**before).max(axis=0))


def noise_floor(bend: Floats, least: Floats) -> Floats:
    """Bound the noise from below by tiny jumps that a function makes beyond the smallest steps.

    Where a bend is flat over two steps or more and then drops at once, values jump there.
    Jumps that are tiny beside what the function varies by are those of rounding, of terms
    that cancel, or of a tolerance; the slope between them is not that of the function.

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
    rungs = np.clip(last - np.arange(WITNESSES)[:, None], 0, None)
    # One of them may be small by chance.
    plateau = np.sort(np.take_along_axis(_visible(bend, least), rungs, axis=0), axis=0)[1:]
    largest = np.max(bend, axis=0, initial=0.0, where=np.isfinite(bend))
    flat = plateau.max(axis=0) <= FLAT * plateau.min(axis=0)
    tiny = plateau.max(axis=0) <= TINY_JUMP * largest
    return np.where(drops.any(axis=0) & flat & tiny, plateau.max(axis=0), 0.0)


def sudden_drops(bend: Floats, least: Floats) -> Booleans:
    """Tell behind which steps a bend drops by more than that of a smooth function does.

    Jumps show from the nearest on at all larger steps alike. A pole shows at one of them,
    and growth that is steep over large steps is ever steeper.

    Parameters
    ----------
    bend, least : ndarray
        See `noise_ceiling`.

    Returns
    -------
    ndarray of bool, shape (k - 1, m)
        Whether the bends at all smaller steps are that much smaller.
    """
    bend = _visible(bend, least)
    at, smaller = bend[:-1], np.maximum.accumulate(bend[:0:-1])[::-1]
    before = np.vstack([np.zeros_like(bend[:1]), bend[:-2]])
    larger = np.maximum.accumulate(before)
    steep = np.isinf(at) | (before > SUDDEN_DROP * at)
    # What bends by more than the output itself still has all of its own fall ahead.
    whole = (least > 0) & (smaller > least / EPS)
    return np.asarray((np.minimum(at, larger) > SUDDEN_DROP * smaller) & ~(steep | whole))


def _visible(bend: Floats, least: Floats) -> Floats:
    """Return bends, the rounding where there is nothing more to be seen of them."""
    return np.fmax(bend, least)


def _values(
    evaluate: Evaluate, point: Floats, base: Floats, direction: Floats, spacing: float
) -> Floats:
    """Evaluate at seven points along a line, the given one in the middle; shape (7, m)."""
    around = evaluate_along(evaluate, point, direction, (spacing * OFFSETS).tolist())
    return np.concatenate([around[:MIDDLE], base[None], around[MIDDLE:]])


def _smallest_move(values: Floats) -> tuple[Floats, Booleans]:
    """Return the smallest change from one of `values`, shape (7, m), to the next, 0 for none.

    Also returns whether they change on both sides of the middle; where they do on one
    side only that is perhaps a kink.
    """
    moves = np.abs(values[1:] - values[:-1])
    moving = moves > 0
    both = np.asarray(moving[:MIDDLE].any(axis=0) & moving[MIDDLE:].any(axis=0))
    smallest = np.where(moving, moves, np.inf).min(axis=0)
    return np.where(np.isfinite(smallest), smallest, 0.0), both


def noise_from_differences(values: Floats) -> tuple[Floats, Booleans]:
    """Read noise from the differences of `values`, shape (7, m), where they show some.

    A table is some eighty times as large as an output: of very many only parts are held.
    """
    read = [_read_table(values[:, part]) for part in chunks(0, max(values.shape[1], 1))]
    if len(read) == 1:
        return read[0]
    sigma, found = (np.concatenate(which) for which in zip(*read, strict=True))
    return sigma, found


def _read_table(values: Floats) -> tuple[Floats, Booleans]:
    size = np.abs(values).max(axis=0)
    size = np.where(np.isfinite(size) & (size > 0), size, 1.0)
    scaled = values / size
    outputs = values.shape[1]
    # Not as the product with a matrix: differences of what is close by are exact one by one.
    table, differences = np.empty((ROWS[-1][1], outputs)), scaled
    for first, last in ROWS:
        np.subtract(differences[1:], differences[:-1], out=table[first:last])
        differences = table[first:last]
    levels = np.sqrt(WEIGHTS * (np.add.reduceat(table**2, FIRSTS, axis=0) / COUNTS))
    below = np.minimum.reduceat(table, FIRSTS, axis=0) < 0
    alternates = below & (np.maximum.reduceat(table, FIRSTS, axis=0) > 0)
    some = levels[WINDOWS]
    lowest = some.min(axis=1)
    agree = (some.max(axis=1) <= AGREEMENT * lowest) & (lowest > 0) & alternates[: len(lowest)]
    found = agree.any(axis=0)
    sigma = np.where(found, levels[agree.argmax(axis=0), np.arange(outputs)], 0.0)
    # A table of few values that bend on one side only is read at a wider spacing.
    found &= _cleaner_side(table[slice(*ROWS[1])]) >= CLEAN * sigma
    return sigma * size, found


def are_smooth(values: Floats) -> Booleans:
    """Tell where `values`, shape (7, m), are smooth to the last digit, all of them moving.

    Rounding is noise, but seven values may all be rounded alike; then a table shows none.
    """
    rounding = EVEN * EPS * np.abs(values).max(axis=0)
    moves = np.abs(np.diff(values, axis=0)).min(axis=0) > UNMISSED * rounding
    return np.asarray(moves & (np.abs(np.diff(values, n=3, axis=0)).max(axis=0) <= rounding))


def _cleaner_side(bends: Floats) -> Floats:
    """Return the bend of the straighter half of values, from their second differences.

    Noise is on both sides of the point. Where one side is straight, what the
    table shows is a kink or a jump at the point.
    """
    bends = np.abs(bends)
    return np.asarray(np.minimum(bends[: MIDDLE - 1].max(axis=0), bends[1 - MIDDLE :].max(axis=0)))


#: Noise of more than so many roundings is looked at group by group.
ODD = 1e4

#: So many segments are looked at by themselves; more are halved as long as one half is quieter.
FEW = 8

#: A group has a noise of its own where it is this much less than that of all.
QUIETER = 0.1

#: Relative steps to the places where a jump at the point shows, so many times the noise that
#: values to one side differ by, or the rounding; and up to how many coordinates are tried.
NEAR = (1e-11, 3e-11)
JUMPS = 100.0
MOST = 2500


@dataclass(frozen=True, slots=True)
class NoiseGroup:
    """Coordinates with a noise of their own.

    Attributes
    ----------
    indices : ndarray of int, shape (k,)
        The coordinates, ascending.
    noise : ndarray, shape (m,)
        Noise of each output when these are moved.
    """

    indices: Indices
    noise: Floats


@dataclass(frozen=True, slots=True)
class _Lines:
    """Lines through the point along which some coordinates move."""

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
            direction=self._of(indices),
        )

    def jumps(self, indices: Indices) -> bool:
        """Tell whether an output jumps at the point when some coordinates move, two a side."""
        steps = [side * step for side in (1.0, -1.0) for step in NEAR]
        values = evaluate_along(self.evaluate, self.point, self._of(indices), steps)
        with np.errstate(all="ignore"):
            gap = np.abs(values - self.base).reshape(2, len(NEAR), -1)
            spread = np.ptp(values.reshape(2, len(NEAR), -1), axis=1)
            least = minimum_noise(self.base, self.repeat)
            return bool((gap.min(axis=1) > JUMPS * np.maximum(spread, least)).any())

    def _of(self, indices: Indices) -> Floats:
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
    most: int = MOST,
) -> list[NoiseGroup]:
    """Tell which coordinates have a noise of their own.

    Parameters
    ----------
    evaluate, point, base, repeat, direction
        As for `estimate_noise`; the direction moves all coordinates.
    noise : ndarray, shape (m,)
        The noise along it.
    segments : sequence of (start, stop)
        Coordinates that belong together.
    most : int
        Coordinates of a segment up to which each is looked at by itself, where it jumps.

    Returns
    -------
    list of NoiseGroup
        Together all coordinates; none, at no cost, where the noise along all is that of
        rounding. Else one estimate for each segment, up to eight, or for halves of them, and
        where a segment jumps at the point two evaluations for each of its coordinates.
    """
    if point.size < 2 or not (noise > ODD * minimum_noise(base, repeat)).any():
        return []
    lines = _Lines(evaluate, point, base, repeat, direction)
    arrays = [np.arange(start, stop) for start, stop in segments if stop > start]
    whole = NoiseGroup(np.arange(point.size), noise)
    groups = [
        part
        for group in (_split(lines, arrays, noise) if len(arrays) > 1 else [whole])
        for part in _without_jumps(lines, group, most)
    ]
    quieter = [group for group in groups if _is_quieter(group, noise)]
    loud = [group.indices for group in groups if not _is_quieter(group, noise)]
    rest = [NoiseGroup(np.sort(np.concatenate(loud)), noise)] if loud else []
    return [*quieter, *rest]


def _split(lines: _Lines, arrays: Sequence[Indices], noise: Floats) -> list[NoiseGroup]:
    """Estimate the noise of parts, of few each by itself, of many in halves."""
    if len(arrays) <= FEW:
        return [NoiseGroup(part, lines.noise(part)) for part in arrays]
    middle = len(arrays) // 2
    halves = [(half, np.concatenate(half)) for half in (arrays[:middle], arrays[middle:])]
    found = [(half, NoiseGroup(joined, lines.noise(joined))) for half, joined in halves]
    if not any(_is_quieter(group, noise) for _, group in found):
        return [group for _, group in found]
    return [
        group
        for half, whole in found
        for group in ([whole] if _is_quieter(whole, noise) else _split(lines, half, noise))
    ]


def _is_quieter(group: NoiseGroup, noise: Floats) -> bool:
    return bool(np.any(group.noise < QUIETER * noise))


def _without_jumps(lines: _Lines, group: NoiseGroup, most: int) -> list[NoiseGroup]:
    """Part the coordinates at which an output jumps from the others of a group."""
    indices = group.indices
    least = ODD * minimum_noise(lines.base, lines.repeat)
    if not 1 < indices.size <= most or not np.any(group.noise > least):
        return [group]
    if not lines.jumps(indices):
        return [group]
    jumpy: Booleans = np.array([lines.jumps(indices[k : k + 1]) for k in range(indices.size)])
    if jumpy.all():
        return [group]
    quiet = indices[~jumpy]
    return [NoiseGroup(indices[jumpy], group.noise), NoiseGroup(quiet, lines.noise(quiet))]
