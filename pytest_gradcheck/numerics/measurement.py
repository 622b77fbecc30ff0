"""Measured derivatives: values, error bounds, and the status of each; arrays and their chunks.

Long vectors are processed in chunks, so that temporary arrays do not have the size of the point.

It does not know what the function means, or whether a claim is right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "CHUNK",
    "EPS",
    "Booleans",
    "Evaluate",
    "Floats",
    "Indices",
    "Measurement",
    "Status",
    "chunks",
    "output_rounding",
]


Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Booleans = NDArray[np.bool_]

#: The machine epsilon of float64.
EPS = float(np.finfo(np.float64).eps)

#: The smallest number above 0: underflow loses less than it.
SUBNORMAL = float(np.finfo(np.float64).smallest_subnormal)

#: The number of coordinates in a chunk.
CHUNK = 1 << 16

#: ``evaluate(points) -> outputs, shape (k, m)``: evaluates a function at k points, each valid
#: until the next one is drawn from the iterable; NaN where the function is undefined.
Evaluate = Callable[[Iterable[Floats]], Floats]


def output_rounding(outputs: Floats) -> Floats:
    """Return the rounding of outputs; that of subnormal ones is absolute.

    Examples
    --------
    >>> output_rounding(np.array([-1.0, 1e-320])).tolist()
    [2.220446049250313e-16, 5e-324]
    """
    return np.maximum(EPS * np.abs(outputs), SUBNORMAL)


def chunks(first: int, last: int) -> Iterator[slice]:
    """Yield slices that cover the coordinates from `first` up to `last`.

    Examples
    --------
    >>> list(chunks(5, 65_542))
    [slice(5, 65541, None), slice(65541, 65542, None)]
    """
    for start in range(first, last, CHUNK):
        yield slice(start, min(start + CHUNK, last))


class Status(IntEnum):
    """How a derivative was measured, or why it could not be."""

    SMOOTH = 0
    """Measured from both sides."""
    KINK = 1
    """The one-sided derivatives differ; any value between them is a subgradient."""
    EDGE = 2
    """Measured from one side; the function is undefined on the other."""
    JUMP = 3
    """The function jumps at the point: there is no derivative."""
    UNDEFINED = 4
    """The function is undefined around the point."""
    UNREFINED = 5
    """Measured by two central pairs only, because too many entries needed more."""
    BRANCH = 6
    """The function jumps between smooth branches; the bound allows for their slopes."""
    UNCHANGED = 7
    """Claimed to be zero, and the function is unchanged, bit by bit, at every step."""
    PLATEAU = 8
    """Claimed to be zero, and the function is constant around the point and jumps beyond."""
    DIVERGENT = 9
    """Slopes over ever smaller steps do not converge: a singularity, or too coarse floats."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """Derivatives of m outputs with respect to n coordinates, with error bounds.

    Attributes
    ----------
    value : ndarray, shape (n, m)
        The derivatives; NaN where there is none.
    bound : ndarray, shape (n, m)
        Bounds on the error of `value`; infinite where nothing is known.
    step : ndarray, shape (n,)
        The smallest absolute step of the differences that the values of a coordinate rest on.
    status : ndarray of int8, shape (n, m)
        Values of `Status`.
    kinks : dict
        For each (coordinate, output) at a kink, the smaller and the larger one-sided
        derivative, each widened by its own bound.
    steepest : dict
        For each (coordinate, output) that was extrapolated, the largest slope from the point
        to any step: the reference for a derivative that vanishes.
    """

    value: Floats
    bound: Floats
    step: Floats
    status: NDArray[np.int8]
    kinks: dict[tuple[int, int], tuple[float, float]] = field(default_factory=dict)
    steepest: dict[tuple[int, int], float] = field(default_factory=dict)

    @classmethod
    def blank(cls, coordinates: int, outputs: int) -> Measurement:
        """Return a measurement of zeros, to be filled in."""
        shape = (coordinates, outputs)
        return cls(
            np.zeros(shape), np.zeros(shape), np.zeros(coordinates), np.zeros(shape, dtype=np.int8)
        )

    def has_status(self, status: Status) -> Booleans:
        """Return which derivatives have this status."""
        # NumPy takes ten times as long to compare with a member of an enumeration.
        return np.asarray(self.status == status.value)

    def set_kink(self, index: int, output: int, slopes: tuple[float, float]) -> None:
        """Record a kink, with the smaller and the larger one-sided derivative."""
        self.status[index, output] = Status.KINK
        self.kinks[index, output] = slopes

    def set_plateau(self, index: int, output: int, bound: float) -> None:
        """Record that an output is constant around the point, with jumps beyond."""
        self.value[index, output], self.bound[index, output] = 0.0, bound
        self.status[index, output] = Status.PLATEAU
        self.kinks.pop((index, output), None)

    def assign(self, indices: Indices, part: Measurement) -> None:
        """Take the values of some coordinates from a measurement of them."""
        for name in ("value", "bound", "step", "status"):
            getattr(self, name)[indices] = getattr(part, name)
        self.kinks.update({(int(indices[k]), m): v for (k, m), v in part.kinks.items()})
        self.steepest.update({(int(indices[k]), m): v for (k, m), v in part.steepest.items()})

    def select_rows(
        self, rows: slice, kinks: dict[tuple[int, int], tuple[float, float]]
    ) -> Measurement:
        """Return the measurement of some coordinates, with these kinks; arrays are views."""
        return Measurement(
            self.value[rows], self.bound[rows], self.step[rows], self.status[rows], kinks
        )
