"""Working copies of the user's arguments, whose checked leaves live in one vector.

It must not call the user's functions; it makes what they are called with, so
that the user's own objects stay as they were.
"""

# MERGED Copies of the user's data, and what differs from them after a call.
#
# It must not call anything.

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.call.attributes import assign
from pytest_gradcheck.binding.call.signature import BoundArguments
from pytest_gradcheck.binding.values.parameters import Parameter, Vector, dtype_name
from pytest_gradcheck.binding.values.pytree import (
    SIMPLE,
    Leaf,
    LeafNames,
    accessors,
    contents,
    holds_only,
    is_number_list,
    replaced,
)

__all__ = [
    "FULL_PRECISION",
    "LOW_PRECISION",
    "Change",
    "WorkingCopy",
    "copy_data",
    "differences",
    "equal",
]


def copy_data(name: str, value: Any, checked: LeafNames) -> Any:
    """Copy arrays and containers; pass everything else through.

    Random generators pass through too: they are put back by `Replay`. Checked leaves are
    left out: they have their place in the point.
    """
    if name in checked:
        return None
    if isinstance(value, np.ndarray):
        return value.copy(order="K") if value.dtype != object else value
    inside = contents(value)
    if inside is not None:
        if holds_only(inside, SIMPLE) and not checked.any_within(name):
            return replaced(value, inside)
        named = zip(accessors(value), inside, strict=True)
        return replaced(value, [copy_data(name + a, item, checked) for a, item in named])
    if is_number_list(value):
        return copy.deepcopy(value)
    return value


def equal(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell entry by entry whether two arrays are the same, NaN as NaN."""
    same = a == b
    if a.dtype.kind in "fc" and b.dtype.kind in "fc" and not np.all(same):
        same = same | (np.isnan(a) & np.isnan(b))
    return np.asarray(same)


def differences(name: str, before: Any, after: Any, checked: LeafNames) -> Iterable[str]:
    """Yield accessors of what differs between two copies of an argument, checked leaves aside."""
    if before is after or name in checked:
        return
    if isinstance(before, np.ndarray):
        same = (
            isinstance(after, np.ndarray)
            and before.shape == after.shape
            and bool(equal(before, after).all())
        )
        if not same:
            yield name
        return
    inside, inside_after = contents(before), contents(after)
    if inside is None or inside_after is None:
        if type(before) in (int, float, complex, bool, str, list) and before != after:
            yield name
        return
    if _are_simply_equal(before, inside, after, inside_after):
        return
    named = list(accessors(before))
    if named != list(accessors(after)):
        yield name
        return
    for accessor, old, new in zip(named, inside, inside_after, strict=True):
        yield from differences(name + accessor, old, new, checked)


def _are_simply_equal(
    before: Any, inside: Sequence[Any], after: Any, inside_after: Sequence[Any]
) -> bool:
    """Tell containers that hold the same simple values, without a look at each."""
    if type(before) is not type(after) or type(before) not in (dict, list, tuple):
        return False
    if not (holds_only(inside, SIMPLE) and holds_only(inside_after, SIMPLE)):
        return False
    keys_are_equal = not isinstance(before, dict) or list(before) == list(after)
    return keys_are_equal and inside == inside_after


Maker = Callable[[], Any]

#: Types whose rounding would drown a derivative; forward is tried in float64 instead.
LOW_PRECISION = frozenset({"float16", "float32", "complex64"})

#: The relative rounding of the point's coordinates.
FULL_PRECISION = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True)
class Change:
    """An entry of a checked parameter that a function changed in place."""

    parameter: str
    index: tuple[int, ...]
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class _Slot:
    """Where one leaf lives in the point, and how forward gets to see it.

    `view` is the part of the point with the leaf's shape. A leaf that can be a
    view is handed out as it is; others are written to a working array, or made
    anew, for each call.
    """

    parameter: Parameter
    view: NDArray[Any]
    working: NDArray[Any] | None
    make: Maker | None


class WorkingCopy:
    """Everything forward is called with, movable by changing `point` in place.

    Parameters
    ----------
    arguments : BoundArguments
        Forward's arguments; copied here, and never handed out themselves.
    leaves : sequence of Leaf
        The checked leaves.
    owner : object or None
        A copy of the bound object, for leaves that are its attributes.
    lift : bool
        Hand out floating arrays of low precision as float64.

    Attributes
    ----------
    point : ndarray of float64, shape (n,)
        All checked leaves; whoever changes it must put it back.
    base : ndarray of float64, shape (n,)
        A copy of it.
    parameters : tuple of Parameter
        Names and places of the leaves.
    lift : bool
        As given.
    """

    def __init__(
        self,
        arguments: BoundArguments,
        leaves: Sequence[Leaf],
        *,
        owner: object | None,
        lift: bool,
    ) -> None:
        self._arguments = arguments
        self.lift = lift
        self._remade: set[str] = set()
        self.parameters = tuple(_layout(leaves))
        named = zip(arguments.names, arguments.values, strict=True)
        self._checked = LeafNames(parameter.name for parameter in self.parameters)
        self._pristine = [copy_data(name, value, self._checked) for name, value in named]
        self.point: Vector = np.empty(self.parameters[-1].stop if self.parameters else 0)
        self._writers: list[Maker] = []
        self._slots = {
            parameter.name: self._slot(parameter, leaf, owner, lift=lift)
            for parameter, leaf in zip(self.parameters, leaves, strict=True)
        }
        self._copies = [slot for slot in self._slots.values() if slot.working is not None]
        for slot, leaf in zip(self._slots.values(), leaves, strict=True):
            slot.view[...] = leaf.array
        self.base = self.point.copy()
        self._fixed: list[Any] = []
        self._makers: list[Maker | None] = []
        for name, value in zip(arguments.names, self._pristine, strict=True):
            fixed, maker = self._plant(name, copy_data(name, value, self._checked))
            self._fixed.append(fixed)
            self._makers.append(maker)
        self._packed = None if any(self._makers) else arguments.pack(self._fixed)

    def is_lifted(self, parameter: Parameter) -> bool:
        """Tell whether forward sees a parameter in a higher precision than the user's."""
        slot = self._slots[parameter.name]
        return parameter.dtype in LOW_PRECISION and slot.working is None and self.lift

    def holds(self, parameter: Parameter, value: Any) -> bool:
        """Tell whether `value` is the array that forward sees as a parameter, or a view of it."""
        slot = self._slots[parameter.name]
        mine = slot.view if slot.working is None else slot.working
        return isinstance(value, np.ndarray) and np.may_share_memory(value, mine)

    def seen(self, parameter: Parameter) -> Parameter:
        """Return a parameter with the dtype that forward sees."""
        if not self.is_lifted(parameter):
            return parameter
        return replace(parameter, dtype=dtype_name(self._slots[parameter.name].view.dtype))

    def pack(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return arguments for one call of forward at the point as it is now."""
        for write in self._writers:
            write()
        return self._packed or self._arguments.pack(self.values())

    def values(self) -> list[Any]:
        """Return the value of every argument, in the order of their names."""
        return [
            fixed if maker is None else maker()
            for fixed, maker in zip(self._fixed, self._makers, strict=True)
        ]

    def find_change(self) -> Change | None:
        """Return the first checked entry that is not what it was, and put all back."""
        found = None
        # Most are views of the point: one look at all of it says whether to look at each.
        is_untouched = bool((self.point == self.base).all())
        for slot in self._copies if is_untouched else self._slots.values():
            parameter = slot.parameter
            part = slice(parameter.start, parameter.stop)
            before = self.base[part].view(slot.view.dtype).reshape(slot.view.shape)
            seen: NDArray[Any] = slot.view
            if slot.working is not None:
                seen, before = slot.working, before.astype(slot.working.dtype)
            differ = np.argwhere(~equal(np.asarray(seen), before))
            if differ.size and found is None:
                index = tuple(int(k) for k in differ[0])
                found = Change(parameter.name, index, before[index], np.asarray(seen)[index])
        if found is not None:
            self.point[:] = self.base
        return found

    def restore_changed(self) -> tuple[str, ...]:
        """Find unchecked arguments that a call changed; from now on they are made anew each time.

        Returns
        -------
        tuple of str
            Accessors of what changed.
        """
        changed, names = [], []
        for k, (name, pristine) in enumerate(
            zip(self._arguments.names, self._pristine, strict=True)
        ):
            maker = self._makers[k]
            seen = self._fixed[k] if maker is None else maker()
            places = list(differences(name, pristine, seen, self._checked))
            if places:
                changed += places
                names.append(name)
        self.remake(names)
        return tuple(changed)

    @property
    def remade(self) -> tuple[str, ...]:
        """Names of the arguments that are made anew for each call."""
        return tuple(sorted(self._remade))

    def remake(self, names: Iterable[str]) -> None:
        """Make these arguments anew for each call, from now on."""
        places = {name: k for k, name in enumerate(self._arguments.names)}
        for name in names:
            k = places[name]
            self._makers[k] = self._remaker(name, self._pristine[k])
            self._remade.add(name)
            self._packed = None

    def pack_rows(self, points: Vector) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return arguments for one call at many points, of shape (k, n).

        Checked leaves become arrays with a leading axis of length k.
        """
        rows = {name: _rows(slot, points) for name, slot in self._slots.items()}
        named = zip(self._arguments.names, self.values(), strict=True)
        return self._arguments.pack([self._with_rows(name, value, rows) for name, value in named])

    def _with_rows(self, name: str, value: Any, rows: Mapping[str, NDArray[Any]]) -> Any:
        """Return an argument with rows in the place of its checked leaves."""
        if name in rows:
            return rows[name]
        inside = contents(value)
        if inside is None or not self._checked.any_within(name):
            return value
        named = zip(accessors(value), inside, strict=True)
        return replaced(value, [self._with_rows(name + a, item, rows) for a, item in named])

    def _remaker(self, name: str, pristine: Any) -> Maker:
        def remake() -> Any:
            fixed, maker = self._plant(name, copy_data(name, pristine, self._checked))
            return fixed if maker is None else maker()

        return remake

    def _slot(
        self, parameter: Parameter, leaf: Leaf, owner: object | None, *, lift: bool
    ) -> _Slot:
        part = self.point[parameter.start : parameter.stop]
        flat = part.view(np.complex128) if parameter.is_complex else part
        view = flat.reshape(parameter.shape)
        value = leaf.value
        of_owner = owner is not None and leaf.name.startswith("self.")
        if not isinstance(value, np.ndarray):
            make = _maker(value, view, lift=lift)
            if of_owner:
                accessor = leaf.name.removeprefix("self")
                self._writers.append(lambda: assign(owner, accessor, make()))
            return _Slot(parameter, view, None, make)
        if of_owner:
            # Perturbed in place: rebinding would miss aliases such as params = [self.W].
            self._writers.append(_Writer(value, view))
            return _Slot(parameter, view, value, None)
        if type(value) is np.ndarray and value.flags.c_contiguous:
            if value.dtype in (np.float64, np.complex128):
                return _Slot(parameter, view, None, None)
            if lift and dtype_name(value.dtype) in LOW_PRECISION:
                return _Slot(parameter, view, None, None)
        working = value.copy(order="K")
        self._writers.append(_Writer(working, view))
        return _Slot(parameter, view, working, None)

    def _plant(self, name: str, value: Any) -> tuple[Any, Maker | None]:
        """Put slots in the place of checked leaves; return the value, or what makes it."""
        slot = self._slots.get(name)
        if slot is not None:
            return (slot.view if slot.working is None else slot.working), slot.make
        inside = contents(value)
        if inside is None or not self._checked.any_within(name):
            return value, None
        named = zip(accessors(value), inside, strict=True)
        planted = [self._plant(name + accessor, item) for accessor, item in named]
        if all(maker is None for _, maker in planted):
            return replaced(value, [fixed for fixed, _ in planted]), None
        return None, lambda: replaced(value, [m() if m else fixed for fixed, m in planted])


def _rows(slot: _Slot, points: Vector) -> NDArray[Any]:
    """Return the part of many points that belongs to a leaf, each in its shape."""
    part = points[:, slot.parameter.start : slot.parameter.stop]
    rows = part.view(slot.view.dtype).reshape(len(points), *slot.parameter.shape)
    return rows if slot.working is None else rows.astype(slot.working.dtype)


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes a part of the point into an array of another type or layout."""

    working: NDArray[Any]
    view: NDArray[Any]

    def __call__(self) -> None:
        np.copyto(self.working, self.view, casting="same_kind")


def _layout(leaves: Iterable[Leaf]) -> Iterable[Parameter]:
    start = 0
    for leaf in leaves:
        array = leaf.array
        is_complex = array.dtype.kind == "c"
        stop = start + array.size * (2 if is_complex else 1)
        yield Parameter(leaf.name, array.shape, dtype_name(array.dtype), start, stop, is_complex)
        start = stop


def _maker(value: Any, view: NDArray[Any], *, lift: bool) -> Maker:
    """Return what makes a number or a list of them from the point, as the type it came in."""
    if isinstance(value, list):
        return view.tolist
    if isinstance(value, np.generic):
        kind = view.dtype.type if lift else type(value)
        return lambda: kind(view[()])
    return view.item
