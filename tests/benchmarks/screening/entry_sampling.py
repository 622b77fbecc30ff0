"""Random entries of a gradient whose errors are visible in float64.

An entry is drawn only if it is nonzero and at least a tenth of the median of the nonzero entries
of its parameter. The module does not change the gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.screening.coordinate_masks import Array

__all__ = ["Entry", "draw_entries", "draw_name", "draw_scattered", "eligible"]

#: The name of a parameter, and an index in it.
Entry = tuple[str, tuple[int, ...]]

#: The smallest entry that is drawn, relative to the median of its parameter's nonzero entries.
SMALLEST_RELATIVE = 0.1


def eligible(array: Array) -> NDArray[np.intp]:
    """Return the flat indices of the entries that may be drawn.

    Examples
    --------
    >>> eligible(np.array([0.0, 2.0, -3.0, 0.1, 0.0, 4.0])).tolist()
    [1, 2, 5]
    """
    magnitude = np.abs(array).ravel()
    nonzero = magnitude[magnitude > 0]
    if not nonzero.size:
        return np.zeros(0, dtype=np.intp)
    return np.flatnonzero(magnitude >= SMALLEST_RELATIVE * np.median(nonzero))


def draw_name(
    gradient: Mapping[str, Array],
    rng: np.random.Generator,
    suits: Callable[[Array], bool] = lambda array: True,
) -> str:
    """Draw the name of a parameter that suits and is not zero, each with equal probability."""
    names = [name for name, array in gradient.items() if suits(array) and array.any()]
    return str(rng.choice(names))


def draw_entries(
    gradient: Mapping[str, Array], rng: np.random.Generator, name: str, count: int = 1
) -> list[Entry]:
    """Draw distinct entries of one parameter."""
    array = gradient[name]
    chosen = rng.choice(eligible(array), count, replace=False)
    return [_entry(name, array, flat) for flat in chosen.tolist()]


def draw_scattered(
    gradient: Mapping[str, Array], rng: np.random.Generator, count: int
) -> list[Entry]:
    """Draw distinct entries of all parameters, each entry with equal probability."""
    each = {name: eligible(array) for name, array in gradient.items()}
    ends = np.cumsum([indices.size for indices in each.values()])
    chosen = np.sort(rng.choice(int(ends[-1]), count, replace=False))
    names = list(each)
    entries = []
    for number in chosen.tolist():
        k = int(np.searchsorted(ends, number, side="right"))
        indices = each[names[k]]
        flat = int(indices[number - int(ends[k])])
        entries.append(_entry(names[k], gradient[names[k]], flat))
    return entries


def _entry(name: str, array: Array, flat: int) -> Entry:
    return name, tuple(int(k) for k in np.unravel_index(flat, array.shape))
