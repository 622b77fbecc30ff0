"""The screen: whether any claim is off, by a few random directions over all coordinates.

It must not judge or name. What a direction cannot show is swept where that is affordable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pytest_gradcheck.numerics.coordinate_sweep import sweep_coordinates
from pytest_gradcheck.numerics.full_check import DerivativeTask
from pytest_gradcheck.numerics.function import Function
from pytest_gradcheck.numerics.measurement import Floats, Measurement
from pytest_gradcheck.numerics.noise import NoiseGroup
from pytest_gradcheck.numerics.output_magnitude import VARIATION_STEP
from pytest_gradcheck.numerics.random_directions import seeded_generator
from pytest_gradcheck.numerics.screening.array_regions import Segment, whole_region
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
    ClaimMagnitudes,
    output_extents,
    plan_steps,
    scale_limits,
)
from pytest_gradcheck.numerics.screening.explain_residuals import Explanation
from pytest_gradcheck.numerics.screening.noise_calibration import (
    EvaluationCounter,
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
from pytest_gradcheck.numerics.step_size import Scales

__all__ = ["screen"]

#: Directions: of the values that show the noise, two over everything, one of each segment by
#: itself, and a third over everything without suspects.
NOISE, FIRST, SECOND, OWN, THIRD = range(5)

#: The least that a coordinate is moved by, as a share of the median of its segment.
FLOOR = 1.0

#: A segment is looked at by itself where an error of this share of a typical claim could
#: hide, and is measured entry by entry where one of this share still could.
FAIR = 1e-3
POOR = 1e-2

#: By itself it should show errors that are so much smaller.
WORTH = 4.0

#: More segments than that are looked at together first: most show enough beside their like.
ALONE = 8

#: Outputs for which what is off is searched, those for which one factor is looked for that
#: explains it, which costs next to nothing, and derivatives that a sweep may hold.
OUTPUTS = 8
FACTORS = 100
DERIVATIVES = 10_000_000

#: What is seen close by rules out what is seen from further away where its bound is this share
#: of what they differ by.
CLEARLY = 1 / 30

#: This part of the budget may be spent on telling which coordinates make outputs jump.
SPARE = 8

#: Evaluations after which a search for what is off ends where it is.
SEARCH = 1000


def screen(
    question: DerivativeTask,
    segments: Sequence[Segment],
    *,
    agreement: float,
    budget: int,
    seed: int,
) -> ScreenResult:
    """Look for claims that are off, along directions over all coordinates.

    Parameters
    ----------
    question : DerivativeTask
        The function, the point and the claims; without a tangent.
    segments : sequence of Segment
        Those of the question, with their axes.
    agreement : float
        Relative difference at which claim and measurement agree.
    budget : int
        Evaluations up to which segments are swept that directions do not show well.
    seed : int
        Draws the directions.

    Returns
    -------
    ScreenResult
        What is off, and the smallest error that would have been seen elsewhere. Costs
        about 12 evaluations where claims are right, 15 more for one that is not.
    """
    return _Screening(question, tuple(segments), agreement, budget, seed).run()


class _Screening:
    """A screen under way."""

    def __init__(
        self,
        question: DerivativeTask,
        segments: tuple[Segment, ...],
        agreement: float,
        budget: int,
        seed: int,
    ) -> None:
        self._question, self._segments, self._seed = question, segments, seed
        self._everything = whole_region(self._segments)
        self._tally = EvaluationCounter(question.evaluate)
        self._agreement, self._budget = agreement, budget
        self._rng = seeded_generator(seed)
        base = question.base
        scales = Scales.of(question.here, question.segments)
        function = Function(
            self._tally,
            question.point,
            base,
            np.zeros_like(base),
            base,
            scales,
            claimed_slopes=question.claimed_slopes,
        )
        self._loud = NoiseGroup(np.zeros(0, dtype=np.intp), function.noise)
        self._move(function)
        shape = self._profile.median.shape
        self._visible = np.full(shape, np.inf)
        self._unexplained = np.zeros(shape, dtype=bool)
        self._left_by_solver = np.zeros(shape[1:], dtype=bool)
        self._swept: dict[int, Measurement] = {}
        self._findings: list[Finding] = []

    def _move(self, function: Function) -> None:
        """Prepare to move coordinates by the scales of a function."""
        question = self._question
        self._aim = plan_steps(
            function,
            question.claims,
            self._segments,
            here=question.here,
            seed=self._seed,
            rng=self._rng,
        )
        if self._loud.indices.size:
            self._aim = self._aim.fixing(self._loud.indices)

    @property
    def _profile(self) -> ClaimMagnitudes:
        return self._aim.magnitudes

    @property
    def _projector(self) -> DirectionProbe:
        return self._aim.probe

    def run(self) -> ScreenResult:
        """Look along directions, then at what they do not settle."""
        repeat = self._question.repeat
        if (self._profile.largest > np.abs(self._question.base)).any():
            self._stay_within_reach()
        # Noise is looked for where functions are smooth: every entry by its own size.
        known, self._close = calibrate_noise(self._projector, repeat, NOISE)
        if self._holds_loud(known):
            known, self._close = calibrate_noise(self._projector, repeat, NOISE)
        function = known.function
        self._move(replace(function, scales=replace(function.scales, floor=FLOOR)))
        sights = self._look()
        zeros = np.flatnonzero(self._question.point == 0)
        if zeros.size and not _are_settled(sights):
            # Penalties have a kink at zero, and roots end there.
            self._aim = self._aim.fixing(np.union1d(zeros, self._loud.indices))
            sights = self._look()
        settled = _are_settled(sights)
        if settled:
            self._see(sights)
        if not settled or self._is_nothing_explained:
            # A coordinate close to zero may be as close to where the function ends, or bends.
            self._unexplained[:] = False
            if self._projector.function.scales.limits is None:
                self._stay_within_reach()
            function = self._projector.function
            function = replace(function, scales=function.scales.unfloored())
            probe = replace(self._projector, function=function)
            known = calibrate_noise_widely(probe, repeat)
            if not self._loud.indices.size and self._holds_loud(known):
                weights = self._projector.directions
                known = calibrate_noise_widely(replace(probe, directions=weights), repeat)
            self._move(known.function)
            sights = self._look()
            stairs = _stand_still(sights) and self._moves_from_afar()
            if all(s.known.all() for s in sights) and not stairs:
                self._see(sights)
        self._look_apart(sights[0].claimed)
        function = self._projector.function
        return ScreenResult(
            directional_derivatives=sights,
            detection_limit=self._visible,
            typical_claim=self._profile.median,
            swept=self._swept,
            findings=tuple(self._findings),
            unexplained=self._unexplained,
            sizes=function.sizes,
            scales=function.scales,
            smallest_scale=function.scales.least(),
            fixed=self._projector.directions.fixed,
        )

    @property
    def _is_nothing_explained(self) -> bool:
        return bool(self._unexplained.any()) and not self._findings

    def _holds_loud(self, known: DirectionProbe) -> bool:
        """Hold coordinates from now on that make outputs noisier than all others."""
        loud = noisy_coordinates(known, self._question.repeat, self._budget // SPARE)
        if loud.size:
            self._loud = NoiseGroup(loud, known.function.noise)
            self._aim = self._aim.fixing(loud)
        return bool(loud.size)

    def _stay_within_reach(self) -> None:
        """Move no coordinate further than its claim makes sense."""
        probe, function = self._projector, self._projector.function
        far = [
            probe.at(which, self._everything, np.array([VARIATION_STEP]))
            for which in (NOISE, FIRST)
        ]
        extent = output_extents(np.concatenate(far), function.base)
        limits = scale_limits(probe.claims, probe.here, extent)
        scales = replace(function.scales, limits=limits)
        self._move(replace(function, scales=scales))

    def _moves_from_afar(self) -> bool:
        probe = self._projector
        (away,) = probe.at(NOISE, self._everything, np.array([VARIATION_STEP]))
        return bool((away != probe.function.base).any())

    def _look(self) -> tuple[DirectionalDerivative, DirectionalDerivative]:
        """Look along two directions over everything, as far as balances noise and truncation.

        Where values close by, those that show the noise, contradict what is seen, one looks
        as closely as they are, and believes that where it excludes what was seen.
        """
        sights, close = self._look_with(self._aim.step()), self._close
        if not _contradicts(close, sights):
            return sights
        closer = {s.which: s for s in self._look_with(max(close.step, self._projector.finest))}
        if any(_excludes(closer[s.which], s) for s in sights):
            first, second = (closer[s.which] for s in sights)
            return first, second
        return sights

    def _look_with(self, step: float) -> tuple[DirectionalDerivative, DirectionalDerivative]:
        """Look along two directions over everything, the clearer one first.

        Where it is settled closer by, or shows a difference, the other is looked at as
        closely.
        """
        probe, everything = self._projector, self._everything
        pairs = [(which, probe.difference(which, everything, step)) for which in (FIRST, SECOND)]
        (one, clearer), (two, fainter) = sorted(pairs, key=_clearness, reverse=True)
        first = refine_difference(probe, one, everything, clearer)
        if first.step != fainter.step:
            fainter = probe.difference(two, everything, first.step)
        if first.from_pairs and first.differs.any():
            return first, with_truncation_of(first, two, fainter)
        return first, refine_difference(probe, two, everything, fainter)

    def _see(self, sights: tuple[DirectionalDerivative, DirectionalDerivative]) -> None:
        """Take what directions over everything show: what is visible, and what is off."""
        off = sights[0].differs | sights[1].differs
        seen = np.min([s.undetected for s in sights], axis=0)
        outputs = np.flatnonzero(off)
        for number, output in enumerate(outputs[:FACTORS].tolist()):
            limit = SEARCH if number < OUTPUTS else 0
            seen[output] = self._explain(sights, output, limit) or SIGNIFICANT * seen[output]
        seen[outputs[FACTORS:]] *= SIGNIFICANT
        self._unexplained[:, outputs[FACTORS:]] = True
        moved = np.array([[self._held(s) < s.size] for s in self._segments])
        seen = np.where(moved, seen / self._aim.smallest_weights[:, None], np.inf)
        self._visible = np.minimum(self._visible, seen)

    def _held(self, segment: Segment) -> int:
        """Return how many coordinates of a segment no direction moves."""
        held = self._projector.directions.fixed
        if not held.size:
            return 0
        first, last = np.searchsorted(held, [segment.start, segment.stop])
        return int(last - first)

    def _explain(
        self, sights: tuple[DirectionalDerivative, DirectionalDerivative], output: int, limit: int
    ) -> float | None:
        """Find what is off in one output, by a search up to so many evaluations in all.

        Returns the largest change along a direction that could hide beside it, None where
        not all that is seen was explained.
        """
        clearest = sorted(sights, key=lambda s: s.significance(output), reverse=True)
        step = clearest[0].step
        widest = step if step < self._aim.step() else np.inf
        entries = SingleEntries(self._projector, self._agreement, self._rng, widest)
        explanation = Explanation(
            self._projector,
            entries,
            output,
            THIRD,
            lambda: self._tally.calls < min(limit, self._budget),
            self._rng,
        )
        explained = explanation.run(*clearest)
        findings, largest = explanation.findings, self._profile.largest
        slight = explained_by_branches(findings, entries, largest, self._rng)
        if slight and (not explained or may_be_everywhere(findings, entries)):
            return None
        everywhere = may_be_solver_error(findings, entries, largest)
        if slight or everywhere or output in entries.branches:
            self._left_by_solver[output] = True
            return None
        allowed = self._agreement * self._aim.total_change[output]
        if not findings and abs(clearest[0].residual[output]) <= allowed:
            return None  # as many slight differences as agree, one by one
        self._findings += findings
        self._unexplained[:, output] |= not explained
        return explanation.undetected if explained else None

    def _look_apart(self, claimed: Floats) -> None:
        """Look at segments by themselves that do not show enough, then entry by entry.

        Very many take few evaluations where they are looked at together first, and those that
        are dim beside these again.
        """
        sizes = self._projector.function.sizes
        against = reference_magnitude(self._profile.median, claimed, sizes)
        # What the rounding of claims hides shows little better in one of them alone.
        fair = POOR if self._aim.is_rounding_dominated else FAIR
        dim = np.flatnonzero((self._visible > fair * against).any(axis=1)).tolist()
        several = [number for number in dim if self._is_worth(number, fair * against[number])]
        while len(several) > ALONE:
            self._look_at(several)
            left = [number for number in several if self._is_worth(number, fair * against[number])]
            several = left if len(left) < len(several) else []
        for number, segment in enumerate(self._segments):
            if self._is_worth(number, fair * against[number]):
                self._look_at([number])
            poor = (self._visible[number] > POOR * against[number]).any()
            open_ = self._unexplained[number] | self._left_by_solver
            if poor or open_.any() or self._held(segment):
                self._sweep(number, segment)
            if number not in self._swept:
                self._unexplained[number] |= self._left_by_solver

    def _is_worth(self, number: int, fair: Floats) -> bool:
        """Tell whether a segment does not show enough, and much more by itself."""
        segment, much = self._segments[number], self._visible[number] > fair
        if not much.any() or self._held(segment) == segment.size:
            return False
        alone = (
            SIGNIFICANT * self._aim.expected_bound([number]) / self._aim.smallest_weights[number]
        )
        return bool((much & (self._visible[number] > WORTH * alone)).any())

    def _look_at(self, numbers: list[int]) -> None:
        """Look at some segments by themselves, without what is known to be off."""
        probe = self._projector.without([found.box for found in self._findings])
        region = tuple(self._segments[number].box() for number in numbers)
        own = directional_derivative(probe, OWN, region, self._aim.step(numbers))
        if own.known.all() and not own.differs.any():
            seen = own.undetected / self._aim.smallest_weights[numbers][:, None]
            self._visible[numbers] = np.minimum(self._visible[numbers], seen)
            self._unexplained[numbers] = False

    def _sweep(self, number: int, segment: Segment) -> None:
        """Measure a segment entry by entry, if that is affordable; else know what is small."""
        if not self._swept:
            self._aim = replace(self._aim, probe=calibrate_sizes(self._projector, NOISE))
        if self._tally.calls + 2 * segment.size > self._budget:
            return
        if segment.size * self._visible[number].size > DERIVATIVES:
            return
        function, indices = self._projector.function, np.arange(segment.start, segment.stop)
        is_loud = np.isin(indices, self._loud.indices)
        noisy = replace(function, noise=np.maximum(function.noise, self._loud.noise))
        found = Measurement.blank(segment.size, function.base.size)
        for one, which in ((function, ~is_loud), (noisy, is_loud)):
            if which.any():
                part = sweep_coordinates(
                    one,
                    self._projector.claims,
                    indices[which],
                    agreement=self._agreement,
                    rng=self._rng,
                )
                found.assign(np.flatnonzero(which), part)
        self._swept[number] = found
        self._unexplained[number] = False


def _are_settled(sights: tuple[DirectionalDerivative, DirectionalDerivative]) -> bool:
    """Tell whether what there is to be seen was: by pairs, or by a ladder that agrees."""
    return all(s.from_pairs or _agrees(s) for s in sights) and not _stand_still(sights)


def _agrees(seen: DirectionalDerivative) -> bool:
    """Tell whether claims are what was measured, closely: that is hardly chance."""
    close = seen.undetected <= FAIR * np.abs(seen.claimed)
    return bool((seen.known & ~seen.differs & close).all())


def _stand_still(sights: tuple[DirectionalDerivative, DirectionalDerivative]) -> bool:
    """Tell whether an output does not move at all where claims say so: it may be on stairs."""
    one, two = sights
    return bool(((one.measured == 0) & (two.measured == 0) & (one.claimed != 0)).any())


def _contradicts(
    close: DirectionalDifference, sights: tuple[DirectionalDerivative, DirectionalDerivative]
) -> bool:
    """Tell whether values close by say otherwise about claims than sights from further away.

    They are of another direction, along which a difference may be smaller by chance.
    """
    near = np.abs(close.residual) <= SIGNIFICANT * close.noise
    apart = np.any([s.differs | ~s.known for s in sights], axis=0)
    residual = np.max([np.where(s.known, np.abs(s.residual), np.inf) for s in sights], axis=0)
    plain = np.isfinite(close.residual) & (close.noise <= CLEARLY * residual)
    return bool(
        (~near & ~apart & np.isfinite(close.residual)).any() or (near & apart & plain).any()
    )


def _excludes(closer: DirectionalDerivative, further: DirectionalDerivative) -> bool:
    """Tell whether what is seen from close by along a direction rules out what was seen."""
    moved = np.abs(closer.measured - further.measured)
    known = closer.known & (closer.bound <= CLEARLY * moved)
    return bool(
        (known & (moved > SIGNIFICANT * further.bound)).any() or (known & ~further.known).any()
    )


def _clearness(pair: tuple[int, DirectionalDifference]) -> float:
    """Return how far claim and measurement are apart, in units of noise."""
    seen = pair[1]
    with np.errstate(all="ignore"):
        return float(np.nanmax(np.abs(seen.residual) / seen.noise, initial=0.0))
