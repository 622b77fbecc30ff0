"""Explaining what two directions show of one output: found on one, confirmed on the other.

It must not decide how well the whole was seen, or name anything.
"""

# MERGED What is off by the same share of itself, read off two directions at no cost.
#
# It must not evaluate the function: it compares what was seen already with what is claimed.

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import numpy as np

from pytest_gradcheck.numerics.measurement import Floats, Measurement
from pytest_gradcheck.numerics.screening.array_regions import Box, Region, Segment, whole_region
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

__all__ = ["CommonRelativeError", "Explanation", "common_relative_error"]


#: A share is told from chance when what it predicts is known to this part of itself.
CONVINCING = 0.03


@dataclass(frozen=True, slots=True)
class CommonRelativeError:
    """What is off by one share of itself.

    Attributes
    ----------
    segments : tuple of int
        Where.
    relative_error, bound : float
        By which share of the claims, and how uncertain it is.
    """

    segments: tuple[int, ...]
    relative_error: float
    bound: float


def common_relative_error(
    residuals: Floats, bounds: Floats, claimed: Floats
) -> CommonRelativeError | None:
    """Find segments whose claims are all off by one share of themselves.

    Fitted on one direction, tested on the other: everything first, then each segment.

    Parameters
    ----------
    residuals, bounds : ndarray, shape (2,)
        By how much more is claimed than measured along two directions, and how well that
        is known.
    claimed : ndarray, shape (2, segments)
        What is claimed along them, by segment.

    Returns
    -------
    Common or None
        None where no share explains both.

    Examples
    --------
    >>> claimed = np.array([[1.0, 2.0], [3.0, -1.0]])
    >>> residuals = 0.5 * claimed[:, 1]
    >>> common_share(residuals, np.full(2, 1e-9), claimed)
    Common(segments=(1,), share=0.5, doubt=5e-10)
    """
    segments = range(claimed.shape[1])
    for some in ([*segments], *([k] for k in segments)):
        first, second = claimed[:, some].sum(axis=1).tolist()
        if not first or not np.isfinite(first):
            continue
        share = float(residuals[0] / first)
        doubt = bounds[1] + bounds[0] * abs(second / first)
        apart = abs(residuals[1] - share * second)
        if apart <= doubt <= CONVINCING * abs(residuals[1]):
            return CommonRelativeError(tuple(some), share, float(bounds[0] / abs(first)))
    return None


#: How often what is left is searched anew.
ROUNDS = 3

#: Suspects that are measured by themselves when the other direction confirms them all.
MEASURED = 4

#: It confirms them where what it cannot tell is this small beside the least of them ...
TELLING = 0.5

#: ... and nothing else is wrong where they add no more than this to its bound: else one
#: looks again, without them.
DOUBTFUL = 4.0

#: Segments, and claims in them, that are measured where all are off by the same share.
SEGMENTS = 4
DRAWN = 64


@dataclass(frozen=True, slots=True)
class Rest:
    """What suspects leave of a direction that was not used to find them.

    Attributes
    ----------
    residual, bound : float
        By how much more is claimed than measured, and how well that is known.
    doubt : float
        How well the share of the suspects in it is known.
    """

    residual: float
    bound: float
    doubt: float

    @property
    def is_explained(self) -> bool:
        """Whether suspects explain the direction."""
        return abs(self.residual) <= SIGNIFICANT * self.bound + self.doubt

    def confirms(self, effect: float) -> bool:
        """Tell whether it would not be explained if one with this effect were innocent."""
        return self.is_explained and self.bound + self.doubt <= TELLING * abs(effect)


@dataclass(slots=True)
class Explanation:
    """An explanation of what is off in one output.

    Attributes
    ----------
    probe : DirectionProbe
        With the function, its claims and directions.
    entries : SingleEntries
        Measures coordinates.
    output : int
        The output.
    third : int
        A direction that nothing was looked at along yet.
    goes_on : callable
        ``goes_on() -> bool``, whether more evaluations are affordable.
    rng : numpy.random.Generator
        Draws samples.
    findings : list of Finding
        What is off; nothing that was not confirmed.
    right : list of Box
        What was suspected, and is not off when measured.
    unseen : float
        Where all is explained, the largest change along a direction that could hide still.
    """

    probe: DirectionProbe
    entries: SingleEntries
    output: int
    third: int
    goes_on: Callable[[], bool]
    rng: np.random.Generator
    findings: list[Finding] = field(default_factory=list)
    right: list[Box] = field(default_factory=list)
    unseen: float = 0.0

    def run(self, current: DirectionalDerivative, other: DirectionalDerivative) -> bool:
        """Explain what two directions show; return whether nothing is left unexplained."""
        if self._share(current, other):
            self.unseen = (
                2 * SIGNIFICANT * max(float(s.bound[self.output]) for s in (current, other))
            )
            return True
        for _ in range(ROUNDS):
            known, search = len(self.findings), self._search(current)
            self._take_boxes(search.findings)
            if search.findings or known:
                other = self._look(other.which, current.step)
            rest = self._rest(other, search.suspects)
            all_taken, clean = self._take_suspects(search.suspects, other, rest)
            if search.left:
                return False
            if clean is not None:
                self.unseen = float(clean.undetected[self.output])
                return all_taken
            if rest.is_explained and rest.doubt <= DOUBTFUL * rest.bound:
                self.unseen = abs(rest.residual) + rest.doubt + SIGNIFICANT * rest.bound
                return all_taken
            current, other = self._look(other.which, current.step), current
            if not current.differs[self.output]:
                self.unseen = float(current.undetected[self.output])
                return True
        return False

    @property
    def _everything(self) -> Region:
        return whole_region(self.probe.directions.segments)

    def _share(self, current: DirectionalDerivative, other: DirectionalDerivative) -> bool:
        """Explain both directions by one share of the claims of some segments."""
        sights, output = (current, other), self.output
        claimed = np.stack([self.probe.claimed(s.which)[:, output] for s in sights])
        found = common_relative_error(
            np.array([s.residual[output] for s in sights]),
            np.array([s.bound[output] for s in sights]),
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
            coordinate = self._claimed_somewhere(segments[number])
            if coordinate is None:
                return False
            there = self.entries.measure(coordinate)
            if not self.entries.errors(coordinate, there)[output]:
                return False
            measured[number] = ((coordinate, there),)
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

    def _claimed_somewhere(self, segment: Segment) -> int | None:
        """Return a coordinate of a segment whose claim is not zero."""
        drawn = self.rng.choice(segment.size, min(DRAWN, segment.size), replace=False)
        coordinates = segment.start + drawn
        nonzero = coordinates[self.probe.claims.take(coordinates)[:, self.output] != 0]
        return int(nonzero[0]) if nonzero.size else None

    def _search(self, current: DirectionalDerivative) -> ErrorSearch:
        current = remeasure_by_pair(self.probe, current, self._everything, self.output)
        reader = Decoder.of(self.probe, current, self.output)
        search = ErrorSearch(reader, self.entries, self.goes_on, self.rng, right=self.right)
        search.run(reader.all_of(current))
        return search

    def _rest(self, other: DirectionalDerivative, suspects: list[Suspect]) -> Rest:
        """Return what suspects leave of another direction."""
        rest, doubt = float(other.residual[self.output]), 0.0
        for suspect in suspects:
            weight = self.probe.directions.weight(other.which, suspect.box.start)
            rest -= suspect.error * weight
            doubt += suspect.bound * abs(weight)
        bound = float(other.bound[self.output]) if other.known[self.output] else np.inf
        return Rest(rest, bound, doubt)

    def _take_boxes(self, findings: list[Finding]) -> None:
        self.findings += findings
        self._leave_out([finding.box for finding in findings])

    def _take_suspects(
        self, suspects: list[Suspect], other: DirectionalDerivative, rest: Rest
    ) -> tuple[bool, DirectionalDerivative | None]:
        """Take suspects that are off when measured, and those beyond the worst on trust.

        One direction may be explained by chance, with innocents among the suspects: they are
        trusted where a third one shows nothing without them. Returns whether all suspects were
        taken, and what that third one showed. One that is off by less than is tolerated counts
        as taken, one that cannot be measured well enough by itself does not.
        """
        suspects = sorted(suspects, key=lambda s: abs(s.error) * s.step, reverse=True)
        worst, others = suspects[:MEASURED], suspects[MEASURED:]
        all_taken = self._take(worst)
        trusted = [s for s in others if all_taken and self._is_confirmed(s, other.which, rest)]
        clean = self._without(others, other.step) if trusted else None
        return self._take(others, {s.box for s in trusted} if clean else ()) and all_taken, clean

    def _is_confirmed(self, suspect: Suspect, which: int, rest: Rest) -> bool:
        weight = self.probe.directions.weight(which, suspect.box.start)
        return rest.confirms(suspect.error * weight)

    def _without(self, suspects: Sequence[Suspect], step: float) -> DirectionalDerivative | None:
        """Look along a third direction without suspects; None where that is off."""
        beside = self.probe.without([suspect.box for suspect in suspects])
        seen = directional_derivative(beside, self.third, self._everything, step)
        return None if seen.differs[self.output] or not seen.known[self.output] else seen

    def _take(self, suspects: Sequence[Suspect], trusted: Collection[Box] = ()) -> bool:
        """Take suspects, those that are not trusted where they are off; return whether all are."""
        all_taken = True
        for suspect in suspects:
            if self._is_tolerated(suspect):
                continue
            found = self._as_seen(suspect) if suspect.box in trusted else self._measured(suspect)
            if found is not None:
                self.findings.append(
                    Finding(suspect.box, self.output, ((suspect.box.start, found),), 1)
                )
                self._leave_out([suspect.box])
            else:
                self.right.append(suspect.box)
                all_taken = False
        return all_taken

    def _is_tolerated(self, suspect: Suspect) -> bool:
        coordinate = suspect.box.start
        allowed = self.entries.allowed(coordinate, np.abs(self.entries.claim(coordinate)))
        return abs(suspect.error) <= float(allowed[self.output])

    def _measured(self, suspect: Suspect) -> Measurement | None:
        """Measure a suspect by itself; None where its claim is not off."""
        if suspect.measured is not None:
            return suspect.measured
        expected = Expected(self.output, suspect.error, suspect.bound)
        found = self.entries.measure(suspect.box.start, expected)
        errors = self.entries.errors(suspect.box.start, found)
        return found if errors[self.output] else None

    def _as_seen(self, suspect: Suspect) -> Measurement:
        """Return what two directions show of a suspect."""
        claim = self.entries.claim(suspect.box.start)
        found = Measurement.blank(1, claim.size)
        found.value[:], found.bound[:], found.step[:] = np.nan, np.inf, suspect.step
        found.value[0, self.output] = claim[self.output] - suspect.error
        found.bound[0, self.output] = suspect.bound
        return found

    def _look(self, which: int, step: float) -> DirectionalDerivative:
        return directional_derivative(self.probe, which, self._everything, step)

    def _leave_out(self, boxes: list[Box]) -> None:
        self.probe = self.probe.without(boxes)
