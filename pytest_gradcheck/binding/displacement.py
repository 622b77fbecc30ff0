"""Points around the user's own, at which a check is repeated.

One point is one point: at a stationary one every claim of zero is right, and a branch that it does
not take is not seen. It does not evaluate forward.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.constrained_parameters.constraint_options import Constrained
from pytest_gradcheck.binding.values.pytree import Leaf
from pytest_gradcheck.integrations.array_libraries import rounded_as

__all__ = ["Displacement"]

#: A change that leaves the set of a constraint is halved at most so often.
MOST_HALVINGS = 10


@dataclass(frozen=True, slots=True)
class Displacement:
    """A random change of all checked parameters.

    Attributes
    ----------
    seed : int
        Draws the change.
    number : int
        The number of the point, of which each has a change of its own.
    share : float
        The largest change of an entry, relative to its size, so that it keeps its sign; of a
        zero to the root mean square of its parameter, and where that is zero to 1.
    """

    seed: int
    number: int
    share: float

    def displaced(
        self, leaves: Sequence[Leaf], constraints: Mapping[str, Constrained]
    ) -> dict[str, NDArray[Any]]:
        """Return the parameters at the point, in their own types and within their constraints.

        Examples
        --------
        >>> leaves = [Leaf("x", np.array([1.0, 0.0])), Leaf("n", np.array([], dtype=float))]
        >>> found = Displacement(seed=0, number=1, share=0.1).displaced(leaves, {})
        >>> bool((found["x"] != leaves[0].array).all()), found["n"].size
        (True, 0)
        """
        rng = np.random.default_rng([self.seed, self.number])
        return {
            leaf.name: rounded_as(
                self._displaced(leaf.array, constraints.get(leaf.name), rng), leaf.value
            )
            for leaf in leaves
        }

    def _displaced(
        self, array: NDArray[Any], constrained: Constrained | None, rng: np.random.Generator
    ) -> NDArray[Any]:
        sizes = np.abs(array.astype(np.complex128))
        usual = np.sqrt(np.mean(sizes**2)) if sizes.any() else 1.0
        scale = np.where(sizes > 0, sizes, usual)
        change = self.share * rng.uniform(-1, 1, array.shape) * scale
        if array.dtype.kind == "c":
            change = change * np.exp(2j * np.pi * rng.random(array.shape))
        if constrained is None:
            return (array + change).astype(array.dtype)
        for _ in range(MOST_HALVINGS):
            moved = constrained.move(change)
            if moved is not None:
                return moved.astype(array.dtype)
            change = change / 2
        return array
