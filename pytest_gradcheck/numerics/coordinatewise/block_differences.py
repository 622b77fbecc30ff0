"""A block of coordinates, measured by central pairs that are refined where they differ.

A first pair of evaluations settles most coordinates: the central difference agrees with the claim,
and the slopes to both sides agree with each other. Where it does not agree, a second pair at a
quarter of the step follows, and Richardson extrapolation of the two (`ExtrapolatedPairs`). Where
the function is defined on one side only, the one-sided slopes at two steps are extrapolated.

A block is given the claims. A measurement that agrees with an independent number needs no second
one: that both are wrong by the same amount is unlikely, and `Block.shared_error` bounds it. It
does not judge a claim.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pytest_gradcheck.numerics.central_difference import (
    CentralPairs,
    balanced_steps,
    measure_pairs,
    measure_shifted,
)
from pytest_gradcheck.numerics.function import Function
from pytest_gradcheck.numerics.measurement import Booleans, Floats, Indices, Measurement, Status
from pytest_gradcheck.numerics.output_magnitude import VARIATION_STEP
from pytest_gradcheck.numerics.refinement import Refinement, refine

__all__ = [
    "CLEAR",
    "NARROWER",
    "UNCLEAR",
    "Block",
    "ExtrapolatedPairs",
    "NoiseDominated",
    "PairResult",
    "extrapolate_pairs",
    "measure_by_pairs",
]

#: The excess of a coordinate of which nothing is known: it differs from its claim by nothing
#: that was measured.
UNCLEAR = 1e-300

#: A derivative is resolved when its bound is below this share of it. An error of five times the
#: share is then visible, whatever the signs.
CLEAR = 2e-4

#: It is also resolved when the bound, over a step of the coordinate's scale, is this many times
#: the noise. A derivative of zero, beside others that are not zero, is resolved when the bound is
#: below this share of the output.
FLOOR = 200.0
SHARE = 1e-9

#: A coordinate below this may be small for no reason. Then its scale is 1.
UNITY = 1e-3

#: A pair is calm when the slopes to both sides differ by less than this share.
CALM = 1e-2

#: The relative error by curvature of a difference over a relative step of 1.
CURVED = 3.0

#: How much more a function may bend than it seems to vary along one direction.
BENT = 30.0

#: A bend by this share of the natural slope is that of a kink.
KINKED = 1e-2

#: How much smaller the step of the second pair is, and how many follow the first.
NARROWER = 4.0
NARROWER_PAIRS = 1

#: The bound from two pairs is widened by this factor, because no third confirms it.
UNREFINED_MARGIN = 4.0

#: A kink bends the function by the same amount at both steps, far above the noise.
SAME_BEND = 0.1
VISIBLE_BEND = 12.0


@dataclass(frozen=True, slots=True)
class Block:
    """Coordinates that are measured at the same time, with their claims.

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
    meaningful : ndarray, shape (k,)
        What people mean by their scales, see `Scales.meaningful`.
    agreement : float
        Relative difference at which claim and measurement agree.
    found : Measurement
        Results by coordinate of the whole point. The block writes to them.
    """

    function: Function
    indices: Indices
    claim: Floats
    scale: Floats
    meaningful: Floats
    agreement: float
    found: Measurement

    def take(self, rows: Booleans | Indices | slice) -> Block:
        """Return the block of some of the coordinates."""
        return Block(
            self.function.restricted_to(rows),
            self.indices[rows],
            self.claim[rows],
            self.scale[rows],
            self.meaningful[rows],
            self.agreement,
            self.found,
        )

    def central_pairs(self, steps: Floats) -> CentralPairs:
        """Measure central pairs at absolute steps, shape (k,)."""
        return measure_pairs(self.function, self.indices, steps)

    def size(self, pairs: CentralPairs) -> Floats:
        """Return the larger of the claimed and the measured derivatives, shape (k, m)."""
        return np.asarray(np.maximum(np.abs(self.claim), np.abs(pairs.value)))

    def truncation(self, pairs: CentralPairs, length: Floats) -> Floats:
        """Return the relative error of pairs by curvature, shape (k, m).

        It is estimated from the step over the length on which the function varies, shape (k,),
        and from the bend over the size of the derivative.
        """
        relative = CURVED * (pairs.step / length)[:, None] ** 2
        return np.asarray(relative + _squared_bend(pairs.bend, self.size(pairs)))

    def shared_error(self, pairs: CentralPairs, truncation: Floats) -> Floats:
        """Bound the error that a pair and a claim may have in common where they agree.

        An error of the claim that is by chance the truncation error of the pair is unlikely
        where it is larger than the allowed agreement. Where the slopes to both sides differ by
        as much, it is possible.
        """
        size = self.size(pairs)
        bent = _squared_bend(pairs.bend, size)
        return np.asarray(np.maximum(np.minimum(self.agreement, truncation), bent) * size)

    def stationary_bend(self, step: Floats) -> Floats:
        """Return by how much the slopes to both sides may differ at a stationary point.

        There the function varies by its size over `VARIATION_STEP`. A kink bends it by much of
        its slope.
        """
        size = self.function.sizes / self.scale[:, None]
        bend = BENT * (step / self.scale)[:, None] * size / VARIATION_STEP**2
        return np.asarray(np.minimum(bend, KINKED * size))

    def agrees(self, pairs: CentralPairs) -> Booleans:
        """Return where pairs agree with the claim, without noise or a bend that could hide it."""
        size = self.size(pairs)
        near = np.abs(pairs.value - self.claim) <= self.agreement * size
        calm = np.abs(pairs.bend) <= CALM * size + pairs.noise
        return np.asarray(near & calm & (pairs.noise <= CLEAR * size))

    def negligible(self) -> Booleans:
        """Return which coordinates, as claimed, move no output by more than its noise."""
        moves = np.abs(self.claim) * self.meaningful[:, None]
        return np.asarray((moves <= FLOOR * self.function.noise_floor).all(axis=1))

    def unresolved(self, negligible: Booleans) -> Booleans:
        """Return which coordinates have a derivative that is not known well enough, shape (k,)."""
        return np.asarray(~self.resolved(negligible).all(axis=1))

    def resolved(self, negligible: Booleans) -> Booleans:
        """Return which derivatives are known well enough, shape (k, m)."""
        value, bound = self.found.value[self.indices], self.found.bound[self.indices]
        size = np.maximum(np.abs(self.claim), np.abs(value))
        scale, zero = self.meaningful[:, None], self.claim == 0
        # A claim that is not zero, and yet moves nothing over its scale, has another scale.
        visible = bound * np.where(zero, scale, np.maximum(scale, UNITY))
        zero &= ~negligible[:, None]
        share = np.where(zero, SHARE * np.abs(self.function.base), 0.0)
        least = np.maximum(FLOOR * self.function.noise_floor, share)
        return np.asarray((bound <= CLEAR * size) | (visible <= least))

    def store(self, value: Floats, bound: Floats, step: Floats) -> None:
        """Write the results of all coordinates."""
        found, indices = self.found, self.indices
        found.value[indices], found.bound[indices], found.step[indices] = value, bound, step

    def store_where(self, where: Booleans, value: Floats, bound: Floats, step: Floats) -> None:
        """Write the results of some derivatives; the step of a coordinate is its last one."""
        found, indices = self.found, self.indices
        found.value[indices] = np.where(where, value, found.value[indices])
        found.bound[indices] = np.where(where, bound, found.bound[indices])
        found.step[indices] = np.where(where.any(axis=1), step, found.step[indices])

    def mark_as_changing(self, where: Booleans) -> None:
        """Take back the status of derivatives that were unchanged at a smaller step."""
        found, indices = self.found, self.indices
        unchanged = found.status[indices] == Status.UNCHANGED.value
        smooth = np.where(where & unchanged, Status.SMOOTH.value, found.status[indices])
        found.status[indices] = smooth


def _squared_bend(bend: Floats, size: Floats) -> Floats:
    """Return the relative error of a difference by a bend."""
    return np.asarray((bend / np.where(size > 0, size, np.inf)) ** 2)


@dataclass(frozen=True, slots=True)
class NoiseDominated:
    """Coordinates that agree with their claims as far as noise shows, which is not far enough.

    Attributes
    ----------
    indices : ndarray of int, shape (k,)
        The coordinates.
    step : ndarray, shape (k,)
        The largest absolute step at which they were measured.
    negligible : ndarray of bool, shape (k,)
        Which of them, as claimed, move no output by more than its noise.
    """

    indices: Indices
    step: Floats
    negligible: Booleans

    def take(self, rows: Booleans) -> NoiseDominated:
        """Return some of them."""
        return NoiseDominated(self.indices[rows], self.step[rows], self.negligible[rows])

    @classmethod
    def joined(cls, parts: Sequence[NoiseDominated]) -> NoiseDominated:
        """Concatenate those of several blocks."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            np.concatenate([part.indices for part in parts]),
            np.concatenate([part.step for part in parts]),
            np.concatenate([part.negligible for part in parts]),
        )


@dataclass(frozen=True, slots=True)
class ExtrapolatedPairs:
    """Two central pairs at k coordinates, extrapolated to step zero, of m outputs.

    With the second step ``q`` times smaller the value is ``D2 + (D2 - D1) / (q^2 - 1)``: the error
    of second order cancels (L. F. Richardson, Phil. Trans. R. Soc. A 226 (1927) 299).

    Attributes
    ----------
    second : CentralPairs
        The pairs at the smaller step.
    value : ndarray, shape (k, m)
        Extrapolated derivatives.
    spread : ndarray, shape (k, m)
        Bound on their error by noise, and by what the extrapolation changed.
    error : ndarray, shape (k, m)
        Their distance from the claims.
    converges, agrees : ndarray of bool, shape (k, m)
        Whether the slopes to both sides approach each other, and whether the derivatives then
        agree with the claims.
    """

    second: CentralPairs
    value: Floats
    spread: Floats
    error: Floats
    converges: Booleans
    agrees: Booleans

    @property
    def bound(self) -> Floats:
        """Bound on the errors of derivatives that agree with their claims."""
        return self.spread + self.error

    @classmethod
    def of(cls, block: Block, first: CentralPairs, second: CentralPairs) -> ExtrapolatedPairs:
        """Extrapolate from the pairs of a block at a step, and at one `NARROWER` times smaller."""
        value = second.value + (second.value - first.value) / (NARROWER**2 - 1)
        spread = np.abs(value - second.value) + 1.1 * second.noise
        error = np.abs(value - block.claim)
        size = np.maximum(np.abs(value), np.abs(block.claim))
        converges = np.abs(second.bend) <= np.abs(first.bend) / 2 + second.noise
        near = error <= np.maximum(block.agreement * size, spread)
        return cls(second, value, spread, error, converges, converges & near)


def extrapolate_pairs(block: Block, first: CentralPairs) -> ExtrapolatedPairs:
    """Measure pairs of a block at a smaller step than the first, and extrapolate.

    Parameters
    ----------
    block : Block
        The coordinates with their claims.
    first : CentralPairs
        Their pairs at a larger step.

    Returns
    -------
    ExtrapolatedPairs
        Two evaluations for each coordinate.
    """
    second = block.central_pairs(first.step / NARROWER)
    return ExtrapolatedPairs.of(block, first, second)


@dataclass(frozen=True, slots=True)
class PairResult:
    """What pairs of k coordinates leave undecided.

    Attributes
    ----------
    excess : ndarray, shape (k,)
        How far a coordinate is from its claim, in units of the error of the measurement; 0 where
        that is decided.
    differs : ndarray of bool, shape (k,)
        Whether it is further from its claim than noise and curvature explain, be that allowed
        or not.
    noise_dominated : NoiseDominated
        Coordinates that agree with their claims as far as noise shows.
    """

    excess: Floats
    differs: Booleans
    noise_dominated: NoiseDominated

    def is_open(self, indices: Indices) -> Booleans:
        """Return which of the coordinates, ascending, need a further measurement."""
        is_open = self.excess > 0
        is_open[np.searchsorted(indices, self.noise_dominated.indices)] = True
        return is_open

    def without(self, indices: Indices, decided: Booleans) -> PairResult:
        """Return the result without those of the coordinates that are decided by other means."""
        if not decided.any():
            return self
        rest = ~np.isin(self.noise_dominated.indices, indices[decided], assume_unique=True)
        return PairResult(
            np.where(decided, 0.0, self.excess),
            self.differs & ~decided,
            self.noise_dominated.take(rest),
        )


def measure_by_pairs(block: Block) -> PairResult:
    """Measure a block of coordinates by central pairs.

    Parameters
    ----------
    block : Block
        The coordinates with their claims. It stores what is found.

    Returns
    -------
    PairResult
        What is undecided. A coordinate that agrees costs two evaluations, and one where
        curvature hides that it agrees costs four.
    """
    function, indices, claim = block.function, block.indices, block.claim
    first = block.central_pairs(balanced_steps(function, claim, block.scale))
    error, size = np.abs(first.value - claim), block.size(first)
    negligible = block.negligible()
    flat = np.where(negligible[:, None], block.stationary_bend(first.step), CALM * size)
    quiet = (error <= first.noise) & (np.abs(first.bend) <= flat + 2 * first.noise)
    truncation = block.truncation(first, block.scale)
    differs = (error > first.noise + truncation * size).any(axis=1)
    block.store(
        first.value, first.noise + error + block.shared_error(first, truncation), first.step
    )
    unchanged = first.unchanged & (claim == 0)
    block.found.status[indices] = np.where(unchanged, Status.UNCHANGED.value, Status.SMOOTH.value)

    undecided = ~(block.agrees(first) | quiet)
    right, left = (np.isfinite(side).all(axis=1) for side in (first.right, first.left))
    one_sided = np.asarray(right ^ left)
    excess = np.zeros(indices.shape)
    if one_sided.any():
        excess[one_sided] = _measure_one_sided(block.take(one_sided), first.take(one_sided))
    two_sided = np.asarray(undecided.any(axis=1)) & ~one_sided
    start = _NarrowerPairs(block, first, undecided, two_sided, excess, ~two_sided & ~one_sided)
    last = refine(start, maxiter=NARROWER_PAIRS)
    negligible &= last.noisy
    noisy = last.noisy & block.unresolved(negligible)
    differs = np.where(two_sided | one_sided, last.excess > 0, differs)
    dominated = NoiseDominated(indices[noisy], first.step[noisy], negligible[noisy])
    return PairResult(last.excess, differs, dominated)


def _measure_one_sided(block: Block, first: CentralPairs) -> Floats:
    """Measure again on the side where the function is defined, and return the excess.

    The slopes at a step and at half of it give ``2 s(h / 2) - s(h)``, with an error of second
    order like that of a central difference.
    """
    function, found, indices = block.function, block.found, block.indices
    inside = np.where(np.isfinite(first.right).all(axis=1), 1.0, -1.0)
    whole = np.where(inside[:, None] > 0, first.right, first.left)
    taken, outputs = measure_shifted(function, indices, inside * first.step / 2)
    half = (outputs - function.base) / taken[:, None]
    value, bend = 2 * half - whole, half - whole
    noise = 2 * first.noise
    error, size = np.abs(value - block.claim), np.maximum(np.abs(value), np.abs(block.claim))
    sided = replace(first, value=value, bend=bend)
    calm = np.abs(bend) <= CALM * size + noise
    near = error <= np.maximum(block.agreement * size, noise)
    decided = calm & near & (noise <= CLEAR * size)
    bound = np.where(decided, noise + error, UNREFINED_MARGIN * (noise + np.abs(bend)))
    block.store(value, bound + block.truncation(sided, block.scale) * size, first.step / 2)
    found.status[indices] = np.where(decided, Status.EDGE, Status.UNREFINED)
    return _excess(error, noise, ~decided)


@dataclass(frozen=True, slots=True)
class _NarrowerPairs(Refinement[Indices, ExtrapolatedPairs]):
    """Pairs at a smaller step, of the coordinates that differ from their claims.

    Where curvature was the reason the extrapolated value agrees. Where it does not agree, the
    bound is wide enough for a coordinate that is measured no further.

    Attributes
    ----------
    block : Block
        All coordinates.
    first : CentralPairs
        Their pairs at a larger step.
    undecided : ndarray of bool, shape (k, m)
        Which derivatives the pairs do not decide.
    is_open : ndarray of bool, shape (k,)
        Which coordinates are measured.
    excess : ndarray, shape (k,)
        See `PairResult`.
    noisy : ndarray of bool, shape (k,)
        Which coordinates agree with their claims as far as noise shows.
    """

    block: Block
    first: CentralPairs
    undecided: Booleans
    is_open: Booleans
    excess: Floats
    noisy: Booleans

    def check_termination(self) -> bool:
        return not self.is_open.any()

    def pre_func_eval(self) -> Indices:
        return np.flatnonzero(self.is_open)

    def func_eval(self, step: Indices) -> ExtrapolatedPairs:
        return extrapolate_pairs(self.block.take(step), self.first.take(step))

    def post_func_eval(self, measured: ExtrapolatedPairs) -> _NarrowerPairs:
        rows = self.is_open
        block, first, undecided = (
            self.block.take(rows),
            self.first.take(rows),
            self.undecided[rows],
        )
        second, spread, found = measured.second, measured.spread, block.found
        unrefined = spread + np.where(measured.converges, 0.0, np.abs(second.bend))
        bound = np.where(measured.agrees, measured.bound, UNREFINED_MARGIN * unrefined)
        block.store_where(undecided, measured.value, bound, second.step)
        differs = undecided & ~measured.agrees
        status = np.where(differs, Status.UNREFINED, found.status[block.indices])
        found.status[block.indices] = status
        same = np.abs(first.bend - second.bend) <= SAME_BEND * np.abs(first.bend)
        kinked = differs & same & (np.abs(second.bend) > VISIBLE_BEND * second.noise)
        for row, output in np.argwhere(kinked).tolist():
            half = abs(float(second.bend[row, output])) / 2 + float(spread[row, output])
            middle = float(second.value[row, output])
            found.set_kink(int(block.indices[row]), output, (middle - half, middle + half))
        excess, noisy = self.excess.copy(), self.noisy.copy()
        excess[rows] = _excess(measured.error, spread, differs)
        noisy[rows] = ~differs.any(axis=1)
        return replace(self, is_open=np.zeros_like(rows), excess=excess, noisy=noisy)


def _excess(error: Floats, noise: Floats, where: Booleans) -> Floats:
    """Return the largest error of each coordinate in units of its noise, where told; else 0."""
    excess = np.where(np.isfinite(error), error / np.maximum(noise, UNCLEAR), np.inf)
    return np.asarray(np.where(where, np.maximum(excess, UNCLEAR), 0.0).max(axis=1))
