"""Drawing entries of a gradient that an error can be seen of.

Their true gradient is not zero, and not so small beside the others of their parameter that
float64 could not show a share of it: at least a tenth of the median of those that are not zero.
It must not change the gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.screening.coordinate_masks import Array

__all__ = ["Place", "draw_entries", "draw_name", "draw_scattered", "eligible"]

#: A parameter and an index in it.
Place = tuple[str, tuple[int, ...]]

#: An entry is at least this share of the median of its parameter.
LEAST = 0.1


def eligible(array: Array) -> NDArray[np.intp]:
    """Return the flat indices of entries that may be chosen.

    Examples
    --------
    >>> eligible(np.array([0.0, 2.0, -3.0, 0.1, 0.0, 4.0])).tolist()
    [1, 2, 5]
    """
    magnitude = np.abs(array).ravel()
    nonzero = magnitude[magnitude > 0]
    if not nonzero.size:
        return np.zeros(0, dtype=np.intp)
    return np.flatnonzero(magnitude >= LEAST * np.median(nonzero))


def draw_name(
    gradient: Mapping[str, Array],
    rng: np.random.Generator,
    suits: Callable[[Array], bool] = lambda array: True,
) -> str:
    """Draw one of the parameters that suit and that are not zero everywhere, each as likely."""
    names = [name for name, array in gradient.items() if suits(array) and array.any()]
    return str(rng.choice(names))


def draw_entries(
    gradient: Mapping[str, Array], rng: np.random.Generator, name: str, count: int = 1
) -> list[Place]:
    """Draw different entries of one parameter."""
    array = gradient[name]
    chosen = rng.choice(eligible(array), count, replace=False)
    return [_place(name, array, flat) for flat in chosen.tolist()]


def draw_scattered(
    gradient: Mapping[str, Array], rng: np.random.Generator, count: int
) -> list[Place]:
    """Draw different entries of any parameters, every entry as likely."""
    each = {name: eligible(array) for name, array in gradient.items()}
    ends = np.cumsum([indices.size for indices in each.values()])
    chosen = np.sort(rng.choice(int(ends[-1]), count, replace=False))
    names = list(each)
    places = []
    for number in chosen.tolist():
        k = int(np.searchsorted(ends, number, side="right"))
        indices = each[names[k]]
        flat = int(indices[number - int(ends[k])])
        places.append(_place(names[k], gradient[names[k]], flat))
    return places


def _place(name: str, array: Array, flat: int) -> Place:
    return name, tuple(int(k) for k in np.unravel_index(flat, array.shape))
