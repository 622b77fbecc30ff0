"""What is off by the same share of itself, read off two directions at no cost.

It must not evaluate the function: it compares what was seen already with what is claimed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pytest_gradcheck.numerics.measurement import Floats

__all__ = ["Common", "common_share"]

#: A share is told from chance when what it predicts is known to this part of itself.
CONVINCING = 0.03


@dataclass(frozen=True, slots=True)
class Common:
    """What is off by one share of itself.

    Attributes
    ----------
    segments : tuple of int
        Where.
    share, doubt : float
        By which share of the claims, and how uncertain it is.
    """

    segments: tuple[int, ...]
    share: float
    doubt: float


def common_share(residuals: Floats, bounds: Floats, claimed: Floats) -> Common | None:
    """Find segments whose claims are all off by one share of themselves.

    Fitted on one direction, tested on the other: everything first, then each segment.

    Parameters
    ----------
    residuals, bounds : ndarray, shape (2,)
        By how much more is claimed than measured along two directions, and how well that
        is known.
    claimed : ndarray, shape (2, segments)
        What is claimed along them, by segment.

    Returns
    -------
    Common or None
        None where no share explains both.

    Examples
    --------
    >>> claimed = np.array([[1.0, 2.0], [3.0, -1.0]])
    >>> residuals = 0.5 * claimed[:, 1]
    >>> common_share(residuals, np.full(2, 1e-9), claimed)
    Common(segments=(1,), share=0.5, doubt=5e-10)
    """
    segments = range(claimed.shape[1])
    for some in ([*segments], *([k] for k in segments)):
        first, second = claimed[:, some].sum(axis=1).tolist()
        if not first or not np.isfinite(first):
            continue
        share = float(residuals[0] / first)
        doubt = bounds[1] + bounds[0] * abs(second / first)
        apart = abs(residuals[1] - share * second)
        if apart <= doubt <= CONVINCING * abs(residuals[1]):
            return Common(tuple(some), share, float(bounds[0] / abs(first)))
    return None
