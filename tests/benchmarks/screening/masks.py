"""Sets of coordinates of a dict of arrays, as a boolean array for each.

It must not know what the coordinates are of.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "Masks", "beyond", "differing", "empty", "size"]

Array = NDArray[Any]
Masks = dict[str, NDArray[np.bool_]]


def empty(arrays: Mapping[str, Array]) -> Masks:
    """Return no coordinate of `arrays`."""
    return {name: np.zeros(array.shape, dtype=bool) for name, array in arrays.items()}


def differing(before: Mapping[str, Array], after: Mapping[str, Array]) -> Masks:
    """Return the coordinates at which arrays are no longer what they were."""
    return {name: before[name] != after[name] for name in before}


def size(masks: Masks) -> int:
    """Return how many coordinates there are."""
    return sum(int(mask.sum()) for mask in masks.values())


def beyond(masks: Masks, others: Masks) -> int:
    """Return how many coordinates are not among the others."""
    return sum(int((mask & ~others[name]).sum()) for name, mask in masks.items())
