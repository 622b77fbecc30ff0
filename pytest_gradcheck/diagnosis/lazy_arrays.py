"""Arrays of the shape of the claims that are computed where they are compared with measurements.

Of a million entries, the few that were measured refute most hypotheses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.diagnosis.gradient import Floats, Indices

__all__ = ["Elementwise", "Index", "LazyArray", "Rearranged", "as_lazy"]

#: The places of some entries: for each axis of a parameter, their indices.
Index: TypeAlias = tuple[Indices, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Elementwise:
    """A function of arrays, entry by entry.

    Attributes
    ----------
    function : callable
        The function of arrays of one shape.
    arrays : tuple of ndarray
        The arrays, each of which broadcasts to the shape of the claims.

    Examples
    --------
    >>> double = Elementwise(lambda claim: 2 * claim, (np.array([[3.0], [5.0]]),))
    >>> double.at((np.array([1]),), (2, 1))
    array([[10.]])
    """

    function: Callable[..., NDArray[Any]]
    arrays: tuple[NDArray[Any], ...]

    def everywhere(self, shape: tuple[int, ...]) -> NDArray[Any]:
        """Return all entries."""
        return np.broadcast_to(self.function(*self.arrays), shape)

    def at(self, index: Index, shape: tuple[int, ...]) -> NDArray[Any]:
        """Return some entries, shape (k, m), of claims of a shape."""
        return self.function(*(np.broadcast_to(array, shape)[index] for array in self.arrays))


@dataclass(frozen=True, slots=True, eq=False)
class Rearranged:
    """An array whose entries are those of another one at other places.

    Attributes
    ----------
    array : ndarray, shape (*axes, m)
        The other array.
    source : callable
        ``source(index) -> index``: where in it the entries are.

    Examples
    --------
    >>> back = Rearranged(np.array([[3.0], [5.0]]), lambda index: (1 - index[0],))
    >>> back.everywhere((2, 1)).ravel()
    array([5., 3.])
    """

    array: Floats
    source: Callable[[Index], Index]

    def everywhere(self, shape: tuple[int, ...]) -> Floats:
        """Return all entries."""
        return self.at(np.indices(shape[:-1], sparse=True), shape)

    def at(self, index: Index, shape: tuple[int, ...]) -> Floats:
        """Return some entries, shape (k, m)."""
        del shape
        return np.asarray(self.array[self.source(index)])


LazyArray: TypeAlias = Elementwise | Rearranged


def as_lazy(array: NDArray[Any] | float | LazyArray) -> LazyArray:
    """Return an array that may be computed already as one that is asked for entries."""
    if isinstance(array, Elementwise | Rearranged):
        return array
    return Elementwise(lambda entries: entries, (np.asarray(array),))
