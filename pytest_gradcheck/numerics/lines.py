"""Lines through the point: the function along one coordinate or one direction.

It must not difference or judge; it only goes there and comes back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pytest_gradcheck.numerics.directions import along
from pytest_gradcheck.numerics.measurement import Evaluate, Floats, Indices

__all__ = ["CoordinateLine", "DirectionLine", "Line"]


class Line(Protocol):
    """The function along a line, parametrised by a relative step."""

    @property
    def unit(self) -> float:
        """The absolute length of a relative step of 1."""
        ...  # pragma: no cover

    def at(self, steps: Floats) -> tuple[Floats, Floats]:
        """Return the absolute steps really taken, shape (k,), and the outputs there, (k, m)."""
        ...  # pragma: no cover

    def each(self, steps: Floats, columns: Indices) -> Floats:
        """Return some outputs, each at a step of its own, shape (k,); one evaluation each."""
        pairs = zip(steps.tolist(), columns.tolist(), strict=True)
        return np.array([self.at(np.array([step]))[1][0, column] for step, column in pairs])


@dataclass(frozen=True, slots=True)
class CoordinateLine(Line):
    """The function along coordinate `index` of `point`, which is changed and put back."""

    evaluate: Evaluate
    point: Floats
    index: int
    unit: float

    def at(self, steps: Floats) -> tuple[Floats, Floats]:
        """Return the absolute steps really taken and the outputs there."""
        here = self.point[self.index]
        there = here + steps * self.unit
        try:
            return there - here, self.evaluate(self._places(there))
        finally:
            self.point[self.index] = here

    def _places(self, there: Floats) -> Iterator[Floats]:
        for value in there.tolist():
            self.point[self.index] = value
            yield self.point


@dataclass(frozen=True, slots=True)
class DirectionLine(Line):
    """The function along `direction`; a step of 1 is the whole direction."""

    evaluate: Evaluate
    point: Floats
    direction: Floats

    @property
    def unit(self) -> float:
        """The absolute length of a relative step of 1: the direction itself."""
        return 1.0

    def at(self, steps: Floats) -> tuple[Floats, Floats]:
        """Return the steps and the outputs there."""
        return steps, along(self.evaluate, self.point, self.direction, steps.tolist())
