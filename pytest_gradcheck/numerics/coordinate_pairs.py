"""Looks at a block of coordinates by central pairs: a first one, and a narrower one.

It must not judge a claim. It is told the claims because a measurement that
agrees with an independent figure needs no second look, and others do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pytest_gradcheck.numerics.central_difference import (
    CentralPairs,
    balanced_steps,
    measure_shifted,
)
from pytest_gradcheck.numerics.coordinate_block import CALM, CLEAR, UNCLEAR, Block, curvature
from pytest_gradcheck.numerics.measurement import Booleans, Floats, Indices, Status
from pytest_gradcheck.numerics.noisy_coordinates import NoiseDominated
from pytest_gradcheck.numerics.refinement import extrapolate_pairs

__all__ = ["PairResult", "measure_by_pairs"]

#: A bound from two pairs is widened by this, lacking a third to confirm it.
BRIEF_MARGIN = 4.0

#: A kink shows the same bend at both steps, far above the noise.
SAME_BEND = 0.1
VISIBLE_BEND = 12.0


@dataclass(frozen=True, slots=True)
class PairResult:
    """What looks at k coordinates left to be said.

    Attributes
    ----------
    doubt : ndarray, shape (k,)
        How far a coordinate is from its claim, in units of what was measured; 0
        for one that is settled.
    apart : ndarray of bool, shape (k,)
        Whether it is further from its claim than noise and curvature explain,
        be that allowed or not.
    drowned : NoiseDominated
        Coordinates that agree as far as noise lets them, not far enough.
    """

    excess: Floats
    differs: Booleans
    noise_dominated: NoiseDominated

    def is_open(self, indices: Indices) -> Booleans:
        """Tell which of the coordinates, ascending, need a further look."""
        is_open = self.excess > 0
        is_open[np.searchsorted(indices, self.noise_dominated.indices)] = True
        return is_open

    def without(self, indices: Indices, settled: Booleans) -> PairResult:
        """Return what is left when some of the coordinates are settled."""
        if not settled.any():
            return self
        rest = ~np.isin(self.noise_dominated.indices, indices[settled], assume_unique=True)
        return PairResult(
            np.where(settled, 0.0, self.excess),
            self.differs & ~settled,
            self.noise_dominated.take(rest),
        )


def measure_by_pairs(block: Block) -> PairResult:
    """Measure a block of coordinates by pairs, two evaluations for each that agrees.

    Parameters
    ----------
    block : Block
        The coordinates with their claims; takes what is found.

    Returns
    -------
    PairResult
        What is left. Coordinates cost two evaluations more where curvature hides
        that they agree.
    """
    function, indices, claim = block.function, block.indices, block.claim
    first = block.pairs(balanced_steps(function, claim, block.scale))
    error, size = np.abs(first.value - claim), block.size(first)
    faint = block.negligible()
    flat = np.where(faint[:, None], block.bends(first.step), CALM * size)
    quiet = (error <= first.noise) & (np.abs(first.bend) <= flat + 2 * first.noise)
    curved = block.curved(first, block.scale)
    apart = (error > first.noise + curved * size).any(axis=1)
    block.put(first.value, first.noise + error + block.hidden(first, curved), first.step)
    still = first.unchanged & (claim == 0)
    block.found.status[indices] = np.where(still, Status.UNCHANGED.value, Status.SMOOTH.value)

    doubt = np.zeros(indices.shape)
    doubtful = ~(block.agrees(first) | quiet)
    right, left = (np.isfinite(side).all(axis=1) for side in (first.right, first.left))
    edge = np.asarray(right ^ left)
    if edge.any():
        doubt[edge] = _look_inside(block.take(edge), first.take(edge))
    differ = np.asarray(doubtful.any(axis=1)) & ~edge
    drowned = ~differ & ~edge
    if differ.any():
        doubt[differ], drowned[differ] = _extrapolate_pairs(
            block.take(differ), first.take(differ), doubtful[differ]
        )
    faint &= drowned
    drowned &= block.unresolved(faint)
    apart = np.where(differ | edge, doubt > 0, apart)
    return PairResult(
        doubt, apart, NoiseDominated(indices[drowned], first.step[drowned], faint[drowned])
    )


def _look_inside(block: Block, first: CentralPairs) -> Floats:
    """PairResult again to the side where the function is defined, where the other is outside.

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
    block.put(value, bound + curved * size, first.step / 2)
    found.status[indices] = np.where(settled, Status.EDGE, Status.UNREFINED)
    excess = np.where(np.isfinite(error), error / np.maximum(noise, UNCLEAR), np.inf)
    return np.asarray(np.where(settled, 0.0, np.maximum(excess, UNCLEAR)).max(axis=1))


def _extrapolate_pairs(
    block: Block, first: CentralPairs, doubtful: Booleans
) -> tuple[Floats, Booleans]:
    """PairResult again with a smaller step where the first one differs from the claim.

    Curvature shrinks away and the extrapolated value then agrees. What does
    not is left with a bound that can stand where no ladder will be spent.
    Returns doubts, and which coordinates agree as far as noise lets them.
    """
    found, indices = block.found, block.indices
    both = extrapolate_pairs(block, first)
    second, spread = both.pairs, both.spread
    brief = BRIEF_MARGIN * (spread + np.where(both.shrinks, 0.0, np.abs(second.bend)))
    block.write(doubtful, both.value, np.where(both.agrees, both.bound, brief), second.step)
    unsettled = doubtful & ~both.agrees
    found.status[indices] = np.where(unsettled, Status.UNREFINED, found.status[indices])
    bent = np.abs(first.bend - second.bend) <= SAME_BEND * np.abs(first.bend)
    kinked = unsettled & bent & (np.abs(second.bend) > VISIBLE_BEND * second.noise)
    for row, output in np.argwhere(kinked).tolist():
        half = abs(float(second.bend[row, output])) / 2 + float(spread[row, output])
        middle = float(second.value[row, output])
        found.set_kink(int(indices[row]), output, (middle - half, middle + half))
    excess = np.where(np.isfinite(both.error), both.error / np.maximum(spread, UNCLEAR), np.inf)
    doubt = np.where(unsettled, np.maximum(excess, UNCLEAR), 0.0).max(axis=1)
    return np.asarray(doubt), np.asarray(~unsettled.any(axis=1))
