"""Where a screen goes: along which directions, how far each coordinate, by which step.

It must not evaluate the function, or compare anything.
"""

# MERGED How large the claims of each segment are: what decides how far to move it, and what is
# poor.
#
# It must not evaluate the function.
# MERGED How far a claimed slope can go before it leads out of what the function takes on.
#
# It must not measure a derivative. What it is told by far places is a hint: a value that is not
# known there is left out.

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pytest_gradcheck.numerics.central_difference import (
    NOISE_FACTOR,
    SMALLEST_STEP,
    balanced_steps,
)
from pytest_gradcheck.numerics.function import Claims, Function
from pytest_gradcheck.numerics.measurement import EPS, Floats, Indices, chunks
from pytest_gradcheck.numerics.output_magnitude import VARIATION_STEP
from pytest_gradcheck.numerics.screening.array_regions import Segment
from pytest_gradcheck.numerics.screening.direction_weights import CodedDirections
from pytest_gradcheck.numerics.screening.directional_derivative import DirectionProbe
from pytest_gradcheck.numerics.step_size import Scales, claimed_length_scale

__all__ = [
    "ClaimMagnitudes",
    "StepPlan",
    "output_extents",
    "plan_steps",
    "point_rounding",
    "scale_limits",
]


#: Coordinates that are looked at in each segment.
SAMPLE = 1024

#: Segments that show little are moved further, up to so many times, and up to so large
#: a share of what all of them do.
LIFT = 30.0
SHARE = 1 / 3

#: What is claimed along a direction by a segment of so many times as many coordinates is larger
#: by this power of that; 1/2 were natural.
FEW = 1 / 6


@dataclass(frozen=True, slots=True)
class ClaimMagnitudes:
    """Claims in units of outputs: times the scale of their coordinate.

    Attributes
    ----------
    median : ndarray, shape (number of segments, m)
        The median magnitude of claims that are not zero.
    norm : ndarray, shape (number of segments, m)
        The root of the sum of their squares.
    total : ndarray, shape (number of segments, m)
        The sum of their magnitudes.
    largest : ndarray, shape (m,)
        The largest that was seen.
    """

    median: Floats
    norm: Floats
    total: Floats
    largest: Floats

    @classmethod
    def of(
        cls, claims: Claims, segments: Sequence[Segment], scales: Scales, rng: np.random.Generator
    ) -> ClaimMagnitudes:
        """Look at all coordinates of small segments, and at a sample of each large one."""
        looked = []
        for run in _runs(segments):
            sizes = np.array([segment.size for segment in run])
            counts = np.minimum(sizes, SAMPLE)
            indices = np.arange(run[0].start, run[-1].stop)
            if counts[0] < sizes[0]:
                indices = run[0].start + rng.choice(run[0].size, SAMPLE, replace=False)
            rows = np.abs(claims.take(indices)) * scales.own(indices)[:, None]
            looked.append(cls._of_rows(rows, counts, sizes))
        return cls(
            np.concatenate([part.median for part in looked]),
            np.concatenate([part.norm for part in looked]),
            np.concatenate([part.total for part in looked]),
            np.max([part.largest for part in looked], axis=0),
        )

    @classmethod
    def _of_rows(cls, rows: Floats, counts: Indices, sizes: Indices) -> ClaimMagnitudes:
        """Look at magnitudes of which `counts` each are of segments of these sizes."""
        begins = np.cumsum(counts) - counts
        mean_square = np.add.reduceat(rows**2, begins, axis=0) / counts[:, None]
        mean = np.add.reduceat(rows, begins, axis=0) / counts[:, None]
        return cls(
            _medians(rows, begins, counts),
            np.sqrt(mean_square * sizes[:, None]),
            mean * sizes[:, None],
            rows.max(axis=0),
        )

    def gains(self) -> Floats:
        """Return how much further than natural to move each segment, so that all show alike.

        It costs nothing, since noise does not depend on it; it keeps a bias from hiding
        behind a weight matrix.
        """
        typical, norm = self.median.max(axis=1), self.norm.max(axis=1)
        with np.errstate(all="ignore"):
            wanted = np.where(typical > 0, typical.max() / typical, 1.0)
            affordable = SHARE * np.linalg.norm(norm) / norm
        affordable = np.where(np.isfinite(affordable), affordable, 1.0)
        return np.asarray(np.clip(np.minimum(wanted, affordable), 1.0, LIFT))

    def gains_where_rounded(self, segments: Sequence[Segment]) -> Floats:
        """Return the same where the rounding of claims hides errors, and not noise.

        It grows with how far they are moved, so that small claims hide behind large ones. A
        segment of few is moved further: it shows better then, and hides little of the others.
        """
        sizes = np.array([segment.size for segment in segments], dtype=float)
        norm = np.linalg.norm(self.norm, axis=1)
        even = sizes**FEW / np.where(norm > 0, norm, norm.max() or 1.0)
        return np.asarray(np.clip(even / even[np.argmax(sizes)], 1 / LIFT, LIFT))


def _runs(segments: Sequence[Segment]) -> Iterator[Sequence[Segment]]:
    """Yield what is looked at together: a large segment, or small ones side by side."""
    first = 0
    for k, segment in enumerate(segments):
        if k > first and segment.stop - segments[first].start > SAMPLE:
            yield segments[first:k]
            first = k
    yield segments[first:]


def _medians(rows: Floats, begins: Indices, counts: Indices) -> Floats:
    """Return the median of what is positive among `counts` rows each, 0 where nothing is.

    Examples
    --------
    >>> rows = np.array([[4.0], [0.0], [2.0], [0.0]])
    >>> _medians(rows, np.array([0, 3]), np.array([3, 1]))
    array([[3.],
           [0.]])
    """
    segments = np.repeat(np.arange(counts.size), counts)
    order = np.lexsort((rows, np.broadcast_to(segments[:, None], rows.shape)), axis=0)
    ordered = np.take_along_axis(rows, order, axis=0)
    positive = np.add.reduceat((rows > 0).astype(np.intp), begins, axis=0)
    ends = (begins + counts)[:, None]
    low, high = ends - positive + (positive - 1) // 2, ends - positive + positive // 2
    middle = [np.take_along_axis(ordered, np.minimum(k, ends - 1), axis=0) for k in (low, high)]
    return np.where(positive > 0, (middle[0] + middle[1]) / 2, 0.0)


#: A change of fewer roundings of an output says nothing about how much it varies.
ROUNDINGS = 1e4

#: An output may be close to zero by chance: it extends over at least this share of what it
#: varies by.
NEVER_LESS = float(np.sqrt(EPS))

#: The shortest reach, as a share of a coordinate: numbers are too far apart for the steps of
#: shorter ones.
SHORTEST = 1e-7


def output_extents(away: Floats, base: Floats) -> Floats:
    """Return what outputs extend over around the point, shape (m,).

    It is the magnitude of an output, or how much it varies where that is less: it may hold an
    offset.

    Parameters
    ----------
    away : ndarray, shape (k, m)
        Outputs at places `VARIATION_STEP` from the point.
    base : ndarray, shape (m,)
        Those at the point.

    Examples
    --------
    >>> extents(np.array([[2.5, 1000.1, np.nan]]), np.array([2.0, 1000.0, -4.0])).round(9)
    array([0.5, 0.1, 4. ])
    """
    with np.errstate(all="ignore"):
        change = np.abs(away - base)
    change = np.where(np.isfinite(change), change, 0.0).max(axis=0)
    size = np.abs(base)
    least = np.maximum(size, NEVER_LESS * change)
    return np.where(change > ROUNDINGS * EPS * size, np.minimum(change, least), size)


def scale_limits(claims: Claims, point: Floats, extent: Floats) -> Floats:
    """Return how far each coordinate may go before what is claimed of it makes no sense.

    Over `VARIATION_STEP` of a scale a slope that holds changes an output by no more than it
    extends over. Where a claim says more the function is not straight for so long: it oscillates,
    saturates or has a peak, over a length that the claim knows. A claim that is too large
    leads to short steps, over which it shows all the same, since what it says is large beside
    noise; one that is too small says nothing.

    Parameters
    ----------
    claims : Claims
        Claimed derivatives of m outputs.
    point : ndarray, shape (n,)
        Where.
    extent : ndarray, shape (m,)
        What outputs extend over, see `output_extents`.

    Returns
    -------
    ndarray, shape (n,)
        See `claimed_length_scale`; infinite where claims say nothing.
    """
    reach = np.empty(point.size)
    for part in chunks(0, point.size):
        reach[part] = claimed_length_scale(
            claims.rows(part.start, part.stop), extent / VARIATION_STEP
        )
    return np.maximum(reach, SHORTEST * np.abs(point))


def point_rounding(point: Floats, limits: Floats | None) -> float:
    """Return how far numbers are apart where a point is, in units of how far it is moved.

    Examples
    --------
    >>> bool(grain(np.array([1.0, 1e6]), np.array([4.0, 100.0])) == 1e4 * EPS)
    True
    """
    if limits is None:
        return EPS
    shares = (np.abs(point[part]) / limits[part] for part in chunks(0, point.size))
    return EPS * max([1.0, *(float(share.max(initial=0.0)) for share in shares)])


#: The least weight of a coordinate in a direction, in units of how far its segment is moved.
LEAST = 0.5

#: Where the rounding of claims hides errors steps are no larger than makes noise this share
#: of it: larger ones would only cross kinks.
QUIET = 0.03


@dataclass(frozen=True, slots=True)
class StepPlan:
    """How far the coordinates of a function are moved, and what that should show.

    Attributes
    ----------
    magnitudes : ClaimMagnitudes
        How large claims are.
    probe : DirectionProbe
        With the function and the directions.
    """

    magnitudes: ClaimMagnitudes
    probe: DirectionProbe

    @property
    def smallest_weights(self) -> Floats:
        """The least weight of a coordinate of each segment in a direction."""
        return LEAST * self.probe.directions.gains

    def fixing(self, coordinates: Indices) -> StepPlan:
        """Return the same that leaves some coordinates where they are."""
        weights = replace(self.probe.directions, fixed=coordinates)
        return replace(self, probe=replace(self.probe, directions=weights))

    @property
    def total_change(self) -> Floats:
        """The change along a direction by all claims, had they one sign, shape (m,)."""
        lifts = self.probe.directions.gains
        return np.asarray((lifts[:, None] * self.magnitudes.total).sum(axis=0))

    def expected_change(self, numbers: Sequence[int] | slice = slice(None)) -> Floats:
        """Return how large derivatives along directions in some segments are likely to be."""
        lifts = self.probe.directions.gains[:, None]
        return np.asarray(np.linalg.norm((lifts * self.magnitudes.norm)[numbers], axis=0))

    @property
    def is_rounding_dominated(self) -> bool:
        """Whether the rounding of claims hides more of their errors than noise does."""
        step, rounding = self.step(), self._rounding(slice(None))
        return bool((rounding > NOISE_FACTOR * self.probe.function.noise / step).any())

    def step(self, numbers: Sequence[int] | slice = slice(None)) -> float:
        """Return the step along directions in some segments that shows most."""
        function = self.probe.function
        step = float(balanced_steps(function, self.expected_change(numbers)[None], np.ones(1))[0])
        with np.errstate(all="ignore"):
            quiet = NOISE_FACTOR * function.noise / (QUIET * self._rounding(numbers))
        quiet_step = max(float(np.nanmax(quiet, initial=0.0)), SMALLEST_STEP)
        return max(min(step, quiet_step), self.probe.finest)

    def expected_bound(self, numbers: Sequence[int] | slice) -> Floats:
        """Return what noise and rounding should hide along directions in some segments."""
        noise = NOISE_FACTOR * self.probe.function.noise / self.step(numbers)
        return np.asarray(noise + self._rounding(numbers))

    def _rounding(self, numbers: Sequence[int] | slice) -> Floats:
        return np.asarray(np.linalg.norm(self.probe.roundings[numbers], axis=0))


def plan_steps(
    function: Function,
    claims: Claims,
    segments: tuple[Segment, ...],
    *,
    here: Floats,
    seed: int,
    rng: np.random.Generator,
) -> StepPlan:
    """Decide how far to move coordinates.

    Parameters
    ----------
    function : Function
        With the scales that coordinates are moved by; its sizes need not be known.
    claims : Claims
        What is claimed of it.
    segments : tuple of Segment
        They cover the point.
    here : ndarray, shape (n,)
        A copy of the point that stays.
    seed : int
        Decides the directions.
    rng : numpy.random.Generator
        Draws the claims that are looked at.

    Returns
    -------
    StepPlan
        By as much as makes small segments show as the others do.
    """
    weights = CodedDirections(function.scales, segments, np.ones(len(segments)), seed)
    profile = ClaimMagnitudes.of(claims, segments, function.scales, rng)
    nothing = np.zeros_like(profile.norm)
    fine = point_rounding(here, function.scales.limits)
    projector = DirectionProbe(function, claims, weights, nothing, here, fine)
    natural = _aimed(projector, profile, profile.gains())
    if not function.noise.any() or not natural.is_rounding_dominated:
        return natural
    return _aimed(projector, profile, profile.gains_where_rounded(segments))


def _aimed(projector: DirectionProbe, profile: ClaimMagnitudes, lifts: Floats) -> StepPlan:
    function, weights = projector.function, replace(projector.directions, gains=lifts)
    rounded = np.array([segment.rounding for segment in weights.segments]) * lifts
    roundings = profile.norm * rounded[:, None]
    aimed = StepPlan(profile, replace(projector, directions=weights, roundings=roundings))
    sizes = np.where(aimed.expected_change() > 0, aimed.expected_change(), np.abs(function.base))
    function = replace(function, sizes=sizes)
    return replace(aimed, probe=replace(aimed.probe, function=function))
