"""Looks at a block of coordinates by central pairs: a first, a narrower, a wider one.

It must not judge a claim. It is told the claims because a measurement that
agrees with an independent figure needs no second look, and others do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pytest_gradcheck.numerics.function import Function
from pytest_gradcheck.numerics.measurement import Booleans, Floats, Indices, Measurement, Status
from pytest_gradcheck.numerics.pairs import Pairs, balanced_steps, measure_pairs
from pytest_gradcheck.numerics.together import bound_together

__all__ = ["Look", "look"]

#: A derivative is resolved when its bound is below this share of it: an error of
#: five times the share is then seen, whatever the signs ...
CLEAR = 2e-4

#: ... or as far as the function shows anything at all: when the bound, over a step
#: of the coordinate's scale, is this many times the noise; one that is zero, beside
#: others that are not, when it is below this share of the output.
FLOOR = 100.0
SHARE = 1e-9

#: Coordinates below this may be small for no reason: 1 is a scale that many mean.
UNITY = 1e-3

#: A pair is calm when its slopes left and right differ by less than this share.
CALM = 1e-3

#: Fewer coordinates than these are not worth moving together.
SMALLEST_GROUP = 8

#: How much larger the step of a second look is, where the first shows only noise.
WIDER = 30.0
WIDEST = 0.1

#: Where even that shows only noise: a step in units of the array's typical scale, then of 1.
WIDER_STEP = 1e-4

#: How much smaller it is where the first shows something else than the claim.
NARROWER = 4.0

#: What curvature may do to a difference over a relative step of 1: so much, relatively.
CURVED = 3.0

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


@dataclass(frozen=True, slots=True)
class _Block:
    """Coordinates that are looked at together: their claims, and where results go.

    Attributes
    ----------
    function : Function
        What is measured.
    indices : ndarray of int, shape (k,)
        The coordinates.
    claim : ndarray, shape (k, m)
        Their claimed derivatives.
    scale : ndarray, shape (k,)
        Their scales.
    agreement : float
        Relative difference at which claim and measurement agree.
    found : Measurement
        Results by coordinate of the whole point, written to.
    """

    function: Function
    indices: Indices
    claim: Floats
    scale: Floats
    agreement: float
    found: Measurement

    def take(self, rows: Booleans | Indices | slice) -> _Block:
        """Return some of the coordinates."""
        return _Block(
            self.function,
            self.indices[rows],
            self.claim[rows],
            self.scale[rows],
            self.agreement,
            self.found,
        )

    def pairs(self, steps: Floats) -> Pairs:
        """Measure central pairs at absolute steps."""
        return measure_pairs(self.function, self.indices, steps)

    def size(self, pairs: Pairs) -> Floats:
        """Return how large derivatives are, as claimed or measured."""
        return np.asarray(np.maximum(np.abs(self.claim), np.abs(pairs.value)))

    def curved(self, pairs: Pairs, reach: Floats) -> Floats:
        """Estimate what curvature does to pairs, relatively: from step and reach, and the bend."""
        size = self.size(pairs)
        bends = pairs.bend / np.where(size > 0, size, np.inf)
        return np.asarray(CURVED * (pairs.step / reach)[:, None] ** 2 + bends**2)

    def agrees(self, pairs: Pairs) -> Booleans:
        """Tell where pairs agree with the claim and show neither noise nor a bend."""
        size = self.size(pairs)
        near = np.abs(pairs.value - self.claim) <= self.agreement * size
        calm = np.abs(pairs.bend) <= CALM * size + pairs.noise
        return np.asarray(near & calm & (pairs.noise <= CLEAR * size))

    def faint(self) -> Booleans:
        """Tell which coordinates are claimed to do nothing that could be told from noise."""
        moves = np.abs(self.claim) * self.function.scales.meaningful(self.indices)[:, None]
        return np.asarray((moves <= FLOOR * self.function.noise).all(axis=1))

    def unresolved(self, faint: Booleans) -> Booleans:
        """Tell which coordinates have a derivative that is not known well enough yet."""
        value, bound = self.found.value[self.indices], self.found.bound[self.indices]
        size = np.maximum(np.abs(self.claim), np.abs(value))
        scale = self.function.scales.meaningful(self.indices)[:, None]
        # A claim that is not zero, and yet moves nothing over its scale, has another scale.
        shown = bound * np.where(self.claim == 0, scale, np.maximum(scale, UNITY))
        beside = np.where(self.claim == 0, SHARE * np.abs(self.function.base), 0.0)
        least = np.maximum(FLOOR * self.function.noise, np.where(faint[:, None], 0.0, beside))
        return ~np.asarray(((bound <= CLEAR * size) | (shown <= least)).all(axis=1))

    def write(self, where: Booleans, value: Floats, bound: Floats, step: Floats) -> None:
        """Replace what was found, where told; the step of a coordinate is that of its last."""
        found, indices = self.found, self.indices
        found.value[indices] = np.where(where, value, found.value[indices])
        found.bound[indices] = np.where(where, bound, found.bound[indices])
        found.step[indices] = np.where(where.any(axis=1), step, found.step[indices])


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
    block = _Block(function, indices, claim, function.scales.own(indices), agreement, found)
    first = block.pairs(balanced_steps(function, claim, block.scale))
    error = np.abs(first.value - claim)
    quiet = (error <= first.noise) & (np.abs(first.bend) <= 2 * first.noise)
    curved = block.curved(first, block.scale)
    hidden = np.minimum(agreement, curved) * block.size(first)
    apart = (error > first.noise + curved * block.size(first)).any(axis=1)
    everywhere = np.ones(claim.shape, dtype=bool)
    block.write(everywhere, first.value, first.noise + error + hidden, first.step)

    doubt, scale = np.zeros(indices.shape), block.scale.copy()
    doubtful = ~(block.agrees(first) | quiet)
    differ = np.asarray(doubtful.any(axis=1))
    if differ.any():
        doubt[differ] = _look_narrower(block.take(differ), first.take(differ), doubtful[differ])
    faint = block.faint() & ~differ
    if faint.any():
        _look_together(block.take(faint), rng)
    drowned = block.unresolved(faint) & ~differ
    if drowned.any():
        doubt[drowned], scale[drowned] = _look_wider(
            block.take(drowned), first.step[drowned], faint[drowned]
        )
    return Look(doubt, scale, np.where(differ, doubt > 0, apart))


def _look_together(block: _Block, rng: np.random.Generator) -> None:
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


def _look_narrower(block: _Block, first: Pairs, doubtful: Booleans) -> Floats:
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


def _wider_steps(block: _Block, first: Floats) -> Iterator[tuple[Floats, Floats]]:
    """Yield ever wider steps, each with the reach that its curvature is estimated from.

    Most often the noise is large; but a coordinate may also be tiny for no
    reason (1e-200 where 0 would do), and then its size is no scale for it.
    """
    yield np.minimum(WIDER * first, WIDEST * block.scale), block.scale
    typical = block.function.scales.typical(block.indices)
    yield WIDER_STEP * typical, typical
    yield np.full(typical.shape, WIDER_STEP), np.ones(typical.shape)


def _look_wider(block: _Block, first: Floats, faint: Booleans) -> tuple[Floats, Floats]:
    """Look again with larger steps where the first one showed only noise.

    What a larger step shows clearly, and is not what was claimed, is in doubt;
    so is what it does not show either. Returns doubts and the scales of ladders.
    """
    doubt, scale, last = np.zeros(first.shape), block.scale.copy(), first.copy()
    for wider, reach in _wider_steps(block, first):
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
