"""Mistakes in a gradient, by name.

Each mistake changes a gradient in place and returns the entries that it touched. The module does
not know how gradients are checked.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from tests.benchmarks.screening.coordinate_masks import Array, Masks, empty_masks
from tests.benchmarks.screening.entry_sampling import draw_entries, draw_name, draw_scattered

__all__ = ["MISTAKES", "NOTHING", "Gradient", "Mistake"]

Gradient = dict[str, Array]

#: ``mistake(gradient, rng)`` changes the gradient and returns the entries that it touched. Some
#: may stay right: a zero in a row that is multiplied.
Mistake = Callable[[Gradient, np.random.Generator], Masks]

#: The index of the row or the column of a matrix that contains an entry.
ROW: Callable[[tuple[int, ...]], Any] = lambda index: (index[0], slice(None))  # noqa: E731
COLUMN: Callable[[tuple[int, ...]], Any] = lambda index: (slice(None), index[1])  # noqa: E731


def nothing(gradient: Gradient, rng: np.random.Generator) -> Masks:
    """Leave the gradient correct."""
    return empty_masks(gradient)


def entry(gradient: Gradient, rng: np.random.Generator, *, factor: float) -> Masks:
    """Multiply one entry of a random parameter."""
    (drawn,) = draw_entries(gradient, rng, draw_name(gradient, rng))
    return _multiplied(gradient, [drawn], factor)


def line(
    gradient: Gradient,
    rng: np.random.Generator,
    *,
    along: Callable[[tuple[int, ...]], Any],
    factor: float,
) -> Masks:
    """Multiply the row or the column of a random entry of a random matrix."""
    name = draw_name(gradient, rng, lambda array: array.ndim == 2)
    ((_, index),) = draw_entries(gradient, rng, name)
    return _multiplied(gradient, [(name, along(index))], factor)


def parameter(gradient: Gradient, rng: np.random.Generator, *, factor: float) -> Masks:
    """Multiply a random parameter."""
    return _multiplied(gradient, [(draw_name(gradient, rng), ...)], factor)


def everything(gradient: Gradient, rng: np.random.Generator, *, factor: float) -> Masks:
    """Multiply all parameters."""
    return _multiplied(gradient, [(name, ...) for name in gradient], factor)


def pair(gradient: Gradient, rng: np.random.Generator) -> Masks:
    """Add half of an entry to it, and subtract that from another entry of its parameter."""
    (name, one), (_, other) = draw_entries(gradient, rng, draw_name(gradient, rng), 2)
    masks, shift = empty_masks(gradient), gradient[name][one] / 2
    gradient[name][one] += shift
    gradient[name][other] -= shift
    masks[name][one] = masks[name][other] = True
    return masks


def scattered(gradient: Gradient, rng: np.random.Generator, *, count: int, factor: float) -> Masks:
    """Multiply random entries of all parameters."""
    return _multiplied(gradient, draw_scattered(gradient, rng, count), factor)


def _multiplied(gradient: Gradient, indices: list[tuple[str, Any]], factor: float) -> Masks:
    masks = empty_masks(gradient)
    for name, index in indices:
        gradient[name][index] *= factor
        masks[name][index] = True
    return masks


NOTHING = "nothing"

MISTAKES: dict[str, Mistake] = {
    NOTHING: nothing,
    "one entry 1% off": partial(entry, factor=1.01),
    "one entry 0.1% off": partial(entry, factor=1.001),
    "one entry's sign": partial(entry, factor=-1),
    "a row x 1.5": partial(line, along=ROW, factor=1.5),
    "a column zero": partial(line, along=COLUMN, factor=0),
    "a parameter x 2": partial(parameter, factor=2),
    "everything x 2": partial(everything, factor=2),
    "a parameter zero": partial(parameter, factor=0),
    "an opposite pair": pair,
    "8 entries x 1.5": partial(scattered, count=8, factor=1.5),
    "30 entries x 1.5": partial(scattered, count=30, factor=1.5),
}
