"""Mutants of a gradient: the ways in which hand-written backward passes go wrong.

As in mutation testing, each mutant is a small, typical mistake that a check ought to find. The
module also computes how large the error is and whether it is visible in forward's values. It does
not know any tool that checks gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tests.corpus.family import Array, Case

__all__ = ["MUTANTS", "largest_relative_error", "visible_entries"]

#: ``mutation(gradient, case, rng)`` returns a wrong gradient, or None where it does not apply. It
#: may change the gradient in place.
Mutation = Callable[[Array, Case, np.random.Generator], Array | None]

#: The ends of each interval of valid claims.
Intervals = Sequence[tuple[Array, Array]]


def _one_entry(factor: float) -> Mutation:
    def mutation(g: Array, case: Case, rng: np.random.Generator) -> Array | None:
        nonzero = np.flatnonzero(g)
        if not nonzero.size:
            return None
        g.flat[rng.choice(nonzero)] *= factor
        return g

    return mutation


def _largest_entry(factor: float) -> Mutation:
    def mutation(g: Array, case: Case, rng: np.random.Generator) -> Array | None:
        g.flat[np.argmax(np.abs(g))] *= factor
        return g

    return mutation


def _sign(g: Array, case: Case, rng: np.random.Generator) -> Array | None:
    return -g


def _factor(g: Array, case: Case, rng: np.random.Generator) -> Array | None:
    return 2 * g


def _swap(g: Array, case: Case, rng: np.random.Generator) -> Array | None:
    if g.size < 2:
        return None
    a, b = rng.permutation(g.size)[:2]
    g.flat[a], g.flat[b] = g.flat[b], g.flat[a]
    return g


def _transpose(g: Array, case: Case, rng: np.random.Generator) -> Array | None:
    return g.T.reshape(g.shape) if g.ndim == 2 else None


def _roll(g: Array, case: Case, rng: np.random.Generator) -> Array | None:
    return np.roll(g, 1)


def _missing_sum(g: Array, case: Case, rng: np.random.Generator) -> Array | None:
    return np.broadcast_to(g[:1], g.shape).copy() if g.ndim == 2 else None


def _mean_for_sum(g: Array, case: Case, rng: np.random.Generator) -> Array | None:
    return g / len(g) if len(g) > 1 else None


def _last_unwritten(g: Array, case: Case, rng: np.random.Generator) -> Array | None:
    g[-1] = 0
    return g


def _stale(g: Array, case: Case, rng: np.random.Generator) -> Array | None:
    shift = 1e-2 * rng.normal(size=g.shape)
    try:
        with np.errstate(all="ignore"):
            stale = case.gradient(case.point * (1 + shift).astype(case.point.dtype))
    except Exception:  # noqa: BLE001  # outside of its domain backward may raise anything
        return None
    return stale if np.isfinite(stale).all() else None


def _nan(g: Array, case: Case, rng: np.random.Generator) -> Array | None:
    g.flat[rng.integers(g.size)] = np.nan
    return g


def _weight_decay(g: Array, case: Case, rng: np.random.Generator) -> Array | None:
    return g + 0.01 * case.point


def _between_slopes(g: Array, case: Case, rng: np.random.Generator) -> Array | None:
    low, high = case.subgradient_range()
    kinks = np.flatnonzero(low < high)
    if not (case.isolated_kink and kinks.size):
        return None
    i = rng.choice(kinks)
    g.flat[i] = low.flat[i] + 0.3 * (high.flat[i] - low.flat[i])
    return g


def _float32(g: Array, case: Case, rng: np.random.Generator) -> Array | None:
    with np.errstate(all="ignore"):
        return g.astype(np.float32).astype(np.float64)


MUTANTS: dict[str, Mutation] = {
    "sign": _sign,
    "factor 2": _factor,
    "entry missing": _one_entry(0.0),
    "entry 1% off": _one_entry(1.01),
    "entry 0.1% off": _one_entry(1.001),
    "entry 1e-4 off": _one_entry(1.0001),
    "largest 0.1% off": _largest_entry(0.999),
    "largest 1e-4 off": _largest_entry(1.0001),
    "swap": _swap,
    "transpose": _transpose,
    "roll": _roll,
    "sum missing": _missing_sum,
    "mean for sum": _mean_for_sum,
    "last unwritten": _last_unwritten,
    "stale point": _stale,
    "weight decay": _weight_decay,
    "one NaN": _nan,
    "float32 cast": _float32,
    "between slopes": _between_slopes,
}


def largest_relative_error(claim: Array, valid: Intervals, visible: Array | None = None) -> float:
    """Return the relative error of the worst entry of a claim.

    The error of an entry that should be zero is relative to the largest entry.

    Parameters
    ----------
    claim : ndarray
        The claimed gradient.
    valid : sequence of (ndarray, ndarray)
        The intervals of valid claims.
    visible : ndarray of bool, optional
        Which entries' errors are visible. Where any is, the others do not count.

    Returns
    -------
    float
        Infinite where an entry is not finite.
    """
    if not np.isfinite(claim).all():
        return float("inf")
    size = np.max(np.abs(valid), axis=(0, 1))
    size = np.where(size > 0, size, max(float(size.max()), np.finfo(float).tiny))
    errors = _absolute_error(claim, valid) / size
    return float(np.max(errors if visible is None or not visible.any() else errors[visible]))


def visible_entries(case: Case, claim: Array, valid: Intervals) -> Array:
    """Return which errors change forward's value by more than 100 roundings.

    The change is the error times the magnitude of the entry, or times the length scale where the
    case has one; then the rounding of the arguments counts as well as that of the value. A
    smaller error is within the conditioning of the function: claim and truth are derivatives of
    the same float64 function. An error within `Case.rounding` is no error.

    Parameters
    ----------
    case : Case
        The function and the point.
    claim : ndarray
        The claimed gradient.
    valid : sequence of (ndarray, ndarray)
        The intervals of valid claims.

    Returns
    -------
    ndarray of bool
        One for each entry; true for entries that are not finite.
    """
    point = np.abs(case.point.astype(np.float64))
    value = abs(float(case.forward(case.point.copy())))
    if case.length is None:
        distance = np.where(point > 0, point, 1.0)
    else:
        distance = np.asarray(case.length)
        value += float(np.sum(point * np.max(np.abs(valid), axis=(0, 1))))
    error = np.maximum(_absolute_error(claim, valid) - case.rounding, 0)
    visible: Array = (error * distance > 100 * np.finfo(float).eps * value) | ~np.isfinite(claim)
    return visible


def _absolute_error(claim: Array, valid: Intervals) -> Array:
    """Return the distance of each entry of a claim to the nearest valid value."""
    distances = [np.maximum(low - claim, claim - high) for low, high in valid]
    return np.array(np.maximum(np.min(distances, axis=0), 0))
