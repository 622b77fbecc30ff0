"""Whether a wrong gradient is the complex conjugate of the true one.

It must not evaluate anything or know which coordinates belong to what: it is
told which derivatives change their sign under conjugation.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.report.report_data import Diagnosis

__all__ = ["diagnose_conjugate"]

Floats = NDArray[np.float64]

#: An entry speaks for the conjugate when its bound is below this share of it.
CLEAR = 1e-2

#: Claims are told apart to this relative difference at best.
FINEST = 1e-9


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
        What backward says, what was measured, and how well; a parameter with
        a wrong entry.
    imaginary : ndarray of bool, shape (n, m)
        Which derivatives change their sign under conjugation.
    other : str or None
        The convention by which the conjugate would be right, None where none is.

    Yields
    ------
    Diagnosis
        One, or none.

    Examples
    --------
    >>> value, bound = np.array([[1.0], [2.0]]), np.full((2, 1), 1e-9)
    >>> imaginary = np.array([[False], [True]])
    >>> claim = np.array([[1.0], [-2.0]])
    >>> [d.kind for d in diagnose_conjugate(claim, value, bound, imaginary, other="jax")]
    ['conjugate']
    """
    known = np.isfinite(value) & np.isfinite(bound)
    clear = known & imaginary & (bound <= CLEAR * np.abs(value))
    count = int(np.count_nonzero(clear))
    error = np.abs(np.where(imaginary, -claim, claim) - value)[known]
    allowed = 2 * np.maximum(bound, FINEST * np.abs(claim))[known]
    if not count or (error > allowed).any():
        return
    cause = (
        "a conj() missing, or one too many?"
        if other is None
        else f"the other convention? say convention={other!r}"
    )
    text = f"consistent with the complex conjugate of the true gradient: {cause}"
    yield Diagnosis("conjugate", text, {"imaginary": count})
