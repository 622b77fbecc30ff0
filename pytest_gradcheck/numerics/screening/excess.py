"""By how much more is claimed than measured in a region, and how well that is known.

It must not measure anything; it keeps apart what is independent of other measurements along
the same direction, and what is not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from pytest_gradcheck.numerics.screening.places import Box, Region
from pytest_gradcheck.numerics.screening.slabs import Slabs

__all__ = ["Excess"]

#: How uncertain a ratio of two residuals is, in units of how uncertain each is: by noise, and by
#: the rounding of claims, most of which is the same in both.
UNSURE = 1.5
ALIKE = 0.75


@dataclass(frozen=True, slots=True)
class Excess:
    """By how much more is claimed than measured in a region, and how well that is known.

    Attributes
    ----------
    region : Region
        Where.
    residual : float
        Along a direction.
    noise : float
        Bound on what noise does to it, which is another whenever one measures.
    rounding : float
        Bound on what the rounding of the claims in the region does to it, which is there
        however often one measures, and in every part of it what that part does.
    coded : float or None
        The residual with the coordinates weighted by a digit, where that is known.
    slabs : Slabs or None
        That digit says in which of these it is: what is read of a region serves its parts.
    mixed : bool
        Whether that digit is one by chance: several are off, in several slabs.
    depth : int
        How many cuts in a row left errors on both sides.
    across : bool
        Whether to cut the first axis next, and not the last.
    """

    region: Region
    residual: float
    noise: float
    rounding: float = 0.0
    coded: float | None = None
    slabs: Slabs | None = None
    mixed: bool = False
    depth: int = 0
    across: bool = False

    @property
    def bound(self) -> float:
        """How well the residual is known."""
        return self.noise + self.rounding

    @property
    def clear(self) -> float:
        """The residual in units of its bound."""
        return abs(self.residual) / self.bound if self.bound else math.inf

    @property
    def unsure(self) -> float:
        """How uncertain its ratio to the same residual, otherwise weighted, is."""
        if not self.residual:
            return math.inf
        return (UNSURE * self.noise + ALIKE * self.rounding) / abs(self.residual)

    @property
    def size(self) -> int:
        """How many coordinates the region has."""
        return sum(box.size for box in self.region)

    def minus(self, region: Region, part: Excess) -> Excess:
        """Return what is left of it in `region` without a part that was measured."""
        coded = None
        if self.coded is not None and part.coded is not None:
            coded = self.coded - part.coded
        return Excess(
            region,
            self.residual - part.residual,
            math.hypot(self.noise, part.noise),
            _without(self.rounding, part.rounding),
            coded,
            self.slabs,
        )

    def of(self, part: Excess) -> Excess:
        """Return what is known of a part that all of it is due to."""
        return replace(
            self,
            region=part.region,
            residual=part.residual,
            noise=part.noise,
            rounding=part.rounding,
        )

    def less(self, box: Box, share: float, bound: float) -> Excess:
        """Return what is left of it without the known share of a coordinate in the region."""
        coded = self.coded
        if coded is not None and self.slabs is not None:
            coded -= share * float(self.slabs.code.factors(0, box, box).item())
        return replace(self, residual=self.residual - share, noise=self.noise + bound, coded=coded)

    def within(self, region: Region, rounding: float) -> Excess:
        """Return the same, all of it being due to a part in which claims are rounded by so much.

        What the rounding of the others does is then no longer in what is measured of it.
        """
        noise = math.hypot(self.noise, _without(self.rounding, rounding))
        return replace(self, region=region, noise=noise, rounding=rounding)


def _without(whole: float, part: float) -> float:
    """Return the rounding of the rest: that of different claims adds up in squares."""
    return math.sqrt(max(whole**2 - part**2, 0.0))
