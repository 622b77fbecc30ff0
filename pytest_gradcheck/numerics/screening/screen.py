"""The screen: a comparison of all claims at once, along a few random directions.

If all claims are right, the derivative along a direction d is ``<claim, d>``. The error of any
claim shows along any direction, since every weight is at least half of its scale: two directions
over everything take about 12 evaluations, however many coordinates there are. What they cannot
show is measured along directions within single segments, then coordinate by coordinate where the
budget allows. A residual is explained by the places where claims are wrong (`Explanation`).

`torch.autograd.gradcheck` in its fast mode also compares along random directions. It does not say
which entry is wrong, or how small an error it would have detected.

The screen does not judge, and does not name parameters.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pytest_gradcheck.numerics.coordinate_scales import Scales
from pytest_gradcheck.numerics.coordinatewise.coordinate_sweep import sweep_coordinates
from pytest_gradcheck.numerics.coordinatewise.full_check import DerivativeTask
from pytest_gradcheck.numerics.function import Function
from pytest_gradcheck.numerics.measurement import Evaluate, Floats, Measurement
from pytest_gradcheck.numerics.noise import NoiseGroup
from pytest_gradcheck.numerics.output_magnitude import VARIATION_STEP
from pytest_gradcheck.numerics.random_directions import seeded_generator
from pytest_gradcheck.numerics.screening.confirm_entries import SingleEntries
from pytest_gradcheck.numerics.screening.directional_derivative import (
    SIGNIFICANT,
    DirectionalDerivative,
    DirectionalDifference,
    DirectionProbe,
    directional_derivative,
    refine_difference,
    with_truncation_of,
)
from pytest_gradcheck.numerics.screening.directional_step_size import (
    SCALE_FLOOR,
    ClaimMagnitudes,
    output_extents,
    plan_steps,
    scale_limits,
)
from pytest_gradcheck.numerics.screening.explain_residuals import Explanation
from pytest_gradcheck.numerics.screening.noise_calibration import (
    calibrate_noise,
    calibrate_noise_widely,
    calibrate_sizes,
    noisy_coordinates,
)
from pytest_gradcheck.numerics.screening.screen_result import (
    Finding,
    ScreenResult,
    reference_magnitude,
)
from pytest_gradcheck.numerics.screening.solver_tolerance import (
    explained_by_branches,
    may_be_everywhere,
    may_be_solver_error,
)
from pytest_gradcheck.numerics.screening.subarrays import Segment, whole_region

__all__ = ["EvaluationCounter", "screen"]

#: The numbers of directions: that of the calibration, two over everything, one within segments,
#: and a third one over everything without suspects.
CALIBRATION, FIRST, SECOND, SEPARATE, THIRD = range(5)

#: Relative detection limits. A segment with a higher one than the first is measured separately,
#: and a segment with a higher one than the second is swept.
GOOD_RESOLUTION = 1e-3
POOR_RESOLUTION = 1e-2

#: A separate measurement pays if it should lower the detection limit by this factor.
IMPROVEMENT = 4.0

#: More segments than these are first measured in one region, which is enough for most.
FEW_SEGMENTS = 8

#: The number of outputs whose errors are searched, and of those for which a common relative error
#: is tried, which costs next to nothing.
SEARCHED_OUTPUTS = 8
EXPLAINED_OUTPUTS = 100

#: The number of derivatives that the sweep of a segment may hold.
MOST_SWEPT = 10_000_000

#: A measurement at a smaller step excludes another one where its bound is below this share of
#: their difference.
CLEAR_SHARE = 1 / 30

#: The budget is divided by this for the search of noisy coordinates.
NOISE_BUDGET_DIVISOR = 8

#: The number of evaluations after which the search for errors ends.
SEARCH_BUDGET = 1000

#: The derivatives along both directions over everything.
_Pair = tuple[DirectionalDerivative, DirectionalDerivative]


def screen(
    task: DerivativeTask,
    segments: Sequence[Segment],
    *,
    agreement: float,
    budget: int,
    seed: int,
) -> ScreenResult:
    """Compare all claims with derivatives along random directions, and locate the wrong ones.

    Parameters
    ----------
    task : DerivativeTask
        The function, the point and the claims, without a tangent.
    segments : sequence of Segment
        The segments of the task, with their shapes.
    agreement : float
        The relative difference at which claim and measurement agree.
    budget : int
        The number of evaluations up to which segments are swept that directions do not resolve.
    seed : int
        The seed of all directions.

    Returns
    -------
    ScreenResult
        Where claims are wrong, and the smallest error that would have been detected elsewhere. It
        costs about 12 evaluations where all claims are right, and 15 more for a wrong one.
    """
    return _Screening(task, tuple(segments), agreement, budget, seed).run()


@dataclass(slots=True)
class EvaluationCounter:
    """A function that counts its evaluations."""

    function: Evaluate
    calls: int = 0

    def __call__(self, points: Iterable[Floats]) -> Floats:
        """Evaluate the function."""
        outputs = self.function(points)
        self.calls += len(outputs)
        return outputs


class _Screening:
    """The state of a screen."""

    def __init__(
        self,
        task: DerivativeTask,
        segments: tuple[Segment, ...],
        agreement: float,
        budget: int,
        seed: int,
    ) -> None:
        self._task, self._segments, self._seed = task, segments, seed
        self._everything = whole_region(self._segments)
        self._counter = EvaluationCounter(task.evaluate)
        self._agreement, self._budget = agreement, budget
        self._rng = seeded_generator(seed)
        base = task.base
        scales = Scales.of(task.here, task.segments)
        function = Function(
            self._counter,
            task.point,
            base,
            np.zeros_like(base),
            base,
            scales,
            claimed_slopes=task.claimed_slopes,
        )
        self._noisy = NoiseGroup(np.zeros(0, dtype=np.intp), function.noise)
        self._plan_for(function)
        shape = self._magnitudes.median.shape
        self._detection_limit = np.full(shape, np.inf)
        self._unexplained = np.zeros(shape, dtype=bool)
        self._solver_error = np.zeros(shape[1:], dtype=bool)
        self._swept: dict[int, Measurement] = {}
        self._findings: list[Finding] = []

    def _plan_for(self, function: Function) -> None:
        """Plan the steps of a function by its scales."""
        task = self._task
        self._plan = plan_steps(
            function,
            task.claims,
            self._segments,
            here=task.here,
            seed=self._seed,
            rng=self._rng,
        )
        if self._noisy.indices.size:
            self._plan = self._plan.fixing(self._noisy.indices)

    @property
    def _magnitudes(self) -> ClaimMagnitudes:
        return self._plan.magnitudes

    @property
    def _probe(self) -> DirectionProbe:
        return self._plan.probe

    def run(self) -> ScreenResult:
        """Calibrate, measure along directions over everything, then resolve what they leave."""
        self._calibrate()
        derivatives = self._measure_everything()
        zeros = np.flatnonzero(self._task.point == 0)
        if zeros.size and not _are_conclusive(derivatives):
            # Penalties have a kink at zero, and the domain of roots ends there.
            self._plan = self._plan.fixing(np.union1d(zeros, self._noisy.indices))
            derivatives = self._measure_everything()
        is_conclusive = _are_conclusive(derivatives)
        if is_conclusive:
            self._take(derivatives)
        if not is_conclusive or self._is_nothing_explained:
            self._unexplained[:] = False
            self._recalibrate()
            derivatives = self._measure_everything()
            has_plateaus = _are_unchanged(derivatives) and self._changes_at_a_distance()
            if all(one.known.all() for one in derivatives) and not has_plateaus:
                self._take(derivatives)
        self._resolve_segments(derivatives[0].claimed)
        function = self._probe.function
        return ScreenResult(
            directional_derivatives=derivatives,
            detection_limit=self._detection_limit,
            typical_claim=self._magnitudes.median,
            swept=self._swept,
            findings=tuple(self._findings),
            unexplained=self._unexplained,
            sizes=function.sizes,
            scales=function.scales,
            smallest_scale=function.scales.least(),
            fixed=self._probe.directions.fixed,
            directions=self._probe.directions,
        )

    @property
    def _is_nothing_explained(self) -> bool:
        return bool(self._unexplained.any()) and not self._findings

    def _calibrate(self) -> None:
        """Estimate the noise, then plan steps by scales with a floor."""
        repeat = self._task.repeat
        if (self._magnitudes.largest > np.abs(self._task.base)).any():
            self._limit_scales()
        # The function is smoothest where every coordinate moves by its own size.
        calibrated, self._close_difference = calibrate_noise(self._probe, repeat, CALIBRATION)
        if self._fix_noisy_coordinates(calibrated):
            calibrated, self._close_difference = calibrate_noise(self._probe, repeat, CALIBRATION)
        function = calibrated.function
        self._plan_for(replace(function, scales=replace(function.scales, floor=SCALE_FLOOR)))

    def _recalibrate(self) -> None:
        """Estimate the noise from wider spacings, and plan steps by scales without a floor.

        A coordinate that is close to zero may be as close to a kink or the edge of the domain.
        """
        if self._probe.function.scales.limits is None:
            self._limit_scales()
        repeat, function = self._task.repeat, self._probe.function
        function = replace(function, scales=function.scales.unfloored())
        probe = replace(self._probe, function=function)
        calibrated = calibrate_noise_widely(probe, repeat)
        if not self._noisy.indices.size and self._fix_noisy_coordinates(calibrated):
            directions = self._probe.directions
            calibrated = calibrate_noise_widely(replace(probe, directions=directions), repeat)
        self._plan_for(calibrated.function)

    def _fix_noisy_coordinates(self, calibrated: DirectionProbe) -> bool:
        """Fix coordinates that make outputs far noisier; return whether there are any."""
        budget = self._budget // NOISE_BUDGET_DIVISOR
        noisy = noisy_coordinates(calibrated, self._task.repeat, budget)
        if noisy.size:
            self._noisy = NoiseGroup(noisy, calibrated.function.noise)
            self._plan = self._plan.fixing(noisy)
        return bool(noisy.size)

    def _limit_scales(self) -> None:
        """Limit scales to lengths over which the claims may hold, see `scale_limits`."""
        probe, function = self._probe, self._probe.function
        step = np.array([VARIATION_STEP])
        distant = [probe.at(which, self._everything, step) for which in (CALIBRATION, FIRST)]
        extent = output_extents(np.concatenate(distant), function.base)
        limits = scale_limits(probe.claims, probe.here, extent)
        self._plan_for(replace(function, scales=replace(function.scales, limits=limits)))

    def _changes_at_a_distance(self) -> bool:
        """Return whether any output changes at a distant point."""
        probe = self._probe
        (distant,) = probe.at(CALIBRATION, self._everything, np.array([VARIATION_STEP]))
        return bool((distant != probe.function.base).any())

    def _measure_everything(self) -> _Pair:
        """Measure along two directions over everything at the step that balances noise.

        Where the close values of the calibration contradict the result, the directions are
        measured at their step, too. That result holds if it excludes the first.
        """
        derivatives, close = self._measure_at(self._plan.step()), self._close_difference
        if not _contradicts(close, derivatives):
            return derivatives
        narrower = self._measure_at(max(close.step, self._probe.finest))
        by_direction = {one.which: one for one in narrower}
        if any(_excludes(by_direction[one.which], one) for one in derivatives):
            first, second = (by_direction[one.which] for one in derivatives)
            return first, second
        return derivatives

    def _measure_at(self, step: float) -> _Pair:
        """Measure along two directions over everything, that of the more significant one first.

        The other one follows at the step that the first one was refined to.
        """
        probe, everything = self._probe, self._everything
        pairs = [(which, probe.difference(which, everything, step)) for which in (FIRST, SECOND)]
        (one, larger), (two, smaller) = sorted(pairs, key=_significance, reverse=True)
        first = refine_difference(probe, one, everything, larger)
        if first.step != smaller.step:
            smaller = probe.difference(two, everything, first.step)
        if first.from_pairs and first.differs.any():
            return first, with_truncation_of(first, two, smaller)
        return first, refine_difference(probe, two, everything, smaller)

    def _take(self, derivatives: _Pair) -> None:
        """Explain the residuals of directions over everything, and lower detection limits."""
        undetected = np.min([one.undetected for one in derivatives], axis=0)
        outputs = np.flatnonzero(derivatives[0].differs | derivatives[1].differs)
        for number, output in enumerate(outputs[:EXPLAINED_OUTPUTS].tolist()):
            budget = SEARCH_BUDGET if number < SEARCHED_OUTPUTS else 0
            explained = self._explain(derivatives, output, budget)
            undetected[output] = explained or SIGNIFICANT * undetected[output]
        undetected[outputs[EXPLAINED_OUTPUTS:]] *= SIGNIFICANT
        self._unexplained[:, outputs[EXPLAINED_OUTPUTS:]] = True
        moves = np.array([[self._count_fixed(s) < s.size] for s in self._segments])
        limit = np.where(moves, undetected / self._plan.smallest_weights[:, None], np.inf)
        self._detection_limit = np.minimum(self._detection_limit, limit)

    def _count_fixed(self, segment: Segment) -> int:
        """Return how many coordinates of a segment are fixed."""
        fixed = self._probe.directions.fixed
        if not fixed.size:
            return 0
        first, last = np.searchsorted(fixed, [segment.start, segment.stop])
        return int(last - first)

    def _explain(self, derivatives: _Pair, output: int, budget: int) -> float | None:
        """Explain the residuals of one output, by a search of so many evaluations in all.

        Returns
        -------
        float or None
            The largest change along a direction that an error that was not found could make. None
            where the residuals are not explained completely.
        """
        ordered = sorted(derivatives, key=lambda one: one.significance(output), reverse=True)
        step = ordered[0].step
        widest = step if step < self._plan.step() else np.inf
        entries = SingleEntries(self._probe, self._agreement, self._rng, widest)
        explanation = Explanation(
            self._probe,
            entries,
            output,
            THIRD,
            lambda: self._counter.calls < min(budget, self._budget),
            self._rng,
        )
        is_explained = explanation.run(*ordered)
        findings, largest = explanation.findings, self._magnitudes.largest
        by_branches = explained_by_branches(findings, entries, largest, self._rng)
        if by_branches and (not is_explained or may_be_everywhere(findings, entries)):
            return None
        by_solver = may_be_solver_error(findings, entries, largest)
        if by_branches or by_solver or output in entries.branches:
            self._solver_error[output] = True
            return None
        allowed = self._agreement * self._plan.total_change[output]
        if not findings and abs(ordered[0].residual[output]) <= allowed:
            return None  # Many differences that agree one by one may add up to this.
        self._findings += findings
        self._unexplained[:, output] |= not is_explained
        return explanation.undetected if is_explained else None

    def _resolve_segments(self, claimed: Floats) -> None:
        """Measure separately the segments that are not resolved, then sweep them.

        Many segments are first measured in one region, and those that are still not resolved
        again, as long as that helps.
        """
        sizes = self._probe.function.sizes
        reference = reference_magnitude(self._magnitudes.median, claimed, sizes)
        # The rounding of claims hides about as much in a segment alone.
        is_rounded = self._plan.is_rounding_dominated
        wanted = (POOR_RESOLUTION if is_rounded else GOOD_RESOLUTION) * reference
        unresolved = np.flatnonzero((self._detection_limit > wanted).any(axis=1)).tolist()
        several = [number for number in unresolved if self._pays(number, wanted[number])]
        while len(several) > FEW_SEGMENTS:
            self._measure_segments(several)
            rest = [number for number in several if self._pays(number, wanted[number])]
            several = rest if len(rest) < len(several) else []
        for number, segment in enumerate(self._segments):
            if self._pays(number, wanted[number]):
                self._measure_segments([number])
            limit = POOR_RESOLUTION * reference[number]
            is_poor = (self._detection_limit[number] > limit).any()
            is_open = (self._unexplained[number] | self._solver_error).any()
            if is_poor or is_open or self._count_fixed(segment):
                self._sweep(number, segment)
            if number not in self._swept:
                self._unexplained[number] |= self._solver_error

    def _pays(self, number: int, wanted: Floats) -> bool:
        """Return whether a segment is not resolved, and would be far better by itself."""
        segment, is_poor = self._segments[number], self._detection_limit[number] > wanted
        if not is_poor.any() or self._count_fixed(segment) == segment.size:
            return False
        expected = SIGNIFICANT * self._plan.expected_bound([number])
        expected = expected / self._plan.smallest_weights[number]
        is_better = self._detection_limit[number] > IMPROVEMENT * expected
        return bool((is_poor & is_better).any())

    def _measure_segments(self, numbers: list[int]) -> None:
        """Measure along a direction within some segments that moves no finding."""
        probe = self._probe.without([finding.box for finding in self._findings])
        region = tuple(self._segments[number].box() for number in numbers)
        separate = directional_derivative(probe, SEPARATE, region, self._plan.step(numbers))
        if separate.known.all() and not separate.differs.any():
            limit = separate.undetected / self._plan.smallest_weights[numbers][:, None]
            self._detection_limit[numbers] = np.minimum(self._detection_limit[numbers], limit)
            self._unexplained[numbers] = False

    def _sweep(self, number: int, segment: Segment) -> None:
        """Measure a segment coordinate by coordinate, if the budget allows.

        The sizes of outputs are measured first in either case.
        """
        if not self._swept:
            self._plan = replace(self._plan, probe=calibrate_sizes(self._probe, CALIBRATION))
        if self._counter.calls + 2 * segment.size > self._budget:
            return
        if segment.size * self._detection_limit[number].size > MOST_SWEPT:
            return
        function, indices = self._probe.function, np.arange(segment.start, segment.stop)
        is_noisy = np.isin(indices, self._noisy.indices)
        noisy = replace(function, noise=np.maximum(function.noise, self._noisy.noise))
        found = Measurement.blank(segment.size, function.base.size)
        for one, which in ((function, ~is_noisy), (noisy, is_noisy)):
            if which.any():
                part = sweep_coordinates(
                    one,
                    self._probe.claims,
                    indices[which],
                    agreement=self._agreement,
                    rng=self._rng,
                )
                found.assign(np.flatnonzero(which), part)
        self._swept[number] = found
        self._unexplained[number] = False


def _are_conclusive(derivatives: _Pair) -> bool:
    """Return whether pairs, or an extrapolation that agrees with the claims, measured both."""
    measured = all(one.from_pairs or _agrees_closely(one) for one in derivatives)
    return measured and not _are_unchanged(derivatives)


def _agrees_closely(derivative: DirectionalDerivative) -> bool:
    """Return whether claims and measurement agree so closely that it is hardly chance."""
    close = derivative.undetected <= GOOD_RESOLUTION * np.abs(derivative.claimed)
    return bool((derivative.known & ~derivative.differs & close).all())


def _are_unchanged(derivatives: _Pair) -> bool:
    """Return whether an output does not change although claims say so: it may have plateaus."""
    one, two = derivatives
    return bool(((one.measured == 0) & (two.measured == 0) & (one.claimed != 0)).any())


def _contradicts(close: DirectionalDifference, derivatives: _Pair) -> bool:
    """Return whether a difference at a smaller step differs from claims where derivatives agree.

    The reverse is a contradiction as well, but only if the difference is accurate: it is along
    another direction, on which a residual may be smaller by chance.
    """
    agrees = np.abs(close.residual) <= SIGNIFICANT * close.noise
    differ = np.any([one.differs | ~one.known for one in derivatives], axis=0)
    residual = np.max(
        [np.where(one.known, np.abs(one.residual), np.inf) for one in derivatives], axis=0
    )
    is_finite = np.isfinite(close.residual)
    is_clear = is_finite & (close.noise <= CLEAR_SHARE * residual)
    return bool((~agrees & ~differ & is_finite).any() or (agrees & differ & is_clear).any())


def _excludes(narrower: DirectionalDerivative, wider: DirectionalDerivative) -> bool:
    """Return whether a derivative at a smaller step excludes that of a larger step."""
    change = np.abs(narrower.measured - wider.measured)
    known = narrower.known & (narrower.bound <= CLEAR_SHARE * change)
    return bool(
        (known & (change > SIGNIFICANT * wider.bound)).any() or (known & ~wider.known).any()
    )


def _significance(pair: tuple[int, DirectionalDifference]) -> float:
    """Return the largest residual of a difference in units of its noise."""
    difference = pair[1]
    with np.errstate(all="ignore"):
        ratio = np.abs(difference.residual) / difference.noise
        return float(np.nanmax(ratio, initial=0.0))
