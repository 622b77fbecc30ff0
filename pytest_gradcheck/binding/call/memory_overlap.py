"""Parameters that share memory, with themselves or with each other.

An entry of a broadcast array cannot change alone, nor can one of two tied attributes. It does
not copy or perturb anything; it compares addresses, for many arrays in linear time, where
`numpy.shares_memory` compares two.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import byte_bounds
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from pytest_gradcheck.binding.call.wrt import Item
from pytest_gradcheck.binding.values.pytree import Leaf
from pytest_gradcheck.errors import GradcheckUsageError
from pytest_gradcheck.integrations.array_libraries import array_library

__all__ = ["overlaps_itself", "refuse_overlap", "shared_memory"]

#: Up to so many arrays of one cluster are compared pairwise.
FEW = 8


def refuse_overlap(items: Sequence[Item], forward_name: str) -> None:
    """Raise where one entry of a parameter cannot change without another.

    Parameters
    ----------
    items : sequence of Item
        What is checked, with the user's own arrays.
    forward_name : str
        For the message.

    Raises
    ------
    GradcheckUsageError
        For an array that overlaps itself, and for attributes that share memory: arguments are
        copied, but attributes are perturbed in place.
    """
    for item in items:
        for leaf in item.leaves:
            is_tensor = array_library(leaf.value) is not None
            if (is_tensor or isinstance(leaf.value, np.ndarray)) and overlaps_itself(leaf.array):
                copied = "clone()" if is_tensor else "copy()"
                raise GradcheckUsageError(
                    f"{leaf.name} of {forward_name} overlaps itself: some of its "
                    f"{leaf.array.size} entries lie in the same memory (strides "
                    f"{leaf.array.strides}, as np.broadcast_to and sliding windows make them), "
                    f"so that not every one can change alone. Pass {leaf.name}.{copied}."
                )
    attributes = [item for item in items if item.is_attribute]
    for first, second in shared_memory(attributes):
        raise GradcheckUsageError(
            f"{first} and {second} share memory, so that neither can change alone. Check one of "
            f"them, for example wrt={first!r}, whose gradient is then that of both together."
        )


def shared_memory(items: Sequence[Item]) -> Iterator[tuple[str, str]]:
    """Yield pairs of names of parameters that share memory.

    In a cluster of more than a few arrays, each is paired with the first owners of its memory
    only, not with every array that shares it.

    Examples
    --------
    >>> W = np.ones((2, 3))
    >>> tied = [Item("W", W, (Leaf("W", W),)), Item("V", W.T, (Leaf("V", W.T),))]
    >>> list(shared_memory(tied))
    [('W', 'V')]
    """
    first_of = dict[int, Leaf]()
    for leaf in (leaf for item in items for leaf in item.leaves if _is_array(leaf.value)):
        first = first_of.setdefault(id(leaf.value), leaf)
        if first is not leaf and leaf.array.size:
            yield first.name, leaf.name  # one object, on whatever device
    leaves = [leaf for leaf in first_of.values() if leaf.array.size]
    if len(leaves) < 2:
        return
    order = {id(leaf): k for k, leaf in enumerate(leaves)}
    for cluster in _clusters(leaves):
        for pair in (_pairs if len(cluster) <= FEW else _first_owners)(cluster):
            one, other = sorted(pair, key=lambda leaf: order[id(leaf)])
            yield one.name, other.name


def _is_array(value: Any) -> bool:
    """Return whether memory can be shared: by arrays of any library, but not by numbers."""
    return isinstance(value, np.ndarray) or array_library(value) is not None


def _clusters(leaves: Iterable[Leaf]) -> Iterator[list[Leaf]]:
    """Yield clusters of arrays whose address ranges overlap."""
    cluster, end = list[Leaf](), 0
    bounded = [(*byte_bounds(leaf.array), leaf) for leaf in leaves]
    for low, high, leaf in sorted(bounded, key=lambda bounds: bounds[0]):
        if low >= end:
            yield cluster
            cluster = []
        cluster.append(leaf)
        end = max(end, high)
    yield cluster


def _pairs(cluster: Sequence[Leaf]) -> Iterator[tuple[Leaf, Leaf]]:
    """Yield every pair that shares memory."""
    for second, leaf in enumerate(cluster):
        for other in cluster[:second]:
            if np.shares_memory(other.array, leaf.array):
                yield other, leaf


def _first_owners(cluster: Sequence[Leaf]) -> Iterator[tuple[Leaf, Leaf]]:
    """Yield every array with the first owners of the memory it shares, in linear time.

    Each array writes its number into a map of the memory, wherever there is none yet.
    """
    starts = [leaf.array.__array_interface__["data"][0] for leaf in cluster]
    bounds = [byte_bounds(leaf.array) for leaf in cluster]
    low, high = bounds[0][0], max(high for _, high in bounds)
    steps = [abs(stride) for leaf in cluster for stride in leaf.array.strides]
    sizes = [leaf.array.itemsize for leaf in cluster]
    unit = int(np.gcd.reduce([*steps, *sizes, *(start - low for start in starts), high - low]))
    owners = np.zeros((high - low) // unit, dtype=np.int32)
    for number, (leaf, start) in enumerate(zip(cluster, starts, strict=True), 1):
        array = leaf.array
        covered = as_strided(
            owners[(start - low) // unit :],
            (*array.shape, array.itemsize // unit),
            (*(stride // unit * owners.itemsize for stride in array.strides), owners.itemsize),
        )
        others = covered[covered > 0]
        for other in np.unique(others).tolist():
            yield cluster[other - 1], leaf
        np.copyto(covered, number, where=covered == 0)


def overlaps_itself(array: NDArray[np.generic]) -> bool:
    """Return whether two entries of an array lie in the same memory.

    Examples
    --------
    >>> overlaps_itself(np.broadcast_to(np.ones(3), (2, 3))), overlaps_itself(np.ones((2, 3)).T)
    (True, False)
    """
    if array.size < 2 or array.flags.forc:
        return False
    low, high = byte_bounds(array)
    spread = any(
        stride == 0 and n > 1 for stride, n in zip(array.strides, array.shape, strict=True)
    )
    return spread or high - low < array.nbytes
