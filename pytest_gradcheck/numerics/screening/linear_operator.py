"""Functions that are linear to rounding: what is claimed holds over any distance, or is wrong.

The change of a linear function along a direction is its derivative times the direction,
without truncation, however far one goes. So a few moves of all coordinates, far and near,
test the claim and the linearity in one: ``f(x + d) - f(x) = <claim, d>``, to rounding. Under
a cotangent c the claim is ``A^T c``, and that is the identity that defines an adjoint,
``<c, A d> = <A^T c, d>``: the dot-product test of J. Claerbout, "Earth Soundings Analysis:
Processing versus Inversion" (1992), section 5.3, with random signs on both sides and a bound
on what rounding may do.

It must not look for patterns; what is off it finds entry by entry, and not many of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pytest_gradcheck.numerics.full_check import DerivativeTask
from pytest_gradcheck.numerics.measurement import (
    EPS,
    Booleans,
    Floats,
    Measurement,
    Status,
    chunks,
)
from pytest_gradcheck.numerics.random_directions import signed_direction
from pytest_gradcheck.numerics.screening.array_regions import Segment
from pytest_gradcheck.numerics.screening.directional_derivative import (
    SIGNIFICANT,
    DirectionalDerivative,
)
from pytest_gradcheck.numerics.screening.directional_step_size import ClaimMagnitudes
from pytest_gradcheck.numerics.screening.screen_result import (
    Finding,
    ScreenResult,
    reference_magnitude,
)
from pytest_gradcheck.numerics.step_size import Scales

__all__ = ["find_wrong_claims", "is_homogeneous", "verify_linear"]

#: How far all coordinates are moved, in units of their scales, each time along another
#: direction: first so far that nothing but a linear function agrees ...
FAR = 1.0

#: ... then far and so near that what is left of a difference is rounding, unless the claim is
#: grossly off: once each, which is enough where what rounds is a float64, and more often.
LOOKS = ((-2.0,), (1e-5,)), ((3.0, -1.0, 0.03), (-1e-5, 1e-6, -1e-6))
NEAR = tuple(reach for _, near in LOOKS for reach in near)

#: So many times the largest rounding that was seen near the point is what it may do far away.
ROUNDING = 8.0

#: The least weight of a coordinate in a direction.
LEAST = 0.5

#: Coordinates are moved by this share of the median of their segment at least.
FLOOR = 1.0

#: What is verified shows an error of this share of a typical claim, or says too little.
FAIR = 5e-3

#: So far all coordinates are moved where a claim that is off is searched by halving, and so many
#: are found at most.
SEARCHED = 3.0
FOUND = 8

#: A claim is off where its coordinate moves outputs alike elsewhere, so far as a share of there:
#: errors of halves add up also of a function that is nonlinear in one coordinate alone.
ELSEWHERE = (-1.0, 0.4)

#: A few claims that are off change no more than this share of what all say.
FEW = 0.3

#: A function that is the product of its claim and the point is so to this share of it.
CRUDE = 1e-3


def is_homogeneous(question: DerivativeTask) -> bool:
    """Tell a function that is its claimed derivative times the point: a linear one, perhaps.

    By Euler's identity functions of degree one are; it costs no evaluation.

    Parameters
    ----------
    question : DerivativeTask
        The function, the point and the claims; without a tangent.

    Returns
    -------
    bool
        To within the rounding of float32.
    """
    claimed = np.zeros_like(question.base)
    for part in chunks(0, question.here.size):
        claimed += question.claims.along(part.start, question.here[part])
    apart = np.linalg.norm(claimed - question.base)
    return bool(apart <= CRUDE * np.linalg.norm(question.base))


def verify_linear(
    question: DerivativeTask, segments: Sequence[Segment], *, seed: int
) -> ScreenResult | None:
    """Verify claims about a function that is linear to rounding.

    Parameters
    ----------
    question : DerivativeTask
        The function, the point and the claims; without a tangent.
    segments : sequence of Segment
        Those of the question, with their axes.
    seed : int
        Draws the directions.

    Returns
    -------
    Screened or None
        With the smallest error that would have been seen: rounding of the outputs, times the
        root of the number of entries. None where the function is not linear, or a claim is
        off, or too little would be seen. Costs three evaluations, nine where forward rounds more
        coarsely than float64 does, and one where it is plainly not linear.
    """
    steps = _Steps.of(question, segments, seed)
    far, near = steps.take([FAR]), list[_Move]()
    if not far[0].is_near(CRUDE):
        return None
    for reaches, close in LOOKS:
        far += steps.take(reaches)
        near += steps.take(close)
        seen = np.max([np.abs(move.residual) for move in near], axis=0)
        if all((np.abs(move.residual) <= move.allowed(seen)).all() for move in far):
            break
    else:
        return None
    sights = sorted(
        (move.sight(seen, number) for number, move in enumerate(far)),
        key=lambda sight: float(sight.undetected.max()),
    )
    screened = steps.screened(sights[:2])
    against = reference_magnitude(screened.typical_claim, sights[0].claimed, screened.sizes)
    return screened if (screened.detection_limit <= FAIR * against).all() else None


def find_wrong_claims(
    question: DerivativeTask, segments: Sequence[Segment], *, agreement: float, seed: int
) -> ScreenResult | None:
    """Find a few claims that are off about a function that is linear to rounding.

    Where forward rounds to single precision no small step shows them. All coordinates are
    moved far, then halves of them by as much: of a linear function the errors of two halves
    add up to that of both.

    Parameters
    ----------
    question, segments, seed
        As for `verify_linear`.
    agreement : float
        Relative difference at which claim and measurement agree.

    Returns
    -------
    Screened or None
        With what is off of the output that is most so. None where nothing is, or too much,
        or the function is not linear. Costs five evaluations, two for each halving and each
        claim that is off, one where far too much is off.
    """
    steps = _Steps.of(question, segments, seed)
    direction = steps.direction(SEARCHED)
    (whole,) = steps.moves([(SEARCHED, direction)])
    if not whole.is_near(FEW):
        return None
    seen = np.max([np.abs(move.residual) for move in steps.take(NEAR)], axis=0)
    with np.errstate(all="ignore"):
        clear = np.abs(whole.residual) / whole.allowed(seen)
    output = int(np.argmax(np.nan_to_num(clear)))
    open_, findings = [(0, question.here.size, whole)], list[Finding]()
    while open_:
        start, stop, both = open_.pop()
        if len(findings) + len(open_) >= FOUND:
            return None
        if stop - start == 1:
            if abs(both.residual[output]) > agreement * abs(both.measured[output]):
                if not steps.is_linear(_only(direction, start, stop), both, seen)[output]:
                    return None
                findings.append(steps.finding(start, output, both, seen))
            continue
        middle = (start + stop) // 2
        parts_ = [(start, middle), (middle, stop)]
        halves = steps.moves([(SEARCHED, _only(direction, *part)) for part in parts_])
        apart = np.abs(sum(half.residual for half in halves) - both.residual)
        doubt = sum(half.allowed(seen) for half in halves) + both.allowed(seen)
        if not (apart <= doubt)[output]:
            return None
        open_ += [
            (*part, half)
            for part, half in zip(parts_, halves, strict=True)
            if (np.abs(half.residual) > half.allowed(seen))[output]
        ]
    screened = steps.screened([move.sight(seen, k) for k, move in enumerate((whole, whole))])
    return replace(screened, findings=tuple(findings)) if findings else None


def _only(direction: Floats, start: int, stop: int) -> Floats:
    """Return the part of a direction by some coordinates."""
    part = np.zeros_like(direction)
    part[start:stop] = direction[start:stop]
    return part


@dataclass(frozen=True, slots=True)
class _Move:
    """All coordinates moved: the change of m outputs as claimed and as measured.

    Attributes
    ----------
    reach : float
        How far, in units of the scales.
    step : float
        By how much all coordinates changed together, of one alone its step.
    claimed, measured : ndarray, shape (m,)
        By how much outputs change.
    rounding : ndarray, shape (m,)
        What the rounding of the claims, of their sum, and of the outputs does to these.
    """

    reach: float
    step: float
    claimed: Floats
    measured: Floats
    rounding: Floats

    @property
    def residual(self) -> Floats:
        """By how much more is claimed than measured."""
        return np.asarray(self.claimed - self.measured)

    def is_near(self, share: float) -> bool:
        """Tell whether both agree to a share of the change."""
        size = np.linalg.norm(self.measured)
        return bool(np.linalg.norm(self.residual) <= share * size + np.linalg.norm(self.rounding))

    def allowed(self, seen: Floats) -> Floats:
        """Return by how much rounding may put them apart, when so much was seen near the point."""
        return ROUNDING * max(1.0, abs(self.reach)) * seen + SIGNIFICANT * self.rounding

    def sight(self, seen: Floats, number: int) -> DirectionalDerivative:
        """Return it as what was seen along a direction, per unit of step."""
        size = abs(self.reach)
        return DirectionalDerivative(
            which=number,
            step=size,
            claimed=self.claimed / self.reach,
            measured=self.measured / self.reach,
            bound=self.allowed(seen) / SIGNIFICANT / size,
            bend=np.zeros_like(self.claimed),
            status=np.full(self.claimed.shape, Status.SMOOTH, dtype=np.int8),
            from_pairs=True,
        )


@dataclass(frozen=True, slots=True)
class _Steps:
    """Moves all coordinates at once, each time along another direction."""

    question: DerivativeTask
    segments: tuple[Segment, ...]
    scales: Scales
    profile: ClaimMagnitudes
    rng: np.random.Generator

    @classmethod
    def of(cls, question: DerivativeTask, segments: Sequence[Segment], seed: int) -> _Steps:
        """Look how far to move what."""
        rng = np.random.default_rng(seed)
        scales = replace(Scales.of(question.here, question.segments), floor=FLOOR)
        profile = ClaimMagnitudes.of(question.claims, segments, scales, rng)
        return cls(question, tuple(segments), scales, profile, rng)

    def take(self, reaches: Sequence[float]) -> list[_Move]:
        """Move so far, each time along another direction, one evaluation for each."""
        return self.moves((reach, self.direction(reach)) for reach in reaches)

    def direction(self, reach: float) -> Floats:
        """Draw how far to move each coordinate."""
        direction = signed_direction(self.scales.own(slice(None)), self.rng)
        for segment, lift in zip(self.segments, self.profile.gains().tolist(), strict=True):
            direction[segment.start : segment.stop] *= reach * lift
        return direction

    def moves(self, directions: Iterable[tuple[float, Floats]]) -> list[_Move]:
        """Move by each of these, given with how far that is."""
        changes = list[tuple[float, float, Floats, Floats]]()

        def places() -> Iterator[Floats]:
            for reach, direction in directions:
                there = self.question.here + direction
                step = float((there - self.question.here).sum())
                changes.append((reach, step, *self._change(there)))
                yield there

        with np.errstate(all="ignore"):
            outputs = self.question.evaluate(places())
        base = self.question.base
        moves = []
        for there, (reach, step, claimed, rounding) in zip(outputs, changes, strict=True):
            rounded = EPS * np.maximum(np.abs(there), np.abs(base))
            moves.append(_Move(reach, step, claimed, there - base, rounding + rounded))
        return moves

    def is_linear(self, direction: Floats, move: _Move, seen: Floats) -> Booleans:
        """Tell which outputs change in proportion to how far one coordinate moves."""
        result = np.ones(move.measured.shape, dtype=bool)
        for share in ELSEWHERE:
            (other,) = self.moves([(share * move.reach, share * direction)])
            ratio = other.step / move.step
            apart = np.abs(other.measured - ratio * move.measured)
            result &= apart <= other.allowed(seen) + abs(ratio) * move.allowed(seen)
        return result

    def finding(self, coordinate: int, output: int, move: _Move, seen: Floats) -> Finding:
        """Return a claim that is off, with what moving its coordinate alone shows."""
        claim = self.question.claims.take(np.array([coordinate]))[0]
        step = abs(float(move.step))
        found = Measurement.blank(1, claim.size)
        found.value[:], found.bound[:], found.step[:] = np.nan, np.inf, step
        found.value[0, output] = move.measured[output] / move.step
        found.bound[0, output] = move.allowed(seen)[output] / SIGNIFICANT / step
        segment = next(s for s in self.segments if s.contains(coordinate))
        return Finding(segment.element(coordinate), output, ((coordinate, found),), 1)

    def screened(self, sights: Sequence[DirectionalDerivative]) -> ScreenResult:
        """Return what was seen along directions, the first of which shows most."""
        least = LEAST * self.profile.gains()
        visible = sights[0].undetected / least[:, None]
        return ScreenResult(
            directional_derivatives=tuple(sights),
            detection_limit=visible,
            typical_claim=self.profile.median,
            swept={},
            findings=(),
            unexplained=np.zeros(visible.shape, dtype=bool),
            sizes=np.abs(self.question.base),
            scales=self.scales,
            smallest_scale=self.scales.least(),
            fixed=np.zeros(0, dtype=np.intp),
        )

    def _change(self, there: Floats) -> tuple[Floats, Floats]:
        """Return what is claimed to change to where the point really went, and its rounding."""
        question = self.question
        change, rounding = np.zeros_like(question.base), np.zeros_like(question.base)
        for segment in self.segments:
            squares = np.zeros_like(question.base)
            for part in chunks(segment.start, segment.stop):
                step = there[part] - question.here[part]
                change += question.claims.along(part.start, step)
                rows = question.claims.rows(part.start, part.stop)
                squares += np.einsum("ij,ij,i->j", rows, rows, step**2)
            sums = EPS * np.sqrt(segment.size)
            rounding += (segment.rounding + sums) * np.sqrt(squares)
        return change, rounding
