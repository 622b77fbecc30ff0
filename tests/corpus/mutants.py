"""How backward passes go wrong, and how wrong that makes them.

It must not know any tool: it changes gradients, and says by how much.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tests.corpus.family import Array, Case

__all__ = ["MUTANTS", "largest_relative_error", "visible_entries"]

#: From a gradient, its case and random numbers to a wrong one; None where it does not apply.
Change = Callable[[Array, Case, np.random.Generator], Array | None]

#: The smallest and the largest of each interval of valid claims.
Intervals = Sequence[tuple[Array, Array]]


def _one_entry(factor: float) -> Change:
    def change(g: Array, case: Case, rng: np.random.Generator) -> Array | None:
        nonzero = np.flatnonzero(g)
        if not nonzero.size:
            return None
        g.flat[rng.choice(nonzero)] *= factor
        return g

    return change


def _largest_entry(factor: float) -> Change:
    def change(g: Array, case: Case, rng: np.random.Generator) -> Array | None:
        g.flat[np.argmax(np.abs(g))] *= factor
        return g

    return change


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
    except Exception:  # noqa: BLE001  # backward may raise whatever it likes out of its domain
        return None
    return stale if np.isfinite(stale).all() else None


def _nan(g: Array, case: Case, rng: np.random.Generator) -> Array | None:
    g.flat[rng.integers(g.size)] = np.nan
    return g


def _weight_decay(g: Array, case: Case, rng: np.random.Generator) -> Array | None:
    return g + 0.01 * case.point


def _between_slopes(g: Array, case: Case, rng: np.random.Generator) -> Array | None:
    low, high = case.slopes()
    kinks = np.flatnonzero(low < high)
    if not (case.apart and kinks.size):
        return None
    i = rng.choice(kinks)
    g.flat[i] = low.flat[i] + 0.3 * (high.flat[i] - low.flat[i])
    return g


def _float32(g: Array, case: Case, rng: np.random.Generator) -> Array | None:
    with np.errstate(all="ignore"):
        return g.astype(np.float32).astype(np.float64)


MUTANTS: dict[str, Change] = {
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


def largest_relative_error(claim: Array, valid: Intervals, seen: Array | None = None) -> float:
    """Return by how much the worst entry of a claim is wrong, relatively.

    An entry that should be zero is measured against the largest. Where some entries'
    errors are seen, only those count.
    """
    if not np.isfinite(claim).all():
        return float("inf")
    size = np.max(np.abs(valid), axis=(0, 1))
    size = np.where(size > 0, size, max(float(size.max()), np.finfo(float).tiny))
    errors = _distance(claim, valid) / size
    return float(np.max(errors if seen is None or not seen.any() else errors[seen]))


def visible_entries(case: Case, claim: Array, valid: Intervals) -> Array:
    """Tell which errors move forward by more than a hundred roundings over the entry's size.

    An error below that is within the condition error of the function: claim and
    truth are derivatives of one and the same float64 function. Where forward varies
    over a length of its own, that is how far an error is followed, and rounding
    each argument moves the value, too. An error within the rounding of the right
    gradient is none.
    """
    point = np.abs(case.point.astype(np.float64))
    value = abs(float(case.forward(case.point.copy())))
    if case.length is None:
        reach = np.where(point > 0, point, 1.0)
    else:
        reach = np.asarray(case.length)
        value += float(np.sum(point * np.max(np.abs(valid), axis=(0, 1))))
    error = np.maximum(_distance(claim, valid) - case.rounding, 0)
    seen: Array = (error * reach > 100 * np.finfo(float).eps * value) | ~np.isfinite(claim)
    return seen


def _distance(claim: Array, valid: Intervals) -> Array:
    """Return how far each entry of a claim lies from the nearest valid one."""
    beyond = [np.maximum(low - claim, claim - high) for low, high in valid]
    return np.array(np.maximum(np.min(beyond, axis=0), 0))
