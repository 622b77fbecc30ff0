"""Claims over a factor that they may have been multiplied by."""

from __future__ import annotations

import numpy as np

from pytest_gradcheck.diagnosis.gradient import Floats

__all__ = ["quotient"]


def quotient(claim: Floats, factor: Floats) -> Floats:
    """Return claims over a factor: NaN, which predicts nothing, where both vanish or it overflows.

    Examples
    --------
    >>> quotient(np.array([6.0, 0.0, 1.0]), np.array([2.0, 0.0, 0.0]))
    array([ 3., nan, inf])
    >>> quotient(np.array([6.0]), np.array([np.inf]))
    array([nan])
    """
    with np.errstate(all="ignore"):
        return np.where(np.isinf(factor), np.nan, claim / factor)
