"""How what forward returns is read as numbers, and reduced by a cotangent.

It must not call forward.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pytest_gradcheck.binding.blocks import Vector
from pytest_gradcheck.binding.complexes import flat_real
from pytest_gradcheck.binding.outputs import Output

__all__ = ["Reading"]


@dataclass(frozen=True, slots=True)
class Reading:
    """How outputs are read away from the point: as they were at the point.

    Attributes
    ----------
    size : int
        How many numbers they are.
    has_beside : bool
        Whether forward returns something beside them.
    flatten, flatten_rows : callable
        Turn them into a vector; or those at k points into an array of k rows.
    cotangent : ndarray, shape (size,), or None
        What they are multiplied by, to one number.
    """

    size: int = 0
    has_beside: bool = False
    flatten: Callable[[Any], Vector] = flat_real
    flatten_rows: Callable[[Any], Vector] = np.atleast_2d
    cotangent: Vector | None = None

    @classmethod
    def of(cls, output: Output) -> Reading:
        """Return how to read what is like `output`."""
        return cls(
            output.value.size, output.has_beside, output.layout.flatten, output.layout.flatten_rows
        )

    def under(self, cotangent: Vector) -> Reading:
        """Return the reading that ends with the product of `cotangent` and the outputs."""
        return replace(self, cotangent=cotangent)

    def outputs(self, result: Any) -> Any:
        """Return what forward returned without what is beside the outputs."""
        return result[0] if self.has_beside else result

    def rows(self, result: Any, count: int) -> Vector:
        """Return what forward returned at many points as numbers, shape (count, m).

        Raises
        ------
        ValueError
            When they are not as many as at the point, so many times.
        """
        values = self.flatten_rows(self.outputs(result)).reshape(count, self.size)
        return values if self.cotangent is None else values @ self.cotangent[:, None]

    def reduced(self, values: Vector) -> Vector:
        """Return all numbers as one, where there is a cotangent."""
        return values if self.cotangent is None else np.atleast_1d(self.cotangent @ values)

    def nowhere(self) -> Vector:
        """Return what stands for outputs where forward is undefined."""
        return self.reduced(np.full(self.size, np.nan))

    def stacked(self, outputs: Sequence[Vector]) -> Vector:
        """Return outputs at k points as one array, shape (k, m), even for none."""
        return np.array(outputs) if outputs else np.empty((0, self.nowhere().size))
