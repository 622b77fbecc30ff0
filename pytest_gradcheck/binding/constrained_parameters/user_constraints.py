"""The user's own `tangent=` and `project=` functions as constraints.

A projection without a tangent is differentiated by central differences with two Richardson
extrapolations (L. F. Richardson, J. A. Gaunt, Phil. Trans. R. Soc. A 226 (1927) 299). It calls
these functions alone, at the point and close to it; it does not know forward.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from pytest_gradcheck.binding.call.signature import name_of, signature_of
from pytest_gradcheck.binding.call.user_function import call_user
from pytest_gradcheck.binding.values.pytree import describe_value
from pytest_gradcheck.constraints.base import Array, Constraint
from pytest_gradcheck.errors import GradcheckUsageError

__all__ = ["Projected", "Retracted", "UserTangent", "refuse_unusable"]

#: Steps of the differences of a projection, relative to the size of the point: the first one, the
#: factor between two attempts, and the most attempts.
FIRST_STEP = 2e-3
SHRINK = 16.0
ATTEMPTS = 12

#: The relative difference allowed between the two extrapolations; the better one is more precise.
AGREEMENT = 1e-10
PRECISION = 1e-11

#: The relative rounding allowed in a linear function.
LINEAR = 1e-6


@dataclass(frozen=True, repr=False)
class UserTangent(Constraint):
    """Admissible directions from the user's `tangent` function."""

    function: Callable[..., Any]
    takes_point: bool
    name = "tangent"

    @classmethod
    def of(cls, function: Callable[..., Any], name: str) -> UserTangent:
        """Read from its signature how to call `function`, the tangent of the parameter `name`."""
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
        """Return the result of the user's function."""
        arguments = (point, direction) if self.takes_point else (direction,)
        return np.asarray(call_user(self.function, arguments))


@dataclass(frozen=True, repr=False)
class Retracted(Constraint):
    """Directions of one constraint, with the user's `project` function as the retraction."""

    directions: Constraint
    function: Callable[[Array], Any]
    name = "tangent, project"

    def wanted_shape(self, shape: tuple[int, ...]) -> str | None:
        """Return the shape that the directions need, in words, where it is another."""
        return self.directions.wanted_shape(shape)

    def tangent(self, point: Array, direction: Array) -> Array:
        """Return the admissible direction."""
        return self.directions.tangent(point, direction)

    def project(self, array: Array) -> Array:
        """Return the result of the user's function."""
        return np.asarray(call_user(self.function, (array,)))

    def contains(self, array: Array) -> bool:
        """Return whether a projected array is in the set of the directions."""
        return self.directions.contains(array)

    def measured(self, point: Array) -> Array:
        """Return, for each entry, whether to measure along its direction."""
        return self.directions.measured(point)


@dataclass(frozen=True, repr=False)
class Projected(Constraint):
    """The range of the user's `project` function, with its derivative as the directions."""

    function: Callable[[Array], Any]
    parameter: str
    name = "project"
    precision = PRECISION

    def project(self, array: Array) -> Array:
        """Return the result of the user's function."""
        return np.asarray(call_user(self.function, (array,)))

    def move(self, point: Array, change: Array) -> Array:
        """Return the projection of the changed point."""
        return self.project(point + change)

    def direction(self, point: Array, change: Array) -> Array:
        """Return the derivative of the projection along `change`, or raise at a kink."""
        size = float(np.abs(point).max(initial=0.0)) or 1.0
        step = FIRST_STEP * size / (float(np.abs(change).max(initial=0.0)) or 1.0)
        for _ in range(ATTEMPTS):
            slopes, bends = zip(
                *(self._differences(point, change, step / 2**k) for k in range(3)), strict=True
            )
            first = [b + (b - a) / 3 for a, b in pairwise(slopes)]
            best = first[1] + (first[1] - first[0]) / 15
            error = np.abs(best - first[1]).max(initial=0.0)
            smooth = bends[2] <= bends[0] / 2 + AGREEMENT
            if smooth and error <= AGREEMENT * max(1.0, float(np.abs(best).max(initial=0.0))):
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
        """Return the central difference, and half the difference of the one-sided slopes."""
        right, left = self.project(point + step * change), self.project(point - step * change)
        here = self.project(point)
        bend = ((right - here) + (left - here)) / (2 * step)
        return np.asarray((right - left) / (2 * step)), float(np.abs(bend).max(initial=0.0))


def refuse_unusable(constraint: Constraint, point: Array, name: str) -> None:
    """Raise where a function of a constraint returns another shape, or is not linear.

    Parameters
    ----------
    constraint : Constraint
        Its functions are called with the point and with random directions.
    point : ndarray
        The point.
    name : str
        The parameter's name.

    Raises
    ------
    GradcheckUsageError
        With what the function returned.
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
    difference = np.abs(directions[2] - directions[0] - directions[1]).max(initial=0.0)
    if not difference <= LINEAR * max(float(np.abs(d).max(initial=0.0)) for d in directions):
        raise GradcheckUsageError(
            f"tangent of {name} is not linear: that of the sum of two directions is not the sum "
            "of theirs. A function that moves an array into the set is project=."
        )
