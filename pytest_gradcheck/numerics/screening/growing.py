"""How far what is off reaches around a box, on every side of it.

It must not sample or name; it finds where residuals end.
"""

from __future__ import annotations

from pytest_gradcheck.numerics.screening.digits import Reader
from pytest_gradcheck.numerics.screening.places import Box
from pytest_gradcheck.numerics.screening.sights import APART

__all__ = ["grown"]


def grown(reader: Reader, box: Box) -> Box:
    """Return the box that reaches, on each axis, from the first index that is off to the last.

    Parameters
    ----------
    reader : Reader
        Measures residuals.
    box : Box
        Something in it is off.

    Returns
    -------
    Box
        What lies beyond it in the same rows and columns is right. Costs two evaluations for
        each end of an axis where it reaches that, twenty where a thousand are beyond.
    """
    for axis, length in enumerate(box.segment.shape):
        start, stop = box.ranges[axis]
        last = _reach(reader, box, axis, start, length)
        first = _reach(reader, box, axis, min(stop, last), 0)
        box = box.along(axis, first, last)
    return box


def _reach(reader: Reader, box: Box, axis: int, inside: int, outside: int) -> int:
    """Return how far towards `outside` anything is off, from `inside`, to either side."""
    one = 1 if inside < outside else -1
    if _is_off(reader, box, axis, outside - one, outside):
        return outside
    while abs(outside - inside) > 1:
        middle = (inside + outside) // 2
        if _is_off(reader, box, axis, middle, outside):
            inside = middle
        else:
            outside = middle
    return outside


def _is_off(reader: Reader, box: Box, axis: int, one: int, other: int) -> bool:
    """Tell whether anything between two places on an axis is off."""
    part = box.along(axis, min(one, other), max(one, other))
    return reader.measure((part,)).clear > APART
