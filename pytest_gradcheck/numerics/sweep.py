"""The full sweep: the derivative by every coordinate, as cheaply as agreement allows.

It must not judge a claim. It is told the claims because a measurement that
agrees with an independent figure needs no second look, and others do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pytest_gradcheck.numerics.branches import branch_slopes
from pytest_gradcheck.numerics.ladder import climb
from pytest_gradcheck.numerics.lines import CoordinateLine
from pytest_gradcheck.numerics.measurement import (
    Booleans,
    Evaluate,
    Floats,
    Indices,
    Measurement,
    Status,
)
from pytest_gradcheck.numerics.pairs import Pairs, balanced_steps, measure_pairs
from pytest_gradcheck.numerics.still import bound_if_still

__all__ = ["Sweep"]

#: A value is clear when what noise may do to it is below this share of it.
CLEAR = 4e-4

#: A pair is calm when its slopes left and right differ by less than this share.
CALM = 1e-2

#: How much larger the step of a second look is, where the first shows only noise.
WIDER = 30.0
WIDEST = 0.1

#: What curvature may do to a difference over a relative step of 1: so much, relatively.
CURVED = 3.0

#: Where even that shows only noise: a step in units of the array's typical scale, then of 1.
WIDER_STEP = 1e-4

#: How much smaller it is where the first shows something else than the claim.
NARROWER = 4.0

#: How many coordinates get a ladder of their own: the worst, and a sample of the others.
WORST_LADDERS = 40
SAMPLED_LADDERS = 20

#: Relative differences below this may be those of a branch.
SLIGHT = 2e-4

#: A bound from two pairs is widened by this, lacking a third to confirm it.
BRIEF_MARGIN = 4.0

#: A kink shows the same bend at both steps, far above the noise.
SAME_BEND = 0.1
VISIBLE_BEND = 12.0

#: Keeps a ratio finite, and a doubt without any error a doubt.
TINY = 1e-300

#: Derivatives held at a time, besides the result.
BLOCK = 1 << 16


@dataclass(frozen=True, slots=True)
class Sweep:
    """The derivatives of `evaluate` at `point` by every coordinate.

    Attributes
    ----------
    evaluate : callable
        ``evaluate(point) -> outputs, shape (m,)``.
    point : ndarray, shape (n,)
        Changed in place while measuring, one coordinate at a time, and put back.
    base : ndarray, shape (m,)
        Outputs at the point.
    noise : ndarray, shape (m,)
        Noise of the outputs, see `estimate_noise`.
    scale : ndarray, shape (n,)
        Natural step of each coordinate, see `scales`; enlarged for those that
        turn out to need larger ones.
    typical : ndarray, shape (n,)
        Typical scale of the array that each coordinate is of.
    claims : callable
        ``claims(start, stop)`` returns the claimed derivatives, shape (stop - start, m).
    agreement : float
        Relative difference at which claim and measurement agree.
    step : float or None
        A fixed absolute step: the values are then plain central differences at
        it (formula 1 of the classic recipe), and only their bounds are refined.
    rng : numpy.random.Generator
        Draws the sample where very many coordinates need a ladder.
    """

    evaluate: Evaluate
    point: Floats
    base: Floats
    noise: Floats
    scale: Floats
    typical: Floats
    claims: Callable[[int, int], Floats]
    agreement: float
    step: float | None
    rng: np.random.Generator

    def measure(self) -> Measurement:
        """Sweep over all coordinates.

        Returns
        -------
        Measurement
            Costs two evaluations for each coordinate that agrees with its
            claim, two more where noise or curvature hide that it does, and a
            ladder (see `climb`) for those that still differ: for the worst 40
            and a sample of 20 where they are more.
        """
        found = Measurement.blank(self.point.size, self.base.size)
        doubts = np.zeros(self.point.size)
        still = np.zeros(self.point.size, dtype=bool)
        block = max(1, BLOCK // max(self.base.size, 1))
        with np.errstate(all="ignore"):
            for start in range(0, self.point.size, block):
                indices = np.arange(start, min(start + block, self.point.size))
                doubts[indices], still[indices] = self._look(indices, found)
            if still.any():
                self._settle_still(np.flatnonzero(still), doubts, found)
        ranked = np.argsort(-doubts, kind="stable")[: np.count_nonzero(doubts)]
        others = self.rng.permutation(ranked[WORST_LADDERS:])[:SAMPLED_LADDERS]
        climbed = np.concatenate([ranked[:WORST_LADDERS], others])
        for index in climbed.tolist():
            self._climb(index, found)
        if climbed.size:
            self._allow_for_branches(climbed, found)
        return found

    def _allow_for_branches(self, climbed: Indices, found: Measurement) -> None:
        """Widen bounds where a slight difference may be that of a branch from the whole."""
        claim = np.concatenate([self.claims(k, k + 1) for k in climbed.tolist()])
        error = np.abs(found.value[climbed] - claim)
        slight = SLIGHT * np.maximum(np.abs(claim), np.abs(found.value[climbed]))
        if np.any((error > found.bound[climbed]) & (error <= slight)):
            slopes = branch_slopes(
                self.evaluate,
                self.point,
                base=self.base,
                noise=self.noise,
                scale=self.scale,
                rng=self.rng,
            )
            wider = slopes / self.scale[climbed, None]
            found.bound[climbed] = np.maximum(found.bound[climbed], wider)

    def _look(self, indices: Indices, found: Measurement) -> tuple[Floats, Booleans]:
        """Measure by pairs.

        Returns
        -------
        ndarray, shape (k,)
            The doubt left about each coordinate, 0 for none.
        ndarray of bool, shape (k,)
            Which coordinates are claimed to move nothing, and did not.
        """
        claim = self.claims(int(indices[0]), int(indices[-1]) + 1)
        if self.step is None:
            steps = balanced_steps(claim, self.base, self.noise, self.scale[indices])
        else:
            steps = np.full(indices.shape, self.step)
        first = self._pairs(indices, steps)
        error = np.abs(first.value - claim)
        agrees = self._agrees(first, claim)
        quiet = (error <= first.noise) & (np.abs(first.bend) <= 2 * first.noise)
        found.value[indices] = first.value
        found.bound[indices] = first.noise + error + self._hidden(indices, first, claim)
        found.step[indices] = first.step

        doubtful = ~(agrees | quiet)
        doubts = np.zeros(indices.shape)
        rows = np.asarray(doubtful.any(axis=1))
        if rows.any():
            doubts[rows] = self._look_narrower(
                indices[rows], claim[rows], first.take(rows), doubtful[rows], found
            )
        still = ((claim == 0) & (first.value == 0) & (first.bend == 0)).all(axis=1)
        if self.step is None:
            blind = (claim == 0) & (first.noise <= np.abs(self.base))
            drowned = ~rows & ~still & (~agrees & ~blind).any(axis=1)
            if drowned.any():
                doubts[drowned] = self._look_wider(
                    indices[drowned], claim[drowned], first.take(drowned).step, found
                )
        return doubts, still

    def _hidden(self, indices: Indices, pairs: Pairs, claim: Floats) -> Floats:
        """Bound the error that a pair and a claim may share, so that it does not show.

        A claim that is right up to the allowed agreement may be off just as
        curvature puts the pair off.
        """
        size = np.maximum(np.abs(claim), np.abs(pairs.value))
        curved = self._curvature(pairs, self.scale[indices], size)
        return np.asarray(np.minimum(self.agreement, curved) * size)

    @staticmethod
    def _curvature(pairs: Pairs, scale: Floats, size: Floats) -> Floats:
        """Estimate what curvature does to pairs, relatively: from step over scale, and the bend."""
        bends = pairs.bend / np.where(size > 0, size, np.inf)
        return np.asarray(CURVED * (pairs.step / scale)[:, None] ** 2 + bends**2)

    def _settle_still(self, indices: Indices, doubts: Floats, found: Measurement) -> None:
        """Measure the coordinates that seem to do nothing all together, or else each by itself."""
        scale = np.maximum(self.scale[indices], self.typical[indices])
        bound = bound_if_still(
            self.evaluate,
            self.point,
            indices=indices,
            base=self.base,
            noise=self.noise,
            scale=scale,
            rng=self.rng,
        )
        if bound is None:
            far = self._pairs(indices, WIDEST * scale)
            moved = np.abs(far.value) > far.noise
            bound = np.where(moved, np.inf, far.noise)
            doubts[indices] = np.where(moved, TINY, 0.0).max(axis=1)
        found.bound[indices] = np.minimum(found.bound[indices], bound)

    def _agrees(self, pairs: Pairs, claim: Floats) -> Booleans:
        """Tell where a pair agrees with the claim and shows neither noise nor a bend."""
        size = np.maximum(np.abs(claim), np.abs(pairs.value))
        near = np.abs(pairs.value - claim) <= self.agreement * size
        calm = np.abs(pairs.bend) <= CALM * size + pairs.noise
        agrees: Booleans = near & calm & (pairs.noise <= CLEAR * size)
        return agrees

    def _look_wider(
        self, indices: Indices, claim: Floats, steps: Floats, found: Measurement
    ) -> Floats:
        """Look again with larger steps where the first one showed only noise.

        Most often the noise is large; but a coordinate may also be tiny for no
        reason (1e-200 where 0 would do), and then its size is no scale for it.
        What a larger step shows clearly, and is not what was claimed, is in doubt.
        """
        doubts = np.zeros(indices.shape)
        own = np.minimum(WIDER * steps, WIDEST * self.scale[indices])
        looks = (
            (own, self.scale[indices]),
            (WIDER_STEP * self.typical[indices], self.typical[indices]),
            (np.full(indices.shape, WIDER_STEP), np.ones(indices.shape)),
        )
        for wider, reach in looks:
            rows = np.flatnonzero((wider > 2 * steps) & (doubts == 0))
            if not rows.size:
                continue
            pairs = self._pairs(indices[rows], wider[rows])
            error, at = np.abs(pairs.value - claim[rows]), indices[rows]
            size = np.maximum(np.abs(pairs.value), np.abs(claim[rows]))
            curved = self._curvature(pairs, reach[rows], size)
            agrees = self._agrees(pairs, claim[rows])
            near = error <= np.maximum(pairs.noise, curved * size)
            hidden = np.where(agrees, np.minimum(self.agreement, curved), curved) * size
            bound = pairs.noise + error + hidden
            better = (agrees | near) & (bound < found.bound[at])
            self._write(found, at, better, pairs.value, bound)
            found.step[at] = np.where(better.any(axis=1), pairs.step, found.step[at])
            clear = pairs.noise <= CLEAR * size
            differs = ~better & ~near & clear & (error > self.agreement * size)
            excess = np.where(differs, error / np.maximum(pairs.noise, TINY), 0.0).max(axis=1)
            doubts[rows] = excess
            self.scale[at] = np.where(excess > 0, pairs.step / WIDEST, self.scale[at])
            blind = (claim[rows] == 0) & (pairs.noise <= np.abs(self.base))
            done = (agrees | clear | blind).all(axis=1)
            steps = steps.copy()
            steps[rows] = np.where(done, np.inf, pairs.step)
        size = np.maximum(np.abs(claim), np.abs(found.value[indices]))
        unclear = (doubts == 0) & (found.bound[indices] > CLEAR * size).any(axis=1)
        self.scale[indices[unclear]] = np.maximum(self.scale, self.typical)[indices[unclear]]
        return np.where(unclear, TINY, doubts)

    def _look_narrower(
        self, indices: Indices, claim: Floats, first: Pairs, doubtful: Booleans, found: Measurement
    ) -> Floats:
        """Look again with a smaller step where the first one differs from the claim.

        Curvature shrinks away and the extrapolated value then agrees. What does
        not is left with a bound that can stand where no ladder will be spent.
        """
        second = self._pairs(indices, first.step / NARROWER)
        gain = NARROWER**2 - 1
        value = second.value + (second.value - first.value) / gain
        spread = np.abs(value - second.value) + 1.1 * second.noise
        error = np.abs(value - claim)
        size = np.maximum(np.abs(value), np.abs(claim))
        shrinks = np.abs(second.bend) <= np.abs(first.bend) / 2 + second.noise
        near = error <= np.maximum(self.agreement * size, spread)
        settled = shrinks & near & (spread <= CLEAR * size)
        brief = BRIEF_MARGIN * (spread + np.where(shrinks, 0.0, np.abs(second.bend)))
        if self.step is None:
            self._write(found, indices, doubtful, value, np.where(settled, spread + error, brief))
            found.step[indices] = second.step
        else:
            bound = np.abs(first.value - value) + brief
            self._write(found, indices, doubtful, first.value, bound)
        unsettled = doubtful & ~settled
        found.status[indices] = np.where(unsettled, Status.BRIEF, found.status[indices])
        bent = np.abs(first.bend - second.bend) <= SAME_BEND * np.abs(first.bend)
        kinked = unsettled & bent & (np.abs(second.bend) > VISIBLE_BEND * second.noise)
        for row, output in np.argwhere(kinked).tolist():
            half = abs(float(second.bend[row, output])) / 2 + float(spread[row, output])
            middle = float(second.value[row, output])
            _keep_kink(int(indices[row]), output, (middle - half, middle + half), found)
        excess = np.where(np.isfinite(error), error / np.maximum(spread, TINY), np.inf)
        return np.asarray(np.where(unsettled, np.maximum(excess, TINY), 0.0).max(axis=1))

    @staticmethod
    def _write(
        found: Measurement, indices: Indices, where: Booleans, value: Floats, bound: Floats
    ) -> None:
        found.value[indices] = np.where(where, value, found.value[indices])
        found.bound[indices] = np.where(where, bound, found.bound[indices])

    def _climb(self, index: int, found: Measurement) -> None:
        """Settle one coordinate by a ladder."""
        line = CoordinateLine(self.evaluate, self.point, index, float(self.scale[index]))
        measured = climb(line, self.base, self.noise)
        if self.step is None:
            found.value[index], found.bound[index] = measured.value, measured.bound
            found.step[index] = measured.step.min()
        else:
            classic = found.value[index]
            found.bound[index] = np.abs(classic - measured.value) + measured.bound
        found.status[index] = measured.status
        for output in range(self.base.size):
            found.kinks.pop((index, output), None)
        for output in np.flatnonzero(measured.status == Status.KINK).tolist():
            _keep_kink(index, output, measured.slopes(output), found)

    def _pairs(self, indices: Indices, steps: Floats) -> Pairs:
        return measure_pairs(
            self.evaluate,
            self.point,
            indices=indices,
            steps=steps,
            base=self.base,
            noise=self.noise,
        )


def _keep_kink(index: int, output: int, slopes: tuple[float, float], found: Measurement) -> None:
    found.status[index, output] = Status.KINK
    found.kinks[index, output] = slopes
