"""Copies of the user's data, and what differs from them after a call.

It must not call anything.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.tree import children, is_number_list, replaced

__all__ = ["copy_data", "differences", "equal"]


def copy_data(name: str, value: Any, checked: Collection[str]) -> Any:
    """Copy arrays and containers; pass everything else through.

    Random generators pass through too: they are put back by `Replay`. Checked leaves are
    left out: they have their place in the point.
    """
    if name in checked:
        return None
    if isinstance(value, np.ndarray):
        return value.copy(order="K") if value.dtype != object else value
    inside = children(value)
    if inside is not None:
        parts = [copy_data(name + accessor, item, checked) for accessor, item in inside]
        return replaced(value, parts)
    if is_number_list(value):
        return copy.deepcopy(value)
    return value


def equal(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell entry by entry whether two arrays are the same, NaN as NaN."""
    same = a == b
    if a.dtype.kind in "fc" and b.dtype.kind in "fc" and not np.all(same):
        same = same | (np.isnan(a) & np.isnan(b))
    return np.asarray(same)


def differences(name: str, before: Any, after: Any, checked: Collection[str]) -> Iterable[str]:
    """Yield accessors of what differs between two copies of an argument, checked leaves aside."""
    if name in checked:
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
    inside, inside_after = children(before), children(after)
    if inside is None or inside_after is None:
        if type(before) in (int, float, complex, bool, str, list) and before != after:
            yield name
        return
    if [accessor for accessor, _ in inside] != [accessor for accessor, _ in inside_after]:
        yield name
        return
    for (accessor, old), (_, new) in zip(inside, inside_after, strict=True):
        yield from differences(name + accessor, old, new, checked)
