"""Why a gradient has the wrong shape: what would turn it into the right one.

It must not look at values; shapes in, a hint out.
"""

from __future__ import annotations

from itertools import combinations
from math import prod

__all__ = ["explain_shape"]

Shape = tuple[int, ...]


def explain_shape(found: Shape, wanted: Shape) -> str:
    """Say what would give an array of shape `found` the shape `wanted`.

    Returns
    -------
    str
        A sentence, or an empty text where nothing simple would.

    Examples
    --------
    >>> explain_shape((32, 5), (5,))
    'A sum over axis 0 would give it.'
    >>> explain_shape((3, 4), (4, 3))
    'Its transpose would have it.'
    >>> explain_shape((4,), (3, 4))
    'It lacks axis 0: a sum too many, or not broadcast?'
    """
    if found != wanted and found[::-1] == wanted:
        return "Its transpose would have it."
    for count in range(1, len(found) + 1):
        for axes in combinations(range(len(found)), count):
            kept = tuple(1 if k in axes else n for k, n in enumerate(found))
            dropped = tuple(n for k, n in enumerate(found) if k not in axes)
            where = f"axis {axes[0]}" if count == 1 else f"axes {axes}"
            if any(found[k] == 1 for k in axes):
                continue
            if dropped == wanted:
                return f"A sum over {where} would give it."
            if kept == wanted:
                return f"A sum over {where} with keepdims=True would give it."
    if prod(found) == prod(wanted):
        return f"reshape({wanted}) would give it."
    return _lacking(found, wanted)


def _lacking(found: Shape, wanted: Shape) -> str:
    """Say which axes of the right shape are summed away, or were never broadcast to."""
    for count in range(1, len(wanted) + 1):
        for axes in combinations(range(len(wanted)), count):
            kept = tuple(1 if k in axes else n for k, n in enumerate(wanted))
            dropped = tuple(n for k, n in enumerate(wanted) if k not in axes)
            if found in (kept, dropped):
                where = f"axis {axes[0]}" if count == 1 else f"axes {axes}"
                return f"It lacks {where}: a sum too many, or not broadcast?"
    return ""
