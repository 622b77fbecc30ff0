"""How large the claims of each segment are: what decides how far to move it, and what is poor.

It must not evaluate the function.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pytest_gradcheck.numerics.claims import Claims
from pytest_gradcheck.numerics.measurement import Floats
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
        """Look at a sample of every segment."""
        typical, norm, total, largest = [], [], [], []
        for segment in segments:
            number = min(segment.size, SAMPLE)
            indices = segment.start + rng.choice(segment.size, number, replace=False)
            rows = np.abs(claims.take(indices)) * scales.own(indices)[:, None]
            filled = np.where(rows > 0, rows, np.nan)
            some = (rows > 0).any(axis=0)
            middle = np.zeros(rows.shape[1])
            # The median that knows of NaN takes a hundred times as long.
            median = np.median if (rows > 0).all() else np.nanmedian
            middle[some] = median(filled[:, some], axis=0)
            typical.append(middle)
            norm.append(np.sqrt((rows**2).mean(axis=0) * segment.size))
            total.append(rows.mean(axis=0) * segment.size)
            largest.append(rows.max(axis=0))
        parts = np.stack(typical), np.stack(norm), np.stack(total)
        return cls(*parts, np.max(largest, axis=0))

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
