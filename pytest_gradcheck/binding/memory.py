"""Parameters that share memory: with themselves, or with each other.

It must not copy or perturb anything; it looks at where arrays lie.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.lib.array_utils import byte_bounds
from numpy.typing import NDArray

from pytest_gradcheck.binding.tree import Leaf
from pytest_gradcheck.binding.wrt import Item
from pytest_gradcheck.errors import GradcheckUsageError

__all__ = ["overlaps_itself", "refuse_overlap", "shared_memory"]


def refuse_overlap(items: Sequence[Item], forward_name: str) -> None:
    """Raise where one entry of a parameter cannot be changed without another.

    Parameters
    ----------
    items : sequence of Item
        What is checked, the user's own arrays.
    forward_name : str
        For the message.

    Raises
    ------
    GradcheckUsageError
        For an array that overlaps itself, and for attributes that share memory:
        arguments are copied, but attributes are changed where they are.
    """
    for item in items:
        for leaf in item.leaves:
            if isinstance(leaf.value, np.ndarray) and overlaps_itself(leaf.value):
                raise GradcheckUsageError(
                    f"{leaf.name} of {forward_name} overlaps itself: some of its "
                    f"{leaf.value.size} entries lie in the same memory (strides "
                    f"{leaf.value.strides}, as np.broadcast_to and sliding windows make them), "
                    f"so that not every one can change alone. Pass {leaf.name}.copy()."
                )
    attributes = [item for item in items if item.is_attribute]
    for first, second in shared_memory(attributes):
        raise GradcheckUsageError(
            f"{first} and {second} share memory, so that neither can change alone. Check one of "
            f"them, for example wrt={first!r}, whose gradient is then that of both together."
        )


def shared_memory(items: Sequence[Item]) -> Iterator[tuple[str, str]]:
    """Yield the names of parameters, two at a time, that share memory.

    Examples
    --------
    >>> W = np.ones((2, 3))
    >>> tied = [Item("W", W, (Leaf("W", W),)), Item("V", W.T, (Leaf("V", W.T),))]
    >>> list(shared_memory(tied))
    [('W', 'V')]
    """
    arrays = [
        (*byte_bounds(leaf.value), leaf)
        for item in items
        for leaf in item.leaves
        if isinstance(leaf.value, np.ndarray) and leaf.value.size
    ]
    order = {id(leaf): k for k, (_, _, leaf) in enumerate(arrays)}
    near: list[tuple[int, int, Leaf]] = []
    for array in sorted(arrays, key=lambda array: array[0]):
        near = [other for other in near if other[1] > array[0]]
        for other in near:
            if np.shares_memory(other[2].value, array[2].value):
                first, second = sorted((other[2], array[2]), key=lambda leaf: order[id(leaf)])
                yield first.name, second.name
        near.append(array)


def overlaps_itself(array: NDArray[np.generic]) -> bool:
    """Tell an array of which two entries lie in the same memory.

    Examples
    --------
    >>> overlaps_itself(np.broadcast_to(np.ones(3), (2, 3))), overlaps_itself(np.ones((2, 3)).T)
    (True, False)
    """
    if array.size < 2:
        return False
    low, high = byte_bounds(array)
    spread = any(
        stride == 0 and n > 1 for stride, n in zip(array.strides, array.shape, strict=True)
    )
    return spread or high - low < array.nbytes
