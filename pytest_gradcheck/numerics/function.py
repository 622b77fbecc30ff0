"""A function at its point: what every way of measuring a derivative starts from.

It must not measure anything itself.
"""

# MERGED What is claimed, as numerics sees it: numbers by coordinate and output, in whatever form.
#
# It must not know how claims are held, or what they are of.

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from pytest_gradcheck.numerics.measurement import EPS, Booleans, Evaluate, Floats, Indices
from pytest_gradcheck.numerics.step_size import Scales

__all__ = ["Claims", "ElementwiseClaims", "Function"]


class Claims(Protocol):
    """Claimed derivatives of m outputs by n coordinates."""

    def rows(self, start: int, stop: int) -> Floats:
        """Return the claims about coordinates ``start:stop``, shape (stop - start, m)."""
        ...  # pragma: no cover

    def take(self, indices: Indices) -> Floats:
        """Return the claims about some coordinates, shape (k, m)."""
        ...  # pragma: no cover

    def along(self, start: int, direction: Floats) -> Floats:
        """Return the claimed change by coordinates from `start` on, shape (m,)."""
        ...  # pragma: no cover


class ElementwiseClaims(Protocol):
    """Claims that a coordinate moves few outputs, which few others move: most are zero."""

    @property
    def values(self) -> Floats:
        """Claimed derivatives of the outputs that coordinates move, shape (n, w)."""
        ...  # pragma: no cover

    @property
    def own(self) -> Indices:
        """Which outputs these are, shape (n, w)."""
        ...  # pragma: no cover

    @property
    def colours(self) -> Sequence[slice]:
        """Coordinates of which no two move the same output; together they are all."""
        ...  # pragma: no cover


@dataclass(frozen=True, slots=True)
class Function:
    """A function, the point to differentiate it at, and what is known there.

    Attributes
    ----------
    evaluate : callable
        ``evaluate(points) -> outputs, shape (k, m)``, see `Evaluate`.
    point : ndarray, shape (n,)
        May be changed in place while measuring; is always put back.
    base : ndarray, shape (m,)
        Outputs at the point.
    noise : ndarray, shape (m,)
        Noise of the outputs, see `estimate_noise`.
    sizes : ndarray, shape (m,)
        How much the outputs vary around the point, see `output_sizes`.
    scales : Scales
        Natural step of each coordinate.
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
        """The least that can be told apart: noise, and the rounding of outputs nearby."""
        return np.maximum(self.noise, EPS * self.sizes)

    def evaluate_at(self, indices: Indices, there: Floats) -> Floats:
        """Return the outputs with each of some coordinates moved by itself, shape (k, m).

        Parameters
        ----------
        indices : ndarray of int, shape (k,)
            The coordinates.
        there : ndarray, shape (k,)
            Where each is moved to.

        Returns
        -------
        ndarray, shape (k, m)
            One evaluation each; the point is put back.
        """
        here = self.point[indices]
        try:
            return self.evaluate(self._places(indices, here, there))
        finally:
            self.point[indices] = here

    def restricted_to(self, rows: Booleans | Indices | slice) -> Function:
        """Return the function as some of the coordinates of a block see it: they all do alike."""
        del rows
        return self

    def _places(self, indices: Indices, here: Floats, there: Floats) -> Iterator[Floats]:
        point, ways = self.point, (indices.tolist(), here.tolist(), there.tolist())
        for index, middle, place in zip(*ways, strict=True):
            point[index] = place
            yield point
            point[index] = middle
