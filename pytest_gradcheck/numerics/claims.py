"""What is claimed, as numerics sees it: numbers by coordinate and output, in whatever form.

It must not know how claims are held, or what they are of.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pytest_gradcheck.numerics.measurement import Floats, Indices

__all__ = ["Claims", "ElementwiseClaims"]


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
