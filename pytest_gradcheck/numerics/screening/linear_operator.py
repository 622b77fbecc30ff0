"""Verification of claims about a function that is linear to rounding.

The change of a linear function along a direction is its derivative times the direction, without
truncation, over any distance. A few moves of all coordinates, far and near, therefore test the
claim and the linearity together: ``f(x + d) - f(x) = <claim, d>`` to rounding. Under a cotangent c
the claim is ``A^T c``, and this is the identity that defines an adjoint,
``<c, A d> = <A^T c, d>``: the dot-product test of J. F. Claerbout, "Earth Soundings Analysis:
Processing versus Inversion" (1992), section 5.3, with random signs on both sides and a bound
on the effect of rounding.

A few wrong claims are found by bisection of all coordinates. It does not look for patterns, and
leaves everything else to a screen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pytest_gradcheck.numerics.coordinate_scales import Scales
from pytest_gradcheck.numerics.coordinatewise.full_check import DerivativeTask
from pytest_gradcheck.numerics.measurement import (
    EPS,
    Booleans,
    Floats,
    Measurement,
    Status,
    chunks,
    output_rounding,
)
from pytest_gradcheck.numerics.random_directions import signed_direction
from pytest_gradcheck.numerics.screening.directional_derivative import (
    SIGNIFICANT,
    DirectionalDerivative,
)
from pytest_gradcheck.numerics.screening.directional_step_size import (
    SCALE_FLOOR,
    SMALLEST_WEIGHT,
    ClaimMagnitudes,
)
from pytest_gradcheck.numerics.screening.screen_result import (
    Finding,
    ScreenResult,
    reference_magnitude,
)
from pytest_gradcheck.numerics.screening.subarrays import Segment

__all__ = ["find_wrong_claims", "is_homogeneous", "verify_linear"]

#: The first distance, in units of the scales: only a linear function agrees with its claims that
#: far away.
FAR = 1.0

#: Further distances, far and near, each along another direction. At the near ones a residual is
#: rounding, unless the claims are grossly wrong. The first round is enough where outputs round to
#: float64; a second one follows where they do not.
ROUNDS = ((-2.0,), (1e-5,)), ((3.0, -1.0, 0.03), (-1e-5, 1e-6, -1e-6))
NEAR = tuple(distance for _, near in ROUNDS for distance in near)

#: Far away rounding may be so many times the largest residual near the point.
ROUNDING_FACTOR = 8.0

#: Claims are verified where the relative detection limit is below this.
GOOD_RESOLUTION = 5e-3

#: The distance of the moves that are bisected, and the number of wrong claims that are found at
#: most.
BISECTED_DISTANCE = 3.0
MOST_FOUND = 8

#: A claim is wrong only where its coordinate moves outputs in proportion at these shares of the
#: distance, too: the residuals of both halves also add up where a function is nonlinear in single
#: coordinates.
PROPORTIONAL_SHARES = (-1.0, 0.4)

#: A few wrong claims change outputs by no more than this share of what all claims say.
FEW_WRONG = 0.3

#: The relative accuracy of Euler's identity, and of the first move: about that of float32.
SINGLE_PRECISION = 1e-3


def is_homogeneous(task: DerivativeTask) -> bool:
    """Return whether a function is its claimed derivative times the point, as a linear one is.

    By Euler's identity that holds for homogeneous functions of degree one. It costs no evaluation.

    Parameters
    ----------
    task : DerivativeTask
        The function, the point and the claims, without a tangent.

    Returns
    -------
    bool
        To within the rounding of float32.
    """
    claimed = np.zeros_like(task.base)
    for part in chunks(0, task.here.size):
        claimed += task.claims.along(part.start, task.here[part])
    difference = np.linalg.norm(claimed - task.base)
    return bool(difference <= SINGLE_PRECISION * np.linalg.norm(task.base))


def verify_linear(
    task: DerivativeTask, segments: Sequence[Segment], *, seed: int
) -> ScreenResult | None:
    """Verify claims about a function that is linear to rounding.

    Parameters
    ----------
    task : DerivativeTask
        The function, the point and the claims, without a tangent.
    segments : sequence of Segment
        The segments of the task, with their shapes.
    seed : int
        The seed of the directions.

    Returns
    -------
    ScreenResult or None
        The smallest error that would have been detected, which is the rounding of the outputs
        times the root of the number of coordinates. None where the function is not linear, a
        claim is wrong, or the detection limit is too high. It costs three evaluations, nine where
        outputs round more coarsely than float64, and one where the function is far from linear.
    """
    moves = _Moves.of(task, segments, seed)
    far, near = moves.random([FAR]), list[_Move]()
    if not far[0].agrees(SINGLE_PRECISION):
        return None
    for far_distances, near_distances in ROUNDS:
        far += moves.random(far_distances)
        near += moves.random(near_distances)
        noise = np.max([np.abs(move.residual) for move in near], axis=0)
        if all((np.abs(move.residual) <= move.bound(noise)).all() for move in far):
            break
    else:
        return None
    derivatives = sorted(
        (move.directional_derivative(noise, number) for number, move in enumerate(far)),
        key=lambda one: float(one.undetected.max()),
    )
    result = moves.screen_result(derivatives[:2])
    reference = reference_magnitude(result.typical_claim, derivatives[0].claimed, result.sizes)
    return result if (result.detection_limit <= GOOD_RESOLUTION * reference).all() else None


def find_wrong_claims(
    task: DerivativeTask, segments: Sequence[Segment], *, agreement: float, seed: int
) -> ScreenResult | None:
    """Find a few wrong claims about a function that is linear to rounding, by bisection.

    Where forward rounds to single precision, small steps do not show them. All coordinates are
    moved far, then halves of them: for a linear function, the residuals of two halves add up to
    that of both.

    Parameters
    ----------
    task, segments, seed
        As for `verify_linear`.
    agreement : float
        The relative difference at which claim and measurement agree.

    Returns
    -------
    ScreenResult or None
        With the wrong claims about the output with the most significant residual. None where no
        claim is wrong, too many are, or the function is not linear. It costs five evaluations, two
        for each bisection and each wrong claim, and one where far too much is wrong.
    """
    moves = _Moves.of(task, segments, seed)
    direction = moves.direction(BISECTED_DISTANCE)
    (whole,) = moves.along([(BISECTED_DISTANCE, direction)])
    if not whole.agrees(FEW_WRONG):
        return None
    noise = np.max([np.abs(move.residual) for move in moves.random(NEAR)], axis=0)
    with np.errstate(all="ignore"):
        significance = np.abs(whole.residual) / whole.bound(noise)
    output = int(np.argmax(np.nan_to_num(significance)))
    queue, findings = [(0, task.here.size, whole)], list[Finding]()
    while queue:
        start, stop, both = queue.pop()
        if len(findings) + len(queue) >= MOST_FOUND:
            return None
        if stop - start == 1:
            if abs(both.residual[output]) > agreement * abs(both.measured[output]):
                if not moves.are_proportional(_part(direction, start, stop), both, noise)[output]:
                    return None
                findings.append(moves.finding(start, output, both, noise))
            continue
        middle = (start + stop) // 2
        ranges = [(start, middle), (middle, stop)]
        halves = moves.along([(BISECTED_DISTANCE, _part(direction, *one)) for one in ranges])
        difference = np.abs(sum(half.residual for half in halves) - both.residual)
        bound = sum(half.bound(noise) for half in halves) + both.bound(noise)
        if not (difference <= bound)[output]:
            return None
        queue += [
            (*one, half)
            for one, half in zip(ranges, halves, strict=True)
            if (np.abs(half.residual) > half.bound(noise))[output]
        ]
    derivatives = [move.directional_derivative(noise, k) for k, move in enumerate((whole, whole))]
    result = moves.screen_result(derivatives)
    return replace(result, findings=tuple(findings)) if findings else None


def _part(direction: Floats, start: int, stop: int) -> Floats:
    """Return the part of a direction that moves some coordinates."""
    part = np.zeros_like(direction)
    part[start:stop] = direction[start:stop]
    return part


@dataclass(frozen=True, slots=True)
class _Move:
    """A move of all coordinates: the claimed and the measured change of m outputs.

    Attributes
    ----------
    distance : float
        How far coordinates moved, in units of the scales.
    step : float
        The sum of the changes of all coordinates. For a single coordinate it is its step.
    claimed, measured : ndarray, shape (m,)
        The changes of the outputs.
    rounding : ndarray, shape (m,)
        The effect of the rounding of the claims, their sum and the outputs on the changes.
    """

    distance: float
    step: float
    claimed: Floats
    measured: Floats
    rounding: Floats

    @property
    def residual(self) -> Floats:
        """Claimed minus measured."""
        return np.asarray(self.claimed - self.measured)

    def agrees(self, share: float) -> bool:
        """Return whether the changes of all outputs agree to a share of them."""
        size = np.linalg.norm(self.measured)
        return bool(np.linalg.norm(self.residual) <= share * size + np.linalg.norm(self.rounding))

    def bound(self, noise: Floats) -> Floats:
        """Return a bound on the residual of right claims, from the residuals near the point."""
        factor = ROUNDING_FACTOR * max(1.0, abs(self.distance))
        return factor * noise + SIGNIFICANT * self.rounding

    def directional_derivative(self, noise: Floats, number: int) -> DirectionalDerivative:
        """Return the derivative along the direction, with a number."""
        size = abs(self.distance)
        return DirectionalDerivative(
            which=number,
            step=size,
            claimed=self.claimed / self.distance,
            measured=self.measured / self.distance,
            bound=self.bound(noise) / SIGNIFICANT / size,
            bend=np.zeros_like(self.claimed),
            status=np.full(self.claimed.shape, Status.SMOOTH, dtype=np.int8),
            from_pairs=True,
        )


@dataclass(frozen=True, slots=True)
class _Moves:
    """Moves all coordinates of a task at once, each time along another direction."""

    task: DerivativeTask
    segments: tuple[Segment, ...]
    scales: Scales
    magnitudes: ClaimMagnitudes
    rng: np.random.Generator

    @classmethod
    def of(cls, task: DerivativeTask, segments: Sequence[Segment], seed: int) -> _Moves:
        """Read the scales and the claims of a task."""
        rng = np.random.default_rng(seed)
        scales = replace(Scales.of(task.here, task.segments), floor=SCALE_FLOOR)
        magnitudes = ClaimMagnitudes.of(task.claims, segments, scales, rng)
        return cls(task, tuple(segments), scales, magnitudes, rng)

    def random(self, distances: Sequence[float]) -> list[_Move]:
        """Move by some distances, each along another direction: one evaluation for each."""
        return self.along((distance, self.direction(distance)) for distance in distances)

    def direction(self, distance: float) -> Floats:
        """Draw by how much each coordinate moves."""
        direction = signed_direction(self.scales.own(slice(None)), self.rng)
        for segment, gain in zip(self.segments, self.magnitudes.gains().tolist(), strict=True):
            direction[segment.start : segment.stop] *= distance * gain
        return direction

    def along(self, directions: Iterable[tuple[float, Floats]]) -> list[_Move]:
        """Move along directions, each given with its distance."""
        claims = list[tuple[float, float, Floats, Floats]]()

        def points() -> Iterator[Floats]:
            for distance, direction in directions:
                there = self.task.here + direction
                step = float((there - self.task.here).sum())
                claims.append((distance, step, *self._claimed_change(there)))
                yield there

        with np.errstate(all="ignore"):
            outputs = self.task.evaluate(points())
        base = self.task.base
        moves = []
        for output, (distance, step, claimed, rounding) in zip(outputs, claims, strict=True):
            rounded = output_rounding(np.maximum(np.abs(output), np.abs(base)))
            moves.append(_Move(distance, step, claimed, output - base, rounding + rounded))
        return moves

    def are_proportional(self, direction: Floats, move: _Move, noise: Floats) -> Booleans:
        """Return which outputs change in proportion to the distance along a direction."""
        result = np.ones(move.measured.shape, dtype=bool)
        for share in PROPORTIONAL_SHARES:
            (other,) = self.along([(share * move.distance, share * direction)])
            ratio = other.step / move.step
            difference = np.abs(other.measured - ratio * move.measured)
            result &= difference <= other.bound(noise) + abs(ratio) * move.bound(noise)
        return result

    def finding(self, coordinate: int, output: int, move: _Move, noise: Floats) -> Finding:
        """Return a wrong claim, with the derivative from a move of its coordinate alone."""
        claim = self.task.claims.take(np.array([coordinate]))[0]
        step = abs(float(move.step))
        found = Measurement.blank(1, claim.size)
        found.value[:], found.bound[:], found.step[:] = np.nan, np.inf, step
        found.value[0, output] = move.measured[output] / move.step
        found.bound[0, output] = move.bound(noise)[output] / SIGNIFICANT / step
        segment = next(one for one in self.segments if one.contains(coordinate))
        return Finding(segment.element(coordinate), output, ((coordinate, found),), 1)

    def screen_result(self, derivatives: Sequence[DirectionalDerivative]) -> ScreenResult:
        """Return the result of directions, the first of which has the lowest detection limit."""
        smallest_weights = SMALLEST_WEIGHT * self.magnitudes.gains()
        limit = derivatives[0].undetected / smallest_weights[:, None]
        return ScreenResult(
            directional_derivatives=tuple(derivatives),
            detection_limit=limit,
            typical_claim=self.magnitudes.median,
            swept={},
            findings=(),
            unexplained=np.zeros(limit.shape, dtype=bool),
            sizes=np.abs(self.task.base),
            scales=self.scales,
            smallest_scale=self.scales.least(),
            fixed=np.zeros(0, dtype=np.intp),
        )

    def _claimed_change(self, there: Floats) -> tuple[Floats, Floats]:
        """Return the claimed change to a point, and the rounding of that change."""
        task = self.task
        change, rounding = np.zeros_like(task.base), np.zeros_like(task.base)
        for segment in self.segments:
            squares = np.zeros_like(task.base)
            for part in chunks(segment.start, segment.stop):
                step = there[part] - task.here[part]
                change += task.claims.along(part.start, step)
                rows = task.claims.rows(part.start, part.stop)
                squares += np.einsum("ij,ij,i->j", rows, rows, step**2)
            sums = EPS * np.sqrt(segment.size)
            rounding += (segment.rounding + sums) * np.sqrt(squares)
        return change, rounding
