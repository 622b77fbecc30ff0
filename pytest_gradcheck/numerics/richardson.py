"""The derivative along one line, from a ladder of steps, with an error bound.

It must not know how the line came about or what anybody claims of it.
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

#: A change is visible when it exceeds the noise this many times.
VISIBLE = 50.0

#: Consecutive visible rungs a kink or a jump must show on, and how alike.
KINK_RUNGS = 4
KINK_SPREAD = 0.1

#: Rounds of raising the noise to what the smaller rungs really scatter.
NOISE_ROUNDS = 3

#: Slopes converge when each change is at most this share of the one before, or hidden by so
#: many times the noise.
CONVERGING = 0.7
HIDDEN = 8.0

#: Bends at the smallest steps by this share of outputs, and of all that they vary by, leave
#: nothing to be seen.
COARSE = 0.1

#: A claim is apart when it is this many bounds away.
APART = 2.0

#: A value is excluded by one from smaller steps whose bound is this share of their distance.
EXCLUDED = 1 / 30


@dataclass(frozen=True, slots=True)
class LineMeasurement:
    """The derivatives of m outputs along one line; fields of shape (m,), as in `Measurement`.

    Beside them, how far the outputs keep their values, the steepest slope at any step, and
    central differences at all of them, shape (k, m).
    """

    value: Floats
    bound: Floats
    lower: Floats
    upper: Floats
    step: Floats
    status: NDArray[np.int8]
    level: Plateau
    steepest: Floats
    secants: Floats

    def is_known(self, share: Floats) -> bool:
        """Tell whether all outputs are smooth, with bounds up to such shares of their slopes."""
        smooth = self.status == Status.SMOOTH.value
        return bool((smooth & (self.bound <= share * np.abs(self.value))).all())

    def differs(self, claim: Floats, agreement: float) -> Booleans:
        """Tell which outputs are smooth, with a slope that a claim is apart from."""
        size = np.maximum(np.abs(claim), np.abs(self.value))
        allowed = np.maximum(APART * self.bound, agreement * size)
        differs = (np.abs(claim - self.value) > allowed) & (self.status == Status.SMOOTH)
        return np.asarray(differs)

    def or_wider(self, wider: LineMeasurement) -> LineMeasurement:
        """Return this, and for each output what larger steps show where they show it better.

        One that they see across a kink is not better; nor is one that this excludes.
        """
        apart = np.abs(wider.value - self.value) > wider.bound + self.bound
        plain = (wider.status == Status.SMOOTH) | (wider.status == Status.EDGE)
        better = plain & (wider.bound < self.bound) & ~apart
        chosen = self._or(wider, better & (self.status != Status.KINK))
        return replace(chosen, level=wider.level)

    def _or(self, wider: LineMeasurement, chosen: Booleans) -> LineMeasurement:
        """Return this, and of some outputs another."""
        fields = {
            name: np.where(chosen, getattr(wider, name), getattr(self, name))
            for name in ("value", "bound", "lower", "upper", "step", "status")
        }
        steepest = np.fmax(self.steepest, wider.steepest)
        return replace(self, **fields, steepest=steepest)

    @property
    def stands_still(self) -> Booleans:
        """Which outputs keep their values, bit by bit, at all steps."""
        return np.asarray(self.level.reach >= RELATIVE_STEPS[0])

    def or_moving(self, wider: LineMeasurement) -> LineMeasurement:
        """Return this, and for outputs that stand still what larger steps show that move them.

        A kink that these cross is not at the point.
        """
        plain = (wider.status == Status.SMOOTH) | (wider.status == Status.EDGE)
        return self._or(wider, self.stands_still & ~wider.stands_still & plain)

    def reaching(self, claim: Floats) -> LineMeasurement:
        """Return the same with bounds that reach a claim where slopes do not converge.

        Where they are small from far, a claim of nothing is borne out, and no other is refuted.
        """
        off = np.abs(self.value - claim)
        reach = np.where(self.status == Status.DIVERGENT, off, 0.0)
        return replace(self, bound=np.fmax(self.bound, reach))

    def slopes(self, output: int) -> tuple[float, float]:
        """Return the smaller and the larger one-sided derivative of an output."""
        return float(self.lower[output]), float(self.upper[output])

    def as_measurement(self) -> Measurement:
        """Return the same as the measurement of a single coordinate."""
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

    Differences at twenty steps, each a quarter of the one before, are
    Richardson-extrapolated (L. F. Richardson, Phil. Trans. R. Soc. A 226 (1927)
    299); the rung whose neighbours agree best is taken, and its bound is the
    disagreement with *both* plus the noise. A value that smaller steps exclude is
    not taken, however well it agrees with its neighbours: far beyond the length on
    which a function varies, all slopes are alike and small. Costs 40 evaluations,
    24 more for each flat step, and eight more where the function varies over a billionth of
    the scale.

    Parameters
    ----------
    line : Line
        Where to evaluate.
    base : ndarray, shape (m,)
        Outputs at the point.
    noise : ndarray, shape (m,)
        Noise of the outputs; lowered here where the line bends by less, and raised where
        the rungs scatter by more.
    least : ndarray, shape (m,), or float
        Noise that is known of where the line bends by less.

    Returns
    -------
    LineMeasurement
        Derivatives per unit of absolute step.
    """
    rungs = sample(line, base)
    with np.errstate(all="ignore"):
        smallest, bend = EPS * np.abs(base), rungs.bend
        noise = np.minimum(noise, noise_ceiling(bend, smallest))
        noise = np.maximum(np.maximum(noise, noise_floor(bend, smallest)), least)
        # Rungs beyond a jump, or a kink, are of another piece than those before it.
        piece = np.cumsum(np.vstack([np.zeros_like(base), sudden_drops(bend, smallest)]), axis=0)
        steps = find_quantization_steps(
            line, base, noise, right=rungs.right, left=rungs.left, steps=rungs.relative
        )
        level = find_plateau(base, right=rungs.right, left=rungs.left, steps=rungs.relative)
        level = level.jumping(steps, noise)
        noise = np.maximum(noise, steps)
        rounding = EPS * np.fmax(np.abs(rungs.right), np.abs(rungs.left))
        both = _settle(rungs, noise, rounding, piece)
        blurred = np.maximum(noise, rounding)
        right = _extrapolate_side(rungs.from_right, rungs.right_step[:, None], blurred, piece)
        left = _extrapolate_side(rungs.from_left, rungs.left_step[:, None], blurred, piece)
        one = _better(right, left)
        kink = _shows_kink(rungs, noise) & np.isfinite(right.bound) & np.isfinite(left.bound)
        jump = _shows_jump(rungs, noise)
        one_sided = ~np.isfinite(rungs.central).all(axis=0) & (one.bound < both.bound)
        edge = (one_sided | ~np.isfinite(both.bound)) & np.isfinite(one.bound)
        none = ~np.isfinite(both.bound) & ~np.isfinite(one.bound)
        outside = none & ~np.isfinite(rungs.even).any(axis=0)
        divergent = (none & ~outside) | _is_unresolved(rungs)
        steepest = _steepest(rungs, noise)

    value = np.where(edge, one.value, both.value)
    bound = np.where(edge, one.bound, both.bound)
    step = np.where(edge, one.step, both.step)
    status = np.zeros(base.shape, dtype=np.int8)
    status[edge] = Status.EDGE
    status[kink] = Status.KINK
    status[divergent] = Status.DIVERGENT
    status[outside] = Status.UNDEFINED
    status[jump] = Status.JUMP
    bound = np.where(kink, right.bound + left.bound, bound)
    value = np.where(kink, (right.value + left.value) / 2, value)
    step = np.where(kink, np.minimum(right.step, left.step), step)
    none |= jump
    value = np.where(none, np.nan, value)
    bound = np.where(none, np.inf, bound)
    low = np.minimum(right.value - right.bound, left.value - left.bound)
    high = np.maximum(right.value + right.bound, left.value + left.bound)
    return LineMeasurement(
        value,
        bound,
        np.where(kink, low, value),
        np.where(kink, high, value),
        step,
        status,
        level,
        steepest,
        rungs.central,
    )


def _settle(rungs: LineSamples, noise: Floats, rounding: Floats, piece: Floats) -> _Estimate:
    """Estimate from central differences, the noise raised to the scatter that is seen."""
    gain = RATIO**2
    central, bend = rungs.central, _unexplained(rungs, noise)
    value = central[1:] + (central[1:] - central[:-1]) / (gain - 1)
    doubt = np.maximum(bend[1:], bend[:-1] / (gain - 1))
    step = rungs.step[1:]

    def picked(noise: Floats) -> _Estimate:
        blurred = np.maximum(noise, rounding)
        limited = np.where(_diverges(central, rungs.step, blurred), np.nan, value)
        return _pick(limited, step, doubt + 1.1 * blurred[1:] / step, piece[1:])

    estimate = picked(noise)
    for _ in range(NOISE_ROUNDS):
        scatter = np.where(step < estimate.step, np.abs(value - estimate.value) * step, 0.0)
        seen = np.nanmax(scatter, axis=0, initial=0.0)
        if not np.any(seen > 1.5 * noise):
            break
        noise = np.maximum(noise, seen)
        estimate = picked(noise)
    return estimate


def _unexplained(rungs: LineSamples, noise: Floats) -> Floats:
    """Return by how much the slopes left and right differ where no curvature explains it.

    The even part of a smooth function falls like h^2 or faster. Where it does
    not, the rung straddles a kink or is far above the wavelength of an
    oscillation, and agreement with its neighbours would be chance.
    """
    even = np.abs(rungs.even)
    below = np.vstack([even[1:], np.zeros_like(even[:1])])
    hidden = HIDDEN * noise
    curved = (below <= even / 8) & ((below >= even / 300) | (even <= 300 * hidden))
    return np.where(curved | (even <= hidden), 0.0, even / (2 * rungs.step))


def _extrapolate_side(slope: Floats, step: Floats, noise: Floats, piece: Floats) -> _Estimate:
    """Estimate a one-sided derivative: errors of order h, then h^2, are extrapolated away."""
    first = slope[1:] + (slope[1:] - slope[:-1]) / (RATIO - 1)
    second = first[1:] + (first[1:] - first[:-1]) / (RATIO**2 - 1)
    second[_diverges(slope, step, noise)[1:]] = np.nan
    return _pick(second, step[2:], 3 * noise[2:] / step[2:], piece[2:])


def _diverges(slope: Floats, step: Floats, noise: Floats) -> NDArray[np.bool_]:
    """Tell where slopes at k ever smaller steps come no closer to each other; shape (k - 1, m).

    Those at a root or a logarithm's singularity grow without end, by alike amounts. Where
    noise hides whether they go on doing so, they do.
    """
    change = np.diff(slope, axis=0)
    smaller = np.vstack([change[1:], np.zeros_like(change[:1])])
    least = CONVERGING * np.abs(change)
    told = np.maximum(np.abs(smaller), least) > RATIO * HIDDEN * noise[1:] / step[1:]
    grows = told & (smaller * np.sign(change) > least)
    # Noise may do so by chance, once.
    twice, nowhere = grows[1:] & grows[:-1], np.zeros_like(grows[:1])
    diverges = np.vstack([twice, nowhere]) | np.vstack([nowhere, twice])
    last = np.maximum.accumulate(np.where(told, np.arange(len(told))[:, None], 0), axis=0)
    return np.take_along_axis(diverges, last, axis=0)


def _pick(value: Floats, step: Floats, doubt: Floats, piece: Floats) -> _Estimate:
    """Take the rung with the smallest bound; both its neighbours must bear it out."""
    apart = np.abs(np.diff(value, axis=0))
    bound = np.maximum(apart[:-1], apart[1:]) + doubt[1:-1]
    bound = np.where(np.isfinite(bound), bound, np.inf)
    excluded = _excluded(value[1:-1], bound, piece[1:-1])
    best = np.argmin(np.where(excluded, np.inf, bound), axis=0)
    columns = np.arange(value.shape[1])
    return _Estimate(
        value[1:-1][best, columns],
        bound[best, columns],
        np.broadcast_to(step[1:-1], bound.shape)[best, columns],
    )


def _excluded(value: Floats, bound: Floats, piece: Floats) -> NDArray[np.bool_]:
    """Tell which rungs have a value that one from smaller steps on their piece excludes."""
    excluded = np.zeros(value.shape, dtype=bool)
    for rung in range(1, len(value)):
        apart = np.abs(value[:rung] - value[rung])
        known = (bound[rung] <= EXCLUDED * apart) & np.isfinite(apart)
        excluded[:rung] |= known & (piece[:rung] == piece[rung])
    return excluded


def _better(a: _Estimate, b: _Estimate) -> _Estimate:
    first = a.bound <= b.bound
    return _Estimate(
        np.where(first, a.value, b.value),
        np.where(first, a.bound, b.bound),
        np.where(first, a.step, b.step),
    )


def _steepest(rungs: LineSamples, noise: Floats) -> Floats:
    """Return the largest slope from the point to any step that moves the output visibly."""
    result = np.zeros_like(rungs.base)
    for side, slope in ((rungs.right, rungs.from_right), (rungs.left, rungs.from_left)):
        visible = np.isfinite(slope) & (np.abs(side - rungs.base) > VISIBLE * noise)
        result = np.maximum(result, np.where(visible, np.abs(slope), 0.0).max(axis=0))
    return result


def _is_unresolved(rungs: LineSamples) -> NDArray[np.bool_]:
    """Tell where the smallest steps bend outputs by as much as the largest, and by much.

    The function varies over lengths that are shorter than its arguments are apart, or so it
    may: that its slopes over long ways are small says nothing.
    """
    sides = np.stack([rungs.right, rungs.left])
    sides = np.where(np.isfinite(sides), sides, rungs.base)
    varies = np.abs(sides - rungs.base).max(axis=(0, 1))
    bend = np.fmax.reduce(np.abs(rungs.even[-KINK_RUNGS:]))
    # What is small beside other outputs is what their rounding leaves.
    return np.asarray((varies > 0) & (bend >= COARSE * np.maximum(varies, np.abs(sides).max())))


def _shows_kink(rungs: LineSamples, noise: Floats) -> NDArray[np.bool_]:
    """Tell where the even part shrinks like h, not h^2, down to the noise.

    A kink merely near the point vanishes from the small rungs; one at the point
    stays in sight until the noise covers it.
    """
    even = np.abs(rungs.even)
    slope = rungs.even / rungs.step
    visible = even > VISIBLE * noise
    count = visible.shape[0]
    smallest = count - 1 - np.argmax(visible[::-1], axis=0)
    result = visible.any(axis=0) & (smallest >= KINK_RUNGS - 1)
    for column in np.flatnonzero(result):
        last = int(smallest[column])
        window = slice(last - KINK_RUNGS + 1, last + 1)
        slopes = slope[window, column]
        alike = np.ptp(slopes) <= KINK_SPREAD * np.abs(slopes).max()
        covered = last + 1 == count or even[last, column] <= 2 * RATIO * VISIBLE * noise[column]
        result[column] = bool(alike and covered and visible[window, column].all())
    return np.asarray(result)


def _shows_jump(rungs: LineSamples, noise: Floats) -> NDArray[np.bool_]:
    """Tell where a side keeps its distance from the point, however small the step.

    One that the other side goes beyond even at the smallest step is a kink closer by than that.
    """
    result = np.zeros(rungs.base.shape, dtype=bool)
    right, left = (np.abs(side - rungs.base)[-KINK_RUNGS:] for side in (rungs.right, rungs.left))
    for gap, other in ((right, left), (left, right)):
        spread = gap.max(axis=0) - gap.min(axis=0)
        high = (gap.min(axis=0) > VISIBLE * noise) & ~(gap.max(axis=0) < other.min(axis=0))
        result |= high & (spread <= KINK_SPREAD * gap.max(axis=0))
    return result
