"""The natural scale of each coordinate of a point, in units of which steps are taken.

P. E. Gill, W. Murray and M. H. Wright (Practical Optimization, 1981, section 8.6) take steps in
units of ``1 + |x|``. Here the scale is ``|x|``, however small, and the median of the array where a
coordinate is zero. A claimed derivative limits it: ``|f| / |claim|`` is the length over which a
function of this size can keep such a slope.

It does not evaluate the function.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from pytest_gradcheck.numerics.measurement import Floats, Indices, chunks

__all__ = ["Scales", "claimed_length_scale", "row_medians"]

#: The smallest scale. Relative steps go down to 1e-12: they must not be subnormal numbers.
SMALLEST = 1e-290

#: A coordinate stands for zero when it is below this share of the others in its array, which it
#: would not change in a sum, or below any physical quantity.
NEGLIGIBLE = 1e-16
TINIEST = 1e-30


@dataclass(frozen=True, slots=True)
class Scales:
    """The scale of each coordinate: its magnitude, else the median one of its segment, else 1.

    A small coordinate keeps its own scale: a vector may span twelve decades.

    Attributes
    ----------
    point : ndarray, shape (n,)
        The point; scales are computed from it on demand, so that they take no memory.
    starts : ndarray of int, shape (k,)
        Where segments start. A segment is the coordinates of one array of the user.
    medians : ndarray, shape (k,)
        The median magnitude of the coordinates of each segment that are not negligible, else 1.
        For more than 65,536 it is the median of the medians of so many.
    floor : float
        The smallest scale as a share of the median. It is not 0 where coordinates are moved
        jointly: those close to zero by chance would have no effect.
    limits : ndarray, shape (n,), or None
        The largest scale of each coordinate, where more is known than its magnitude.

    Examples
    --------
    >>> import numpy as np
    >>> scales = Scales.of(np.array([0.0, -2.0, 4.0, 0.0]), [(0, 3), (3, 4)])
    >>> scales.own(np.arange(4))
    array([2., 2., 4., 1.])
    """

    point: Floats
    starts: Indices
    medians: Floats
    floor: float = 0.0
    limits: Floats | None = None

    @classmethod
    def of(cls, point: Floats, segments: Sequence[tuple[int, int]]) -> Scales:
        """Return the scales of a point whose segments are given as (start, stop)."""
        filled = [(start, stop) for start, stop in segments if stop > start]
        medians = np.array([_median_magnitude(point[start:stop]) for start, stop in filled])
        return cls(point, np.array([start for start, _ in filled], dtype=np.intp), medians)

    def own(self, indices: Indices | slice) -> Floats:
        """Return the scales of some coordinates, all positive."""
        scale = np.abs(self.point[indices])
        small = scale < SMALLEST
        if small.any():
            scale[small] = self.typical(indices)[small]
        if self.floor:
            scale = np.maximum(scale, self.floor * self.typical(indices))
        if self.limits is not None:
            scale = np.minimum(scale, self.limits[indices])
        return scale

    def unfloored(self) -> Scales:
        """Return the scales without a floor."""
        return replace(self, floor=0.0)

    def least(self) -> Floats:
        """Return the smallest scale of each segment, shape (k,)."""
        least = np.full(self.starts.size, np.inf)
        for part in chunks(0, self.point.size):
            first, last = np.searchsorted(self.starts, [part.start, part.stop - 1], side="right")
            begins = np.maximum(self.starts[first - 1 : last], part.start) - part.start
            inside = np.minimum.reduceat(self.own(part), begins)
            np.minimum(least[first - 1 : last], inside, out=least[first - 1 : last])
        return least

    def typical(self, indices: Indices | slice) -> Floats:
        """Return the median magnitude in the segments of some coordinates."""
        if isinstance(indices, slice):
            start, stop, _ = indices.indices(self.point.size)
            if stop <= start:
                return np.empty(0)
            # Only the segments that the slice overlaps are expanded.
            first, last = bisect_right(self.starts, start), bisect_right(self.starts, stop - 1)
            edges = [start, *self.starts[first:last].tolist(), stop]
            lengths = [after - before for before, after in pairwise(edges)]
            return np.repeat(self.medians[first - 1 : last], lengths)
        segments = self.starts.searchsorted(indices, side="right") - 1
        return np.asarray(self.medians[segments])

    def meaningful(self, indices: Indices | slice, own: Floats | None = None) -> Floats:
        """Return scales in which negligible coordinates count as zero; `own` where it is known."""
        own, typical = self.own(indices) if own is None else own, self.typical(indices)
        typical[typical < TINIEST] = 1.0
        return np.where(own < np.maximum(NEGLIGIBLE * typical, TINIEST), typical, own)


def claimed_length_scale(claim: Floats, size: Floats) -> Floats:
    """Return the length over which a function may keep the claimed slope, ``size / |claim|``.

    It is the natural scale of a coordinate whose magnitude is arbitrary: a date, a frequency, a
    position on a map.

    Parameters
    ----------
    claim : ndarray, shape (k, m)
        Claimed derivatives.
    size : ndarray, shape (m,)
        How large outputs are, or how much they vary.

    Returns
    -------
    ndarray, shape (k,)
        The median over the outputs; infinite where all claims are zero.

    Examples
    --------
    >>> claimed_length_scale(np.array([[100.0, 0.0], [0.0, 0.0]]), np.array([2.0, 1.0]))
    array([0.02,  inf])
    """
    with np.errstate(all="ignore"):
        lengths = np.where(claim != 0, size / np.abs(claim), np.nan)
    lengths[~(lengths > 0)] = np.nan
    return row_medians(lengths, otherwise=np.inf)


def row_medians(values: Floats, *, otherwise: float) -> Floats:
    """Return the median of each row, shape (k,), NaN ignored; `otherwise` where all are NaN.

    `numpy.nanmedian` returns the same, but takes a hundred times as long for short rows.

    Examples
    --------
    >>> row_medians(np.array([[1.0, np.nan, 4.0], [np.nan] * 3]), otherwise=0.0)
    array([2.5, 0. ])
    """
    if values.shape[1] == 1:
        middle = values[:, 0]
    else:
        ordered = np.sort(values, axis=1)  # NaN last
        known = np.count_nonzero(~np.isnan(values), axis=1)
        rows = np.arange(len(ordered))
        middle = (ordered[rows, np.maximum(known - 1, 0) // 2] + ordered[rows, known // 2]) / 2
    return np.where(np.isnan(middle), otherwise, middle)


def _median_magnitude(values: Floats) -> float:
    """Return the lower median of the magnitudes that are not negligible, 1 if there are none.

    The lower median is one of them: no sum overflows. Of very many it is the median of the
    medians of chunks, so that they are not all copied.
    """
    medians = (_median(np.abs(values[part])) for part in chunks(0, values.size))
    found = [median for median in medians if median is not None]
    return (found[0] if len(found) == 1 else _median(np.array(found))) or 1.0


def _median(magnitudes: Floats) -> float | None:
    """Return the lower median of those that are not negligible; reorders them."""
    some = magnitudes >= max(SMALLEST, NEGLIGIBLE * magnitudes.max(initial=0.0))
    if not some.all():
        magnitudes = magnitudes[some]
    if not magnitudes.size:
        return None
    middle = (magnitudes.size - 1) // 2
    magnitudes.partition(middle)
    return float(magnitudes[middle])
