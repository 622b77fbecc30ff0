"""What is claimed, as numerics sees it: numbers by coordinate and output, in whatever form.

It must not know how claims are held, or what they are of.
"""

from __future__ import annotations

from typing import Protocol

from pytest_gradcheck.numerics.measurement import Floats, Indices

__all__ = ["Claims"]


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
