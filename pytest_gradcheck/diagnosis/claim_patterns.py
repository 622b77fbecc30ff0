"""Patterns of the wrong claims themselves: zero, constant, of lower precision, the same elsewhere.

They predict no gradient. They are said where no hypothesis explains the measurements.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pytest_gradcheck.diagnosis.agreement import counted, digits_of_agreement
from pytest_gradcheck.diagnosis.comparison import Comparison
from pytest_gradcheck.diagnosis.gradient import ClaimedGradient, Floats
from pytest_gradcheck.report.report_data import Diagnosis

__all__ = ["claim_patterns", "frozen_claims", "overwritten_claims", "repeated_claims"]

#: Claims agree but for their precision where they differ by at most this share of the largest ...
APPROXIMATE = 1e-4

#: ... and those of a lower precision where they differ by at most so many of its roundings.
ROUNDINGS = 32.0

#: Numbers of a type have more than this share of its binary digits.
SHARE_OF_DIGITS = 0.6

#: The fewest claims that show a pattern of numbers.
FEWEST = 3

#: A claim that is no number of this precision has digits that could be missing.
TYPES = (np.float16, np.float32)


def claim_patterns(comparison: Comparison, *, is_automatic: bool = False) -> Iterator[Diagnosis]:
    """Yield the first pattern of the wrong claims of a parameter: zero, or too few digits."""
    if comparison.is_wrong.any():
        found = _zero(comparison, is_automatic=is_automatic) or _imprecise(comparison)
        if found is not None:
            yield found


def _zero(comparison: Comparison, *, is_automatic: bool) -> Diagnosis | None:
    """Return that every wrong claim is exactly zero."""
    claimed = comparison.claimed
    if claimed[comparison.is_wrong].any():
        return None
    count = int(np.count_nonzero(comparison.is_wrong))
    cause = "detached in forward, or None?" if is_automatic else "a term missing?"
    if comparison.gradient.claim.any():
        cause = "never written?"
    entries = counted(count, "entry", "entries")
    text = f"backward gives zero, the gradient does not vanish in {entries}: {cause}"
    return Diagnosis("zero", f"{text}{comparison.outputs}", {"factor": 0.0, "entries": count})


def frozen_claims(gradient: ClaimedGradient) -> Diagnosis | None:
    """Return that backward gives the very same claims at another point."""
    claim, elsewhere = gradient.claim, gradient.elsewhere()
    if elsewhere is None or not claim.any() or (claim != elsewhere).any():
        return None
    text = "backward gives the same gradient at another point: a stale cache?"
    return Diagnosis("stale", text, {})


def overwritten_claims(gradient: ClaimedGradient) -> Diagnosis | None:
    """Return that two uses of a parameter have the gradient of one: it is set, and not added to.

    By the objects of an engine in which gradients are accumulated, that of two is the sum.
    """
    claim, twice = gradient.claim, gradient.of_two_uses()
    if twice is None or not claim.any() or not np.allclose(twice, claim, rtol=1e-9, atol=0):
        return None
    text = (
        f"used once more, {gradient.name} has the same gradient, not a sum: .grad is set where it "
        "is to be added to (+=)?"
    )
    return Diagnosis("overwritten", text, {})


def repeated_claims(comparison: Comparison) -> Diagnosis | None:
    """Return along which axis all claims are the same, although the gradient varies."""
    claim = comparison.gradient.claim
    if not comparison.gradient.is_array or not claim.any():
        return None
    for axis, length in enumerate(claim.shape[:-1]):
        if length == 1 or (claim != claim.take([0], axis)).any():
            continue
        if _is_constant_along(axis, comparison):
            continue
        along = f" along axis {axis}" if claim.ndim > 2 else ""
        text = (
            f"the claim is the same for all entries{along}, the gradient is not: a sum or a mean "
            "over an axis too many, or a broadcast?"
        )
        return Diagnosis("repeated", f"{text}{comparison.outputs}", {"axis": axis})
    return None


def _is_constant_along(axis: int, comparison: Comparison) -> bool:
    """Return whether the gradient was measured at several places along an axis, and is the same.

    In a screen there may be no two such entries.
    """
    entries, axes = comparison.without_directions, comparison.gradient.claim.shape[:-1]
    chosen = entries.functionals.entries
    places = list(np.unravel_index(np.arange(np.prod(axes)) if chosen is None else chosen, axes))
    places[axis] = np.zeros_like(places[axis])
    line = np.ravel_multi_index(tuple(places), axes)
    bound = np.where(entries.where, entries.bound, np.inf)
    value = np.where(entries.where, entries.value, 0.0)
    shape = (int(np.prod(axes)), value.shape[1])
    low, high = np.full(shape, -np.inf), np.full(shape, np.inf)
    np.maximum.at(low, line, value - bound)
    np.minimum.at(high, line, value + bound)
    return len(np.unique(line)) < len(line) and bool((low <= high).all())


def _imprecise(comparison: Comparison) -> Diagnosis | None:
    """Return that the claims agree to a few digits, and whether they are of a coarser type."""
    entries = comparison.without_directions
    claimed, known = entries.claimed, entries.where
    largest = float(np.abs(entries.value[known]).max(initial=0.0))
    if not largest:
        return None
    error = np.abs(claimed - entries.value)[known] / largest
    worst, count = float(error.max()), int(np.count_nonzero(entries.is_wrong))
    nonzero = int(np.count_nonzero(known & (claimed != 0)))
    coarse = _coarse_type(claimed[known])
    if coarse is None and (count < FEWEST or 2 * count < nonzero):
        return None
    limit = APPROXIMATE if coarse is None else ROUNDINGS * float(np.finfo(coarse).eps)
    if worst > limit:
        return None
    digits = digits_of_agreement(worst)
    cause = (
        "an approximation, or a lower precision inside?"
        if coarse is None
        else f"every claim is a {np.dtype(coarse).name} number: that precision inside?"
    )
    text = f"consistent with the true gradient to {counted(digits, 'digit')} only: {cause}"
    return Diagnosis("precision", f"{text}{comparison.outputs}", {"digits": digits})


def _coarse_type(claims: Floats) -> type[np.floating] | None:
    """Return the coarser type that all claims are numbers of, None if there is none.

    Some of them must have most of the digits of that type.
    """
    for coarse in TYPES:
        mantissa, _ = np.frexp(claims)
        digits = mantissa * 2.0 ** (SHARE_OF_DIGITS * np.finfo(coarse).nmant)
        with np.errstate(all="ignore"):
            is_coarse = bool((claims.astype(coarse) == claims).all())
        if is_coarse and np.count_nonzero(digits != np.rint(digits)) >= FEWEST:
            return coarse
    return None
