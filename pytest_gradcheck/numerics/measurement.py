"""What a measured derivative is: a value, an error bound, and how it was come by.

It must not know what the function means or whether anybody's claim is right.
"""

# MERGED Long vectors in parts: no vector of the size of all is made where one of a part will do.
#
# It must not know what the coordinates are.

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "CHUNK",
    "EPS",
    "SUBNORMAL",
    "Booleans",
    "Evaluate",
    "Floats",
    "Indices",
    "Measurement",
    "Status",
    "chunks",
]


#: Coordinates that are looked at together.
CHUNK = 1 << 16


def chunks(first: int, last: int) -> Iterator[slice]:
    """Yield slices that cover the coordinates from `first` up to `last`.

    Examples
    --------
    >>> list(chunks(5, 65_542))
    [slice(5, 65541, None), slice(65541, 65542, None)]
    """
    for start in range(first, last, CHUNK):
        yield slice(start, min(start + CHUNK, last))


Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Booleans = NDArray[np.bool_]

#: The relative rounding of float64.
EPS = float(np.finfo(np.float64).eps)

#: The smallest number above 0: what underflow loses.
SUBNORMAL = float(np.finfo(np.float64).smallest_subnormal)

#: ``evaluate(points) -> outputs, shape (k, m)``: at k points that do not depend on each
#: other, each good until the next is asked for; NaN where the function is undefined.
Evaluate = Callable[[Iterable[Floats]], Floats]


class Status(IntEnum):
    """How a derivative was come by, or why it could not be."""

    SMOOTH = 0
    """Measured from both sides."""
    KINK = 1
    """The one-sided derivatives differ: any value between them is a subgradient."""
    EDGE = 2
    """Measured from one side; the function is undefined on the other."""
    JUMP = 3
    """The function jumps at the point: there is no derivative."""
    UNDEFINED = 4
    """The function is undefined at the points around."""
    UNREFINED = 5
    """Measured from two pairs only, because very many entries needed more."""
    BRANCH = 6
    """The function jumps between smooth branches: the bound allows for their slopes."""
    UNCHANGED = 7
    """Claimed to be zero, and the function did not move at all, not by a bit."""
    PLATEAU = 8
    """Claimed to be zero, and the function is constant around the point, with jumps beyond."""
    DIVERGENT = 9
    """Slopes over ever smaller steps do not converge: a singularity, or floats too far apart."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """Derivatives of m outputs by n coordinates, each with its error bound.

    Attributes
    ----------
    value : ndarray, shape (n, m)
        The derivatives; NaN where there is none.
    bound : ndarray, shape (n, m)
        Bounds on the error of `value`; infinite where nothing is known.
    step : ndarray, shape (n,)
        The absolute step of the finest difference a coordinate's values rest on.
    status : ndarray of int8, shape (n, m)
        Values of `Status`.
    kinks : dict
        For (coordinate, output) at a kink the smaller and the larger one-sided
        derivative, each widened by its own bound.
    steepest : dict
        For (coordinate, output) that were looked at with many steps the largest slope from
        the point to any of them: what a derivative that vanishes is small against.
    """

    value: Floats
    bound: Floats
    step: Floats
    status: NDArray[np.int8]
    kinks: dict[tuple[int, int], tuple[float, float]] = field(default_factory=dict)
    steepest: dict[tuple[int, int], float] = field(default_factory=dict)

    @classmethod
    def blank(cls, coordinates: int, outputs: int) -> Measurement:
        """Return a measurement to be filled in."""
        shape = (coordinates, outputs)
        return cls(
            np.zeros(shape), np.zeros(shape), np.zeros(coordinates), np.zeros(shape, dtype=np.int8)
        )

    def has_status(self, status: Status) -> Booleans:
        """Tell which derivatives were come by in this way."""
        # A plain number: numpy takes ten times as long to look at a member of an enumeration.
        return np.asarray(self.status == status.value)

    def set_kink(self, index: int, output: int, slopes: tuple[float, float]) -> None:
        """Note that a derivative is at a kink, with its smaller and larger slope."""
        self.status[index, output] = Status.KINK
        self.kinks[index, output] = slopes

    def set_plateau(self, index: int, output: int, bound: float) -> None:
        """Note that an output is constant around the point, jumps though it may beyond."""
        self.value[index, output], self.bound[index, output] = 0.0, bound
        self.status[index, output] = Status.PLATEAU
        self.kinks.pop((index, output), None)

    def assign(self, indices: Indices, part: Measurement) -> None:
        """Take the measurement of some coordinates."""
        for name in ("value", "bound", "step", "status"):
            getattr(self, name)[indices] = getattr(part, name)
        self.kinks.update({(int(indices[k]), m): v for (k, m), v in part.kinks.items()})
        self.steepest.update({(int(indices[k]), m): v for (k, m), v in part.steepest.items()})

    def select_rows(
        self, rows: slice, kinks: dict[tuple[int, int], tuple[float, float]]
    ) -> Measurement:
        """Return the measurement of some coordinates with the kinks there; arrays are views."""
        return Measurement(
            self.value[rows], self.bound[rows], self.step[rows], self.status[rows], kinks
        )
