"""Explanation of the residuals of one output: found along one direction, confirmed along another.

A residual, claimed minus measured, may be explained by a relative error that all claims, or all
of one segment, have in common (`common_relative_error`, which costs no evaluation), or by errors
of single coordinates and boxes (`ErrorSearch`). What explains one direction may do so by chance.
It is therefore tested along a direction that was not used to find it, and the largest suspects
are measured one by one.

It does not decide how small an error would have been detected, and does not name parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import numpy as np

from pytest_gradcheck.numerics.measurement import Floats, Measurement
from pytest_gradcheck.numerics.screening.confirm_entries import Expected, SingleEntries
from pytest_gradcheck.numerics.screening.directional_derivative import (
    SIGNIFICANT,
    DirectionalDerivative,
    DirectionProbe,
    directional_derivative,
    remeasure_by_pair,
)
from pytest_gradcheck.numerics.screening.locate_errors import ErrorSearch
from pytest_gradcheck.numerics.screening.residual_decoding import Decoder
from pytest_gradcheck.numerics.screening.screen_result import Finding, Suspect
from pytest_gradcheck.numerics.screening.subarrays import Box, Region, Segment, whole_region

__all__ = ["CommonRelativeError", "Explanation", "common_relative_error"]

#: A common relative error is more than chance where the residual that it predicts is known to
#: this share of the residual.
CONVINCING = 0.03

#: How often residuals that remain are searched.
ROUNDS = 3

#: The number of suspects that are measured one by one where the other direction confirms all.
MEASURED = 4

#: The other direction confirms a suspect where its own uncertainty is at most this share of the
#: effect of the suspect ...
CONFIRMING = 0.5

#: ... and shows that nothing else is wrong where the suspects add at most this multiple to its
#: bound. Otherwise it is measured again without them.
UNCERTAIN = 4.0

#: Where segments have a common relative error, one claim is measured in each of at most so many,
#: chosen out of so many claims that are drawn.
SEGMENTS = 4
DRAWN = 64


@dataclass(frozen=True, slots=True)
class CommonRelativeError:
    """A relative error that all claims in some segments have in common.

    Attributes
    ----------
    segments : tuple of int
        The numbers of the segments.
    relative_error, bound : float
        The relative error, and a bound on the error of it.
    """

    segments: tuple[int, ...]
    relative_error: float
    bound: float


def common_relative_error(
    residuals: Floats, bounds: Floats, claimed: Floats
) -> CommonRelativeError | None:
    """Find a common relative error of all claims, or all of a segment, from two directions.

    If all claims are wrong by a relative error r, the residual along a direction d is
    ``r <claim, d>``. One direction gives r, and the other one tests it: for everything first, then
    for each segment.

    Parameters
    ----------
    residuals, bounds : ndarray, shape (2,)
        Claimed minus measured along two directions, and bounds on their errors.
    claimed : ndarray, shape (2, segments)
        The claimed derivatives along them, by segment.

    Returns
    -------
    CommonRelativeError or None
        None where no relative error explains both residuals.

    Examples
    --------
    >>> claimed = np.array([[1.0, 2.0], [3.0, -1.0]])
    >>> residuals = 0.5 * claimed[:, 1]
    >>> common_relative_error(residuals, np.full(2, 1e-9), claimed)
    CommonRelativeError(segments=(1,), relative_error=0.5, bound=5e-10)
    """
    segments = range(claimed.shape[1])
    for candidates in ([*segments], *([k] for k in segments)):
        first, second = claimed[:, candidates].sum(axis=1).tolist()
        if not first or not np.isfinite(first):
            continue
        relative_error = float(residuals[0] / first)
        bound = bounds[1] + bounds[0] * abs(second / first)
        difference = abs(residuals[1] - relative_error * second)
        if difference <= bound <= CONVINCING * abs(residuals[1]):
            return CommonRelativeError(
                tuple(candidates), relative_error, float(bounds[0] / abs(first))
            )
    return None


@dataclass(frozen=True, slots=True)
class Remainder:
    """The residual along a direction that remains when the errors of suspects are subtracted.

    Attributes
    ----------
    residual, bound : float
        The residual that remains, and a bound on the error of the measured derivative.
    suspects_bound : float
        A bound on the error of what was subtracted.
    """

    residual: float
    bound: float
    suspects_bound: float

    @property
    def is_explained(self) -> bool:
        """Whether the suspects explain the direction."""
        return abs(self.residual) <= SIGNIFICANT * self.bound + self.suspects_bound

    def confirms(self, effect: float) -> bool:
        """Return whether the direction would not be explained without a suspect of this effect."""
        uncertainty = self.bound + self.suspects_bound
        return self.is_explained and uncertainty <= CONFIRMING * abs(effect)


@dataclass(slots=True)
class Explanation:
    """An explanation of the residuals of one output.

    Attributes
    ----------
    probe : DirectionProbe
        The function with its claims and directions.
    entries : SingleEntries
        Measures single coordinates.
    output : int
        The output.
    third : int
        The number of a direction along which nothing was measured yet.
    may_continue : callable
        ``may_continue() -> bool``, whether the budget allows more evaluations.
    rng : numpy.random.Generator
        Draws samples.
    findings : list of Finding
        Where claims are wrong. All are confirmed.
    cleared : list of Box
        Suspects whose claims are not wrong when measured.
    undetected : float
        Where everything is explained, the largest change along a direction that an error that was
        not found could make.
    """

    probe: DirectionProbe
    entries: SingleEntries
    output: int
    third: int
    may_continue: Callable[[], bool]
    rng: np.random.Generator
    findings: list[Finding] = field(default_factory=list)
    cleared: list[Box] = field(default_factory=list)
    undetected: float = 0.0

    def run(self, current: DirectionalDerivative, other: DirectionalDerivative) -> bool:
        """Explain the residuals of two directions; return whether nothing remains unexplained."""
        if self._is_common_relative_error(current, other):
            bound = max(float(one.bound[self.output]) for one in (current, other))
            self.undetected = 2 * SIGNIFICANT * bound
            return True
        for _ in range(ROUNDS):
            known, search = len(self.findings), self._search(current)
            self.findings += search.findings
            self._exclude([finding.box for finding in search.findings])
            if search.findings or known:
                other = self._measure(other.which, current.step)
            remainder = self._remainder(other, search.suspects)
            all_confirmed, clean = self._confirm_suspects(search.suspects, other, remainder)
            if search.unexplained:
                return False
            if clean is not None:
                self.undetected = float(clean.undetected[self.output])
                return all_confirmed
            is_certain = remainder.suspects_bound <= UNCERTAIN * remainder.bound
            if remainder.is_explained and is_certain:
                self.undetected = (
                    abs(remainder.residual)
                    + remainder.suspects_bound
                    + SIGNIFICANT * remainder.bound
                )
                return all_confirmed
            current, other = self._measure(other.which, current.step), current
            if not current.differs[self.output]:
                self.undetected = float(current.undetected[self.output])
                return True
        return False

    @property
    def _everything(self) -> Region:
        return whole_region(self.probe.directions.segments)

    def _measure(self, which: int, step: float) -> DirectionalDerivative:
        return directional_derivative(self.probe, which, self._everything, step)

    def _exclude(self, boxes: list[Box]) -> None:
        """Move some boxes no more: their errors are known."""
        self.probe = self.probe.without(boxes)

    def _is_common_relative_error(
        self, current: DirectionalDerivative, other: DirectionalDerivative
    ) -> bool:
        """Explain both directions by a common relative error of some segments, if that is one."""
        both, output = (current, other), self.output
        claimed = np.stack([self.probe.claimed(one.which)[:, output] for one in both])
        found = common_relative_error(
            np.array([one.residual[output] for one in both]),
            np.array([one.bound[output] for one in both]),
            claimed,
        )
        if found is None:
            return False
        numbers = found.segments
        if abs(found.relative_error) <= self.entries.agreement:
            return True
        segments = [self.probe.directions.segments[k] for k in numbers]
        order = np.argsort(-np.abs(claimed[0, list(numbers)]))[:SEGMENTS]
        measured = {}
        for number in order.tolist():
            coordinate = self._coordinate_with_claim(segments[number])
            if coordinate is None:
                return False
            measurement = self.entries.measure(coordinate)
            if not self.entries.errors(coordinate, measurement)[output]:
                return False
            measured[number] = ((coordinate, measurement),)
        self.findings += [
            Finding(
                segment.box(),
                output,
                measured.get(k, ()),
                len(measured.get(k, ())),
                found.relative_error,
                found.bound,
            )
            for k, segment in enumerate(segments)
        ]
        return True

    def _coordinate_with_claim(self, segment: Segment) -> int | None:
        """Return a coordinate of a segment whose claim is not zero, None if none was drawn."""
        drawn = self.rng.choice(segment.size, min(DRAWN, segment.size), replace=False)
        coordinates = segment.start + drawn
        nonzero = coordinates[self.probe.claims.take(coordinates)[:, self.output] != 0]
        return int(nonzero[0]) if nonzero.size else None

    def _search(self, current: DirectionalDerivative) -> ErrorSearch:
        """Search for the errors that explain one direction."""
        current = remeasure_by_pair(self.probe, current, self._everything, self.output)
        decoder = Decoder.of(self.probe, current, self.output)
        search = ErrorSearch(
            decoder, self.entries, self.may_continue, self.rng, cleared=self.cleared
        )
        search.run(decoder.all_of(current))
        return search

    def _remainder(self, other: DirectionalDerivative, suspects: list[Suspect]) -> Remainder:
        """Subtract the errors of suspects from the residual of another direction."""
        residual, suspects_bound = float(other.residual[self.output]), 0.0
        for suspect in suspects:
            weight = self.probe.directions.weight(other.which, suspect.box.start)
            residual -= suspect.error * weight
            suspects_bound += suspect.bound * abs(weight)
        bound = float(other.bound[self.output]) if other.known[self.output] else np.inf
        return Remainder(residual, bound, suspects_bound)

    def _confirm_suspects(
        self, suspects: list[Suspect], other: DirectionalDerivative, remainder: Remainder
    ) -> tuple[bool, DirectionalDerivative | None]:
        """Confirm suspects: the largest by measuring each, the others by a third direction.

        One direction may be explained by chance, with correct claims among the suspects. They are
        trusted where a third direction shows no error without them.

        Returns
        -------
        all_confirmed : bool
            Whether all suspects are wrong. One whose error is tolerated counts as confirmed, one
            that cannot be measured accurately enough alone does not.
        clean : DirectionalDerivative or None
            The third direction without the suspects, where it was needed and shows no error.
        """
        suspects = sorted(suspects, key=lambda one: abs(one.error) * one.step, reverse=True)
        largest, others = suspects[:MEASURED], suspects[MEASURED:]
        all_confirmed = self._confirm(largest)
        trusted = [
            one for one in others if all_confirmed and self._is_confirmed(one, other, remainder)
        ]
        clean = self._third_without(others, other.step) if trusted else None
        boxes = {one.box for one in trusted} if clean else ()
        return self._confirm(others, boxes) and all_confirmed, clean

    def _is_confirmed(
        self, suspect: Suspect, other: DirectionalDerivative, remainder: Remainder
    ) -> bool:
        weight = self.probe.directions.weight(other.which, suspect.box.start)
        return remainder.confirms(suspect.error * weight)

    def _third_without(
        self, suspects: Sequence[Suspect], step: float
    ) -> DirectionalDerivative | None:
        """Measure along the third direction without suspects; None where that shows an error."""
        probe = self.probe.without([suspect.box for suspect in suspects])
        clean = directional_derivative(probe, self.third, self._everything, step)
        is_clean = clean.known[self.output] and not clean.differs[self.output]
        return clean if is_clean else None

    def _confirm(self, suspects: Sequence[Suspect], trusted: Collection[Box] = ()) -> bool:
        """Make suspects that are trusted, or measured to be wrong, findings.

        Returns whether that holds for all whose errors are not tolerated.
        """
        all_confirmed = True
        for suspect in suspects:
            if self._is_tolerated(suspect):
                continue
            if suspect.box in trusted:
                found: Measurement | None = self._as_decoded(suspect)
            else:
                found = self._measure_suspect(suspect)
            if found is not None:
                measured = ((suspect.box.start, found),)
                self.findings.append(Finding(suspect.box, self.output, measured, 1))
                self._exclude([suspect.box])
            else:
                self.cleared.append(suspect.box)
                all_confirmed = False
        return all_confirmed

    def _is_tolerated(self, suspect: Suspect) -> bool:
        coordinate = suspect.box.start
        allowed = self.entries.allowed(coordinate, np.abs(self.entries.claim(coordinate)))
        return abs(suspect.error) <= float(allowed[self.output])

    def _measure_suspect(self, suspect: Suspect) -> Measurement | None:
        """Measure a suspect alone; None where its claim is not wrong."""
        if suspect.measured is not None:
            return suspect.measured
        expected = Expected(self.output, suspect.error, suspect.bound)
        found = self.entries.measure(suspect.box.start, expected)
        errors = self.entries.errors(suspect.box.start, found)
        return found if errors[self.output] else None

    def _as_decoded(self, suspect: Suspect) -> Measurement:
        """Return the derivative with respect to a suspect that follows from its decoded error."""
        claim = self.entries.claim(suspect.box.start)
        found = Measurement.blank(1, claim.size)
        found.value[:], found.bound[:], found.step[:] = np.nan, np.inf, suspect.step
        found.value[0, self.output] = claim[self.output] - suspect.error
        found.bound[0, self.output] = suspect.bound
        return found
