"""Long vectors in parts: no vector of the size of all is made where one of a part will do.

It must not know what the coordinates are.
"""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["PART", "parts"]

#: Coordinates that are looked at together.
PART = 1 << 16


def parts(first: int, last: int) -> Iterator[slice]:
    """Yield slices that cover the coordinates from `first` up to `last`.

    Examples
    --------
    >>> list(parts(5, 65_542))
    [slice(5, 65541, None), slice(65541, 65542, None)]
    """
    for start in range(first, last, PART):
        yield slice(start, min(start + PART, last))
