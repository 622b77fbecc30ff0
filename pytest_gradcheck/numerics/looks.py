"""Looks at a block of coordinates by central pairs: a first, a narrower, a wider one.

It must not judge a claim. It is told the claims because a measurement that
agrees with an independent figure needs no second look, and others do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pytest_gradcheck.numerics.block import CALM, CLEAR, Block, curvature
from pytest_gradcheck.numerics.function import Function
from pytest_gradcheck.numerics.measurement import Booleans, Floats, Indices, Measurement, Status
from pytest_gradcheck.numerics.pairs import Pairs, balanced_steps, measure_shifted
from pytest_gradcheck.numerics.together import bound_together

__all__ = ["Look", "look"]

#: Fewer coordinates than these are not worth moving together.
SMALLEST_GROUP = 8

#: How much larger the step of a second look is, where the first shows only noise.
WIDER = 30.0
WIDEST = 0.1

#: Where even that shows only noise: a step in units of the array's typical scale, then of 1.
WIDER_STEP = 1e-4

#: How much smaller it is where the first shows something else than the claim.
NARROWER = 4.0

#: A bound from two pairs is widened by this, lacking a third to confirm it.
BRIEF_MARGIN = 4.0

#: A kink shows the same bend at both steps, far above the noise.
SAME_BEND = 0.1
VISIBLE_BEND = 12.0

#: Keeps a ratio finite, and a doubt without any error a doubt.
TINY = 1e-300


@dataclass(frozen=True, slots=True)
class Look:
    """What looks at k coordinates left to be said.

    Attributes
    ----------
    doubt : ndarray, shape (k,)
        How far a coordinate is from its claim, in units of what was measured; 0
        for one that is settled.
    scale : ndarray, shape (k,)
        What the steps of a ladder should be measured in.
    apart : ndarray of bool, shape (k,)
        Whether it is further from its claim than noise and curvature explain,
        be that allowed or not.
    """

    doubt: Floats
    scale: Floats
    apart: Booleans


def look(
    function: Function,
    indices: Indices,
    claim: Floats,
    *,
    agreement: float,
    found: Measurement,
    rng: np.random.Generator,
) -> Look:
    """Measure a block of coordinates by pairs, two evaluations for each that agrees.

    Parameters
    ----------
    function : Function
        What is measured.
    indices : ndarray of int, shape (k,)
        The coordinates.
    claim : ndarray, shape (k, m)
        Their claimed derivatives.
    agreement : float
        Relative difference at which claim and measurement agree.
    found : Measurement
        Takes values and bounds.
    rng : numpy.random.Generator
        Draws weights where coordinates are moved together.

    Returns
    -------
    Look
        The doubts that are left. Coordinates cost two evaluations more where
        curvature hides that they agree, and up to six where noise does.
    """
    block = Block(function, indices, claim, function.scales.own(indices), agreement, found)
    first = block.pairs(balanced_steps(function, claim, block.scale))
    error = np.abs(first.value - claim)
    faint = block.faint()
    flat = 2 * first.noise + np.where(faint[:, None], block.bends(first.step), 0.0)
    quiet = (error <= first.noise) & (np.abs(first.bend) <= flat)
    curved = block.curved(first, block.scale)
    hidden = np.minimum(agreement, curved) * block.size(first)
    apart = (error > first.noise + curved * block.size(first)).any(axis=1)
    everywhere = np.ones(claim.shape, dtype=bool)
    block.write(everywhere, first.value, first.noise + error + hidden, first.step)

    doubt, scale = np.zeros(indices.shape), block.scale.copy()
    doubtful = ~(block.agrees(first) | quiet)
    right, left = (np.isfinite(side).all(axis=1) for side in (first.right, first.left))
    edge = np.asarray(right ^ left)
    if edge.any():
        doubt[edge] = _look_inside(block.take(edge), first.take(edge))
    differ = np.asarray(doubtful.any(axis=1)) & ~edge
    if differ.any():
        doubt[differ] = _look_narrower(block.take(differ), first.take(differ), doubtful[differ])
    faint &= ~differ & ~edge
    if faint.any():
        _look_together(block.take(faint), rng)
    drowned = block.unresolved(faint) & ~differ & ~edge
    if drowned.any():
        doubt[drowned], scale[drowned] = _look_wider(
            block.take(drowned), first.step[drowned], faint[drowned]
        )
    return Look(doubt, scale, np.where(differ | edge, doubt > 0, apart))


def _look_inside(block: Block, first: Pairs) -> Floats:
    """Look again to the side where the function is defined, where the other is outside.

    Slopes at two steps give the derivative at the edge, with an error of the
    second order as central differences have it.
    """
    function, found, indices = block.function, block.found, block.indices
    inside = np.where(np.isfinite(first.right).all(axis=1), 1.0, -1.0)
    whole = np.where(inside[:, None] > 0, first.right, first.left)
    taken, outputs = measure_shifted(function, indices, inside * first.step / 2)
    half = (outputs - function.base) / taken[:, None]
    value, bend = 2 * half - whole, half - whole
    noise = 2 * first.noise
    error, size = np.abs(value - block.claim), np.maximum(np.abs(value), np.abs(block.claim))
    curved = curvature(first.step, block.scale, bend, size)
    calm = np.abs(bend) <= CALM * size + noise
    near = error <= np.maximum(block.agreement * size, noise)
    settled = calm & near & (noise <= CLEAR * size)
    bound = np.where(settled, noise + error, BRIEF_MARGIN * (noise + np.abs(bend)))
    block.write(np.ones(value.shape, dtype=bool), value, bound + curved * size, first.step / 2)
    found.status[indices] = np.where(settled, Status.EDGE, Status.BRIEF)
    excess = np.where(np.isfinite(error), error / np.maximum(noise, TINY), np.inf)
    return np.asarray(np.where(settled, 0.0, np.maximum(excess, TINY)).max(axis=1))


def _look_together(block: Block, rng: np.random.Generator) -> None:
    """Bound derivatives that are claimed to vanish, and seem to, all at once.

    Where some of them do move the function, from afar perhaps, halves are looked
    at by themselves: most of the others then still need no look of their own.
    """
    found, indices = block.found, block.indices
    bound = bound_together(block.function, indices, rng) + np.abs(block.claim)
    closer = bound < found.bound[indices]
    block.write(closer, np.zeros_like(bound), bound, found.step[indices])
    everyone = np.ones(indices.shape, dtype=bool)
    if indices.size >= 2 * SMALLEST_GROUP and block.unresolved(everyone).any():
        middle = indices.size // 2
        _look_together(block.take(slice(None, middle)), rng)
        _look_together(block.take(slice(middle, None)), rng)


def _look_narrower(block: Block, first: Pairs, doubtful: Booleans) -> Floats:
    """Look again with a smaller step where the first one differs from the claim.

    Curvature shrinks away and the extrapolated value then agrees. What does
    not is left with a bound that can stand where no ladder will be spent.
    """
    found, indices, claim = block.found, block.indices, block.claim
    second = block.pairs(first.step / NARROWER)
    value = second.value + (second.value - first.value) / (NARROWER**2 - 1)
    spread = np.abs(value - second.value) + 1.1 * second.noise
    error = np.abs(value - claim)
    size = np.maximum(np.abs(value), np.abs(claim))
    shrinks = np.abs(second.bend) <= np.abs(first.bend) / 2 + second.noise
    near = error <= np.maximum(block.agreement * size, spread)
    settled = shrinks & near & (spread <= CLEAR * size)
    brief = BRIEF_MARGIN * (spread + np.where(shrinks, 0.0, np.abs(second.bend)))
    block.write(doubtful, value, np.where(settled, spread + error, brief), second.step)
    unsettled = doubtful & ~settled
    found.status[indices] = np.where(unsettled, Status.BRIEF, found.status[indices])
    bent = np.abs(first.bend - second.bend) <= SAME_BEND * np.abs(first.bend)
    kinked = unsettled & bent & (np.abs(second.bend) > VISIBLE_BEND * second.noise)
    for row, output in np.argwhere(kinked).tolist():
        half = abs(float(second.bend[row, output])) / 2 + float(spread[row, output])
        middle = float(second.value[row, output])
        found.keep_kink(int(indices[row]), output, (middle - half, middle + half))
    excess = np.where(np.isfinite(error), error / np.maximum(spread, TINY), np.inf)
    return np.asarray(np.where(unsettled, np.maximum(excess, TINY), 0.0).max(axis=1))


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


def _look_wider(block: Block, first: Floats, faint: Booleans) -> tuple[Floats, Floats]:
    """Look again with larger steps where the first one showed only noise.

    What a larger step shows clearly, and is not what was claimed, is in doubt;
    so is what it does not show either. Returns doubts and the scales of ladders.
    """
    doubt, scale, last = np.zeros(first.shape), block.scale.copy(), first.copy()
    for wider, reach in _wider_steps(block, first, faint):
        rows = np.flatnonzero((wider > 2 * last) & (doubt == 0) & block.unresolved(faint))
        if not rows.size:
            continue
        part = block.take(rows)
        pairs = part.pairs(wider[rows])
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
        doubt[rows] = np.where(differs, error / np.maximum(pairs.noise, TINY), 0.0).max(axis=1)
        scale[rows] = np.where(doubt[rows] > 0, pairs.step / WIDEST, scale[rows])
        last[rows] = pairs.step
    unclear = (doubt == 0) & block.unresolved(faint)
    typical = block.function.scales.typical(block.indices)
    scale[unclear] = np.maximum(scale, typical)[unclear]
    return np.where(unclear, TINY, doubt), scale
