"""Sets of coordinates of a dict of arrays, as a boolean array for each.

It must not know what the coordinates are of.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "Masks", "count_outside", "count_set", "differences", "empty_masks"]

Array = NDArray[Any]
Masks = dict[str, NDArray[np.bool_]]


def empty_masks(arrays: Mapping[str, Array]) -> Masks:
    """Return no coordinate of `arrays`."""
    return {name: np.zeros(array.shape, dtype=bool) for name, array in arrays.items()}


def differences(before: Mapping[str, Array], after: Mapping[str, Array]) -> Masks:
    """Return the coordinates at which arrays are no longer what they were."""
    return {name: before[name] != after[name] for name in before}


def count_set(masks: Masks) -> int:
    """Return how many coordinates there are."""
    return sum(int(mask.sum()) for mask in masks.values())


def count_outside(masks: Masks, others: Masks) -> int:
    """Return how many coordinates are not among the others."""
    return sum(int((mask & ~others[name]).sum()) for name, mask in masks.items())
