"""Functions that are linear to rounding: what is claimed holds over any distance, or is wrong.

The change of a linear function along a direction is its derivative times the direction,
without truncation, however far one goes. So a few moves of all coordinates, far and near,
test the claim and the linearity in one: ``f(x + d) - f(x) = <claim, d>``, to rounding. Under
a cotangent c the claim is ``A^T c``, and that is the identity that defines an adjoint,
``<c, A d> = <A^T c, d>``: the dot-product test of J. Claerbout, "Earth Soundings Analysis:
Processing versus Inversion" (1992), section 5.3, with random signs on both sides and a bound
on what rounding may do.

It must not search for what is off: where anything is, others look.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pytest_gradcheck.numerics.directions import signed_direction
from pytest_gradcheck.numerics.measure import Question
from pytest_gradcheck.numerics.measurement import EPS, Floats, Status
from pytest_gradcheck.numerics.parts import parts
from pytest_gradcheck.numerics.scale import Scales
from pytest_gradcheck.numerics.screening.places import Segment
from pytest_gradcheck.numerics.screening.profile import Profile
from pytest_gradcheck.numerics.screening.screened import Screened, reference
from pytest_gradcheck.numerics.screening.sights import APART, Sight

__all__ = ["is_homogeneous", "verify_linear"]

#: How far all coordinates are moved, in units of their scales, each time along another
#: direction: far, where nothing but a linear function agrees ...
FAR = (1.0, -1.0, 3.0, -2.0, 0.03)

#: ... and so near that what is left of a difference is rounding, unless the claim is grossly off.
NEAR = (1e-5, -1e-5, 1e-6, -1e-6)

#: So many times the largest rounding that was seen near the point is what it may do far away.
ROUNDING = 8.0

#: The least weight of a coordinate in a direction.
LEAST = 0.5

#: Coordinates are moved by this share of the median of their segment at least.
FLOOR = 1.0

#: What is verified shows an error of this share of a typical claim, or says too little.
FAIR = 5e-3

#: A function that is the product of its claim and the point is so to this share of it.
CRUDE = 1e-3


def is_homogeneous(question: Question) -> bool:
    """Tell a function that is its claimed derivative times the point: a linear one, perhaps.

    By Euler's identity functions of degree one are; it costs no evaluation.

    Parameters
    ----------
    question : Question
        The function, the point and the claims; without a tangent.

    Returns
    -------
    bool
        To within the rounding of float32.
    """
    claimed = np.zeros_like(question.base)
    for part in parts(0, question.here.size):
        claimed += question.claims.along(part.start, question.here[part])
    apart = np.linalg.norm(claimed - question.base)
    return bool(apart <= CRUDE * np.linalg.norm(question.base))


def verify_linear(
    question: Question, segments: Sequence[Segment], *, seed: int
) -> Screened | None:
    """Verify claims about a function that is linear to rounding.

    Parameters
    ----------
    question : Question
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
        off, or too little would be seen. Costs nine evaluations, one where it is plainly not.
    """
    rng = np.random.default_rng(seed)
    scales = replace(Scales.of(question.here, question.segments), floor=FLOOR)
    profile = Profile.of(question.claims, segments, scales, rng)
    steps = _Steps(question, tuple(segments), scales, profile.lifts(), rng)
    first = steps.take(FAR[:1])[0]
    if not first.is_near(CRUDE):
        return None
    far, near = [first, *steps.take(FAR[1:])], steps.take(NEAR)
    seen = np.max([np.abs(move.residual) for move in near], axis=0)
    for move in far:
        if not (np.abs(move.residual) <= move.allowed(seen)).all():
            return None
    sights = sorted(
        (move.sight(seen, number) for number, move in enumerate(far)),
        key=lambda sight: float(sight.hidden.max()),
    )
    least = LEAST * profile.lifts()
    visible = sights[0].hidden / least[:, None]
    against = reference(profile.typical, sights[0].claimed, np.abs(question.base))
    if not (visible <= FAIR * against).all():
        return None
    return Screened(
        sights=tuple(sights[:2]),
        visible=visible,
        typical=profile.typical,
        swept={},
        findings=(),
        unexplained=np.zeros(visible.shape, dtype=bool),
        sizes=np.abs(question.base),
        scales=scales,
        least=scales.least(),
        held=np.zeros(0, dtype=np.intp),
    )


@dataclass(frozen=True, slots=True)
class _Move:
    """All coordinates moved: the change of m outputs as claimed and as measured.

    Attributes
    ----------
    reach : float
        How far, in units of the scales.
    claimed, measured : ndarray, shape (m,)
        By how much outputs change.
    rounding : ndarray, shape (m,)
        What the rounding of the claims, of their sum, and of the outputs does to these.
    """

    reach: float
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
        return ROUNDING * max(1.0, abs(self.reach)) * seen + APART * self.rounding

    def sight(self, seen: Floats, number: int) -> Sight:
        """Return it as what was seen along a direction, per unit of step."""
        size = abs(self.reach)
        return Sight(
            which=number,
            step=size,
            claimed=self.claimed / self.reach,
            measured=self.measured / self.reach,
            bound=self.allowed(seen) / APART / size,
            bend=np.zeros_like(self.claimed),
            status=np.full(self.claimed.shape, Status.SMOOTH, dtype=np.int8),
            settled=True,
        )


@dataclass(frozen=True, slots=True)
class _Steps:
    """Moves all coordinates at once, each time along another direction."""

    question: Question
    segments: tuple[Segment, ...]
    scales: Scales
    lifts: Floats
    rng: np.random.Generator

    def take(self, reaches: Sequence[float]) -> list[_Move]:
        """Move so far, one evaluation for each."""
        changes = list[tuple[Floats, Floats]]()

        def places() -> Iterator[Floats]:
            for reach in reaches:
                there = self._place(reach)
                changes.append(self._change(there))
                yield there

        with np.errstate(all="ignore"):
            outputs = self.question.evaluate(places())
        base = self.question.base
        moves = []
        for reach, there, (claimed, rounding) in zip(reaches, outputs, changes, strict=True):
            rounded = EPS * np.maximum(np.abs(there), np.abs(base))
            moves.append(_Move(reach, claimed, there - base, rounding + rounded))
        return moves

    def _place(self, reach: float) -> Floats:
        there = signed_direction(self.scales.own(slice(None)), self.rng)
        for segment, lift in zip(self.segments, self.lifts.tolist(), strict=True):
            there[segment.start : segment.stop] *= reach * lift
        there += self.question.here
        return there

    def _change(self, there: Floats) -> tuple[Floats, Floats]:
        """Return what is claimed to change to where the point really went, and its rounding."""
        question = self.question
        change, rounding = np.zeros_like(question.base), np.zeros_like(question.base)
        for segment in self.segments:
            squares = np.zeros_like(question.base)
            for part in parts(segment.start, segment.stop):
                step = there[part] - question.here[part]
                change += question.claims.along(part.start, step)
                rows = question.claims.rows(part.start, part.stop)
                squares += np.einsum("ij,ij,i->j", rows, rows, step**2)
            sums = EPS * np.sqrt(segment.size)
            rounding += (segment.rounding + sums) * np.sqrt(squares)
        return change, rounding
