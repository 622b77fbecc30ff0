"""The constraints of parameters, from the options `tangent=`, `project=` and `bounds=`.

Each option is for the only parameter, or a mapping by name. `constrain` makes one `Constrained`
of all that is said of a parameter, and verifies that the point satisfies it. It does not evaluate
forward.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.constrained_parameters.user_constraints import (
    Projected,
    Retracted,
    UserTangent,
    refuse_unusable,
)
from pytest_gradcheck.binding.values.pytree import Leaf, describe_value
from pytest_gradcheck.constraints import Constraint, masked
from pytest_gradcheck.errors import GradcheckUsageError
from pytest_gradcheck.report.accessors import short_name
from pytest_gradcheck.report.representation import listed, shown
from pytest_gradcheck.report.spelling import closest

__all__ = [
    "UNCONSTRAINED",
    "Bounds",
    "Constrained",
    "ConstraintDeclarations",
    "constrain",
    "read_bounds",
]

#: The longest step along a tangent, relative to its entries.
REACH = 0.5


@dataclass(frozen=True, slots=True)
class ConstraintDeclarations:
    """The options `tangent`, `project` and `bounds` as the user wrote them.

    Each is a mapping by the name of a parameter, or a value for the only parameter.
    """

    tangent: object = None
    project: object = None
    bounds: object = None


#: No constraints.
UNCONSTRAINED = ConstraintDeclarations()


class _Free(Constraint):
    """No constraint other than bounds."""

    mixes = False


@dataclass(frozen=True, slots=True)
class Constrained:
    """A parameter with its constraint, at the base point.

    Attributes
    ----------
    constraint : Constraint
        What it must satisfy besides its bounds.
    box : Bounds or None
        Its bounds.
    point : ndarray
        Its value, in double precision; read only.
    offset : ndarray
        The difference between the point and its own projection, which is rounding.
    """

    constraint: Constraint
    box: Bounds | None
    point: NDArray[Any]
    offset: NDArray[Any]

    def move(self, change: NDArray[Any]) -> NDArray[Any] | None:
        """Return the array after a change of the entries, None where it is not admissible."""
        moved = self.constraint.move(self.point, change) + self.offset
        if self.box is not None and not self.box.holds(moved):
            return None
        return moved if np.isfinite(moved).all() and self.constraint.contains(moved) else None

    def direction(self, change: NDArray[Any]) -> NDArray[Any]:
        """Return the derivative of `move` along `change`."""
        return self.constraint.direction(self.point, change)

    def measured(self) -> NDArray[np.bool_]:
        """Return, for each entry, whether to measure along its direction."""
        measured = self.constraint.measured(self.point)
        return measured if self.box is None else measured & self.box.is_open

    def steer(self, direction: NDArray[Any]) -> NDArray[Any]:
        """Return a random direction of the coordinates, turned away from near bounds."""
        return direction if self.box is None else self.box.inward(self.point, direction)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Lower and upper bounds of every entry, infinite where there is none.

    Like `scipy.optimize.Bounds`, but of the shape of the parameter.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]

    def holds(self, array: NDArray[Any]) -> bool:
        """Return whether every entry is within its bounds."""
        return bool((self.low <= array).all() and (array <= self.high).all())

    @property
    def is_open(self) -> NDArray[np.bool_]:
        """Whether each entry has room between its bounds."""
        return self.low < self.high

    def inward(self, point: NDArray[Any], direction: NDArray[Any]) -> NDArray[Any]:
        """Reverse the entries of a direction that lead to a bound within reach."""
        below, above = point - self.low, self.high - point
        away = np.where(below <= above, 1.0, -1.0) * np.abs(direction)
        return np.where(np.minimum(below, above) < REACH * np.abs(direction), away, direction)


def constrain(
    declarations: ConstraintDeclarations, leaves: Sequence[Leaf]
) -> dict[str, Constrained]:
    """Find the constraint of each parameter that has one.

    Parameters
    ----------
    declarations : ConstraintDeclarations
        The user's options.
    leaves : sequence of Leaf
        The checked parameters.

    Returns
    -------
    dict of str to Constrained
        By the parameter's name; empty where nothing is constrained.

    Raises
    ------
    GradcheckUsageError
        For an unknown name, a value that is not a constraint, or a point that violates one.
    """
    tangents = _by_leaf("tangent", declarations.tangent, leaves)
    projects = _by_leaf("project", declarations.project, leaves)
    bounds = _by_leaf("bounds", declarations.bounds, leaves)
    named = tangents.keys() | projects.keys() | bounds.keys()
    return {
        leaf.name: _constrained(
            leaf, tangents.get(leaf.name), projects.get(leaf.name), bounds.get(leaf.name)
        )
        for leaf in leaves
        if leaf.name in named
    }


def _by_leaf(option: str, written: object, leaves: Sequence[Leaf]) -> dict[str, object]:
    """Return the value of an option for each parameter, by its full name."""
    if written is None:
        return {}
    if isinstance(written, Mapping):
        parameters_of = _parameters_by_name(leaves)
        return {_name(option, key, leaves, parameters_of): value for key, value in written.items()}
    if len(leaves) == 1:
        return {leaves[0].name: written}
    names = listed(leaf.name for leaf in leaves)
    raise GradcheckUsageError(
        f"{option} does not say of which parameter, and {len(leaves)} are checked: {names}. Write "
        f"{option}={{{leaves[0].name!r}: ...}}."
    )


def _parameters_by_name(leaves: Sequence[Leaf]) -> dict[str, list[str]]:
    """Return the parameters that each name may mean: one in full, or several in short."""
    parameters_of: dict[str, list[str]] = {}
    for leaf in leaves:
        parameters_of.setdefault(short_name(leaf.name), []).append(leaf.name)
    return parameters_of | {leaf.name: [leaf.name] for leaf in leaves}


def _name(
    option: str, key: object, leaves: Sequence[Leaf], parameters_of: Mapping[str, list[str]]
) -> str:
    found = parameters_of.get(key, []) if isinstance(key, str) else []
    if len(found) == 1:
        return found[0]
    if found:
        raise GradcheckUsageError(
            f"{option}={{{shown(key)}: ...}} could mean any of {listed(found)}: write one of them "
            "in full."
        )
    names = [leaf.name for leaf in leaves]
    close = closest(key, [*names, *map(short_name, names)])
    hint = f" Did you mean {close!r}?" if close else ""
    raise GradcheckUsageError(
        f"{option}={{{shown(key)}: ...}}: no parameter of that name is checked.{hint} Checked: "
        f"{listed(names)}."
    )


def _constrained(leaf: Leaf, tangent: object, project: object, bounds: object) -> Constrained:
    constraint = _read(leaf, tangent, project)
    box = None if bounds is None else read_bounds(bounds, leaf)
    kind = np.complex128 if leaf.array.dtype.kind == "c" else np.float64
    point = leaf.array.astype(kind)
    point.flags.writeable = False
    wanted = constraint.wanted_shape(point.shape)
    if wanted is not None:
        raise GradcheckUsageError(
            f"{leaf.name} of shape {point.shape} cannot be {constraint.name}: that takes {wanted}."
        )
    if isinstance(constraint, (UserTangent, Projected, Retracted)):
        refuse_unusable(constraint, point, leaf.name)
    nearest = constraint.project(point)
    _refuse_violation(constraint, leaf, point, nearest)
    return Constrained(constraint, box, point, point - nearest)


def _read(leaf: Leaf, tangent: object, project: object) -> Constraint:
    """Make one constraint of both options of a parameter."""
    directions = None if tangent is None else _read_tangent(leaf.name, tangent)
    if project is None:
        return directions or _Free()
    if isinstance(project, Constraint):
        if directions is None:
            return project
        project = project.project
    if not callable(project):
        raise GradcheckUsageError(
            f"project of {leaf.name} is {describe_value(project)}: it must be a function that "
            "returns the admissible array nearest to the one it is given."
        )
    return Projected(project, leaf.name) if directions is None else Retracted(directions, project)


def _read_tangent(name: str, tangent: object) -> Constraint:
    if isinstance(tangent, Constraint):
        return tangent
    if isinstance(tangent, np.ndarray) and tangent.dtype == bool:
        return masked(tangent)
    if callable(tangent):
        return UserTangent.of(tangent, name)
    raise GradcheckUsageError(
        f"tangent of {name} is {describe_value(tangent)}: it must be one of "
        "pytest_gradcheck.constraints (symmetric, simplex, ...), a boolean array (True where an "
        "entry may move), or a function that returns the admissible part of a direction."
    )


def _refuse_violation(
    constraint: Constraint, leaf: Leaf, point: NDArray[Any], nearest: NDArray[Any]
) -> None:
    """Raise where the point is not in the set, up to rounding."""
    name, array = leaf.name, leaf.array
    allowed = np.sqrt(np.finfo(array.dtype).eps) * np.abs(array).max(initial=0.0)
    difference = np.abs(nearest - array)
    is_projected = isinstance(constraint, (Projected, Retracted))
    if not (difference <= allowed).all():
        place = tuple(int(k) for k in np.argwhere(~(difference <= allowed))[0])
        entry = f"{name}[{', '.join(map(str, place))}]" if place else name
        state = "is not what project makes of it" if is_projected else f"is not {constraint.name}"
        raise GradcheckUsageError(
            f"{name} {state}: {entry} is {array[place]:.6g} where the nearest admissible array "
            f"has {nearest[place]:.6g}. A check starts inside the set: pass "
            f"{name} = {constraint.remedy(name)}."
        )
    if not constraint.contains(point):
        raise GradcheckUsageError(
            f"{name} is not {constraint.name} at the point of the check. A check starts inside "
            "the set: pass another point."
        )


def read_bounds(written: object, leaf: Leaf) -> Bounds:
    """Read the bounds of a parameter, and verify that the parameter is within them.

    Parameters
    ----------
    written : object
        ``(low, high)``: numbers, None or arrays that broadcast to the parameter.
    leaf : Leaf
        The parameter.

    Returns
    -------
    Bounds
        Rounded to the precision of the parameter, so that a float32 parameter may be at the
        float64 bound that it was rounded from.

    Raises
    ------
    GradcheckUsageError
        For bounds that make no sense, or that the parameter violates.
    """
    name, array = leaf.name, leaf.array
    if array.dtype.kind != "f":
        raise GradcheckUsageError(
            f"bounds of {name}: it holds complex numbers, which have no order. Leave it out of "
            "bounds."
        )
    if not isinstance(written, (tuple, list)) or len(written) != 2:
        raise GradcheckUsageError(
            f"bounds of {name} is {_shown(written)}: it must be a pair (low, high) of numbers, "
            "None or arrays, for example (0, None). From pairs for each entry: "
            "low, high = zip(*pairs)."
        )
    low = _side(written[0], -np.inf, leaf)
    high = _side(written[1], np.inf, leaf)
    crossed = np.argwhere(~(low <= high))
    if crossed.size:
        place = tuple(crossed[0].tolist())
        raise GradcheckUsageError(
            f"bounds of {name} leave no room: the lower one of {_entry(name, place)} is "
            f"{low[place]:g}, the upper one {high[place]:g}."
        )
    box = Bounds(low, high)
    if not box.holds(array):
        raise GradcheckUsageError(_beyond(box, leaf))
    return box


def _side(written: object, missing: float, leaf: Leaf) -> NDArray[np.float64]:
    """Return one bound as an array of the parameter's shape."""
    values = np.asarray(written)
    if values.dtype == object and values.shape:
        values = np.array([missing if v is None else v for v in values.ravel()], dtype=object)
        values = values.reshape(np.asarray(written, dtype=object).shape)
    try:
        numbers = np.asarray(missing if written is None else values, dtype=leaf.array.dtype)
        return np.broadcast_to(numbers, leaf.array.shape).astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        raise GradcheckUsageError(
            f"bounds of {leaf.name} hold {_shown(written)}: a bound is a number, None or an array "
            f"that broadcasts to the shape {leaf.array.shape} of {leaf.name}."
        ) from None


def _beyond(box: Bounds, leaf: Leaf) -> str:
    array = leaf.array
    inside = (box.low <= array) & (array <= box.high)
    place = tuple(np.argwhere(~inside)[0].tolist())
    below = array[place] < box.low[place]
    side, bound = ("below", box.low[place]) if below else ("above", box.high[place])
    return (
        f"{_entry(leaf.name, place)} is {array[place]:.6g}, {side} its bound {bound:g}: a check "
        "starts inside the bounds. Pass another point, for example "
        f"np.clip({leaf.name}, low, high), or other bounds."
    )


def _entry(name: str, place: tuple[int, ...]) -> str:
    return f"{name}[{', '.join(map(str, place))}]" if place else name


def _shown(written: object) -> str:
    return describe_value(written) if isinstance(written, np.ndarray) else shown(written)
