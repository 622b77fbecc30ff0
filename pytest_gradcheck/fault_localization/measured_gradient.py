"""The gradient that backward has to return, as far as it is measured.

Where derivatives by values of forward are known, that by each entry of the parameters is. Where
they are not, derivatives along a few random directions are: what backward returns is wrong if it
has other products with them, and right by no chance if it has the same.

It does not know how backward is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.gradient_problem import Problem
from pytest_gradcheck.fault_localization.intermediate_derivatives import Slopes, Target
from pytest_gradcheck.numerics.random_directions import signed_direction

__all__ = [
    "FEW",
    "SAME",
    "MeasuredGradient",
    "along_directions",
    "is_same",
    "multiple_of",
    "of_all_entries",
]

Floats = NDArray[np.float64]

#: Values that differ by less than this share of their largest entry are the same.
SAME = 1e-5

#: Fewer entries are easily multiples of others.
FEW = 3

#: The directions for all parameters together, and the least for each of them.
DIRECTIONS = 24
FEWEST_DIRECTIONS = 2

#: Derivatives that are not known to this share of the largest one tell too little.
LEAST_KNOWN = 1e-3


def is_same(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Return whether two arrays are the same but for the errors of differences."""
    if one.size != other.size:
        return False
    scale = float(np.abs(other).max(initial=0.0))
    return bool((np.abs(one.reshape(-1) - other.reshape(-1)) <= SAME * scale).all())


def multiple_of(one: NDArray[Any], other: NDArray[Any]) -> float | None:
    """Return which multiple an array is of another one; None if it is none, or zero."""
    size = float(np.vdot(other, other))
    multiple = float(np.vdot(other, one)) / size if size else 0.0
    return multiple if multiple and is_same(one, multiple * other) else None


@dataclass(frozen=True, slots=True)
class _Part:
    """What is known of the derivative by one parameter.

    Attributes
    ----------
    coordinates : slice
        Of the parameter.
    directions : ndarray, shape (k, entries), or None
        Along which the derivatives are; None where they are those by the entries.
    values : ndarray, shape (k,)
        The derivatives.
    tolerance : float
        How much a right one may differ from them.
    """

    coordinates: slice
    directions: Floats | None
    values: Floats
    tolerance: float

    @property
    def size(self) -> int:
        """The number of entries of the parameter."""
        return self.coordinates.stop - self.coordinates.start  # type: ignore[no-any-return]  # ints

    def products(self, gradient: Floats) -> Floats:
        """Return what a gradient has where this has values."""
        entries = gradient[self.coordinates]
        return entries if self.directions is None else self.directions @ entries


@dataclass(frozen=True, slots=True)
class MeasuredGradient:
    """The entries of the gradient, or its products with directions.

    Attributes
    ----------
    parts : tuple of _Part
        One for each parameter.
    """

    parts: tuple[_Part, ...]

    @property
    def values(self) -> Floats:
        """All that is known, shape (k,)."""
        return np.concatenate([part.values for part in self.parts])

    def products(self, gradient: Floats) -> Floats:
        """Return what a gradient has in the place of the values, shape (k,)."""
        return np.concatenate([part.products(gradient) for part in self.parts])

    def wrong(self, products: Floats) -> NDArray[np.bool_]:
        """Return which products of a gradient are wrong, shape (k,)."""
        tolerances = np.concatenate([np.full(len(p.values), p.tolerance) for p in self.parts])
        return np.abs(products - self.values) > tolerances

    def is_right(self, products: Floats) -> bool:
        """Return whether no product of a gradient is wrong."""
        return not self.wrong(products).any()

    def count_of_wrong(self, products: Floats) -> int:
        """Return how many products of a gradient are wrong that do not follow from others.

        A parameter with one entry has one, along however many directions.
        """
        edges = np.cumsum([len(part.values) for part in self.parts])[:-1]
        wrong = zip(self.parts, np.split(self.wrong(products), edges), strict=True)
        return sum(min(int(one.sum()), part.size) for part, one in wrong)


def of_all_entries(problem: Problem, derivatives: Mapping[str, Floats]) -> MeasuredGradient:
    """Return the gradient whose entries are known.

    Parameters
    ----------
    problem : Problem
        Has the parameters.
    derivatives : mapping of str to ndarray
        By their names.
    """
    return MeasuredGradient(
        tuple(
            _Part(
                slice(p.start, p.stop),
                None,
                derivatives[p.name].reshape(-1),
                SAME * float(np.abs(derivatives[p.name]).max(initial=0.0)),
            )
            for p in problem.parameters
        )
    )


def along_directions(
    targets: Collection[Target], measure: Callable[[Target, Floats], Slopes], seed: int
) -> MeasuredGradient | None:
    """Return the gradient along random directions; None where too little is known of it.

    Parameters
    ----------
    targets : collection of Target
        The parameters.
    measure : callable
        ``measure(target, directions) -> Slopes`` returns the derivatives by one of them.
    seed : int
        Draws the directions.
    """
    count = max(FEWEST_DIRECTIONS, DIRECTIONS // max(1, len(targets)))
    rng, parts, errors = np.random.default_rng([seed, count]), list[_Part](), list[float]()
    for target in targets:
        if target.part is None:
            continue  # it is no parameter
        shape = target.version.value.shape
        directions = signed_direction(np.ones((count, *shape)), rng)
        slopes = measure(target, directions)
        scale = float(np.abs(slopes.values).max())
        errors.append(float(slopes.bounds.max()))
        tolerance = max(SAME * scale, errors[-1])
        flat = directions.reshape(count, -1)
        parts.append(_Part(target.part, flat, slopes.values, tolerance))
    largest = max((float(np.abs(part.values).max()) for part in parts), default=0.0)
    if not largest or not max(errors) <= LEAST_KNOWN * largest:
        return None
    return MeasuredGradient(tuple(parts))
