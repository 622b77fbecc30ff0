"""A second central pair at a smaller step, and the value extrapolated from the two.

It must not decide what becomes of a coordinate; it says whether curvature shrinks away.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pytest_gradcheck.numerics.central_difference import CentralPairs
from pytest_gradcheck.numerics.coordinate_block import Block
from pytest_gradcheck.numerics.measurement import Booleans, Floats

__all__ = ["NARROWER", "Narrower", "extrapolate_pairs"]

#: How much smaller the second step is.
NARROWER = 4.0


@dataclass(frozen=True, slots=True)
class Narrower:
    """What two pairs at k coordinates show of m outputs together.

    Attributes
    ----------
    pairs : CentralPairs
        The narrower ones.
    value : ndarray, shape (k, m)
        Derivatives, extrapolated from both.
    spread : ndarray, shape (k, m)
        How far they may be off by what was extrapolated away, and by noise.
    error : ndarray, shape (k, m)
        How far they are from the claims.
    shrinks, agrees : ndarray of bool, shape (k, m)
        Whether slopes to both sides come closer to each other, and whether derivatives
        then agree with the claims.
    """

    pairs: CentralPairs
    value: Floats
    spread: Floats
    error: Floats
    shrinks: Booleans
    agrees: Booleans

    @property
    def bound(self) -> Floats:
        """Bound on the errors of derivatives that agree with their claims."""
        return self.spread + self.error


def extrapolate_pairs(block: Block, first: CentralPairs) -> Narrower:
    """Measure pairs at a smaller step than those before.

    Parameters
    ----------
    block : Block
        The coordinates with their claims.
    first : CentralPairs
        What they showed.

    Returns
    -------
    Narrower
        Two evaluations each.
    """
    second = block.pairs(first.step / NARROWER)
    value = second.value + (second.value - first.value) / (NARROWER**2 - 1)
    spread = np.abs(value - second.value) + 1.1 * second.noise
    error = np.abs(value - block.claim)
    size = np.maximum(np.abs(value), np.abs(block.claim))
    shrinks = np.abs(second.bend) <= np.abs(first.bend) / 2 + second.noise
    near = error <= np.maximum(block.agreement * size, spread)
    return Narrower(second, value, spread, error, shrinks, shrinks & near)
