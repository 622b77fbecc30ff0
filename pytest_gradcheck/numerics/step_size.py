"""How large a step is natural for each coordinate of a point.

It must not evaluate anything: it looks at the point alone.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from pytest_gradcheck.numerics.measurement import Floats, Indices, chunks

__all__ = ["Scales", "claimed_length_scale", "row_medians"]

#: Steps are taken relative to the scale and go down to 1e-12 of it: a smaller
#: scale would make them subnormal numbers.
SMALLEST = 1e-290

#: A coordinate this much smaller than those beside it is zero to whoever adds them, and
#: so is one below anything that is measured.
NOTHING = 1e-16
TINIEST = 1e-30


@dataclass(frozen=True, slots=True)
class Scales:
    """What a step by each coordinate is measured in.

    It is the coordinate's own magnitude where it has one, else the median
    magnitude of its segment, else 1. It is not floored by the segment's size:
    a vector over twelve decades has a meaning in every decade.

    Attributes
    ----------
    point : ndarray, shape (n,)
        The point; read whenever scales are asked for, so that none are held.
    starts : ndarray of int, shape (k,)
        Where segments start: coordinates that belong together, one array of
        the user's each.
    medians : ndarray, shape (k,)
        Median magnitude of the coordinates of each segment that are not as good as zero,
        else 1; of more than 65,536 the median of the medians of so many.
    floor : float
        The least scale, as a share of the median: 0 but where coordinates are moved
        together, and those close to zero by chance would not be seen.
    limits : ndarray, shape (n,), or None
        The largest scale of each coordinate, where more is known of it than its magnitude.

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
        """Look at a point whose segments are given as (start, stop)."""
        filled = [(start, stop) for start, stop in segments if stop > start]
        medians = np.array([_middle(point[start:stop]) for start, stop in filled])
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
        """Return the same without a floor."""
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
            # Of the segments only those that the slice meets are looked at.
            first, last = bisect_right(self.starts, start), bisect_right(self.starts, stop - 1)
            edges = [start, *self.starts[first:last].tolist(), stop]
            lengths = [after - before for before, after in pairwise(edges)]
            return np.repeat(self.medians[first - 1 : last], lengths)
        segments = self.starts.searchsorted(indices, side="right") - 1
        return np.asarray(self.medians[segments])

    def meaningful(self, indices: Indices | slice, own: Floats | None = None) -> Floats:
        """Return scales that are not 1e-200 where people mean zero; `own` where it is known."""
        own, typical = self.own(indices) if own is None else own, self.typical(indices)
        typical[typical < TINIEST] = 1.0
        return np.where(own < np.maximum(NOTHING * typical, TINIEST), typical, own)


def claimed_length_scale(claim: Floats, size: Floats) -> Floats:
    """Return how far each coordinate may go before its claim stops making sense.

    A function of this size does not keep a slope over a longer way. It is the natural step
    of a coordinate whose magnitude is no measure of it: a date, a frequency, a place on a map.

    Parameters
    ----------
    claim : ndarray, shape (k, m)
        Claimed derivatives.
    size : ndarray, shape (m,)
        How large outputs are, or how much they vary.

    Returns
    -------
    ndarray, shape (k,)
        That of the median output; infinite where nothing is claimed.

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
    """Return the median of each row without NaN, shape (k,), or what stands for none.

    It is that of `numpy.nanmedian`, which takes a hundred times as long for short rows.

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


def _middle(values: Floats) -> float:
    """Return the lower median of the magnitudes that are not zero, 1 where there are none.

    It is one of them, so that no sum overflows. Of very many it is that of the medians of
    parts, so that no copy of all is made.
    """
    medians = (_median(np.abs(values[part])) for part in chunks(0, values.size))
    found = [median for median in medians if median is not None]
    return (found[0] if len(found) == 1 else _median(np.array(found))) or 1.0


def _median(magnitudes: Floats) -> float | None:
    """Return the lower median of those that are not as good as zero; their order is not kept."""
    some = magnitudes >= max(SMALLEST, NOTHING * magnitudes.max(initial=0.0))
    if not some.all():
        magnitudes = magnitudes[some]
    if not magnitudes.size:
        return None
    middle = (magnitudes.size - 1) // 2
    magnitudes.partition(middle)
    return float(magnitudes[middle])
