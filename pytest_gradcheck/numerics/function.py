"""A function at its point: what every way of measuring a derivative starts from.

It must not measure anything itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from pytest_gradcheck.numerics.measurement import EPS, Booleans, Evaluate, Floats, Indices
from pytest_gradcheck.numerics.scale import Scales

__all__ = ["Function"]


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
    claimed : callable, optional
        ``claimed(point, direction)`` returns the slopes along a direction that backward claims
        elsewhere, shape (m,), or None where it cannot be asked.
    """

    evaluate: Evaluate
    point: Floats
    base: Floats
    noise: Floats
    sizes: Floats
    scales: Scales
    claimed: Callable[[Floats, Floats], Floats | None] | None = field(default=None, kw_only=True)

    @property
    def floor(self) -> Floats:
        """The least that can be told apart: noise, and the rounding of outputs nearby."""
        return np.maximum(self.noise, EPS * self.sizes)

    def moved(self, indices: Indices, there: Floats) -> Floats:
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

    def of(self, rows: Booleans | Indices | slice) -> Function:
        """Return the function as some of the coordinates of a block see it: they all do alike."""
        del rows
        return self

    def _places(self, indices: Indices, here: Floats, there: Floats) -> Iterator[Floats]:
        point, ways = self.point, (indices.tolist(), here.tolist(), there.tolist())
        for index, middle, place in zip(*ways, strict=True):
            point[index] = place
            yield point
            point[index] = middle
