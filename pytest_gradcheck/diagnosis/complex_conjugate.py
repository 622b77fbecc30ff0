"""Diagnosis of a gradient that is the complex conjugate of the true one.

The claim with the signs of its imaginary parts changed must agree with every measurement. This
module does not evaluate functions, and it does not know which coordinates are imaginary parts.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.report.records import Diagnosis

__all__ = ["diagnose_conjugate"]

Floats = NDArray[np.float64]

#: An entry supports the diagnosis if its error bound is below this share of it.
LARGEST_RELATIVE_BOUND = 1e-2

#: Claims that differ by less than this, relatively, are equal.
RESOLUTION = 1e-9


def diagnose_conjugate(
    claim: Floats,
    value: Floats,
    bound: Floats,
    imaginary: NDArray[np.bool_],
    *,
    other: str | None,
) -> Iterator[Diagnosis]:
    """Test whether the complex conjugate of the claim explains every measurement.

    Parameters
    ----------
    claim, value, bound : ndarray, shape (n, m)
        The claimed derivatives of a parameter with a wrong entry, the measured ones, and
        their error bounds.
    imaginary : ndarray of bool, shape (n, m)
        Whether each derivative changes its sign under conjugation.
    other : str or None
        The convention for which the conjugate would be correct; None if there is none.

    Yields
    ------
    Diagnosis
        At most one.

    Examples
    --------
    >>> value, bound = np.array([[1.0], [2.0]]), np.full((2, 1), 1e-9)
    >>> imaginary = np.array([[False], [True]])
    >>> claim = np.array([[1.0], [-2.0]])
    >>> [d.kind for d in diagnose_conjugate(claim, value, bound, imaginary, other="jax")]
    ['conjugate']
    """
    known = np.isfinite(value) & np.isfinite(bound)
    supports = known & imaginary & (bound <= LARGEST_RELATIVE_BOUND * np.abs(value))
    count = int(np.count_nonzero(supports))
    error = np.abs(np.where(imaginary, -claim, claim) - value)[known]
    allowed = 2 * np.maximum(bound, RESOLUTION * np.abs(claim))[known]
    if not count or (error > allowed).any():
        return
    cause = (
        "a conj() missing, or one too many?"
        if other is None
        else f"the other convention? say convention={other!r}"
    )
    text = f"consistent with the complex conjugate of the true gradient: {cause}"
    yield Diagnosis("conjugate", text, {"imaginary": count})
