"""The full sweep: the derivative by every coordinate, as cheaply as agreement allows.

It must not judge a claim. It is told the claims because a measurement that
agrees with an independent figure needs no second look, and others do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

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

__all__ = ["Sweep"]

#: A value is clear when what noise may do to it is below this share of it.
CLEAR = 1e-3

#: A pair is calm when its slopes left and right differ by less than this share.
CALM = 1e-2

#: How much larger the step of a second look is, where the first shows only noise.
WIDER = 100.0
WIDEST = 0.1

#: How much smaller it is where the first shows something else than the claim.
NARROWER = 4.0

#: How many coordinates get a ladder of their own: the worst, and a sample of the others.
WORST_LADDERS = 40
SAMPLED_LADDERS = 20

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
        Natural step of each coordinate, see `scales`.
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
        block = max(1, BLOCK // max(self.base.size, 1))
        with np.errstate(all="ignore"):
            for start in range(0, self.point.size, block):
                indices = np.arange(start, min(start + block, self.point.size))
                doubts[indices] = self._look(indices, found)
        ranked = np.argsort(-doubts, kind="stable")[: np.count_nonzero(doubts)]
        others = self.rng.permutation(ranked[WORST_LADDERS:])[:SAMPLED_LADDERS]
        for index in (*ranked[:WORST_LADDERS].tolist(), *others.tolist()):
            self._climb(index, found)
        return found

    def _look(self, indices: Indices, found: Measurement) -> Floats:
        """Measure by pairs; return the doubt left about each coordinate, 0 for none."""
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
        found.bound[indices] = first.noise + error
        found.step[indices] = first.step

        doubtful = ~(agrees | quiet)
        if self.step is None:
            drowned = (~doubtful & ~agrees & (claim != 0)).any(axis=1) & ~doubtful.any(axis=1)
            self._look_wider(indices[drowned], claim[drowned], first.step[drowned], found)
        rows = np.asarray(doubtful.any(axis=1))
        doubts = np.zeros(indices.shape)
        if rows.any():
            doubts[rows] = self._look_narrower(
                indices[rows], claim[rows], first.take(rows), doubtful[rows], found
            )
        return doubts

    def _agrees(self, pairs: Pairs, claim: Floats) -> Booleans:
        """Tell where a pair agrees with the claim and shows neither noise nor a bend."""
        size = np.maximum(np.abs(claim), np.abs(pairs.value))
        near = np.abs(pairs.value - claim) <= self.agreement * size
        calm = np.abs(pairs.bend) <= CALM * size + pairs.noise
        agrees: Booleans = near & calm & (pairs.noise <= CLEAR * size)
        return agrees

    def _look_wider(
        self, indices: Indices, claim: Floats, steps: Floats, found: Measurement
    ) -> None:
        """Look again with a larger step where the first one shows only noise."""
        if not indices.size:
            return
        wide = self._pairs(indices, np.minimum(WIDER * steps, WIDEST * self.scale[indices]))
        bound = wide.noise + np.abs(wide.value - claim)
        better = self._agrees(wide, claim) | (bound < found.bound[indices])
        found.value[indices] = np.where(better, wide.value, found.value[indices])
        found.bound[indices] = np.where(better, bound, found.bound[indices])
        found.step[indices] = np.where(better.any(axis=1), wide.step, found.step[indices])

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
        settled = shrinks & (error <= self.agreement * size) & (spread <= CLEAR * size)
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
