"""From the pattern of a wrong gradient to its likely cause.

It must not evaluate anything: every hypothesis is tested on what was measured,
and one that does not explain all of it is not mentioned.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.report.report_data import Diagnosis

__all__ = ["diagnose_constant_factor", "diagnose_relative_error"]

Floats = NDArray[np.float64]

#: A factor is named as a whole number up to this, as one over it ...
LARGEST_WHOLE = 10_000_000

#: ... or as a fraction of numbers up to this.
LARGEST_TERM = 12

#: An entry speaks for a factor when its bound is below this share of it.
CLEAR = 1e-2

#: Factors are told apart to this relative difference at best.
FINEST = 1e-9


def diagnose_constant_factor(claim: Floats, value: Floats, bound: Floats) -> tuple[Diagnosis, ...]:
    """Test what could have gone wrong with one parameter's gradient.

    Parameters
    ----------
    claim, value, bound : ndarray, shape (n, m)
        What backward says, what was measured, and how well; a parameter with
        a wrong entry.

    Returns
    -------
    tuple of Diagnosis
        Those that explain every measurement within its bound; empty for none.

    Examples
    --------
    >>> import numpy as np
    >>> value = np.array([[1.0], [2.5]])
    >>> diagnoses = diagnose_constant_factor(2 * value, value, np.full((2, 1), 1e-9))
    >>> [diagnosis.evidence["factor"] for diagnosis in diagnoses]
    [2.0]
    """
    known = np.isfinite(value) & np.isfinite(bound)
    factor = _constant_factor(claim[known], value[known], bound[known])
    return () if factor is None else (factor,)


def diagnose_relative_error(share: float, doubt: float) -> Diagnosis:
    """Say what it means that a share of a claim is too much, by what directions show.

    Parameters
    ----------
    share : float
        Which part of the claim is not in the true gradient.
    doubt : float
        How uncertain that is.

    Returns
    -------
    Diagnosis
        The factor between claim and gradient.

    Examples
    --------
    >>> diagnose_relative_error(0.5, 1e-9).text
    'consistent with 2 x the true gradient (along two directions, to 8 digits): a stray factor 2?'
    """
    rest = 1 - share
    if abs(rest) <= doubt:
        text = "numerically zero along two directions: does forward use it at all?"
        return Diagnosis("factor", text, {"factor": float("inf")})
    margin = max(doubt / abs(rest), FINEST)
    fraction = _simple_fraction(1 / rest, margin)
    factor = 1 / rest if fraction is None else float(fraction)
    digits = max(1, int(-np.log10(margin)))
    number = f"{factor:.{max(6, digits)}g}" if fraction is None else str(fraction)
    text = (
        f"consistent with {number} x the true gradient (along two directions, to {digits} "
        f"digits): {_cause(fraction)}"
    )
    return Diagnosis("factor", text, {"factor": factor, "digits": digits})


def _constant_factor(claim: Floats, value: Floats, bound: Floats) -> Diagnosis | None:
    """Test whether the claim is one number times the true gradient."""
    clear = bound <= CLEAR * np.abs(value)
    nonzero = int(np.count_nonzero(clear))
    if nonzero == 0:
        return None
    ratios = claim[clear] / value[clear]
    doubts = bound[clear] / np.abs(value[clear])
    best = int(np.argmin(doubts))
    factor = float(ratios[best])
    fraction = _simple_fraction(factor, max(4 * float(doubts[best]), FINEST))
    if fraction is not None:
        factor = float(fraction)
    error = np.abs(claim - factor * value)
    explained = error <= 2 * np.maximum(abs(factor) * bound, FINEST * np.abs(claim))
    if not explained.all() or factor == 1 or (nonzero == 1 and fraction is None):
        return None
    if factor == 0:
        return _zero_claim(nonzero)
    return _describe_factor(factor, fraction, nonzero, ratios)


def _simple_fraction(factor: float, margin: float) -> Fraction | None:
    """Return the simple fraction within the relative `margin` of `factor`, if there is one."""
    if factor == 0:
        return Fraction(0)
    if not 1 / LARGEST_WHOLE <= abs(factor) <= LARGEST_WHOLE:
        return None
    near = Fraction(factor).limit_denominator(LARGEST_TERM)
    candidates = [Fraction(round(factor)), Fraction(1, round(1 / factor) or 1)]
    if abs(near.numerator) <= LARGEST_TERM:
        candidates.append(near)
    for candidate in candidates:
        if candidate and abs(float(candidate) / factor - 1) <= margin:
            return candidate
    return None


def _zero_claim(nonzero: int) -> Diagnosis:
    entries = "1 entry" if nonzero == 1 else f"{nonzero} entries"
    text = f"backward gives zero, the gradient does not vanish in {entries}: a term missing?"
    return Diagnosis("zero", text, {"factor": 0.0, "nonzero": nonzero})


def _describe_factor(
    factor: float, fraction: Fraction | None, nonzero: int, ratios: Floats
) -> Diagnosis:
    deviation = float(np.abs(ratios / factor - 1).max())
    digits = 15 if deviation == 0 else min(15, int(-np.log10(deviation)))
    number = f"{factor:.6g}" if fraction is None else str(fraction)
    text = (
        f"consistent with {number} x the true gradient "
        f"({nonzero} of {nonzero} nonzero entries, to {digits} digits): {_cause(fraction)}"
    )
    return Diagnosis("factor", text, {"factor": factor, "nonzero": nonzero, "digits": digits})


def _cause(fraction: Fraction | None) -> str:
    if fraction is None:
        return "a stray factor?"
    if fraction == -1:
        return "a flipped sign?"
    size = abs(fraction)
    sign = " and a flipped sign" if fraction < 0 else ""
    if size.numerator == 1 and size.denominator > 1:
        return f"a factor {size.denominator} missing{sign}?"
    return f"a stray factor {size}{sign}?"
