"""Step sizes along directions: how far each coordinate moves, and by which step.

All claims are compared in units of outputs: a derivative times the scale of its coordinate. Noise
is absolute, so a segment whose claims are small in these units moves further than its natural
scale, by a gain that makes a typical claim of each segment about equally visible. The step along
a direction balances noise and truncation as that of a single coordinate does, see
`balanced_steps`; the expected derivative along it is the root of the sum of the squares of the
claims.

A claim also limits the scale of its coordinate: a slope that would lead the outputs out of the
range that they take on nearby holds over a short way only.

It does not evaluate the function, and compares no claim with a measurement.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pytest_gradcheck.numerics.central_difference import (
    NOISE_FACTOR,
    SMALLEST_STEP,
    balanced_steps,
)
from pytest_gradcheck.numerics.coordinate_scales import Scales, claimed_length_scale
from pytest_gradcheck.numerics.function import Claims, Function
from pytest_gradcheck.numerics.measurement import EPS, Floats, Indices, chunks
from pytest_gradcheck.numerics.output_magnitude import VARIATION_STEP
from pytest_gradcheck.numerics.screening.direction_weights import CodedDirections
from pytest_gradcheck.numerics.screening.directional_derivative import DirectionProbe
from pytest_gradcheck.numerics.screening.subarrays import Segment

__all__ = [
    "SCALE_FLOOR",
    "SMALLEST_WEIGHT",
    "ClaimMagnitudes",
    "StepPlan",
    "output_extents",
    "plan_steps",
    "point_rounding",
    "scale_limits",
]

#: The least scale of a coordinate, as a share of the median of its segment.
SCALE_FLOOR = 1.0

#: The number of coordinates whose claims are read in each segment.
SAMPLE = 1024

#: Upper limits of a gain, and of the share of a segment in the change along a direction that a
#: gain may give it.
LARGEST_GAIN = 30.0
LARGEST_SHARE = 1 / 3

#: Where the rounding of claims decides the gains, the claimed change by a segment grows with this
#: power of its number of coordinates. With equal gains it would be 1/2.
SIZE_EXPONENT = 1 / 6

#: The least weight of a coordinate in a direction, in units of its scale times the gain.
SMALLEST_WEIGHT = 0.5

#: Where the rounding of claims hides errors, steps are only so large that noise is this share of
#: it: larger ones would cross more kinks and show no more.
NOISE_SHARE = 0.03

#: A change of fewer roundings than this says nothing about how much an output varies.
SIGNIFICANT_ROUNDINGS = 1e4

#: The extent of an output is at least this share of how much it varies: an output may be close to
#: zero by chance.
SMALLEST_EXTENT = float(np.sqrt(EPS))

#: The smallest limit of a scale, relative to the coordinate: floats are too far apart for the
#: steps of shorter ones.
SMALLEST_LIMIT = 1e-7


@dataclass(frozen=True, slots=True)
class ClaimMagnitudes:
    """Magnitudes of claims by segment, each claim times the scale of its coordinate.

    Attributes
    ----------
    median : ndarray, shape (number of segments, m)
        The median of claims that are not zero.
    norm : ndarray, shape (number of segments, m)
        The root of the sum of squares.
    total : ndarray, shape (number of segments, m)
        The sum of magnitudes.
    largest : ndarray, shape (m,)
        The largest magnitude that was read.
    """

    median: Floats
    norm: Floats
    total: Floats
    largest: Floats

    @classmethod
    def of(
        cls, claims: Claims, segments: Sequence[Segment], scales: Scales, rng: np.random.Generator
    ) -> ClaimMagnitudes:
        """Read all claims of small segments, and a random sample of each large one."""
        magnitudes = []
        for run in _sampled_runs(segments):
            sizes = np.array([segment.size for segment in run])
            counts = np.minimum(sizes, SAMPLE)
            indices = np.arange(run[0].start, run[-1].stop)
            if counts[0] < sizes[0]:
                indices = run[0].start + rng.choice(run[0].size, SAMPLE, replace=False)
            rows = np.abs(claims.take(indices)) * scales.own(indices)[:, None]
            magnitudes.append(cls._of_rows(rows, counts, sizes))
        return cls(
            np.concatenate([part.median for part in magnitudes]),
            np.concatenate([part.norm for part in magnitudes]),
            np.concatenate([part.total for part in magnitudes]),
            np.max([part.largest for part in magnitudes], axis=0),
        )

    @classmethod
    def _of_rows(cls, rows: Floats, counts: Indices, sizes: Indices) -> ClaimMagnitudes:
        """Summarise rows of magnitudes: `counts` rows of each segment, of `sizes` coordinates."""
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
        """Return the gain of each segment at which a typical claim of each is equally visible.

        It costs nothing, since noise does not depend on the gain, and keeps the errors of a bias
        from hiding behind those of a weight matrix.
        """
        typical, norm = self.median.max(axis=1), self.norm.max(axis=1)
        with np.errstate(all="ignore"):
            wanted = np.where(typical > 0, typical.max() / typical, 1.0)
            allowed = LARGEST_SHARE * np.linalg.norm(norm) / norm
        allowed = np.where(np.isfinite(allowed), allowed, 1.0)
        return np.asarray(np.clip(np.minimum(wanted, allowed), 1.0, LARGEST_GAIN))

    def gains_where_rounded(self, segments: Sequence[Segment]) -> Floats:
        """Return the gains where the rounding of claims hides errors, and not noise.

        Rounding grows with the gain, so that errors of small claims hide behind the rounding of
        large ones. Segments of few coordinates move further: their errors show better then, and
        they hide little of the others.
        """
        sizes = np.array([segment.size for segment in segments], dtype=float)
        norm = np.linalg.norm(self.norm, axis=1)
        balanced = sizes**SIZE_EXPONENT / np.where(norm > 0, norm, norm.max() or 1.0)
        relative = balanced / balanced[np.argmax(sizes)]
        return np.asarray(np.clip(relative, 1 / LARGEST_GAIN, LARGEST_GAIN))


@dataclass(frozen=True, slots=True)
class StepPlan:
    """How far the coordinates of a function move, and the errors that this should show.

    Attributes
    ----------
    magnitudes : ClaimMagnitudes
        The magnitudes of the claims.
    probe : DirectionProbe
        The function with its claims and directions.
    """

    magnitudes: ClaimMagnitudes
    probe: DirectionProbe

    @property
    def smallest_weights(self) -> Floats:
        """The least weight in a direction of the coordinates of each segment."""
        return SMALLEST_WEIGHT * self.probe.directions.gains

    def fixing(self, coordinates: Indices) -> StepPlan:
        """Return the plan with some coordinates that do not move."""
        directions = replace(self.probe.directions, fixed=coordinates)
        return replace(self, probe=replace(self.probe, directions=directions))

    @property
    def total_change(self) -> Floats:
        """The claimed change along a direction if all changes had one sign, shape (m,)."""
        gains = self.probe.directions.gains
        return np.asarray((gains[:, None] * self.magnitudes.total).sum(axis=0))

    def expected_change(self, numbers: Sequence[int] | slice = slice(None)) -> Floats:
        """Return the likely size of derivatives along directions in some segments, shape (m,)."""
        gains = self.probe.directions.gains[:, None]
        return np.asarray(np.linalg.norm((gains * self.magnitudes.norm)[numbers], axis=0))

    @property
    def is_rounding_dominated(self) -> bool:
        """Whether the rounding of claims hides more of their errors than noise does."""
        step, rounding = self.step(), self._rounding(slice(None))
        return bool((rounding > NOISE_FACTOR * self.probe.function.noise / step).any())

    def step(self, numbers: Sequence[int] | slice = slice(None)) -> float:
        """Return the step along directions in some segments at which errors show best."""
        function = self.probe.function
        step = float(balanced_steps(function, self.expected_change(numbers)[None], np.ones(1))[0])
        with np.errstate(all="ignore"):
            sufficient = NOISE_FACTOR * function.noise / (NOISE_SHARE * self._rounding(numbers))
        sufficient_step = max(float(np.nanmax(sufficient, initial=0.0)), SMALLEST_STEP)
        return max(min(step, sufficient_step), self.probe.finest)

    def expected_bound(self, numbers: Sequence[int] | slice) -> Floats:
        """Return the error by noise and rounding to expect along directions in some segments."""
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
    """Decide how far the coordinates of a function move.

    Parameters
    ----------
    function : Function
        The function, with the scales that coordinates move by. Its sizes need not be known.
    claims : Claims
        The claims about the function.
    segments : tuple of Segment
        The segments that the point consists of.
    here : ndarray, shape (n,)
        A copy of the point that does not change.
    seed : int
        The seed of all directions.
    rng : numpy.random.Generator
        Draws the claims that are read.

    Returns
    -------
    StepPlan
        With gains that make all segments about equally visible.
    """
    directions = CodedDirections(function.scales, segments, np.ones(len(segments)), seed)
    magnitudes = ClaimMagnitudes.of(claims, segments, function.scales, rng)
    no_rounding = np.zeros_like(magnitudes.norm)
    rounding = point_rounding(here, function.scales.limits)
    probe = DirectionProbe(function, claims, directions, no_rounding, here, rounding)
    plan = _with_gains(probe, magnitudes, magnitudes.gains())
    if not function.noise.any() or not plan.is_rounding_dominated:
        return plan
    return _with_gains(probe, magnitudes, magnitudes.gains_where_rounded(segments))


def _with_gains(probe: DirectionProbe, magnitudes: ClaimMagnitudes, gains: Floats) -> StepPlan:
    """Return the plan by some gains; outputs are as large as the change that it should show."""
    function, directions = probe.function, replace(probe.directions, gains=gains)
    rounded = np.array([segment.rounding for segment in directions.segments]) * gains
    roundings = magnitudes.norm * rounded[:, None]
    plan = StepPlan(magnitudes, replace(probe, directions=directions, roundings=roundings))
    change = plan.expected_change()
    function = replace(function, sizes=np.where(change > 0, change, np.abs(function.base)))
    return replace(plan, probe=replace(plan.probe, function=function))


def output_extents(distant: Floats, base: Floats) -> Floats:
    """Return the extent of the range that each output takes on around the point, shape (m,).

    It is the magnitude of the output, or how much it varies where that is less, since an output
    may contain an offset.

    Parameters
    ----------
    distant : ndarray, shape (k, m)
        Outputs at points that are `VARIATION_STEP` away. Those that are not finite do not count.
    base : ndarray, shape (m,)
        Outputs at the point.

    Examples
    --------
    >>> distant, base = np.array([[2.5, 1000.1, np.nan]]), np.array([2.0, 1000.0, -4.0])
    >>> output_extents(distant, base).round(9)
    array([0.5, 0.1, 4. ])
    """
    with np.errstate(all="ignore"):
        change = np.abs(distant - base)
    change = np.where(np.isfinite(change), change, 0.0).max(axis=0)
    size = np.abs(base)
    least = np.maximum(size, SMALLEST_EXTENT * change)
    is_significant = change > SIGNIFICANT_ROUNDINGS * EPS * size
    return np.where(is_significant, np.minimum(change, least), size)


def scale_limits(claims: Claims, point: Floats, extent: Floats) -> Floats:
    """Return the scale of each coordinate beyond which its claim cannot hold.

    Over `VARIATION_STEP` of a scale a slope that holds changes an output by no more than its
    extent. Where a claim says more, the function is not straight over that distance: it
    oscillates, saturates or has a peak, over a length that the claim reveals. A claim that is too
    large leads to short steps. It is found wrong all the same, since the change that it predicts
    is large beside the noise. A claim that is too small sets no limit.

    Parameters
    ----------
    claims : Claims
        Claimed derivatives of m outputs.
    point : ndarray, shape (n,)
        The point.
    extent : ndarray, shape (m,)
        The extents of the outputs, see `output_extents`.

    Returns
    -------
    ndarray, shape (n,)
        See `claimed_length_scale`; infinite where claims set no limit.
    """
    limits = np.empty(point.size)
    for part in chunks(0, point.size):
        limits[part] = claimed_length_scale(
            claims.rows(part.start, part.stop), extent / VARIATION_STEP
        )
    return np.maximum(limits, SMALLEST_LIMIT * np.abs(point))


def point_rounding(point: Floats, limits: Floats | None) -> float:
    """Return the rounding of the coordinates of a point, relative to their scales.

    Examples
    --------
    >>> bool(point_rounding(np.array([1.0, 1e6]), np.array([4.0, 100.0])) == 1e4 * EPS)
    True
    """
    if limits is None:
        return EPS
    shares = (np.abs(point[part]) / limits[part] for part in chunks(0, point.size))
    return EPS * max([1.0, *(float(share.max(initial=0.0)) for share in shares)])


def _sampled_runs(segments: Sequence[Segment]) -> Iterator[Sequence[Segment]]:
    """Yield the segments that are read in one go: a large one, or adjacent small ones."""
    first = 0
    for k, segment in enumerate(segments):
        if k > first and segment.stop - segments[first].start > SAMPLE:
            yield segments[first:k]
            first = k
    yield segments[first:]


def _medians(rows: Floats, begins: Indices, counts: Indices) -> Floats:
    """Return the median of the positive values in each group of rows, 0 where there is none.

    Parameters
    ----------
    rows : ndarray, shape (k, m)
        Values that are not negative.
    begins, counts : ndarray of int, shape (number of groups,)
        The first row of each group, and its number of rows.

    Examples
    --------
    >>> rows = np.array([[4.0], [0.0], [2.0], [0.0]])
    >>> _medians(rows, np.array([0, 3]), np.array([3, 1]))
    array([[3.],
           [0.]])
    """
    groups = np.repeat(np.arange(counts.size), counts)
    order = np.lexsort((rows, np.broadcast_to(groups[:, None], rows.shape)), axis=0)
    ordered = np.take_along_axis(rows, order, axis=0)
    positive = np.add.reduceat((rows > 0).astype(np.intp), begins, axis=0)
    ends = (begins + counts)[:, None]
    low, high = ends - positive + (positive - 1) // 2, ends - positive + positive // 2
    middle = [np.take_along_axis(ordered, np.minimum(k, ends - 1), axis=0) for k in (low, high)]
    return np.where(positive > 0, (middle[0] + middle[1]) / 2, 0.0)
