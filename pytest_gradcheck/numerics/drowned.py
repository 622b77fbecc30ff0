"""Coordinates whose derivative drowns in noise: moved together, or one by one but further.

It must not judge a claim; it finds larger steps that show more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pytest_gradcheck.numerics.block import CLEAR, Block
from pytest_gradcheck.numerics.doubts import UNCLEAR
from pytest_gradcheck.numerics.measurement import Booleans, Floats, Indices
from pytest_gradcheck.numerics.narrower import NARROWER, look_narrower
from pytest_gradcheck.numerics.pairs import Pairs
from pytest_gradcheck.numerics.together import bound_together

__all__ = ["Drowned", "look_further", "look_wider"]

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
class Drowned:
    """Coordinates that agree with their claims as far as noise lets them, not far enough.

    Attributes
    ----------
    indices : ndarray of int, shape (k,)
        The coordinates.
    step : ndarray, shape (k,)
        The largest absolute step they were looked at with.
    faint : ndarray of bool, shape (k,)
        Which are claimed to do nothing that could be told from noise.
    """

    indices: Indices
    step: Floats
    faint: Booleans

    def take(self, rows: Booleans) -> Drowned:
        """Return some of them."""
        return Drowned(self.indices[rows], self.step[rows], self.faint[rows])

    @classmethod
    def joined(cls, parts: Sequence[Drowned]) -> Drowned:
        """Put some of them together."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            np.concatenate([part.indices for part in parts]),
            np.concatenate([part.step for part in parts]),
            np.concatenate([part.faint for part in parts]),
        )


def look_further(
    block: Block, drowned: Drowned, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Look at drowned coordinates all together, then further at those still drowned.

    Parameters
    ----------
    block : Block
        The coordinates with their claims; takes what is found.
    drowned : Drowned
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
        if not _look_together(block, drowned.faint, rng):
            _look_in_halves(block, drowned.faint, rng)
        rows = block.unresolved(drowned.faint)
        block, drowned = block.take(rows), drowned.take(rows)
    if drowned.indices.size:
        doubt[rows], scale[rows] = look_wider(block, drowned.step, drowned.faint)
    return doubt, scale


def _look_together(block: Block, faint: Booleans, rng: np.random.Generator) -> bool:
    """Bound the errors of claims about coordinates that show little, all at once.

    Where some of them are off, or move the function by more from afar, halves are
    looked at by themselves, as long as one of two needs no further look. Returns
    whether this one does not.
    """
    found, indices = block.found, block.indices
    off = bound_together(block.function, indices, block.claim, rng)
    value = np.clip(found.value[indices], block.claim - off, block.claim + off)
    bound = off + np.abs(value - block.claim)
    block.write(bound < found.bound[indices], value, bound, found.step[indices])
    return not block.unresolved(faint).any()


def _look_in_halves(block: Block, faint: Booleans, rng: np.random.Generator) -> None:
    """Find the coordinates that need a look of their own among many that do not."""
    middle = block.indices.size // 2
    if middle < SMALLEST_GROUP:
        return
    halves = (slice(None, middle), slice(middle, None))
    open_ = [h for h in halves if not _look_together(block.take(h), faint[h], rng)]
    if len(open_) == 1:
        _look_in_halves(block.take(open_[0]), faint[open_[0]], rng)


def _wider_steps(block: Block, first: Floats, faint: Booleans) -> Iterator[tuple[Floats, Floats]]:
    """Yield ever wider steps, each with the reach that its curvature is estimated from.

    Most often the noise is large; but a coordinate may also be tiny for no
    reason (1e-200 where 0 would do), and then its size is no scale for it. One
    that should do nothing may go far at once.
    """
    widest = WIDEST * block.scale
    yield np.where(faint, widest, np.minimum(WIDER * first, widest)), block.scale
    typical = block.function.scales.typical(block.indices)
    yield WIDER_STEP * typical, typical
    yield np.full(typical.shape, WIDER_STEP), np.ones(typical.shape)
    for reach in (block.scale, typical, np.maximum(typical, 1.0)):
        yield WIDEST * reach, reach


def look_wider(block: Block, first: Floats, faint: Booleans) -> tuple[Floats, Floats]:
    """Look again with larger steps where the first one showed only noise of all of a block.

    What a larger step shows clearly, and is not what was claimed, is in doubt;
    so is what neither it shows nor a narrower one beside it. Returns doubts and the
    scales of ladders.
    """
    doubt, scale, last = np.zeros(first.shape), block.scale.copy(), first.copy()
    unclear = np.ones(first.shape, dtype=bool)
    for wider, reach in _wider_steps(block, first, faint):
        rows = np.flatnonzero((wider > 2 * last) & unclear)
        if not rows.size:
            continue
        part = block.take(rows)
        pairs = part.pairs(wider[rows])
        part.move(~pairs.still)
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
        last[rows[_look_closer(part, pairs, faint[rows])]] = np.inf
        unclear = (doubt == 0) & block.unresolved(faint)
        if not unclear.any():
            return doubt, scale
    typical = block.function.scales.typical(block.indices)
    scale[unclear] = np.maximum(typical, 1.0)[unclear]
    return np.where(unclear, UNCLEAR, doubt), scale


def _look_closer(block: Block, wide: Pairs, faint: Booleans) -> Booleans:
    """Look again with a smaller step where curvature hides a derivative, and no longer noise.

    Returns where it is so: still larger steps would show no more.
    """
    size, error = block.size(wide), np.abs(wide.value - block.claim)
    known = block.resolved(faint)
    quiet = known | (QUIETER * wide.noise <= CLEAR * size)
    close = quiet & (known | (error <= EXTRAPOLATED * CLEAR * size))
    rows = np.flatnonzero(close.all(axis=1) & ~known.all(axis=1))
    if rows.size:
        part = block.take(rows)
        both = look_narrower(part, wide.take(rows))
        better = both.agrees & (both.bound < part.found.bound[part.indices])
        part.write(better, both.value, both.bound, both.pairs.step)
    return np.asarray(quiet.all(axis=1))
