"""Richardson extrapolation of central differences, with an error bound.

A central difference ``D(h) = (f(x + h) - f(x - h)) / 2h`` errs by ``c h^2 + O(h^4)``. From steps
``h`` and ``h / 4`` the leading error is eliminated (L. F. Richardson, Phil. Trans. R. Soc. A 226
(1927) 299)::

    D(h / 4) + (D(h / 4) - D(h)) / (4^2 - 1)

The step is chosen as by C. J. F. Ridders (Adv. Eng. Softw. 4 (1982) 75): the one with the smallest
error estimate. The estimate is the larger difference from the extrapolated values at the two
neighbouring steps, plus the noise of the outputs, plus the second difference where no curvature
explains it. The tableau is not extrapolated further. `scipy.differentiate.derivative` stops at the
first step that meets a tolerance; here all steps are evaluated, noise is part of the bound, and
kinks, jumps, edges of the domain and singularities are distinguished from smooth points.

It does not know what the line stands for, or what is claimed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.numerics.line_restriction import (
    RATIO,
    RELATIVE_STEPS,
    Line,
    LineSamples,
    sample,
)
from pytest_gradcheck.numerics.measurement import EPS, Booleans, Floats, Measurement, Status
from pytest_gradcheck.numerics.noise import noise_ceiling, noise_floor, sudden_drops
from pytest_gradcheck.numerics.quantization import Plateau, find_plateau, find_quantization_steps

__all__ = ["LineMeasurement", "extrapolate"]

#: A change is visible when it exceeds the noise by this factor.
VISIBLE = 50.0

#: A kink or a jump shows at so many consecutive steps, the same up to this relative spread.
KINK_STEPS = 4
KINK_SPREAD = 0.1

#: How often the noise is raised to the scatter of the values at smaller steps.
NOISE_ROUNDS = 3

#: Slopes converge when each change is at most this share of the one before, or hidden by so
#: many times the noise.
CONVERGING = 0.7
HIDDEN = 8.0

#: A function is unresolved when it bends at the smallest steps by this share of the outputs, and
#: of all that they vary by.
UNRESOLVED = 0.1

#: A claim differs when it is this many bounds away.
DIFFERS = 2.0

#: A value is excluded by one at a smaller step whose bound is this share of their difference.
EXCLUDES = 1 / 30


@dataclass(frozen=True, slots=True)
class LineMeasurement:
    """The derivatives of m outputs along one line; fields of shape (m,), as in `Measurement`.

    Attributes
    ----------
    value, bound, step, status : ndarray
        See `Measurement`.
    lower, upper : ndarray
        The smaller and the larger one-sided derivative at a kink, else `value`.
    plateau : Plateau
        How far the outputs keep their values.
    steepest : ndarray
        The largest slope from the point to any step that changes the output visibly.
    central : ndarray, shape (k, m)
        Central differences at all steps.
    """

    value: Floats
    bound: Floats
    lower: Floats
    upper: Floats
    step: Floats
    status: NDArray[np.int8]
    plateau: Plateau
    steepest: Floats
    central: Floats

    @property
    def is_unchanged(self) -> Booleans:
        """Whether each output is unchanged, bit by bit, at every step."""
        return np.asarray(self.plateau.half_width >= RELATIVE_STEPS[0])

    def is_resolved(self, share: Floats) -> bool:
        """Return whether all outputs are smooth, with bounds below these shares of the slopes."""
        smooth = self.status == Status.SMOOTH.value
        return bool((smooth & (self.bound <= share * np.abs(self.value))).all())

    def differs(self, claim: Floats, agreement: float) -> Booleans:
        """Return which outputs are smooth, with a derivative that differs from the claim."""
        size = np.maximum(np.abs(claim), np.abs(self.value))
        allowed = np.maximum(DIFFERS * self.bound, agreement * size)
        differs = (np.abs(claim - self.value) > allowed) & (self.status == Status.SMOOTH)
        return np.asarray(differs)

    def or_wider(self, wider: LineMeasurement) -> LineMeasurement:
        """Return for each output this measurement or one with wider steps, if that is better.

        The wider one is better where its bound is smaller and this one does not contradict
        it. At a kink this one is kept: wider steps may cross it.
        """
        contradicts = np.abs(wider.value - self.value) > wider.bound + self.bound
        regular = (wider.status == Status.SMOOTH) | (wider.status == Status.EDGE)
        better = regular & (wider.bound < self.bound) & ~contradicts
        chosen = self._replaced(wider, better & (self.status != Status.KINK))
        return replace(chosen, plateau=wider.plateau)

    def or_changing(self, wider: LineMeasurement) -> LineMeasurement:
        """Return this, or for unchanged outputs a measurement whose wider steps change them.

        It is not used where it shows a kink: that is not at the point.
        """
        regular = (wider.status == Status.SMOOTH) | (wider.status == Status.EDGE)
        return self._replaced(wider, self.is_unchanged & ~wider.is_unchanged & regular)

    def _replaced(self, other: LineMeasurement, chosen: Booleans) -> LineMeasurement:
        fields = {
            name: np.where(chosen, getattr(other, name), getattr(self, name))
            for name in ("value", "bound", "lower", "upper", "step", "status")
        }
        steepest = np.fmax(self.steepest, other.steepest)
        return replace(self, **fields, steepest=steepest)

    def reaching(self, claim: Floats) -> LineMeasurement:
        """Return the measurement with bounds that include the claim where slopes diverge.

        A divergent output refutes no claim. Its bound stays small for a claim of zero where the
        slopes over long distances are small.
        """
        error = np.abs(self.value - claim)
        needed = np.where(self.status == Status.DIVERGENT, error, 0.0)
        return replace(self, bound=np.fmax(self.bound, needed))

    def slopes(self, output: int) -> tuple[float, float]:
        """Return the smaller and the larger one-sided derivative of an output."""
        return float(self.lower[output]), float(self.upper[output])

    def as_measurement(self) -> Measurement:
        """Return the measurement as that of a single coordinate."""
        kinked = np.flatnonzero(self.status == Status.KINK).tolist()
        return Measurement(
            self.value[None],
            self.bound[None],
            self.step.min(keepdims=True),
            self.status[None],
            {(0, output): self.slopes(output) for output in kinked},
            {(0, output): float(slope) for output, slope in enumerate(self.steepest)},
        )


@dataclass(frozen=True, slots=True)
class _Estimate:
    value: Floats
    bound: Floats
    step: Floats


def extrapolate(
    line: Line, base: Floats, noise: Floats, *, least: Floats | float = 0.0
) -> LineMeasurement:
    """Measure the derivative of every output along `line`.

    A value that smaller steps exclude is not selected, however well its neighbours agree: over
    steps far beyond the length on which a function varies, all slopes are small and alike.
    Kinks and edges of the domain are measured by one-sided formulas of second order.

    Parameters
    ----------
    line : Line
        Where to evaluate.
    base : ndarray, shape (m,)
        Outputs at the point.
    noise : ndarray, shape (m,)
        Noise of the outputs. It is lowered where the function bends by less, see
        `noise_ceiling`, and raised to the scatter of the values.
    least : ndarray, shape (m,), or float
        Noise that is not lowered.

    Returns
    -------
    LineMeasurement
        Derivatives per unit of absolute step. Costs 40 evaluations, 24 more for each plateau
        that is examined, and eight more where the function varies over a billionth of the unit
        of the line.
    """
    samples = sample(line, base)
    with np.errstate(all="ignore"):
        smallest, bend = EPS * np.abs(base), samples.bend
        noise = np.minimum(noise, noise_ceiling(bend, smallest))
        noise = np.maximum(np.maximum(noise, noise_floor(bend, smallest)), least)
        # Steps on two sides of a sudden drop see different smooth pieces of the function.
        piece = np.cumsum(np.vstack([np.zeros_like(base), sudden_drops(bend, smallest)]), axis=0)
        heights = find_quantization_steps(
            line, base, noise, right=samples.right, left=samples.left, steps=samples.relative
        )
        plateau = find_plateau(
            base, right=samples.right, left=samples.left, steps=samples.relative
        )
        plateau = plateau.without_continuous_changes(heights, noise)
        noise = np.maximum(noise, heights)
        rounding = EPS * np.fmax(np.abs(samples.right), np.abs(samples.left))
        both = _extrapolate_central(samples, noise, rounding, piece)
        total = np.maximum(noise, rounding)
        right = _extrapolate_side(samples.from_right, samples.right_step[:, None], total, piece)
        left = _extrapolate_side(samples.from_left, samples.left_step[:, None], total, piece)
        one = _better(right, left)
        kink = _shows_kink(samples, noise) & np.isfinite(right.bound) & np.isfinite(left.bound)
        jump = _shows_jump(samples, noise)
        one_sided = ~np.isfinite(samples.central).all(axis=0) & (one.bound < both.bound)
        edge = (one_sided | ~np.isfinite(both.bound)) & np.isfinite(one.bound)
        none = ~np.isfinite(both.bound) & ~np.isfinite(one.bound)
        undefined = none & ~np.isfinite(samples.second_difference).any(axis=0)
        divergent = (none & ~undefined) | _is_unresolved(samples)
        steepest = _steepest(samples, noise)

    value = np.where(edge, one.value, both.value)
    bound = np.where(edge, one.bound, both.bound)
    step = np.where(edge, one.step, both.step)
    status = np.zeros(base.shape, dtype=np.int8)
    status[edge] = Status.EDGE
    status[kink] = Status.KINK
    status[divergent] = Status.DIVERGENT
    status[undefined] = Status.UNDEFINED
    status[jump] = Status.JUMP
    bound = np.where(kink, right.bound + left.bound, bound)
    value = np.where(kink, (right.value + left.value) / 2, value)
    step = np.where(kink, np.minimum(right.step, left.step), step)
    none |= jump
    value = np.where(none, np.nan, value)
    bound = np.where(none, np.inf, bound)
    lower = np.minimum(right.value - right.bound, left.value - left.bound)
    upper = np.maximum(right.value + right.bound, left.value + left.bound)
    return LineMeasurement(
        value,
        bound,
        np.where(kink, lower, value),
        np.where(kink, upper, value),
        step,
        status,
        plateau,
        steepest,
        samples.central,
    )


def _extrapolate_central(
    samples: LineSamples, noise: Floats, rounding: Floats, piece: Floats
) -> _Estimate:
    """Estimate from central differences; the noise is raised to the scatter of the values."""
    gain = RATIO**2
    central, bend = samples.central, _unexplained_bend(samples, noise)
    value = central[1:] + (central[1:] - central[:-1]) / (gain - 1)
    truncation = np.maximum(bend[1:], bend[:-1] / (gain - 1))
    step = samples.step[1:]

    def selected(noise: Floats) -> _Estimate:
        total = np.maximum(noise, rounding)
        convergent = np.where(_diverges(central, samples.step, total), np.nan, value)
        return _select(convergent, step, truncation + 1.1 * total[1:] / step, piece[1:])

    estimate = selected(noise)
    for _ in range(NOISE_ROUNDS):
        scatter = np.where(step < estimate.step, np.abs(value - estimate.value) * step, 0.0)
        largest = np.nanmax(scatter, axis=0, initial=0.0)
        if not np.any(largest > 1.5 * noise):
            break
        noise = np.maximum(noise, largest)
        estimate = selected(noise)
    return estimate


def _unexplained_bend(samples: LineSamples, noise: Floats) -> Floats:
    """Return half the difference of the slopes to both sides where curvature does not explain it.

    The second difference of a smooth function falls like h^2 or faster. Where it does not, the
    steps straddle a kink or exceed the wavelength of an oscillation, and agreement of
    neighbouring steps would be chance.
    """
    difference = np.abs(samples.second_difference)
    smaller = np.vstack([difference[1:], np.zeros_like(difference[:1])])
    hidden = HIDDEN * noise
    curved = (smaller <= difference / 8) & (
        (smaller >= difference / 300) | (difference <= 300 * hidden)
    )
    explained = curved | (difference <= hidden)
    return np.where(explained, 0.0, difference / (2 * samples.step))


def _extrapolate_side(slope: Floats, step: Floats, noise: Floats, piece: Floats) -> _Estimate:
    """Estimate a one-sided derivative: errors of order h, then of h^2, are eliminated."""
    first = slope[1:] + (slope[1:] - slope[:-1]) / (RATIO - 1)
    second = first[1:] + (first[1:] - first[:-1]) / (RATIO**2 - 1)
    second[_diverges(slope, step, noise)[1:]] = np.nan
    return _select(second, step[2:], 3 * noise[2:] / step[2:], piece[2:])


def _diverges(slope: Floats, step: Floats, noise: Floats) -> Booleans:
    """Return where slopes at k ever smaller steps do not converge, shape (k - 1, m).

    At the singularity of a root or a logarithm they grow without end, by similar amounts.
    Where noise hides further changes, the last visible ones decide.
    """
    change = np.diff(slope, axis=0)
    next_change = np.vstack([change[1:], np.zeros_like(change[:1])])
    convergent = CONVERGING * np.abs(change)
    visible = np.maximum(np.abs(next_change), convergent) > RATIO * HIDDEN * noise[1:] / step[1:]
    grows = visible & (next_change * np.sign(change) > convergent)
    # Noise may do so by chance, once.
    twice, nowhere = grows[1:] & grows[:-1], np.zeros_like(grows[:1])
    diverges = np.vstack([twice, nowhere]) | np.vstack([nowhere, twice])
    steps = np.arange(len(visible))[:, None]
    last_visible = np.maximum.accumulate(np.where(visible, steps, 0), axis=0)
    return np.take_along_axis(diverges, last_visible, axis=0)


def _select(value: Floats, step: Floats, uncertainty: Floats, piece: Floats) -> _Estimate:
    """Select the value with the smallest bound; both neighbouring steps enter into it."""
    change = np.abs(np.diff(value, axis=0))
    bound = np.maximum(change[:-1], change[1:]) + uncertainty[1:-1]
    bound = np.where(np.isfinite(bound), bound, np.inf)
    excluded = _excluded(value[1:-1], bound, piece[1:-1])
    best = np.argmin(np.where(excluded, np.inf, bound), axis=0)
    columns = np.arange(value.shape[1])
    return _Estimate(
        value[1:-1][best, columns],
        bound[best, columns],
        np.broadcast_to(step[1:-1], bound.shape)[best, columns],
    )


def _excluded(value: Floats, bound: Floats, piece: Floats) -> Booleans:
    """Return which values are excluded by one at a smaller step on the same smooth piece."""
    excluded = np.zeros(value.shape, dtype=bool)
    for index in range(1, len(value)):
        difference = np.abs(value[:index] - value[index])
        excludes = (bound[index] <= EXCLUDES * difference) & np.isfinite(difference)
        excluded[:index] |= excludes & (piece[:index] == piece[index])
    return excluded


def _better(a: _Estimate, b: _Estimate) -> _Estimate:
    first = a.bound <= b.bound
    return _Estimate(
        np.where(first, a.value, b.value),
        np.where(first, a.bound, b.bound),
        np.where(first, a.step, b.step),
    )


def _steepest(samples: LineSamples, noise: Floats) -> Floats:
    """Return the largest slope from the point to any step that changes the output visibly."""
    result = np.zeros_like(samples.base)
    for side, slope in ((samples.right, samples.from_right), (samples.left, samples.from_left)):
        visible = np.isfinite(slope) & (np.abs(side - samples.base) > VISIBLE * noise)
        result = np.maximum(result, np.where(visible, np.abs(slope), 0.0).max(axis=0))
    return result


def _is_unresolved(samples: LineSamples) -> Booleans:
    """Return where outputs bend by much at the smallest steps, and by as much as at the largest.

    The function may vary over lengths shorter than the spacing of its floating-point arguments.
    Small slopes over long distances then say nothing.
    """
    sides = np.stack([samples.right, samples.left])
    sides = np.where(np.isfinite(sides), sides, samples.base)
    variation = np.abs(sides - samples.base).max(axis=(0, 1))
    bend = np.fmax.reduce(np.abs(samples.second_difference[-KINK_STEPS:]))
    # An output that is small against the others may hold nothing but their rounding.
    large = bend >= UNRESOLVED * np.maximum(variation, np.abs(sides).max())
    return np.asarray((variation > 0) & large)


def _shows_kink(samples: LineSamples, noise: Floats) -> Booleans:
    """Return where the second difference falls like h, not h^2, until the noise hides it.

    A kink merely near the point is not seen by the smallest steps; one at the point is.
    """
    difference = np.abs(samples.second_difference)
    slope = samples.second_difference / samples.step
    visible = difference > VISIBLE * noise
    count = visible.shape[0]
    smallest = count - 1 - np.argmax(visible[::-1], axis=0)
    result = visible.any(axis=0) & (smallest >= KINK_STEPS - 1)
    for column in np.flatnonzero(result):
        last = int(smallest[column])
        window = slice(last - KINK_STEPS + 1, last + 1)
        slopes = slope[window, column]
        alike = np.ptp(slopes) <= KINK_SPREAD * np.abs(slopes).max()
        hidden = (
            last + 1 == count or difference[last, column] <= 2 * RATIO * VISIBLE * noise[column]
        )
        result[column] = bool(alike and hidden and visible[window, column].all())
    return np.asarray(result)


def _shows_jump(samples: LineSamples, noise: Floats) -> Booleans:
    """Return where one side keeps its distance from the base value, however small the step.

    Where the other side is further away still at the smallest step, it is not a jump but a kink
    closer to the point than that step.
    """
    result = np.zeros(samples.base.shape, dtype=bool)
    sides = (samples.right, samples.left)
    right, left = (np.abs(side - samples.base)[-KINK_STEPS:] for side in sides)
    for gap, other in ((right, left), (left, right)):
        spread = gap.max(axis=0) - gap.min(axis=0)
        high = (gap.min(axis=0) > VISIBLE * noise) & ~(gap.max(axis=0) < other.min(axis=0))
        result |= high & (spread <= KINK_SPREAD * gap.max(axis=0))
    return result
