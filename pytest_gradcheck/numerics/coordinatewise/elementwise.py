"""The compressed Jacobian of an elementwise function: its diagonal entries, all at once.

Coordinates that change no output in common can be moved at once, and the effect of each still be
seen in its own outputs (A. R. Curtis, M. J. D. Powell, J. K. Reid, J. Inst. Maths Applics 13
(1974) 117). An elementwise function needs one such group, a colour, for each parameter, and two
for a complex one: one central pair, or one extrapolation, measures all its entries.
That the Jacobian has no other entries is tested, see `jacobian_off_diagonal`.

It does not judge a claim, and does not allocate a matrix of all outputs by all coordinates.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.numerics.central_difference import measure_pairs
from pytest_gradcheck.numerics.coordinate_scales import Scales
from pytest_gradcheck.numerics.coordinatewise.block_differences import Block, measure_by_pairs
from pytest_gradcheck.numerics.coordinatewise.full_check import DerivativeTask
from pytest_gradcheck.numerics.coordinatewise.jacobian_off_diagonal import (
    Coupling,
    find_coupling,
    measure_entry,
)
from pytest_gradcheck.numerics.coordinatewise.noisy_coordinates import measure_with_wider_steps
from pytest_gradcheck.numerics.coordinatewise.piecewise_constant import (
    COARSE_ROUNDING,
    FINE_ROUNDING,
    ROUNDING_PROBE_OFFSETS,
    ROUNDING_PROBE_STEP,
    all_distinct,
    extrapolate_with_quantization_noise,
    jumps_beyond_plateau,
)
from pytest_gradcheck.numerics.function import ElementwiseClaims, Function
from pytest_gradcheck.numerics.line_restriction import RELATIVE_STEPS, Line
from pytest_gradcheck.numerics.measurement import (
    EPS,
    Booleans,
    Floats,
    Indices,
    Measurement,
    Status,
    output_rounding,
)
from pytest_gradcheck.numerics.noise import WIDE_SPACING, estimate_noise
from pytest_gradcheck.numerics.output_magnitude import output_sizes
from pytest_gradcheck.numerics.quantization import Plateau
from pytest_gradcheck.numerics.random_directions import (
    evaluate_along,
    seeded_generator,
    signed_direction,
)
from pytest_gradcheck.numerics.richardson import LineMeasurement, extrapolate

__all__ = ["CompressedJacobian", "measure_elementwise"]

#: Coordinates that are measured together: some fifty numbers are allocated for each.
BLOCK = 1 << 17

#: At most so many of them are extrapolated together; the others keep what two pairs show.
EXTRAPOLATED = 1 << 12

#: Numbers that the outputs of several evaluations may take, where few of them are kept.
CAPACITY = 1 << 20

#: Of very many entries some differ from their claims by chance. They are extrapolated again, with
#: a scale in no simple ratio to the first, and differ when so many bounds away.
OTHER_SCALE = 0.37
DIFFERS = 2.0

#: Steps that show on which sides the function is defined, as far as `estimate_noise` goes.
SIDES = (3 * WIDE_SPACING, -3 * WIDE_SPACING)

#: How many groups are tried, where the function is undefined when all coordinates are moved.
ATTEMPTS = 64


@dataclass(frozen=True, slots=True)
class CompressedJacobian:
    """The derivatives that an elementwise function may have, and the others that were found.

    Attributes
    ----------
    found : Measurement
        The derivatives of the outputs of each coordinate, fields of shape (n, w).
    output_indices : ndarray of int, shape (n, w)
        Which outputs these are.
    sizes : ndarray, shape (m,)
        By how much the outputs vary.
    scales : Scales
        The natural step of each coordinate.
    coupling : Coupling
        Outputs that depend on other coordinates, too.
    """

    found: Measurement
    output_indices: Indices
    sizes: Floats
    scales: Scales
    coupling: Coupling

    def natural(self, start: int, stop: int) -> Floats:
        """Return sizes of outputs over scales: the reference for a derivative that vanishes."""
        part = slice(start, stop)
        with np.errstate(over="ignore"):
            sizes = self.sizes[self.output_indices[part]]
            return np.asarray(sizes / self.scales.meaningful(part)[:, None])


def measure_elementwise(
    task: DerivativeTask,
    claims: ElementwiseClaims,
    *,
    agreement: float,
    step: float | None,
    seed: int,
) -> CompressedJacobian:
    """Measure all derivatives of an elementwise function at once.

    Parameters
    ----------
    task : DerivativeTask
        The function and the point; without a tangent.
    claims : ElementwiseClaims
        The claimed derivatives.
    agreement : float
        Relative difference at which claim and measurement agree.
    step : float or None
        A fixed absolute step, see `fixed_step_differences`.
    seed : int
        Draws the directions in which noise, sizes and coupling are estimated.

    Returns
    -------
    CompressedJacobian
        Whatever the number of entries, costs about 16 evaluations for the noise, 2 for the
        derivatives with respect to each parameter where claims are right, and one for each
        binary digit of the number of outputs.
    """
    rng = seeded_generator(seed)
    evaluate, point, base = task.evaluate, task.point, task.base
    scales = Scales.of(task.here, task.segments)
    direction = signed_direction(scales.own(slice(None)), rng)
    groups, inside, inward = _groups(task, claims, direction)
    direction[~inside] = 0.0
    noise = estimate_noise(evaluate, point, base=base, repeat=task.repeat, direction=direction)
    sizes = output_sizes(evaluate, point, base=base, noise=noise, direction=inward)
    function = Function(evaluate, point, base, noise, sizes, scales)
    found = _measure_groups(function, claims, groups, agreement=agreement, rng=rng)
    if step is not None:
        found = _fixed_step_differences(function, claims, groups, found, step)
    own_noise = _without_plateau_noise(function, claims.output_indices, found)
    coupling = find_coupling(own_noise, claims.output_indices, inside, rng)
    _remove_coupled(function, claims.output_indices, found, coupling)
    return CompressedJacobian(found, claims.output_indices, sizes, scales, coupling)


@dataclass(frozen=True, slots=True)
class _CompressedFunction(Function):
    """A function of k coordinates that are moved together, each seen in w outputs of its own.

    `base`, `noise` and `sizes` have a row for each coordinate, shape (k, w).

    Attributes
    ----------
    output_indices : ndarray of int, shape (k, w)
        The outputs of each coordinate.
    """

    output_indices: Indices

    @classmethod
    def of(cls, function: Function, output_indices: Indices) -> _CompressedFunction:
        """Return the function for coordinates with these outputs."""
        return cls(
            function.evaluate,
            function.point,
            function.base[output_indices],
            function.noise[output_indices],
            function.sizes[output_indices],
            function.scales,
            output_indices,
        )

    def evaluate_at(self, indices: Indices, values: Floats) -> Floats:
        """Evaluate with all coordinates set to values, and return the outputs of each.

        The coordinates may be repeated, once for each evaluation.
        """
        count, width = self.output_indices.shape
        outputs = np.empty((indices.size // count, count, width))
        original = self.point[indices[:count]]
        try:
            for number, row in enumerate(values.reshape(-1, count)):
                self.point[indices[:count]] = row
                outputs[number] = self.evaluate([self.point])[0][self.output_indices]
        finally:
            self.point[indices[:count]] = original
        return outputs.reshape(-1, width)

    def restricted_to(self, rows: Booleans | Indices | slice) -> _CompressedFunction:
        """Return the function for some of the coordinates."""
        return replace(
            self,
            base=self.base[rows],
            noise=self.noise[rows],
            sizes=self.sizes[rows],
            output_indices=self.output_indices[rows],
        )


@dataclass(frozen=True, slots=True)
class _JointLine(Line):
    """A line that moves some coordinates by their scales, all at once.

    Its outputs are those of each coordinate, one coordinate after the other.
    """

    function: Function
    indices: Indices
    scale: Floats

    @property
    def unit(self) -> float:
        """The length of a relative step of 1, in units of the scales."""
        return 1.0

    def at(self, steps: Floats) -> tuple[Floats, Floats]:
        """Return the steps and the outputs, corrected for the rounding of the steps."""
        function, indices = self.function, self.indices
        shape = function.base.shape
        original = function.point[indices]
        outputs = np.empty((steps.size, *shape))
        length = max(1, CAPACITY // max(original.size, 1))
        with np.errstate(all="ignore"):
            for start in range(0, steps.size, length):
                part = slice(start, start + length)
                wanted = steps[part, None] * self.scale
                shifted = original + wanted
                values = function.evaluate_at(np.tile(indices, len(shifted)), shifted.ravel())
                change = values.reshape(len(shifted), *shape) - function.base
                # The step of each coordinate is rounded by another share of it.
                share = np.where(shifted == original, 1.0, wanted / (shifted - original))
                outputs[part] = function.base + change * share[:, :, None]
        return steps, outputs.reshape(steps.size, -1)

    def each(self, steps: Floats, columns: Indices) -> Floats:
        """Return some outputs, each at a step of its own.

        Costs one evaluation for each output of a coordinate.

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
            selected = np.flatnonzero(which == column)
            if selected.size:
                shifted = function.point[self.indices]
                shifted[rows[selected]] += steps[selected] * self.scale[rows[selected]]
                values = function.evaluate_at(self.indices, shifted)
                found[selected] = values[rows[selected], column]
        return found


def _groups(
    task: DerivativeTask, claims: ElementwiseClaims, direction: Floats
) -> tuple[list[Indices], Booleans, Floats]:
    """Return groups of coordinates to move together, and where they can be moved.

    One entry at the edge of the domain may make the function undefined for all. Entries at zero
    are then moved by themselves, and other groups are halved.

    Returns
    -------
    groups : list of ndarray of int
        All coordinates together.
    inside : ndarray of bool, shape (n,)
        Which can be moved to both sides.
    inward : ndarray, shape (n,)
        A direction to the sides where the function is defined.
    """
    evaluate, point, output_indices = task.evaluate, task.point, claims.output_indices
    open_ = [np.arange(*colour.indices(point.size)) for colour in claims.colours]
    right, left = (
        np.isfinite(outputs) for outputs in evaluate_along(evaluate, point, direction, SIDES)
    )
    if right.any() and left.any():
        right, left = (np.all(side[output_indices], axis=1) for side in (right, left))
        inward = np.where(right, direction, np.where(left, -direction, 0.0))
        groups = [part for colour in open_ for part in _blocks(colour)]
        return groups, np.asarray(right & left), inward
    size, at_zero = np.abs(direction), task.here == 0
    inside, inward = np.zeros(size.shape, dtype=bool), np.zeros_like(size)
    groups, attempts = list[Indices](), 0
    while open_:
        group, attempts = open_.pop(), attempts + 1
        part = np.zeros_like(size)
        part[group] = size[group]
        outputs = evaluate_along(evaluate, point, part, SIDES)
        defined = np.isfinite(outputs[:, output_indices[group]])
        any_defined = defined.any(axis=(1, 2))
        zeros, others = group[at_zero[group]], group[~at_zero[group]]
        indivisible = group.size == 1 or (not others.size and any_defined.any())
        if any_defined.all() or indivisible or attempts > ATTEMPTS:
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
    """Yield parts of the coordinates that are measured together."""
    for start in range(0, indices.size, BLOCK):
        yield indices[start : start + BLOCK]


def _measure_groups(
    function: Function,
    claims: ElementwiseClaims,
    groups: list[Indices],
    *,
    agreement: float,
    rng: np.random.Generator,
) -> Measurement:
    """Measure groups of coordinates by pairs, and by extrapolation where these do not suffice."""
    found = Measurement.blank(*claims.values.shape)
    for group in groups:
        block = _block(function, claims, group, agreement, found)
        with np.errstate(all="ignore"):
            result = measure_by_pairs(block)
            excess, scale = result.excess, block.scale
            noisy = np.isin(group, result.noise_dominated.indices, assume_unique=True)
            if noisy.any():
                excess[noisy], scale[noisy] = measure_with_wider_steps(
                    block.take(noisy),
                    result.noise_dominated.step,
                    result.noise_dominated.negligible,
                )
        rows = _selected(excess, rng)
        if rows.size:
            selected = replace(block.take(rows), scale=scale[rows])
            _extrapolate_twice(selected, _least_jump(block))
    return found


def _selected(excess: Floats, rng: np.random.Generator) -> Indices:
    """Return the rows to extrapolate: of very many the worst, and a sample of the others."""
    rows = np.flatnonzero(excess)
    if rows.size <= EXTRAPOLATED:
        return rows
    ranked = rows[np.argsort(-excess[rows], kind="stable")]
    worst, others = np.split(ranked, [EXTRAPOLATED // 2])
    return np.concatenate([worst, rng.choice(others, EXTRAPOLATED // 2, replace=False)])


def _block(
    function: Function,
    claims: ElementwiseClaims,
    indices: Indices,
    agreement: float,
    found: Measurement,
) -> Block:
    compressed = _CompressedFunction.of(function, claims.output_indices[indices])
    claim = claims.values[indices]
    scale, meaningful = function.scales.own(indices), function.scales.meaningful(indices)
    return Block(compressed, indices, claim, scale, meaningful, agreement, found)


def _extrapolate_twice(block: Block, least: float) -> None:
    """Extrapolate coordinates, and once more with other steps where claims differ.

    For `least` see `_least_jump`.
    """
    measured = _extrapolate(block)
    _record(block, measured, least)
    differing = np.flatnonzero(_differ(block, measured).any(axis=1))
    if differing.size:
        some = block.take(differing)
        unchanged = measured.take(differing).are_unchanged(some.scale)
        wide = np.maximum(some.function.scales.typical(some.indices), 1.0)
        some = replace(some, scale=np.where(unchanged, wide, OTHER_SCALE * some.scale))
        second = _extrapolate(some)
        crossing = unchanged & (second.status != Status.SMOOTH).any(axis=1)
        agreeing = np.flatnonzero(~_differ(some, second).any(axis=1) & ~crossing)
        if agreeing.size:
            _record(some.take(agreeing), second.take(agreeing), least)


def _extrapolate(block: Block) -> _JointMeasurement:
    function = block.function
    line = _JointLine(function, block.indices, block.scale)
    base, noise = function.base.ravel(), function.noise.ravel()
    claim = (block.claim * block.scale[:, None]).ravel()
    measured = extrapolate_with_quantization_noise(
        line, base, noise, extrapolate(line, base, noise), claim=claim, agreement=block.agreement
    ).reaching(claim)
    return _JointMeasurement.of(measured, block.scale, function.base.shape)


@dataclass(frozen=True, slots=True)
class _JointMeasurement:
    """The extrapolation of k coordinates along one line, fields of shape (k, w).

    `half_width` and `jump` are those of `Plateau`, in units of the coordinates and outputs.
    """

    value: Floats
    bound: Floats
    lower: Floats
    upper: Floats
    step: Floats
    status: NDArray[np.int8]
    half_width: Floats
    jump: Floats

    @classmethod
    def of(
        cls, measured: LineMeasurement, scale: Floats, shape: tuple[int, ...]
    ) -> _JointMeasurement:
        """Convert a measurement along the line to the units of the coordinates."""
        unit = scale[:, None]
        slopes = (measured.value, measured.bound, measured.lower, measured.upper)
        value, bound, lower, upper = (slope.reshape(shape) / unit for slope in slopes)
        step = (measured.step.reshape(shape) * unit).min(axis=1)
        status, plateau = measured.status.reshape(shape), measured.plateau
        half_width = plateau.half_width.reshape(shape) * unit
        jump = plateau.jump.reshape(shape)
        return cls(value, bound, lower, upper, step, status, half_width, jump)

    def are_unchanged(self, scale: Floats) -> Booleans:
        """Return which coordinates leave all their outputs unchanged at every step."""
        return np.asarray((self.half_width >= RELATIVE_STEPS[0] * scale[:, None]).all(axis=1))

    def take(self, rows: Indices) -> _JointMeasurement:
        """Return the measurement of some of the coordinates."""
        return _JointMeasurement(
            **{field.name: getattr(self, field.name)[rows] for field in fields(self)}
        )


def _record(block: Block, measured: _JointMeasurement, least: float) -> None:
    """Replace the results of pairs by those of an extrapolation; for `least` see `_least_jump`."""
    found, indices, width = block.found, block.indices, block.claim.shape[1]
    found.value[indices], found.bound[indices] = measured.value, measured.bound
    found.step[indices], found.status[indices] = measured.step, measured.status
    for key in [(row, column) for row in indices.tolist() for column in range(width)]:
        found.kinks.pop(key, None)
    for row, column in np.argwhere(measured.status == Status.KINK).tolist():
        slopes = float(measured.lower[row, column]), float(measured.upper[row, column])
        found.set_kink(int(indices[row]), column, slopes)
    _record_plateaus(block, measured, least)


def _record_plateaus(block: Block, measured: _JointMeasurement, least: float) -> None:
    """Record outputs that are claimed to be constant, and are so around the point.

    They may jump beyond, by more than a share `least` of their size.
    """
    found, indices, base = block.found, block.indices, np.abs(block.function.base)
    plateau = Plateau(measured.half_width / block.scale[:, None], measured.jump)
    constant = (block.claim == 0) & (plateau.half_width > 0)
    rows, columns = np.nonzero(constant & (plateau.jump == 0))
    found.status[indices[rows], columns] = Status.UNCHANGED
    size = np.maximum(base, block.function.sizes)
    jumps = jumps_beyond_plateau(block.claim, plateau, size, least)
    rounding = output_rounding(base)
    for row, column in np.argwhere(jumps).tolist():
        bound = float(rounding[row, column] / measured.half_width[row, column])
        found.set_plateau(int(indices[row]), column, bound)


def _least_jump(block: Block) -> float:
    """Return the share of an output that a jump must exceed to end a plateau.

    Entries of one array are rounded alike. Where most of those that are claimed to change their
    outputs do not at some of a few close points, none is piecewise constant. Costs six
    evaluations if some, and not all, are claimed to change them, else none.
    """
    function, claimed = block.function, block.claim != 0
    if claimed.all() or not claimed.any():
        return COARSE_ROUNDING
    steps = ROUNDING_PROBE_STEP * np.array(ROUNDING_PROBE_OFFSETS)[:, None]
    shifted = function.point[block.indices] + steps * block.scale
    values = function.evaluate_at(np.tile(block.indices, len(shifted)), shifted.ravel())
    smooth = all_distinct(values.reshape(len(shifted), *claimed.shape))
    return FINE_ROUNDING if np.count_nonzero(smooth & claimed) > claimed.sum() / 2 else np.inf


def _differ(block: Block, measured: _JointMeasurement) -> Booleans:
    """Return where claims differ from an extrapolation."""
    claim, kink = block.claim, measured.status == Status.KINK
    size = np.maximum(np.abs(claim), np.abs(measured.value))
    allowed = np.maximum(DIFFERS * measured.bound, block.agreement * size)
    outside = (claim < measured.lower) | (claim > measured.upper)
    return np.asarray(np.where(kink, outside, np.abs(claim - measured.value) > allowed))


def _without_plateau_noise(
    function: Function, output_indices: Indices, found: Measurement
) -> Function:
    """Return the function with no noise but rounding where outputs are piecewise constant.

    Their noise is that of jumps by their own coordinates, which `find_coupling` moves alike.
    """
    others = np.ones(function.base.shape, dtype=bool)
    others[output_indices] = False
    np.logical_or.at(others, output_indices, found.status != Status.PLATEAU)
    rounding = np.minimum(EPS * np.abs(function.base), function.noise)
    noise = np.where(others, function.noise, rounding)
    return replace(function, noise=noise)


def _remove_coupled(
    function: Function, output_indices: Indices, found: Measurement, coupling: Coupling
) -> None:
    """Remove derivatives of outputs that depend on other coordinates, too.

    Moving all coordinates at once does not measure them. Those of which such a coordinate was
    found are measured by their own coordinate alone.
    """
    for row, column in np.argwhere(np.isin(output_indices, coupling.outputs)).tolist():
        found.value[row, column], found.bound[row, column] = np.nan, np.inf
        found.status[row, column] = Status.UNREFINED
        found.kinks.pop((row, column), None)
    for output in {pair.output for pair in coupling.pairs}:
        for row, column in np.argwhere(output_indices == output).tolist():
            entry = measure_entry(function, row, output)
            found.value[row, column], found.bound[row, column] = entry.value, entry.bound
            found.step[row], found.status[row, column] = entry.step, Status.SMOOTH


def _fixed_step_differences(
    function: Function,
    claims: ElementwiseClaims,
    groups: list[Indices],
    found: Measurement,
    step: float,
) -> Measurement:
    """Replace values by differences at a fixed step, see `fixed_step_differences`."""
    value, bound, taken = found.value.copy(), found.bound.copy(), found.step.copy()
    for group in groups:
        compressed = _CompressedFunction.of(function, claims.output_indices[group])
        pairs = measure_pairs(compressed, group, np.full(group.size, step))
        with np.errstate(all="ignore"):
            bound[group] = np.abs(pairs.value - found.value[group]) + found.bound[group]
        value[group], taken[group] = pairs.value, pairs.step
    return Measurement(value, bound, taken, found.status, found.kinks)
