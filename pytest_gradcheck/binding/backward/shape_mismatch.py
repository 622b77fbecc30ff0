"""Hints for a gradient of the wrong shape: what would turn it into the right one.

A transpose, a missing sum over broadcast axes, a reshape. It does not look at values.
"""

from __future__ import annotations

from math import prod

__all__ = ["explain_shape"]

Shape = tuple[int, ...]


def explain_shape(found: Shape, wanted: Shape) -> str:
    """Return what would give an array of shape `found` the shape `wanted`, in words.

    Returns
    -------
    str
        A sentence, or an empty text where nothing simple does.

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
    dropped = _axes_dropped(found, wanted, may_drop_ones=False)
    if dropped is not None:
        return f"A sum over {_in_words(dropped)} would give it."
    collapsed = _axes_collapsed(found, wanted)
    if collapsed is not None:
        return f"A sum over {_in_words(collapsed)} with keepdims=True would give it."
    if prod(found) == prod(wanted):
        return f"reshape({wanted}) would give it."
    # The other way around: the axes that the right shape has more.
    lacking = _axes_dropped(wanted, found, may_drop_ones=True)
    if lacking is None:
        lacking = _axes_collapsed(wanted, found)
    if lacking is None:
        return ""
    return f"It lacks {_in_words(lacking)}: a sum too many, or not broadcast?"


def _axes_dropped(longer: Shape, shorter: Shape, *, may_drop_ones: bool) -> Shape | None:
    """Return the axes, the first possible ones, that `longer` has more than `shorter`.

    This is subsequence matching by dynamic programming: ``fits[i][j]`` is whether ``longer[i:]``
    becomes ``shorter[j:]`` when axes are dropped.
    """
    n, m = len(longer), len(shorter)
    if n <= m:
        return None
    fits = [[False] * (m + 1) for _ in range(n + 1)]
    fits[n][m] = True
    may_drop = [may_drop_ones or length != 1 for length in longer]
    for i in reversed(range(n)):
        for j in range(m + 1):
            is_kept = j < m and longer[i] == shorter[j] and fits[i + 1][j + 1]
            fits[i][j] = is_kept or (may_drop[i] and fits[i + 1][j])
    if not fits[0][0]:
        return None
    axes: list[int] = []
    for i in range(n):
        if may_drop[i] and fits[i + 1][i - len(axes)]:
            axes.append(i)
    return tuple(axes)


def _axes_collapsed(longer: Shape, shorter: Shape) -> Shape | None:
    """Return the axes along which `shorter` has one entry and `longer` has more."""
    if len(longer) != len(shorter):
        return None
    axes = tuple(k for k in range(len(longer)) if longer[k] != shorter[k])
    return axes if axes and all(shorter[k] == 1 for k in axes) else None


def _in_words(axes: Shape) -> str:
    return f"axis {axes[0]}" if len(axes) == 1 else f"axes {axes}"
