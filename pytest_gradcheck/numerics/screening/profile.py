"""How large the claims of each segment are: what decides how far to move it, and what is poor.

It must not evaluate the function.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pytest_gradcheck.numerics.claims import Claims
from pytest_gradcheck.numerics.measurement import Floats, Indices
from pytest_gradcheck.numerics.scale import Scales
from pytest_gradcheck.numerics.screening.places import Segment

__all__ = ["Profile"]

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
class Profile:
    """Claims in units of outputs: times the scale of their coordinate.

    Attributes
    ----------
    typical : ndarray, shape (number of segments, m)
        The median magnitude of claims that are not zero.
    norm : ndarray, shape (number of segments, m)
        The root of the sum of their squares.
    total : ndarray, shape (number of segments, m)
        The sum of their magnitudes.
    largest : ndarray, shape (m,)
        The largest that was seen.
    """

    typical: Floats
    norm: Floats
    total: Floats
    largest: Floats

    @classmethod
    def of(
        cls, claims: Claims, segments: Sequence[Segment], scales: Scales, rng: np.random.Generator
    ) -> Profile:
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
            np.concatenate([part.typical for part in looked]),
            np.concatenate([part.norm for part in looked]),
            np.concatenate([part.total for part in looked]),
            np.max([part.largest for part in looked], axis=0),
        )

    @classmethod
    def _of_rows(cls, rows: Floats, counts: Indices, sizes: Indices) -> Profile:
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

    def lifts(self) -> Floats:
        """Return how much further than natural to move each segment, so that all show alike.

        It costs nothing, since noise does not depend on it; it keeps a bias from hiding
        behind a weight matrix.
        """
        typical, norm = self.typical.max(axis=1), self.norm.max(axis=1)
        with np.errstate(all="ignore"):
            wanted = np.where(typical > 0, typical.max() / typical, 1.0)
            affordable = SHARE * np.linalg.norm(norm) / norm
        affordable = np.where(np.isfinite(affordable), affordable, 1.0)
        return np.asarray(np.clip(np.minimum(wanted, affordable), 1.0, LIFT))

    def lifts_where_rounded(self, segments: Sequence[Segment]) -> Floats:
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
