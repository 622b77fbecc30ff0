"""Lines through the point: the function along one coordinate or one direction.

It must not difference or judge; it only goes there and comes back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pytest_gradcheck.numerics.measurement import Evaluate, Floats

__all__ = ["CoordinateLine", "DirectionLine", "Line"]


class Line(Protocol):
    """The function along a line, parametrised by a relative step."""

    @property
    def unit(self) -> float:
        """The absolute length of a relative step of 1."""
        ...  # pragma: no cover

    def at(self, step: float) -> tuple[float, Floats]:
        """Return the absolute step really taken and the outputs there."""
        ...  # pragma: no cover


@dataclass(frozen=True, slots=True)
class CoordinateLine:
    """The function along coordinate `index` of `point`, which is changed and put back."""

    evaluate: Evaluate
    point: Floats
    index: int
    unit: float

    def at(self, step: float) -> tuple[float, Floats]:
        """Return the absolute step really taken and the outputs there."""
        here = self.point[self.index]
        there = here + step * self.unit
        self.point[self.index] = there
        try:
            return float(there - here), self.evaluate(self.point)
        finally:
            self.point[self.index] = here


@dataclass(frozen=True, slots=True)
class DirectionLine:
    """The function along `direction`; a step of 1 is the whole direction."""

    evaluate: Evaluate
    point: Floats
    direction: Floats

    @property
    def unit(self) -> float:
        """The absolute length of a relative step of 1: the direction itself."""
        return 1.0

    def at(self, step: float) -> tuple[float, Floats]:
        """Return the step and the outputs there."""
        return step, self.evaluate(np.asarray(self.point + step * self.direction))
