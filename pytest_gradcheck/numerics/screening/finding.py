"""What a search finds: suspects, and boxes in which claims are off.

It must not measure anything, or name what is off.
"""

from __future__ import annotations

from dataclasses import dataclass

from pytest_gradcheck.numerics.measurement import Measurement
from pytest_gradcheck.numerics.screening.places import Box

__all__ = ["Finding", "Suspect"]


@dataclass(frozen=True, slots=True)
class Suspect:
    """A coordinate whose claim explains a residual: not confirmed yet.

    Attributes
    ----------
    box : Box
        The coordinate.
    error, bound : float
        By how much more is claimed than is true, and how well that is known.
    step : float
        That it was seen with, in its own units.
    measured : Measurement or None
        What was measured of it by itself, if anything.
    """

    box: Box
    error: float
    bound: float
    step: float
    measured: Measurement | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A box in which claims are off.

    Attributes
    ----------
    box : Box
        Where; a single coordinate, a row, or all of a segment.
    output : int
        Of which output.
    measured : tuple of (int, Measurement)
        Coordinates in it that were measured one by one.
    off : int
        How many of these are off.
    share : float or None
        By which share of itself every claim in it is off, None where that varies.
    doubt : float
        How uncertain the share is.
    """

    box: Box
    output: int
    measured: tuple[tuple[int, Measurement], ...]
    off: int
    share: float | None = None
    doubt: float = 0.0
