"""Coordinates whose derivative is dominated by noise, measured jointly or at wider steps.

A step that is safe for one coordinate may show nothing but noise: dead units, unused entries,
small ones beside large ones. Such coordinates are first moved all at once, far, along random
directions with signs (Rademacher directions; M. F. Hutchinson, Comm. Statist. Simulation Comput.
19 (1990) 433): a few evaluations bound the errors of all their claims. Where some are not, halves
are moved, as in group testing. What is left is measured one by one at ever wider steps.

It does not judge a claim. It stores a measurement with a smaller bound where it finds one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from pytest_gradcheck.numerics.central_difference import NOISE_FACTOR, CentralPairs
from pytest_gradcheck.numerics.coordinatewise.block_differences import (
    CLEAR,
    NARROWER,
    UNCLEAR,
    Block,
    NoiseDominated,
    extrapolate_pairs,
)
from pytest_gradcheck.numerics.function import Function
from pytest_gradcheck.numerics.measurement import EPS, Booleans, Floats, Indices
from pytest_gradcheck.numerics.random_directions import signed_direction
from pytest_gradcheck.numerics.refinement import Refinement, refine

__all__ = ["bound_jointly", "measure_noise_dominated", "measure_with_wider_steps"]

#: How far coordinates are moved jointly, in units of their scales: near enough that a unit that
#: is dead stays so. Each length is this ratio below the one before.
LENGTHS = (0.3, 0.1, 0.1 / 3)
RATIO = 3.0

#: How many directions have to agree that no claim is wrong.
DIRECTIONS = 2

#: No coordinate moves by less than this share of its scale.
LEAST = 0.5

#: Fewer coordinates than these are not worth a joint move.
SMALLEST_GROUP = 2

#: How much wider the second step is, and the widest one in units of the scale.
WIDER = 30.0
WIDEST = 0.1

#: The next steps, in units of the typical scale of the array and of 1.
WIDER_STEP = 1e-4

#: At a narrower step noise is so many times as large, with some room, and the error by curvature
#: is extrapolated away to this factor.
QUIETER = 2.0 * NARROWER
EXTRAPOLATED = NARROWER**2 / 2


def bound_jointly(
    function: Function, indices: Indices, claim: Floats, rng: np.random.Generator
) -> Floats:
    """Bound the errors of claims by moving all their coordinates at once.

    Coordinates with small derivatives can be moved far, and jointly. Random weights keep the
    errors of two claims from cancelling.

    Parameters
    ----------
    function : Function
        What is measured.
    indices : ndarray of int, shape (k,)
        Coordinates that by themselves showed nothing against their claims.
    claim : ndarray, shape (k, m)
        Their claimed derivatives.
    rng : numpy.random.Generator
        Draws the weights.

    Returns
    -------
    ndarray, shape (k, m)
        A bound on the error of each claim. It is infinite where the claims differ from the joint
        measurement by more than noise explains. Costs six evaluations, and six along another
        direction to confirm that nothing cancels by chance.
    """
    scale = function.scales.meaningful(indices)
    bound = np.zeros_like(function.base)
    for _ in range(DIRECTIONS):
        direction = signed_direction(scale, rng)
        bound = np.maximum(bound, _bound_along(function, indices, claim, direction))
        if not np.isfinite(bound).any():
            break
    return np.asarray(bound / (LEAST * scale[:, None]))


def _bound_along(function: Function, indices: Indices, claim: Floats, direction: Floats) -> Floats:
    """Bound the joint error of claims along a direction, infinite where it is clearly not zero."""
    right = _evaluate_along(function, indices, direction, 1.0)
    left = _evaluate_along(function, indices, direction, -1.0)
    length = np.array(LENGTHS)[:, None]
    slope = (right - left) / (2 * length)
    extrapolated = slope[1:] + (slope[1:] - slope[:-1]) / (RATIO**2 - 1)
    change = np.abs(extrapolated[1] - extrapolated[0])
    bound = np.stack([change, np.fmin(change, np.abs(extrapolated[1] - slope[2]))])
    bound += NOISE_FACTOR * function.noise / length[1:] + EPS * np.abs(direction) @ np.abs(claim)
    error = np.abs(extrapolated - direction @ claim)
    return np.asarray(np.min(np.where(error <= bound, error + bound, np.inf), axis=0))


def _evaluate_along(
    function: Function, indices: Indices, direction: Floats, sign: float
) -> Floats:
    """Evaluate with some coordinates moved by each length, shape (lengths, m)."""
    point, here = function.point, function.point[indices]

    def points() -> Iterator[Floats]:
        for length in LENGTHS:
            point[indices] = here + sign * length * direction
            yield point

    try:
        return function.evaluate(points())
    finally:
        point[indices] = here


def measure_noise_dominated(
    block: Block, dominated: NoiseDominated, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Measure noise-dominated coordinates jointly, then those still undecided at wider steps.

    Parameters
    ----------
    block : Block
        The coordinates with their claims. It stores what is found.
    dominated : NoiseDominated
        The same coordinates, with the steps at which they were measured.
    rng : numpy.random.Generator
        Draws the weights of joint moves.

    Returns
    -------
    excess : ndarray, shape (k,)
        See `PairResult.excess`.
    scale : ndarray, shape (k,)
        The scale of the steps of a Richardson extrapolation. Costs twelve evaluations where
        these decide all coordinates, and up to fourteen more for each that they do not decide.
    """
    excess, scale = np.zeros(block.scale.shape), block.scale.copy()
    rows: Booleans | slice = slice(None)
    if excess.size >= SMALLEST_GROUP:
        if not _measure_jointly(block, dominated.negligible, rng):
            _measure_halves(block, dominated.negligible, rng)
        rows = block.unresolved(dominated.negligible)
        block, dominated = block.take(rows), dominated.take(rows)
    if dominated.indices.size:
        excess[rows], scale[rows] = measure_with_wider_steps(
            block, dominated.step, dominated.negligible
        )
    return excess, scale


def _measure_jointly(block: Block, negligible: Booleans, rng: np.random.Generator) -> bool:
    """Bound the errors of all claims of a block at once; return whether that decides them."""
    found, indices = block.found, block.indices
    error = bound_jointly(block.function, indices, block.claim, rng)
    value = np.clip(found.value[indices], block.claim - error, block.claim + error)
    bound = error + np.abs(value - block.claim)
    block.store_where(bound < found.bound[indices], value, bound, found.step[indices])
    return not block.unresolved(negligible).any()


def _measure_halves(block: Block, negligible: Booleans, rng: np.random.Generator) -> None:
    """Bisect a block as long as one of its halves is decided jointly."""
    middle = block.indices.size // 2
    if middle < SMALLEST_GROUP:
        return
    halves = (slice(None, middle), slice(middle, None))
    undecided = [h for h in halves if not _measure_jointly(block.take(h), negligible[h], rng)]
    if len(undecided) == 1:
        _measure_halves(block.take(undecided[0]), negligible[undecided[0]], rng)


def _wider_steps(
    block: Block, first: Floats, negligible: Booleans
) -> Iterator[tuple[Floats, Floats]]:
    """Yield ever wider steps, each with the length on which the function is taken to vary.

    Most often the noise is large. But a coordinate may also be tiny for no reason (1e-200 in
    place of 0), and then its size is no scale for it. A negligible one may be moved far at once.
    """
    widest = WIDEST * block.scale
    yield np.where(negligible, widest, np.minimum(WIDER * first, widest)), block.scale
    typical = block.function.scales.typical(block.indices)
    yield WIDER_STEP * typical, typical
    yield np.full(typical.shape, WIDER_STEP), np.ones(typical.shape)
    for length in (block.scale, typical, np.maximum(typical, 1.0)):
        yield WIDEST * length, length


@dataclass(frozen=True, slots=True)
class _Rows:
    """Some coordinates of a block, with absolute steps and the lengths of the function."""

    rows: Indices
    step: Floats
    length: Floats


@dataclass(frozen=True, slots=True)
class _WiderSteps(Refinement[_Rows, tuple[_Rows, CentralPairs]]):
    """Pairs of a block at ever wider steps, of the coordinates that are undecided.

    Attributes
    ----------
    block : Block
        The coordinates.
    negligible : ndarray of bool, shape (k,)
        See `NoiseDominated`.
    steps : tuple of (ndarray, ndarray), each of shape (k,)
        All steps and lengths, see `_wider_steps`.
    excess, scale : ndarray, shape (k,)
        See `measure_noise_dominated`.
    widest : ndarray, shape (k,)
        The widest step so far, infinite where a wider one would show no more.
    undecided : ndarray of bool, shape (k,)
        Which coordinates are measured further.
    """

    block: Block
    negligible: Booleans
    steps: tuple[tuple[Floats, Floats], ...]
    excess: Floats
    scale: Floats
    widest: Floats
    undecided: Booleans

    def check_termination(self) -> bool:
        return not self.undecided.any()

    def pre_func_eval(self) -> _Rows | None:
        for step, length in self.steps:
            rows = np.flatnonzero((step > 2 * self.widest) & self.undecided)
            if rows.size:
                return _Rows(rows, step[rows], length[rows])
        return None

    def func_eval(self, step: _Rows) -> tuple[_Rows, CentralPairs]:
        return step, self.block.take(step.rows).central_pairs(step.step)

    def post_func_eval(self, measured: tuple[_Rows, CentralPairs]) -> _WiderSteps:
        (which, pairs), block = measured, self.block.take(measured[0].rows)
        rows, negligible = which.rows, self.negligible[which.rows]
        block.mark_as_changing(~pairs.unchanged)
        error, size = np.abs(pairs.value - block.claim), block.size(pairs)
        truncation, agrees = block.truncation(pairs, which.length), block.agrees(pairs)
        near = error <= np.maximum(pairs.noise, truncation * size)
        shared = np.where(agrees, np.minimum(block.agreement, truncation), truncation) * size
        bound = pairs.noise + error + shared
        better = (agrees | near) & (bound < block.found.bound[block.indices])
        block.store_where(better, pairs.value, bound, pairs.step)
        clear = pairs.noise <= CLEAR * size
        differs = ~better & ~near & clear & (error > block.agreement * size)
        excess, scale, widest = self.excess.copy(), self.scale.copy(), self.widest.copy()
        beyond = np.where(differs, error / np.maximum(pairs.noise, UNCLEAR), 0.0).max(axis=1)
        excess[rows] = beyond
        scale[rows] = np.where(beyond > 0, pairs.step / WIDEST, scale[rows])
        widest[rows] = pairs.step
        widest[rows[_measure_narrower(block, pairs, negligible)]] = np.inf
        undecided = (excess == 0) & self.block.unresolved(self.negligible)
        return replace(self, excess=excess, scale=scale, widest=widest, undecided=undecided)


def measure_with_wider_steps(
    block: Block, first: Floats, negligible: Booleans
) -> tuple[Floats, Floats]:
    """Measure coordinates one by one at wider steps, where the first step showed only noise.

    A wider step that clearly shows another derivative than the claimed one leaves an excess. So
    does a coordinate that no step decides.

    Parameters
    ----------
    block : Block
        The coordinates with their claims. It stores what is found.
    first : ndarray, shape (k,)
        The absolute steps at which they were measured.
    negligible : ndarray of bool, shape (k,)
        See `NoiseDominated`.

    Returns
    -------
    excess, scale : ndarray, shape (k,)
        See `measure_noise_dominated`.
    """
    steps = tuple(_wider_steps(block, first, negligible))
    nothing, everything = np.zeros(first.shape), np.ones(first.shape, dtype=bool)
    start = _WiderSteps(block, negligible, steps, nothing, block.scale, first, everything)
    last = refine(start, maxiter=len(steps))
    typical = block.function.scales.typical(block.indices)
    scale = np.where(last.undecided, np.maximum(typical, 1.0), last.scale)
    return np.where(last.undecided, UNCLEAR, last.excess), scale


def _measure_narrower(block: Block, wide: CentralPairs, negligible: Booleans) -> Booleans:
    """Measure again at a smaller step where curvature, and no longer noise, hides a derivative.

    Returns where that is so: still wider steps would show no more.
    """
    size, error = block.size(wide), np.abs(wide.value - block.claim)
    resolved = block.resolved(negligible)
    quiet = resolved | (QUIETER * wide.noise <= CLEAR * size)
    close = quiet & (resolved | (error <= EXTRAPOLATED * CLEAR * size))
    rows = np.flatnonzero(close.all(axis=1) & ~resolved.all(axis=1))
    if rows.size:
        part = block.take(rows)
        both = extrapolate_pairs(part, wide.take(rows))
        better = both.agrees & (both.bound < part.found.bound[part.indices])
        part.store_where(better, both.value, both.bound, both.second.step)
    return np.asarray(quiet.all(axis=1))
