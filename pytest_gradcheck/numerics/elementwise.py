"""The Jacobian of an elementwise function, compressed: all that is on its diagonal at once.

Coordinates that move no output in common can be moved together, and each still be seen by
itself: A. R. Curtis, M. J. D. Powell, J. K. Reid, "On the estimation of sparse Jacobian
matrices", J. Inst. Maths Applics 13 (1974) 117. An elementwise function needs one such
colour for each parameter, two for complex ones: a central pair of the whole array is one of
each entry, and a ladder is one for all. That outputs move with nothing else is not taken
for granted, see `coupling`.

It must not judge a claim, and holds no matrix of all outputs by all coordinates.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.numerics.central_difference import measure_pairs
from pytest_gradcheck.numerics.coordinate_block import Block, measure_by_pairs
from pytest_gradcheck.numerics.full_check import DerivativeTask
from pytest_gradcheck.numerics.function import ElementwiseClaims, Function
from pytest_gradcheck.numerics.jacobian_off_diagonal import Coupling, find_coupling, measure_entry
from pytest_gradcheck.numerics.line_restriction import RELATIVE_STEPS, Line
from pytest_gradcheck.numerics.measurement import (
    EPS,
    Booleans,
    Floats,
    Indices,
    Measurement,
    Status,
)
from pytest_gradcheck.numerics.noise import WIDE_SPACING, estimate_noise
from pytest_gradcheck.numerics.noisy_coordinates import measure_with_wider_steps
from pytest_gradcheck.numerics.output_magnitude import output_sizes
from pytest_gradcheck.numerics.piecewise_constant import (
    COARSE_ROUNDING,
    FINE_ROUNDING,
    ROUNDING_PROBE_OFFSETS,
    ROUNDING_PROBE_STEP,
    all_distinct,
    extrapolate_with_quantization_noise,
    jumps_beyond_plateau,
)
from pytest_gradcheck.numerics.quantization import Plateau
from pytest_gradcheck.numerics.random_directions import (
    evaluate_along,
    seeded_generator,
    signed_direction,
)
from pytest_gradcheck.numerics.richardson import LineMeasurement, extrapolate
from pytest_gradcheck.numerics.step_size import Scales

__all__ = ["CompressedJacobian", "measure_elementwise"]

#: Coordinates that are looked at together: a look allocates some fifty numbers for each.
BLOCK = 1 << 17

#: So many of them share a ladder at most, when the others keep what two pairs show.
CLIMBED = 1 << 12

#: Numbers that the outputs of several evaluations may be, where few of them are kept.
ROOM = 1 << 20

#: Of very many entries some look off by chance: what a ladder finds off is measured by another
#: one, its steps in no simple ratio to those of the first.
OTHER = 0.37
APART = 2.0

#: How far all of them are moved to see on which sides forward is defined, as noise is.
SIDES = (3 * WIDE_SPACING, -3 * WIDE_SPACING)

#: Moved together where forward raises: parts are tried up to so many times.
TRIES = 64


@dataclass(frozen=True, slots=True)
class CompressedJacobian:
    """The derivatives that an elementwise function may have, and whether it has others.

    Attributes
    ----------
    found : Measurement
        Of the outputs that a coordinate may move, fields of shape (n, w).
    own : ndarray of int, shape (n, w)
        Which outputs these are.
    sizes : ndarray, shape (m,)
        How large the outputs are.
    scales : Scales
        Natural step of each coordinate.
    coupling : Coupling
        Outputs that move with other coordinates, too.
    """

    found: Measurement
    own: Indices
    sizes: Floats
    scales: Scales
    coupling: Coupling

    def natural(self, start: int, stop: int) -> Floats:
        """Return outputs over scales, what a vanishing derivative is small against."""
        part = slice(start, stop)
        with np.errstate(over="ignore"):
            return np.asarray(self.sizes[self.own[part]] / self.scales.meaningful(part)[:, None])


def measure_elementwise(
    question: DerivativeTask,
    claims: ElementwiseClaims,
    *,
    agreement: float,
    step: float | None,
    seed: int,
) -> CompressedJacobian:
    """Measure all derivatives of an elementwise function at once.

    Parameters
    ----------
    question : DerivativeTask
        The function and the point; without a tangent.
    claims : ElementwiseClaims
        What is claimed of it.
    agreement : float
        Relative difference at which claim and measurement agree.
    step : float or None
        A fixed absolute step for the values, see `fixed_step_differences`.
    seed : int
        Draws the directions in which noise, sizes and coupling are looked at.

    Returns
    -------
    CompressedJacobian
        Whatever the number of entries, in about 16 evaluations for the noise, 2 for the
        derivatives by each parameter where claims are right, and one for each binary digit
        of their number.
    """
    rng = seeded_generator(seed)
    evaluate, point, base = question.evaluate, question.point, question.base
    scales = Scales.of(question.here, question.segments)
    direction = signed_direction(scales.own(slice(None)), rng)
    groups, inside, inward = _groups(question, claims, direction)
    direction[~inside] = 0.0
    noise = estimate_noise(evaluate, point, base=base, repeat=question.repeat, direction=direction)
    sizes = output_sizes(evaluate, point, base=base, noise=noise, direction=inward)
    function = Function(evaluate, point, base, noise, sizes, scales)
    found = _measured(function, claims, groups, agreement=agreement, rng=rng)
    if step is not None:
        found = _refitted(function, claims, groups, found, step)
    coupling = find_coupling(_quiet(function, claims.own, found), claims.own, inside, rng)
    _leave_out(function, claims.own, found, coupling)
    return CompressedJacobian(found, claims.own, sizes, scales, coupling)


@dataclass(frozen=True, slots=True)
class _Own(Function):
    """A function as k coordinates see it that are moved together: in w outputs each.

    `base`, `noise` and `sizes` have a row for each coordinate, shape (k, w).

    Attributes
    ----------
    own : ndarray of int, shape (k, w)
        The outputs that each coordinate moves.
    """

    own: Indices

    @classmethod
    def at(cls, function: Function, own: Indices) -> _Own:
        """Return the function as coordinates with these outputs see it."""
        return cls(
            function.evaluate,
            function.point,
            function.base[own],
            function.noise[own],
            function.sizes[own],
            function.scales,
            own,
        )

    def evaluate_at(self, indices: Indices, there: Floats) -> Floats:
        """Return the outputs with all of the coordinates moved, each of its own.

        Handed the same coordinates several times over, one evaluation for each time.
        """
        count, width = self.own.shape
        outputs = np.empty((indices.size // count, count, width))
        here = self.point[indices[:count]]
        try:
            for number, places in enumerate(there.reshape(-1, count)):
                self.point[indices[:count]] = places
                outputs[number] = self.evaluate([self.point])[0][self.own]
        finally:
            self.point[indices[:count]] = here
        return outputs.reshape(-1, width)

    def restricted_to(self, rows: Booleans | Indices | slice) -> _Own:
        """Return the function as some of the coordinates see it."""
        return replace(
            self,
            base=self.base[rows],
            noise=self.noise[rows],
            sizes=self.sizes[rows],
            own=self.own[rows],
        )


@dataclass(frozen=True, slots=True)
class _Together(Line):
    """The function along a line that moves some coordinates by their scales, all at once.

    Outputs are those that each coordinate moves, one coordinate after the other.
    """

    function: Function
    indices: Indices
    scale: Floats

    @property
    def unit(self) -> float:
        """The length of a relative step of 1, in units of all their scales."""
        return 1.0

    def at(self, steps: Floats) -> tuple[Floats, Floats]:
        """Return the steps and the outputs there, as if none of them had been rounded."""
        function, indices = self.function, self.indices
        shape = function.base.shape
        here = function.point[indices]
        outputs = np.empty((steps.size, *shape))
        length = max(1, ROOM // max(here.size, 1))
        with np.errstate(all="ignore"):
            for start in range(0, steps.size, length):
                part = slice(start, start + length)
                wanted = steps[part, None] * self.scale
                there = here + wanted
                moved = function.evaluate_at(np.tile(indices, len(there)), there.ravel())
                change = moved.reshape(len(there), *shape) - function.base
                # A step is rounded, for each coordinate by another share of it.
                share = np.where(there == here, 1.0, wanted / (there - here))
                outputs[part] = function.base + change * share[:, :, None]
        return steps, outputs.reshape(steps.size, -1)

    def each(self, steps: Floats, columns: Indices) -> Floats:
        """Return some outputs, each at a step of its own; one evaluation for each of a coordinate.

        Parameters
        ----------
        steps : ndarray, shape (k,)
            The steps.
        columns : ndarray of int, shape (k,)
            Which of the k * w outputs, none twice.
        """
        function = self.function
        width = function.base.shape[1]
        rows, which = np.divmod(columns, width)
        found = np.empty(columns.size)
        for column in range(width):
            now = np.flatnonzero(which == column)
            if now.size:
                there = function.point[self.indices]
                there[rows[now]] += steps[now] * self.scale[rows[now]]
                found[now] = function.evaluate_at(self.indices, there)[rows[now], column]
        return found


def _groups(
    question: DerivativeTask, claims: ElementwiseClaims, direction: Floats
) -> tuple[list[Indices], Booleans, Floats]:
    """Return coordinates that are moved together, and where they can be moved.

    One entry at the edge of the domain may be the end of all: where forward raises, those
    at zero are moved by themselves, then parts of what is left. Also returned are which of
    them can be moved to both sides, shape (n,), and a direction to the side where they can.
    """
    evaluate, point, own = question.evaluate, question.point, claims.own
    open_ = [np.arange(*colour.indices(point.size)) for colour in claims.colours]
    right, left = (
        np.isfinite(outputs) for outputs in evaluate_along(evaluate, point, direction, SIDES)
    )
    if right.any() and left.any():
        right, left = (np.all(side[own], axis=1) for side in (right, left))
        inward = np.where(right, direction, np.where(left, -direction, 0.0))
        groups = [part for colour in open_ for part in _blocks(colour)]
        return groups, np.asarray(right & left), inward
    size, at_zero = np.abs(direction), question.here == 0
    inside, inward = np.zeros(size.shape, dtype=bool), np.zeros_like(size)
    groups, tries = list[Indices](), 0
    while open_:
        group, tries = open_.pop(), tries + 1
        part = np.zeros_like(size)
        part[group] = size[group]
        defined = np.isfinite(evaluate_along(evaluate, point, part, SIDES)[:, own[group]])
        goes_on = defined.any(axis=(1, 2))
        zeros, others = group[at_zero[group]], group[~at_zero[group]]
        alone = group.size == 1 or (not others.size and goes_on.any())
        if goes_on.all() or alone or tries > TRIES:
            right, left = np.all(defined, axis=2)
            inside[group] = right & left
            inward[group] = np.where(right, size[group], np.where(left, -size[group], 0.0))
            groups += _blocks(group)
        elif zeros.size and others.size:
            open_ += (zeros, others)
        else:
            open_ += np.array_split(group, 2)
    return groups, inside, inward


def _blocks(indices: Indices) -> Iterator[Indices]:
    """Cut coordinates into parts that are looked at together."""
    for start in range(0, indices.size, BLOCK):
        yield indices[start : start + BLOCK]


def _measured(
    function: Function,
    claims: ElementwiseClaims,
    groups: list[Indices],
    *,
    agreement: float,
    rng: np.random.Generator,
) -> Measurement:
    """Measure by pairs, and by a ladder what they do not settle."""
    found = Measurement.blank(*claims.values.shape)
    for group in groups:
        block = _block(function, claims, group, agreement, found)
        with np.errstate(all="ignore"):
            seen = measure_by_pairs(block)
            doubt, scale = seen.excess, block.scale
            drowned = np.isin(group, seen.noise_dominated.indices, assume_unique=True)
            if drowned.any():
                doubt[drowned], scale[drowned] = measure_with_wider_steps(
                    block.take(drowned), seen.noise_dominated.step, seen.noise_dominated.negligible
                )
        rows = _chosen(doubt, rng)
        if rows.size:
            _climb(replace(block.take(rows), scale=scale[rows]), _least_jump(block))
    return found


def _chosen(doubt: Floats, rng: np.random.Generator) -> Indices:
    """Return the rows that get a ladder: of very many the worst, and a sample of the others."""
    rows = np.flatnonzero(doubt)
    if rows.size <= CLIMBED:
        return rows
    ranked = rows[np.argsort(-doubt[rows], kind="stable")]
    worst, others = np.split(ranked, [CLIMBED // 2])
    return np.concatenate([worst, rng.choice(others, CLIMBED // 2, replace=False)])


def _block(
    function: Function,
    claims: ElementwiseClaims,
    indices: Indices,
    agreement: float,
    found: Measurement,
) -> Block:
    own, claim = _Own.at(function, claims.own[indices]), claims.values[indices]
    scale, meaningful = function.scales.own(indices), function.scales.meaningful(indices)
    return Block(own, indices, claim, scale, meaningful, agreement, found)


def _climb(block: Block, least: float) -> None:
    """Settle coordinates by a ladder that all of them share, by another what is off then."""
    measured = _ladder(block)
    _take(block, measured, least)
    off = np.flatnonzero(_are_off(block, measured).any(axis=1))
    if off.size:
        some = block.take(off)
        still = measured.take(off).stands_still(some.scale)
        wide = np.maximum(some.function.scales.typical(some.indices), 1.0)
        some = replace(some, scale=np.where(still, wide, OTHER * some.scale))
        again = _ladder(some)
        crossed = still & (again.status != Status.SMOOTH).any(axis=1)
        right = np.flatnonzero(~_are_off(some, again).any(axis=1) & ~crossed)
        if right.size:
            _take(some.take(right), again.take(right), least)


def _ladder(block: Block) -> _Rows:
    function = block.function
    line = _Together(function, block.indices, block.scale)
    base, noise = function.base.ravel(), function.noise.ravel()
    claim = (block.claim * block.scale[:, None]).ravel()
    climbed = extrapolate_with_quantization_noise(
        line, base, noise, extrapolate(line, base, noise), claim=claim, agreement=block.agreement
    ).reaching(claim)
    return _Rows.of(climbed, block.scale, function.base.shape)


@dataclass(frozen=True, slots=True)
class _Rows:
    """What a ladder shows of k coordinates that share it, fields of shape (k, w).

    `reach` and `move` are those of `Plateau`, in units of the coordinates and of the outputs.
    """

    value: Floats
    bound: Floats
    lower: Floats
    upper: Floats
    step: Floats
    status: NDArray[np.int8]
    reach: Floats
    move: Floats

    @classmethod
    def of(cls, climbed: LineMeasurement, scale: Floats, shape: tuple[int, ...]) -> _Rows:
        """Read it in the units of the coordinates."""
        per = scale[:, None]
        slopes = (climbed.value, climbed.bound, climbed.lower, climbed.upper)
        value, bound, lower, upper = (slope.reshape(shape) / per for slope in slopes)
        step = (climbed.step.reshape(shape) * per).min(axis=1)
        status, level = climbed.status.reshape(shape), climbed.plateau
        reach, move = level.half_width.reshape(shape) * per, level.jump.reshape(shape)
        return cls(value, bound, lower, upper, step, status, reach, move)

    def stands_still(self, scale: Floats) -> Booleans:
        """Tell which coordinates move no output at any step."""
        return np.asarray((self.reach >= RELATIVE_STEPS[0] * scale[:, None]).all(axis=1))

    def take(self, rows: Indices) -> _Rows:
        """Return some of the coordinates."""
        return _Rows(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def _take(block: Block, measured: _Rows, least: float) -> None:
    """Replace what pairs showed by what a ladder does; for `least` see `_least_jump`."""
    found, indices, width = block.found, block.indices, block.claim.shape[1]
    found.value[indices], found.bound[indices] = measured.value, measured.bound
    found.step[indices], found.status[indices] = measured.step, measured.status
    for place in [(row, column) for row in indices.tolist() for column in range(width)]:
        found.kinks.pop(place, None)
    for row, column in np.argwhere(measured.status == Status.KINK).tolist():
        slopes = float(measured.lower[row, column]), float(measured.upper[row, column])
        found.set_kink(int(indices[row]), column, slopes)
    _keep_levels(block, measured, least)


def _keep_levels(block: Block, measured: _Rows, least: float) -> None:
    """Note where outputs that are claimed not to move do not, whether or not they jump beyond.

    By more than a share `least` of their size.
    """
    found, indices, base = block.found, block.indices, np.abs(block.function.base)
    level = Plateau(measured.reach / block.scale[:, None], measured.move)
    none = (block.claim == 0) & (level.half_width > 0)
    rows, columns = np.nonzero(none & (level.jump == 0))
    found.status[indices[rows], columns] = Status.UNCHANGED
    size = np.maximum(base, block.function.sizes)
    jumps = jumps_beyond_plateau(block.claim, level, size, least)
    for row, column in np.argwhere(jumps).tolist():
        bound = EPS * float(base[row, column] / measured.reach[row, column])
        found.set_plateau(int(indices[row]), column, bound)


def _least_jump(block: Block) -> float:
    """Return the share of an output that it must jump by to be level ground before.

    Entries of one array are rounded alike: where most of those that are claimed to move
    their outputs do not at some of a few places close together, none is. Costs six
    evaluations where any is, none else.
    """
    function, claimed = block.function, block.claim != 0
    if claimed.all() or not claimed.any():
        return COARSE_ROUNDING
    steps = ROUNDING_PROBE_STEP * np.array(ROUNDING_PROBE_OFFSETS)[:, None]
    there = function.point[block.indices] + steps * block.scale
    moved = function.evaluate_at(np.tile(block.indices, len(there)), there.ravel())
    smooth = all_distinct(moved.reshape(len(there), *claimed.shape))
    return FINE_ROUNDING if np.count_nonzero(smooth & claimed) > claimed.sum() / 2 else np.inf


def _are_off(block: Block, measured: _Rows) -> Booleans:
    """Tell where claims are apart from what a ladder shows."""
    claim, kink = block.claim, measured.status == Status.KINK
    size = np.maximum(np.abs(claim), np.abs(measured.value))
    allowed = np.maximum(APART * measured.bound, block.agreement * size)
    outside = (claim < measured.lower) | (claim > measured.upper)
    return np.asarray(np.where(kink, outside, np.abs(claim - measured.value) > allowed))


def _quiet(function: Function, own: Indices, found: Measurement) -> Function:
    """Return the function with no noise but rounding where outputs are level ground.

    What is noise there are the jumps by their own coordinates, which are moved alike.
    """
    others = np.ones(function.base.shape, dtype=bool)
    others[own] = False
    np.logical_or.at(others, own, found.status != Status.PLATEAU)
    rounding = np.minimum(EPS * np.abs(function.base), function.noise)
    noise = np.where(others, function.noise, rounding)
    return replace(function, noise=noise)


def _leave_out(function: Function, own: Indices, found: Measurement, coupling: Coupling) -> None:
    """Forget what moving all coordinates showed of outputs that others move, too.

    Those with a coordinate that was found are measured by their own.
    """
    for row, column in np.argwhere(np.isin(own, coupling.outputs)).tolist():
        found.value[row, column], found.bound[row, column] = np.nan, np.inf
        found.status[row, column] = Status.UNREFINED
        found.kinks.pop((row, column), None)
    for output in {pair.output for pair in coupling.pairs}:
        for row, column in np.argwhere(own == output).tolist():
            alone = measure_entry(function, row, output)
            found.value[row, column], found.bound[row, column] = alone.value, alone.bound
            found.step[row], found.status[row, column] = alone.step, Status.SMOOTH


def _refitted(
    function: Function,
    claims: ElementwiseClaims,
    groups: list[Indices],
    found: Measurement,
    step: float,
) -> Measurement:
    """Replace values by central differences at a fixed step, as `fixed_step_differences` does."""
    value, bound, taken = found.value.copy(), found.bound.copy(), found.step.copy()
    for group in groups:
        own = _Own.at(function, claims.own[group])
        pairs = measure_pairs(own, group, np.full(group.size, step))
        with np.errstate(all="ignore"):
            bound[group] = np.abs(pairs.value - found.value[group]) + found.bound[group]
        value[group], taken[group] = pairs.value, pairs.step
    return Measurement(value, bound, taken, found.status, found.kinks)
