"""Coordinates whose derivative drowns in noise: moved together, or one by one but further.

It must not judge a claim; it finds larger steps that show more.
"""

# MERGED Coordinates that show little one by one: dead units, unused entries, small ones among
# large.
#
# It must not look at one coordinate at a time: moving all of them at once, and
# far, shows in a few evaluations whether any of their claims is off.

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pytest_gradcheck.numerics.central_difference import NOISE_FACTOR, CentralPairs
from pytest_gradcheck.numerics.coordinate_block import CLEAR, UNCLEAR, Block
from pytest_gradcheck.numerics.function import Function
from pytest_gradcheck.numerics.measurement import EPS, Booleans, Floats, Indices
from pytest_gradcheck.numerics.random_directions import signed_direction
from pytest_gradcheck.numerics.refinement import NARROWER, extrapolate_pairs

__all__ = [
    "NoiseDominated",
    "bound_jointly",
    "measure_noise_dominated",
    "measure_with_wider_steps",
]


#: How far all of them are moved, in units of their scales: near enough one of
#: them that a unit that is off stays off.
REACHES = (0.3, 0.1, 0.1 / 3)

#: Each is this many times smaller than the one before.
RATIO = 3.0

#: How many directions have to agree that no claim is off.
DIRECTIONS = 2

#: No coordinate moves by less than this share of its scale.
LEAST = 0.5


def bound_jointly(
    function: Function, indices: Indices, claim: Floats, rng: np.random.Generator
) -> Floats:
    """Bound how far claims are off by moving all their coordinates at once.

    A step that is safe for one coordinate may show nothing but noise. Coordinates
    that do little can be moved far, and together; random weights keep what is wrong
    with one from cancelling what is wrong with another.

    Parameters
    ----------
    function : Function
        What is measured.
    indices : ndarray of int, shape (k,)
        Coordinates that showed nothing against their claims by themselves.
    claim : ndarray, shape (k, m)
        Their claimed derivatives.
    rng : numpy.random.Generator
        Draws the weights.

    Returns
    -------
    ndarray, shape (k, m)
        Bounds on the error of each claim; infinite where together they are off, by
        more than noise explains. Costs six evaluations, and six along another
        direction to confirm that nothing cancels by chance.
    """
    scale = function.scales.meaningful(indices)
    least = np.zeros_like(function.base)
    for _ in range(DIRECTIONS):
        direction = signed_direction(scale, rng)
        least = np.maximum(least, _off(function, indices, claim, direction))
        if not np.isfinite(least).any():
            break
    return np.asarray(least / (LEAST * scale[:, None]))


def _off(function: Function, indices: Indices, claim: Floats, direction: Floats) -> Floats:
    """Bound how far claims are off along a direction, infinite where they clearly are."""
    right = _moved(function, indices, direction, 1.0)
    left = _moved(function, indices, direction, -1.0)
    reach = np.array(REACHES)[:, None]
    slope = (right - left) / (2 * reach)
    finer = slope[1:] + (slope[1:] - slope[:-1]) / (RATIO**2 - 1)
    apart = np.abs(finer[1] - finer[0])
    doubt = np.stack([apart, np.fmin(apart, np.abs(finer[1] - slope[2]))])
    doubt += NOISE_FACTOR * function.noise / reach[1:] + EPS * np.abs(direction) @ np.abs(claim)
    off = np.abs(finer - direction @ claim)
    return np.asarray(np.min(np.where(off <= doubt, off + doubt, np.inf), axis=0))


def _moved(function: Function, indices: Indices, direction: Floats, sign: float) -> Floats:
    """Evaluate with some coordinates moved to each reach, in place; shape (reaches, m)."""
    point, here = function.point, function.point[indices]

    def places() -> Iterator[Floats]:
        for reach in REACHES:
            point[indices] = here + sign * reach * direction
            yield point

    try:
        return function.evaluate(places())
    finally:
        point[indices] = here


#: Fewer coordinates than these are not worth moving together.
SMALLEST_GROUP = 2

#: How much larger the step of a second look is, where the first shows only noise.
WIDER = 30.0
WIDEST = 0.1

#: Where even that shows only noise: a step in units of the array's typical scale, and of 1.
WIDER_STEP = 1e-4

#: At a narrower step noise is so many times as large, with room, and so much of an error by
#: curvature is extrapolated away.
QUIETER = 2.0 * NARROWER
EXTRAPOLATED = NARROWER**2 / 2


@dataclass(frozen=True, slots=True)
class NoiseDominated:
    """Coordinates that agree with their claims as far as noise lets them, not far enough.

    Attributes
    ----------
    indices : ndarray of int, shape (k,)
        The coordinates.
    step : ndarray, shape (k,)
        The largest absolute step they were looked at with.
    negligible : ndarray of bool, shape (k,)
        Which are claimed to do nothing that could be told from noise.
    """

    indices: Indices
    step: Floats
    negligible: Booleans

    def take(self, rows: Booleans) -> NoiseDominated:
        """Return some of them."""
        return NoiseDominated(self.indices[rows], self.step[rows], self.negligible[rows])

    @classmethod
    def joined(cls, parts: Sequence[NoiseDominated]) -> NoiseDominated:
        """Put some of them together."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            np.concatenate([part.indices for part in parts]),
            np.concatenate([part.step for part in parts]),
            np.concatenate([part.negligible for part in parts]),
        )


def measure_noise_dominated(
    block: Block, drowned: NoiseDominated, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Look at drowned coordinates all together, then further at those still drowned.

    Parameters
    ----------
    block : Block
        The coordinates with their claims; takes what is found.
    drowned : NoiseDominated
        The same coordinates, with how they were looked at.
    rng : numpy.random.Generator
        Draws the weights they are moved together with.

    Returns
    -------
    doubt : ndarray, shape (k,)
        The doubt that is left about each, 0 for none.
    scale : ndarray, shape (k,)
        What the steps of a ladder should be measured in. Costs twelve evaluations
        where that settles all of them, up to fourteen more for each of those that it does not.
    """
    doubt, scale = np.zeros(block.scale.shape), block.scale.copy()
    rows: Booleans | slice = slice(None)
    if doubt.size >= SMALLEST_GROUP:
        if not _look_together(block, drowned.negligible, rng):
            _look_in_halves(block, drowned.negligible, rng)
        rows = block.unresolved(drowned.negligible)
        block, drowned = block.take(rows), drowned.take(rows)
    if drowned.indices.size:
        doubt[rows], scale[rows] = measure_with_wider_steps(
            block, drowned.step, drowned.negligible
        )
    return doubt, scale


def _look_together(block: Block, negligible: Booleans, rng: np.random.Generator) -> bool:
    """Bound the errors of claims about coordinates that show little, all at once.

    Where some of them are off, or move the function by more from afar, halves are
    looked at by themselves, as long as one of two needs no further look. Returns
    whether this one does not.
    """
    found, indices = block.found, block.indices
    off = bound_jointly(block.function, indices, block.claim, rng)
    value = np.clip(found.value[indices], block.claim - off, block.claim + off)
    bound = off + np.abs(value - block.claim)
    block.write(bound < found.bound[indices], value, bound, found.step[indices])
    return not block.unresolved(negligible).any()


def _look_in_halves(block: Block, negligible: Booleans, rng: np.random.Generator) -> None:
    """Find the coordinates that need a look of their own among many that do not."""
    middle = block.indices.size // 2
    if middle < SMALLEST_GROUP:
        return
    halves = (slice(None, middle), slice(middle, None))
    open_ = [h for h in halves if not _look_together(block.take(h), negligible[h], rng)]
    if len(open_) == 1:
        _look_in_halves(block.take(open_[0]), negligible[open_[0]], rng)


def _wider_steps(
    block: Block, first: Floats, negligible: Booleans
) -> Iterator[tuple[Floats, Floats]]:
    """Yield ever wider steps, each with the reach that its curvature is estimated from.

    Most often the noise is large; but a coordinate may also be tiny for no
    reason (1e-200 where 0 would do), and then its size is no scale for it. One
    that should do nothing may go far at once.
    """
    widest = WIDEST * block.scale
    yield np.where(negligible, widest, np.minimum(WIDER * first, widest)), block.scale
    typical = block.function.scales.typical(block.indices)
    yield WIDER_STEP * typical, typical
    yield np.full(typical.shape, WIDER_STEP), np.ones(typical.shape)
    for reach in (block.scale, typical, np.maximum(typical, 1.0)):
        yield WIDEST * reach, reach


def measure_with_wider_steps(
    block: Block, first: Floats, negligible: Booleans
) -> tuple[Floats, Floats]:
    """Look again with larger steps where the first one showed only noise of all of a block.

    What a larger step shows clearly, and is not what was claimed, is in doubt;
    so is what neither it shows nor a narrower one beside it. Returns doubts and the
    scales of ladders.
    """
    doubt, scale, last = np.zeros(first.shape), block.scale.copy(), first.copy()
    unclear = np.ones(first.shape, dtype=bool)
    for wider, reach in _wider_steps(block, first, negligible):
        rows = np.flatnonzero((wider > 2 * last) & unclear)
        if not rows.size:
            continue
        part = block.take(rows)
        pairs = part.pairs(wider[rows])
        part.move(~pairs.unchanged)
        error, size = np.abs(pairs.value - part.claim), part.size(pairs)
        curved = part.curved(pairs, reach[rows])
        agrees = part.agrees(pairs)
        near = error <= np.maximum(pairs.noise, curved * size)
        hidden = np.where(agrees, np.minimum(part.agreement, curved), curved) * size
        bound = pairs.noise + error + hidden
        better = (agrees | near) & (bound < part.found.bound[part.indices])
        part.write(better, pairs.value, bound, pairs.step)
        clear = pairs.noise <= CLEAR * size
        differs = ~better & ~near & clear & (error > part.agreement * size)
        doubt[rows] = np.where(differs, error / np.maximum(pairs.noise, UNCLEAR), 0.0).max(axis=1)
        scale[rows] = np.where(doubt[rows] > 0, pairs.step / WIDEST, scale[rows])
        last[rows] = pairs.step
        last[rows[_look_closer(part, pairs, negligible[rows])]] = np.inf
        unclear = (doubt == 0) & block.unresolved(negligible)
        if not unclear.any():
            return doubt, scale
    typical = block.function.scales.typical(block.indices)
    scale[unclear] = np.maximum(typical, 1.0)[unclear]
    return np.where(unclear, UNCLEAR, doubt), scale


def _look_closer(block: Block, wide: CentralPairs, negligible: Booleans) -> Booleans:
    """Look again with a smaller step where curvature hides a derivative, and no longer noise.

    Returns where it is so: still larger steps would show no more.
    """
    size, error = block.size(wide), np.abs(wide.value - block.claim)
    known = block.resolved(negligible)
    quiet = known | (QUIETER * wide.noise <= CLEAR * size)
    close = quiet & (known | (error <= EXTRAPOLATED * CLEAR * size))
    rows = np.flatnonzero(close.all(axis=1) & ~known.all(axis=1))
    if rows.size:
        part = block.take(rows)
        both = extrapolate_pairs(part, wide.take(rows))
        better = both.agrees & (both.bound < part.found.bound[part.indices])
        part.write(better, both.value, both.bound, both.pairs.step)
    return np.asarray(quiet.all(axis=1))
