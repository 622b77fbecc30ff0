"""Diagnosis of a gradient that is a constant multiple of the true one.

The factor is the ratio of claim to measurement at the best measured entry, rounded to a simple
fraction if one is close. It is reported only if it explains every measurement within its error
bound: a missing 1/N, a stray 2, a flipped sign, or no gradient at all. This module does not
evaluate functions.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.report.records import Diagnosis

__all__ = ["diagnose_constant_factor", "diagnose_relative_error"]

Floats = NDArray[np.float64]

#: The largest integer that is reported as a factor, or as its reciprocal.
LARGEST_INTEGER = 10_000_000

#: The largest numerator or denominator of a fraction that is reported as a factor.
LARGEST_TERM = 12

#: An entry supports a factor if its error bound is below this share of it.
LARGEST_RELATIVE_BOUND = 1e-2

#: Factors that differ by less than this, relatively, are equal.
RESOLUTION = 1e-9


def diagnose_constant_factor(claim: Floats, value: Floats, bound: Floats) -> tuple[Diagnosis, ...]:
    """Test whether the gradient of one parameter is a constant multiple of the true one.

    Parameters
    ----------
    claim, value, bound : ndarray, shape (n, m)
        The claimed derivatives of a parameter with a wrong entry, the measured ones, and
        their error bounds.

    Returns
    -------
    tuple of Diagnosis
        The factor, if it explains every measurement within its error bound; else empty.

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


def diagnose_relative_error(relative_error: float, uncertainty: float) -> Diagnosis:
    """Return the factor that a common relative error of all claims of a parameter means.

    Parameters
    ----------
    relative_error : float
        ``(claim - gradient) / claim``, from directional derivatives.
    uncertainty : float
        The absolute error of `relative_error`.

    Returns
    -------
    Diagnosis
        The factor between claim and gradient, ``1 / (1 - relative_error)``.

    Examples
    --------
    >>> diagnose_relative_error(0.5, 1e-9).text
    'consistent with 2 x the true gradient (along two directions, to 8 digits): a stray factor 2?'
    """
    inverse = 1 - relative_error
    if abs(inverse) <= uncertainty:
        text = "numerically zero along two directions: does forward use it at all?"
        return Diagnosis("factor", text, {"factor": float("inf")})
    margin = max(uncertainty / abs(inverse), RESOLUTION)
    fraction = _simple_fraction(1 / inverse, margin)
    factor = 1 / inverse if fraction is None else float(fraction)
    digits = max(1, int(-np.log10(margin)))
    number = f"{factor:.{max(6, digits)}g}" if fraction is None else str(fraction)
    text = (
        f"consistent with {number} x the true gradient (along two directions, to {digits} "
        f"digits): {_cause(fraction)}"
    )
    return Diagnosis("factor", text, {"factor": factor, "digits": digits})


def _constant_factor(claim: Floats, value: Floats, bound: Floats) -> Diagnosis | None:
    """Return the factor between the claim and the true gradient, if there is one."""
    supports = bound <= LARGEST_RELATIVE_BOUND * np.abs(value)
    nonzero = int(np.count_nonzero(supports))
    if nonzero == 0:
        return None
    ratios = claim[supports] / value[supports]
    uncertainties = bound[supports] / np.abs(value[supports])
    best = int(np.argmin(uncertainties))
    factor = float(ratios[best])
    fraction = _simple_fraction(factor, max(4 * float(uncertainties[best]), RESOLUTION))
    if fraction is not None:
        factor = float(fraction)
    error = np.abs(claim - factor * value)
    explained = error <= 2 * np.maximum(abs(factor) * bound, RESOLUTION * np.abs(claim))
    if not explained.all() or factor == 1 or (nonzero == 1 and fraction is None):
        return None
    if factor == 0:
        return _zero_claim(nonzero)
    return _describe_factor(factor, fraction, nonzero, ratios)


def _simple_fraction(factor: float, margin: float) -> Fraction | None:
    """Return the simple fraction within the relative `margin` of `factor`, if there is one."""
    if factor == 0:
        return Fraction(0)
    if not 1 / LARGEST_INTEGER <= abs(factor) <= LARGEST_INTEGER:
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
