"""Hypotheses that wrong claims are right at other places among the wrong ones.

Two rows are exchanged, some rows are in reverse order or rolled, or single entries are permuted.
What the places are follows from the verdicts; the permutation of single entries follows from the
measurements, which costs digits of evidence.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import numpy as np

from pytest_gradcheck.diagnosis.comparison import Comparison
from pytest_gradcheck.diagnosis.gradient import Booleans, Indices
from pytest_gradcheck.diagnosis.hypothesis import Hypothesis
from pytest_gradcheck.diagnosis.lazy_arrays import Index, Rearranged

__all__ = ["exchanged_entries"]

#: The most entries whose permutation is a hypothesis.
MOST_PERMUTED = 100_000


def exchanged_entries(comparison: Comparison) -> Iterator[Hypothesis]:
    """Yield the hypotheses that some of the wrong claims belong to others of them."""
    if not comparison.gradient.is_array:
        return
    wrong, unknown = comparison.suspects, _unknown(comparison)
    yield from _exchanged_slices(comparison, wrong)
    if (unknown & ~wrong).any():
        yield from _exchanged_slices(comparison, wrong | unknown)
    yield from _permuted(comparison)


def _unknown(comparison: Comparison) -> Booleans:
    """Return which claims may be as wrong as the wrong ones, for all that was measured of them."""
    wrong, shape = comparison.suspects, comparison.gradient.claim.shape
    if not comparison.is_sweep or not comparison.is_wrong.any():
        return np.zeros_like(wrong)
    gap = np.abs(comparison.claimed - comparison.value)[comparison.is_wrong]
    return np.asarray(~(comparison.bound < gap.max())).reshape(shape)


def _exchanged_slices(comparison: Comparison, wrong: Booleans) -> Iterator[Hypothesis]:
    """Yield those that exchange, reverse or roll the indices of one axis that may be wrong."""
    gradient = comparison.gradient
    claim, axes = gradient.claim, gradient.axes
    for axis, length in enumerate(claim.shape):
        is_output = axis == len(axes)
        indices = _wrong_indices(wrong, axis)
        if not 2 <= len(indices) < length:
            continue
        name = "the outputs" if is_output else gradient.name
        along = "" if is_output or len(axes) == 1 else f" along axis {axis}"
        listed = f"{indices[0]} and {indices[-1]}"
        part = f"{name} from index {indices[0]} to {indices[-1]}"
        orders = list[tuple[Indices, str, str]]()
        if len(indices) <= 3:  # of three, the middle one stays
            text = f"indices {listed} of {name} exchanged{along}"
            orders.append((indices[::-1], text, "exchanged"))
        elif (np.diff(indices) == 1).all():
            orders.append((indices[::-1], f"{part} in reverse order{along}", "reversed"))
        if len(indices) > 2 and (np.diff(indices) == 1).all():
            orders += [
                (np.roll(indices, -shift), f"{part} rolled by {shift}{along}", "roll")
                for shift in (1, -1)
            ]
        for order, words, kind in orders:
            table = np.arange(length)
            table[indices] = order
            moved = (
                claim[..., table] if is_output else Rearranged(claim, partial(_along, axis, table))
            )
            yield Hypothesis(
                "outputs" if is_output else kind,
                f"consistent with {words} ({{agreement}}): an index?",
                moved,
                rank=1 if kind == "exchanged" else 2,
            )


def _along(axis: int, table: Indices, index: Index) -> Index:
    """Return where the entries are, given where the indices of an axis are."""
    return (*index[:axis], table[index[axis]], *index[axis + 1 :])


def _wrong_indices(wrong: Booleans, axis: int) -> Indices:
    rest = tuple(k for k in range(wrong.ndim) if k != axis)
    return np.flatnonzero(wrong.any(axis=rest))


def _permuted(comparison: Comparison) -> Iterator[Hypothesis]:
    """Yield the permutation that sorts wrong claims as their measurements are sorted."""
    entries = comparison.without_directions
    claim, shape = entries.gradient.claim, entries.gradient.claim.shape
    rows = claim.reshape(-1, shape[-1])
    if shape[-1] > 1 or not 2 <= np.count_nonzero(entries.is_wrong) <= MOST_PERMUTED:
        return
    coordinates = entries.functionals.entries
    if coordinates is None:
        coordinates = np.arange(len(rows))
    chosen = entries.is_wrong[:, 0]
    where, values = coordinates[chosen], entries.value[chosen, 0]
    claims = rows[where, 0]
    if (claims == claims[0]).all() or not np.isfinite(values).all():
        return
    moved = rows.copy()
    by_value = np.argsort(values)
    moved[where[by_value], 0] = np.sort(claims)
    count = len(where)
    words = f"the true gradient with {count:,} entries at other places"
    if count == 2:
        words = "the true gradient with two entries exchanged"
    yield Hypothesis(
        "exchanged" if count == 2 else "permutation",
        f"consistent with {words} ({{agreement}}): an index, or another order?",
        moved.reshape(shape),
        rank=1 if count == 2 else 3,
        cost=math.lgamma(count + 1) / math.log(10),
    )
