"""A function at a point, with its noise and scales, and the claims about its derivatives.

This is the common input of all methods of measuring derivatives. A claim is a number for each
coordinate and output; protocols leave open how claims are stored.

It does not measure anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from pytest_gradcheck.numerics.coordinate_scales import Scales
from pytest_gradcheck.numerics.measurement import EPS, Booleans, Evaluate, Floats, Indices

__all__ = ["Claims", "ElementwiseClaims", "Function"]


class Claims(Protocol):
    """Claimed derivatives of m outputs with respect to n coordinates."""

    def rows(self, start: int, stop: int) -> Floats:
        """Return the claims of coordinates ``start:stop``, shape (stop - start, m)."""
        ...  # pragma: no cover

    def take(self, indices: Indices) -> Floats:
        """Return the claims of some coordinates, shape (k, m)."""
        ...  # pragma: no cover

    def along(self, start: int, direction: Floats) -> Floats:
        """Return the claimed change along a direction of coordinates from `start`, shape (m,)."""
        ...  # pragma: no cover


class ElementwiseClaims(Protocol):
    """Claims about a sparse Jacobian: w derivatives for each coordinate, the others zero."""

    @property
    def values(self) -> Floats:
        """The claimed derivatives that are not zero, shape (n, w)."""
        ...  # pragma: no cover

    @property
    def output_indices(self) -> Indices:
        """The outputs that they are derivatives of, shape (n, w)."""
        ...  # pragma: no cover

    @property
    def colours(self) -> Sequence[slice]:
        """A colouring: groups of coordinates, no two of which change the same output."""
        ...  # pragma: no cover


@dataclass(frozen=True, slots=True)
class Function:
    """A function, the point to differentiate it at, and what is known about it there.

    Attributes
    ----------
    evaluate : callable
        ``evaluate(points) -> outputs, shape (k, m)``, see `Evaluate`.
    point : ndarray, shape (n,)
        Changed in place while measuring, and always restored.
    base : ndarray, shape (m,)
        Outputs at the point.
    noise : ndarray, shape (m,)
        The noise of the outputs, see `estimate_noise`.
    sizes : ndarray, shape (m,)
        By how much the outputs vary around the point, see `output_sizes`.
    scales : Scales
        The natural step of each coordinate.
    claimed_slopes : callable, optional
        ``claimed_slopes(point, direction)`` returns the directional derivatives that backward
        claims at another point, shape (m,), or None where it cannot be called there.
    """

    evaluate: Evaluate
    point: Floats
    base: Floats
    noise: Floats
    sizes: Floats
    scales: Scales
    claimed_slopes: Callable[[Floats, Floats], Floats | None] | None = field(
        default=None, kw_only=True
    )

    @property
    def noise_floor(self) -> Floats:
        """The larger of the noise and the rounding of outputs nearby, shape (m,)."""
        return np.maximum(self.noise, EPS * self.sizes)

    def evaluate_at(self, indices: Indices, values: Floats) -> Floats:
        """Evaluate with each of some coordinates set to a value, one at a time.

        Parameters
        ----------
        indices : ndarray of int, shape (k,)
            The coordinates.
        values : ndarray, shape (k,)
            The value of each.

        Returns
        -------
        ndarray, shape (k, m)
            The outputs; one evaluation each. The point is restored.
        """
        original = self.point[indices]
        try:
            return self.evaluate(self._points(indices, original, values))
        finally:
            self.point[indices] = original

    def restricted_to(self, rows: Booleans | Indices | slice) -> Function:
        """Return the function for some of the coordinates of a block: the same for all."""
        del rows
        return self

    def _points(self, indices: Indices, original: Floats, values: Floats) -> Iterator[Floats]:
        point, columns = self.point, (indices.tolist(), original.tolist(), values.tolist())
        for index, unchanged, value in zip(*columns, strict=True):
            point[index] = value
            yield point
            point[index] = unchanged
