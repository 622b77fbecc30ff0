"""Sets of coordinates of a dict of arrays, as boolean masks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "Masks", "count_outside", "count_set", "differences", "empty_masks"]

Array = NDArray[Any]
Masks = dict[str, NDArray[np.bool_]]


def empty_masks(arrays: Mapping[str, Array]) -> Masks:
    """Return the empty set of coordinates of `arrays`."""
    return {name: np.zeros(array.shape, dtype=bool) for name, array in arrays.items()}


def differences(before: Mapping[str, Array], after: Mapping[str, Array]) -> Masks:
    """Return the coordinates at which two dicts of arrays differ."""
    return {name: before[name] != after[name] for name in before}


def count_set(masks: Masks) -> int:
    """Return the number of coordinates in a set."""
    return sum(int(mask.sum()) for mask in masks.values())


def count_outside(masks: Masks, others: Masks) -> int:
    """Return the number of coordinates in the first set that are not in the second."""
    return sum(int((mask & ~others[name]).sum()) for name, mask in masks.items())
