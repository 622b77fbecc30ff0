"""The user's own `tangent=` and `project=` functions as constraints.

It must not know forward: it calls these functions alone, at the point and close
to it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from pytest_gradcheck.binding.call.signature import name_of, signature_of
from pytest_gradcheck.binding.values.pytree import describe_value
from pytest_gradcheck.constraints.base import Array, Constraint
from pytest_gradcheck.errors import GradcheckUsageError

__all__ = ["Projected", "Retracted", "UserTangent", "refuse_unusable"]

#: Steps of the differences of a projection: the first and how fast they fall,
#: relative to the point's size ...
FIRST_STEP = 2e-3
SHRINK = 16.0
ATTEMPTS = 12

#: ... and how well two extrapolations must agree. The better one is better than that.
AGREEMENT = 1e-10
PRECISION = 1e-11

#: Rounding that a linear function may show.
LINEAR = 1e-6


@dataclass(frozen=True, repr=False)
class UserTangent(Constraint):
    """What the user's function says the admissible directions are."""

    function: Callable[..., Any]
    takes_point: bool
    name = "tangent"

    @classmethod
    def of(cls, function: Callable[..., Any], name: str) -> UserTangent:
        """Read how `function`, the tangent of the parameter `name`, is called."""
        signature = signature_of(function)
        if signature is None:
            return cls(function, takes_point=False)
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        required = [
            p for p in signature.parameters.values() if p.kind in kinds and p.default is p.empty
        ]
        if len(required) not in (1, 2):
            raise GradcheckUsageError(
                f"tangent of {name}, {name_of(function)}{signature}, must take a direction, or "
                "the point and a direction."
            )
        return cls(function, takes_point=len(required) == 2)

    def tangent(self, point: Array, direction: Array) -> Array:
        """Return what the user's function does."""
        arguments = (point, direction) if self.takes_point else (direction,)
        return np.asarray(self.function(*arguments))


@dataclass(frozen=True, repr=False)
class Retracted(Constraint):
    """A constraint with the user's function to return to it."""

    directions: Constraint
    function: Callable[[Array], Any]
    name = "tangent, project"

    def wanted_shape(self, shape: tuple[int, ...]) -> str | None:
        """Say what shape the directions need."""
        return self.directions.wanted_shape(shape)

    def tangent(self, point: Array, direction: Array) -> Array:
        """Return the admissible direction."""
        return self.directions.tangent(point, direction)

    def project(self, array: Array) -> Array:
        """Return what the user's function does."""
        return np.asarray(self.function(array))

    def contains(self, array: Array) -> bool:
        """Tell whether the set of the directions holds a projected array."""
        return self.directions.contains(array)

    def measured(self, point: Array) -> Array:
        """Tell the entries whose directions span all."""
        return self.directions.measured(point)


@dataclass(frozen=True, repr=False)
class Projected(Constraint):
    """What the user's function projects to; its directions are the derivative of it."""

    function: Callable[[Array], Any]
    parameter: str
    name = "project"
    precision = PRECISION

    def project(self, array: Array) -> Array:
        """Return what the user's function does."""
        return np.asarray(self.function(array))

    def move(self, point: Array, change: Array) -> Array:
        """Return the projection of the changed point: no direction is needed for it."""
        return self.project(point + change)

    def direction(self, point: Array, change: Array) -> Array:
        """Return the derivative of the projection, by extrapolated central differences."""
        size = float(np.abs(point).max(initial=0.0)) or 1.0
        step = FIRST_STEP * size / (float(np.abs(change).max(initial=0.0)) or 1.0)
        for _ in range(ATTEMPTS):
            slopes, bends = zip(
                *(self._differences(point, change, step / 2**k) for k in range(3)), strict=True
            )
            first = [b + (b - a) / 3 for a, b in pairwise(slopes)]
            best = first[1] + (first[1] - first[0]) / 15
            doubt = np.abs(best - first[1]).max(initial=0.0)
            smooth = bends[2] <= bends[0] / 2 + AGREEMENT
            if smooth and doubt <= AGREEMENT * max(1.0, float(np.abs(best).max(initial=0.0))):
                return np.asarray(best)
            step /= SHRINK
        place = tuple(int(k) for k in np.argwhere(change)[0])
        subscript = f"[{', '.join(map(str, place))}]" if place else ""
        raise GradcheckUsageError(
            f"project of {self.parameter} has a kink at the point of the check, by "
            f"{self.parameter}{subscript}, which is {point[place]:.6g}: there is no derivative "
            "through it. Say tangent= as well, or bounds= where the set is a box."
        )

    def _differences(self, point: Array, change: Array, step: float) -> tuple[Array, float]:
        """Return the central difference, and how far the slopes of the sides are apart."""
        right, left = self.project(point + step * change), self.project(point - step * change)
        here = self.project(point)
        bend = ((right - here) + (left - here)) / (2 * step)
        return np.asarray((right - left) / (2 * step)), float(np.abs(bend).max(initial=0.0))


def refuse_unusable(constraint: Constraint, point: Array, name: str) -> None:
    """Raise where the functions of a constraint do not return what they must.

    Parameters
    ----------
    constraint : Constraint
        Whose functions are tried, on the point and on random directions.
    point : ndarray
        The point.
    name : str
        The parameter's name.

    Raises
    ------
    GradcheckUsageError
        When a projection or a direction has another shape, or directions are
        not linear.
    """
    rng = np.random.default_rng(0)
    one, other = (rng.normal(size=point.shape).astype(point.dtype) for _ in range(2))
    directions = [constraint.tangent(point, d) for d in (one, other, one + other)]
    for option, returned in (("project", constraint.project(point)), ("tangent", directions[0])):
        numeric = returned.dtype.kind in ("iufc" if point.dtype.kind == "c" else "iuf")
        if returned.shape != point.shape or not numeric:
            raise GradcheckUsageError(
                f"{option} of {name} returned {describe_value(returned)}, and was given "
                f"{describe_value(point)}: it must return an array like it."
            )
    apart = np.abs(directions[2] - directions[0] - directions[1]).max(initial=0.0)
    if not apart <= LINEAR * max(float(np.abs(d).max(initial=0.0)) for d in directions):
        raise GradcheckUsageError(
            f"tangent of {name} is not linear: that of the sum of two directions is not the sum "
            "of theirs. A function that moves an array into the set is project=."
        )
