"""Copies of the user's data, and what differs from them after a call.

It must not call anything.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.tree import (
    SIMPLE,
    LeafNames,
    accessors,
    contents,
    holds_only,
    is_number_list,
    replaced,
)

__all__ = ["copy_data", "differences", "equal"]


def copy_data(name: str, value: Any, checked: LeafNames) -> Any:
    """Copy arrays and containers; pass everything else through.

    Random generators pass through too: they are put back by `Replay`. Checked leaves are
    left out: they have their place in the point.
    """
    if name in checked:
        return None
    if isinstance(value, np.ndarray):
        return value.copy(order="K") if value.dtype != object else value
    inside = contents(value)
    if inside is not None:
        if holds_only(inside, SIMPLE) and not checked.any_within(name):
            return replaced(value, inside)
        named = zip(accessors(value), inside, strict=True)
        return replaced(value, [copy_data(name + a, item, checked) for a, item in named])
    if is_number_list(value):
        return copy.deepcopy(value)
    return value


def equal(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell entry by entry whether two arrays are the same, NaN as NaN."""
    same = a == b
    if a.dtype.kind in "fc" and b.dtype.kind in "fc" and not np.all(same):
        same = same | (np.isnan(a) & np.isnan(b))
    return np.asarray(same)


def differences(name: str, before: Any, after: Any, checked: LeafNames) -> Iterable[str]:
    """Yield accessors of what differs between two copies of an argument, checked leaves aside."""
    if before is after or name in checked:
        return
    if isinstance(before, np.ndarray):
        same = (
            isinstance(after, np.ndarray)
            and before.shape == after.shape
            and bool(equal(before, after).all())
        )
        if not same:
            yield name
        return
    inside, inside_after = contents(before), contents(after)
    if inside is None or inside_after is None:
        if type(before) in (int, float, complex, bool, str, list) and before != after:
            yield name
        return
    if _are_simply_equal(before, inside, after, inside_after):
        return
    named = list(accessors(before))
    if named != list(accessors(after)):
        yield name
        return
    for accessor, old, new in zip(named, inside, inside_after, strict=True):
        yield from differences(name + accessor, old, new, checked)


def _are_simply_equal(
    before: Any, inside: Sequence[Any], after: Any, inside_after: Sequence[Any]
) -> bool:
    """Tell containers that hold the same simple values, without a look at each."""
    if type(before) is not type(after) or type(before) not in (dict, list, tuple):
        return False
    if not (holds_only(inside, SIMPLE) and holds_only(inside_after, SIMPLE)):
        return False
    keys_are_equal = not isinstance(before, dict) or list(before) == list(after)
    return keys_are_equal and inside == inside_after
