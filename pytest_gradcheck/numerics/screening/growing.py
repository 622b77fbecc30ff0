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
        last = _end(reader, box, axis, start, length)
        first = _start(reader, box, axis, 0, min(stop, last))
        box = box.along(axis, first, last)
    return box


def _end(reader: Reader, box: Box, axis: int, low: int, high: int) -> int:
    """Return one past the last index that is off, at `low` or beyond."""
    if _is_off(reader, box.along(axis, high - 1, high)):
        return high
    while high - low > 1:
        middle = (low + high) // 2
        if _is_off(reader, box.along(axis, middle, high)):
            low = middle
        else:
            high = middle
    return high


def _start(reader: Reader, box: Box, axis: int, low: int, high: int) -> int:
    """Return the first index that is off, before `high`."""
    if _is_off(reader, box.along(axis, low, low + 1)):
        return low
    while high - low > 1:
        middle = (low + high) // 2
        if _is_off(reader, box.along(axis, low, middle)):
            high = middle
        else:
            low = middle
    return low


def _is_off(reader: Reader, box: Box) -> bool:
    return reader.measure((box,)).clear > APART
