"""How large a step is natural for each coordinate of a point.

It must not evaluate anything: it looks at the point alone.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from pytest_gradcheck.numerics.measurement import Floats

__all__ = ["scales", "typical_scales"]

#: Steps are taken relative to the scale and go down to 1e-12 of it: a smaller
#: scale would make them subnormal numbers.
SMALLEST = 1e-290


def scales(point: Floats, segments: Iterable[tuple[int, int]]) -> Floats:
    """Return the scale of every coordinate: what a step is measured in.

    It is the coordinate's own magnitude where it has one, else the median
    magnitude of its segment, else 1. It is not floored by the segment's size:
    a vector over twelve decades has a meaning in every decade.

    Parameters
    ----------
    point : ndarray, shape (n,)
        The point.
    segments : iterable of (start, stop)
        Coordinates that belong together, one array of the user's each.

    Returns
    -------
    ndarray, shape (n,)
        Positive scales.

    Examples
    --------
    >>> import numpy as np
    >>> scales(np.array([0.0, -2.0, 4.0, 0.0]), [(0, 3), (3, 4)])
    array([2., 2., 4., 1.])
    """
    scale = np.abs(point)
    for start, stop in segments:
        part = scale[start:stop]
        small = part < SMALLEST
        if small.any():
            part[small] = 1.0 if small.all() else _middle(part[~small])
    return scale


def typical_scales(scale: Floats, segments: Iterable[tuple[int, int]]) -> Floats:
    """Return for every coordinate the median scale of its segment.

    Examples
    --------
    >>> import numpy as np
    >>> typical_scales(np.array([1e-200, 2.0, 3.0]), [(0, 3)])
    array([2., 2., 2.])
    """
    typical = np.empty_like(scale)
    for start, stop in segments:
        if stop > start:
            typical[start:stop] = _middle(scale[start:stop])
    return typical


def _middle(values: Floats) -> float:
    """Return the lower median: an entry of `values`, so that no sum can overflow."""
    middle = (values.size - 1) // 2
    return float(np.partition(values, middle)[middle])
