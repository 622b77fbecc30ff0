"""Bounds of a parameter, as the user wrote them and as arrays.

It must not move anything; it says what is inside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.tree import Leaf, describe_value
from pytest_gradcheck.errors import GradcheckUsageError

__all__ = ["Box", "read_bounds"]

#: How far a line is followed from the point at most, in the units of a tangent's entries.
REACH = 0.5


@dataclass(frozen=True, slots=True)
class Box:
    """Bounds of every entry, infinite where there is none; both have the parameter's shape."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]

    def holds(self, array: NDArray[Any]) -> bool:
        """Tell whether no entry is beyond its bounds."""
        return bool((self.low <= array).all() and (array <= self.high).all())

    @property
    def is_open(self) -> NDArray[np.bool_]:
        """Which entries have room to move."""
        return self.low < self.high

    def inward(self, point: NDArray[Any], direction: NDArray[Any]) -> NDArray[Any]:
        """Turn a direction, entry by entry, away from bounds that it would soon run into."""
        below, above = point - self.low, self.high - point
        away = np.where(below <= above, 1.0, -1.0) * np.abs(direction)
        return np.where(np.minimum(below, above) < REACH * np.abs(direction), away, direction)


def read_bounds(written: object, leaf: Leaf) -> Box:
    """Read the bounds of a parameter and see that it keeps them.

    Parameters
    ----------
    written : object
        ``(low, high)``: numbers, None or arrays that broadcast to the parameter.
    leaf : Leaf
        The parameter.

    Returns
    -------
    Box
        In the parameter's own precision, so that a float32 parameter may be at
        the float64 bound it was rounded from.

    Raises
    ------
    GradcheckUsageError
        For bounds that make no sense, or that the parameter is beyond.
    """
    name, array = leaf.name, leaf.array
    if array.dtype.kind != "f":
        raise GradcheckUsageError(
            f"bounds of {name}: it holds complex numbers, which have no order. Leave it out of "
            "bounds."
        )
    if not isinstance(written, (tuple, list)) or len(written) != 2:
        raise GradcheckUsageError(
            f"bounds of {name} is {_shown(written)}: it must be a pair (low, high) of numbers, "
            "None or arrays, for example (0, None). From pairs for each entry: "
            "low, high = zip(*pairs)."
        )
    low = _side(written[0], -np.inf, leaf)
    high = _side(written[1], np.inf, leaf)
    crossed = np.argwhere(~(low <= high))
    if crossed.size:
        place = tuple(crossed[0].tolist())
        raise GradcheckUsageError(
            f"bounds of {name} leave no room: the lower one of {_entry(name, place)} is "
            f"{low[place]:g}, the upper one {high[place]:g}."
        )
    box = Box(low, high)
    if not box.holds(array):
        raise GradcheckUsageError(_beyond(box, leaf))
    return box


def _side(written: object, missing: float, leaf: Leaf) -> NDArray[np.float64]:
    """Return one bound as an array of the parameter's shape."""
    values = np.asarray(written)
    if values.dtype == object and values.shape:
        values = np.array([missing if v is None else v for v in values.ravel()], dtype=object)
        values = values.reshape(np.asarray(written, dtype=object).shape)
    try:
        numbers = np.asarray(missing if written is None else values, dtype=leaf.array.dtype)
        return np.broadcast_to(numbers, leaf.array.shape).astype(np.float64)
    except (TypeError, ValueError):
        raise GradcheckUsageError(
            f"bounds of {leaf.name} hold {_shown(written)}: a bound is a number, None or an array "
            f"that broadcasts to the shape {leaf.array.shape} of {leaf.name}."
        ) from None


def _beyond(box: Box, leaf: Leaf) -> str:
    array = leaf.array
    inside = (box.low <= array) & (array <= box.high)
    place = tuple(np.argwhere(~inside)[0].tolist())
    below = array[place] < box.low[place]
    side, bound = ("below", box.low[place]) if below else ("above", box.high[place])
    return (
        f"{_entry(leaf.name, place)} is {array[place]:.6g}, {side} its bound {bound:g}: a check "
        "starts inside the bounds. Pass another point, for example "
        f"np.clip({leaf.name}, low, high), or other bounds."
    )


def _entry(name: str, place: tuple[int, ...]) -> str:
    return f"{name}[{', '.join(map(str, place))}]" if place else name


def _shown(written: object) -> str:
    return describe_value(written) if isinstance(written, np.ndarray) else repr(written)
