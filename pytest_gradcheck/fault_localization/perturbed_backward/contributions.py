"""Contributions: what parts of values of backward add to the gradient of a parameter.

A sum of gradients may be computed in several statements, in an order, and up to factors, that no
values of forward stand for. But what a part of it adds to the gradient that is returned should be
the derivative through one use of some value of forward. So the part is changed, backward is
executed again, and the change of its claim is compared with derivatives through uses. One that
agrees shows that the part is right, and all that is done to it afterwards.

It does not know which statements are suspected.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.backward.claims import Claim
from pytest_gradcheck.fault_localization.execution.recorded_values import Version
from pytest_gradcheck.fault_localization.gradient_pairs import DIGITS, SIGNIFICANT
from pytest_gradcheck.fault_localization.intermediate_derivatives import (
    Directions,
    IntermediateDerivative,
    Slopes,
)
from pytest_gradcheck.fault_localization.perturbed_backward.influence import (
    CHANGE,
    Influence,
    Response,
)

__all__ = ["Contributions"]

Floats = NDArray[np.float64]

#: Rounding of what backward claims, relative to the claim.
ROUNDING = 1e-12

#: Parts below this share of a value are rounding.
SMALLEST_PART = 1e-9


@dataclass(slots=True)
class Contributions:
    """Finds the values whose contributions to the gradient of one parameter are right.

    Attributes
    ----------
    influence : Influence
        Executes backward where a value is changed.
    directions : Directions
        Along which derivatives are measured.
    base : ndarray of float64
        What backward claims for the parameter where nothing is changed.
    coordinates : slice
        The coordinates of the parameter.
    measured : IntermediateDerivative
        The derivative by the parameter.
    through_values : list of Slopes
        The derivatives by the parameter through values of forward ...
    through_uses : list of list of Slopes
        ... and through single uses of them, those of each value by themselves.
    """

    influence: Influence
    directions: Directions
    base: Floats
    coordinates: slice
    measured: IntermediateDerivative
    through_values: list[Slopes]
    through_uses: list[list[Slopes]]
    _responses: dict[Version, Response] = field(default_factory=dict)
    _right: dict[Version, bool] = field(default_factory=dict)
    _reached: set[Version] = field(default_factory=set)

    def is_right(self, version: Version) -> bool:
        """Return whether all that a value contributes is right."""
        if version not in self._right:
            self._right[version] = self._is_right_part(version, version.value)
        return self._right[version]

    def is_right_step(self, version: Version, read: Collection[Version]) -> bool:
        """Return whether a step is right, though what it reads may be wrong.

        It is if each part of its value, that from one of the values that it read, contributes
        rightly; or if something else that passed through that value does. What it leaves as it
        is in the same array, it has not computed; nor what it only moves to a place of its own.
        """
        kept = [one for one in read if self._is_kept(one, version)]
        if kept:
            return self._is_right_part(version, version.value - kept[0].value)
        if any(set(read) & self._response(one).differences.keys() - {one} for one in read):
            return False  # the part of one cannot be told from those of others
        parts = {one: self._part(version, one) for one in read}
        right = {one for one in read if self._is_treated_rightly(version, one, parts[one])}
        if not right or not all(
            one in right or _is_moved(one.value, parts[one], list(parts.values())) for one in read
        ):
            return False
        rest = version.value - np.sum(list(parts.values()), axis=0)
        is_whole = _is_close(version.value - rest, version.value)
        return is_whole or self._is_right_part(version, rest)

    def _is_treated_rightly(self, version: Version, read: Version, part: Floats) -> bool:
        return read in self._reached or self.is_right(read) or self._is_right_part(version, part)

    def _is_kept(self, read: Version, version: Version) -> bool:
        """Return whether a step has only added something to an array."""
        return read.path == version.path and _is_close(self._part(version, read), read.value)

    def _response(self, version: Version) -> Response:
        if version not in self._responses:
            change = CHANGE * version.value
            self._responses[version] = self.influence.response(version, change)
        return self._responses[version]

    def _part(self, version: Version, read: Version) -> Floats:
        """Return the part of a value that was computed from another one."""
        difference = self._response(read).differences.get(version)
        if difference is None:
            return np.zeros(version.value.shape)
        return np.asarray(difference / CHANGE, dtype=np.float64)

    def _is_right_part(self, version: Version, part: Floats) -> bool:
        """Return whether a part of a value contributes what goes through some use."""
        response = self.influence.response(version, CHANGE * part)
        if response.claim is None or not response.differences:
            return False
        contributed = self._contributed(response.claim)
        if not any(_agree(contributed, slopes) for slopes in self._expected()):
            return False
        self._reached |= {version, *response.differences}
        return True

    def _contributed(self, claim: Claim) -> Floats:
        changed = claim.rows(self.coordinates.start, self.coordinates.stop)[:, 0]
        shape = self.measured.target.version.value.shape
        return self.directions.along((changed - self.base).reshape(shape)) / CHANGE

    def _expected(self) -> Iterator[Slopes]:
        """Yield what may be contributed: through a value, a use, all others, or two of them."""
        total = self.measured.output
        yield from self.through_values
        for uses in self.through_uses:
            for slopes in uses:
                yield slopes
                yield Slopes(total.values - slopes.values, total.bounds + slopes.bounds)
            for one, other in combinations(uses, 2):
                yield Slopes(one.values + other.values, one.bounds + other.bounds)


def _is_close(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Return whether two values are the same but for the rounding of their responses."""
    if one.shape != other.shape:
        return False
    scale = float(np.abs(other).max(initial=0.0))
    return bool((np.abs(one - other) <= SMALLEST_PART * scale).all())


def _is_moved(value: NDArray[Any], part: Floats, parts: list[Floats]) -> bool:
    """Return whether a part of a value has the entries of another one, in a place of its own."""
    place = part != 0
    if place.all() or not place.any():
        return False
    if sum(other != 0 for other in parts)[place].max() > 1:
        return False
    moved, entries = np.sort(part[place]), np.sort(value[value != 0], axis=None)
    return _is_close(moved, entries)


def _agree(contributed: Floats, slopes: Slopes) -> bool:
    bounds = SIGNIFICANT * (slopes.bounds + ROUNDING / CHANGE * np.abs(slopes.values))
    return bool(slopes.digits >= DIGITS and (np.abs(contributed - slopes.values) <= bounds).all())
