"""A working copy of the user's arguments, whose checked leaves are parts of one vector.

Perturbing the vector perturbs the arguments: float64 leaves are views of it, as the parameters
of `jax.flatten_util.ravel_pytree` would be if they shared memory; others are written to an array
of their own, or made anew, before each call. The copy also finds what a call changed in place.
It does not call the user's functions, and leaves the user's own objects as they are.
"""

from __future__ import annotations

import copy
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.call.attributes import assign, bind_again
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
    stored,
)
from pytest_gradcheck.binding.values.rebuilding import (
    RebuildError,
    Structure,
    around,
    rebuilt,
    replaced,
)
from pytest_gradcheck.errors import GradcheckUsageError
from pytest_gradcheck.report.records import Note

__all__ = [
    "FULL_PRECISION",
    "LOW_PRECISION",
    "Change",
    "WorkingCopy",
    "copy_data",
    "differences",
    "equal",
]


#: Types whose rounding would dominate a difference quotient; forward is tried in float64 instead.
LOW_PRECISION = frozenset({"float16", "float32", "complex64"})

#: The relative rounding of the coordinates of the point.
FULL_PRECISION = float(np.finfo(np.float64).eps)

#: Types of leaves that a call may exchange or change, and that can be compared.
COMPARED = (int, float, complex, bool, str, bytearray, list, set, array)

#: The notes on a parameter without entries.
EMPTY = (Note("empty", 0, "it is empty, so that there is nothing to check"),)

Maker = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Change:
    """An entry of a checked parameter that a call changed in place."""

    parameter: str
    index: tuple[int, ...]
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class _LeafStorage:
    """Where a leaf is stored in the point, and how it is passed to forward.

    Attributes
    ----------
    parameter : Parameter
        The leaf.
    view : ndarray
        Its part of the point, in its shape.
    working : ndarray or None
        An array of another type or layout, to which the view is copied before each call.
    make : callable or None
        Returns a number or a list, anew for each call. Where both are None the view itself is
        passed.
    """

    parameter: Parameter
    view: NDArray[Any]
    working: NDArray[Any] | None
    make: Maker | None


class WorkingCopy:
    """The arguments of forward and its checked attributes, perturbed by changing `point`.

    Parameters
    ----------
    arguments : BoundArguments
        The user's arguments of forward; only copies of them are passed.
    leaves : sequence of Leaf
        The checked leaves.
    owner : object or None
        The bound object, for leaves that are its attributes: these are perturbed in place.
    lift : bool
        Pass floating arrays of low precision as float64.

    Attributes
    ----------
    point : ndarray of float64, shape (n,)
        All checked leaves; whoever changes it must restore it.
    base : ndarray of float64, shape (n,)
        A copy of it.
    parameters : tuple of Parameter
        Names of the leaves and their places in the point.
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
        self._copied_each_call: set[str] = set()
        self.parameters = tuple(_parameters_of(leaves))
        named = zip(arguments.names, arguments.values, strict=True)
        self._checked = LeafNames(parameter.name for parameter in self.parameters)
        self._originals = [copy_data(name, value, self._checked) for name, value in named]
        self.point: Vector = np.empty(self.parameters[-1].stop if self.parameters else 0)
        self._writers: list[Maker] = []
        self._storage = {
            parameter.name: self._storage_of(parameter, leaf, owner, lift=lift)
            for parameter, leaf in zip(self.parameters, leaves, strict=True)
        }
        self._working_arrays = [
            storage for storage in self._storage.values() if storage.working is not None
        ]
        for storage, leaf in zip(self._storage.values(), leaves, strict=True):
            storage.view[...] = leaf.array
        self.base = self.point.copy()
        self._values: list[Any] = []
        self._passed: list[Any] | None = None
        self._makers: list[Maker | None] = []
        for name, original in zip(arguments.names, self._originals, strict=True):
            value, maker = self._insert(name, copy_data(name, original, self._checked))
            self._values.append(value)
            self._makers.append(maker)
        self._constant_call = None if any(self._makers) else arguments.pack(self._values)

    def is_lifted(self, parameter: Parameter) -> bool:
        """Return whether forward is given a parameter in a higher precision than the user's."""
        storage = self._storage[parameter.name]
        return parameter.dtype in LOW_PRECISION and storage.working is None and self.lift

    def holds(self, parameter: Parameter, value: Any) -> bool:
        """Return whether `value` is, or views, the array that is passed as a parameter."""
        storage = self._storage[parameter.name]
        mine = storage.view if storage.working is None else storage.working
        return isinstance(value, np.ndarray) and np.may_share_memory(value, mine)

    def as_passed(self, parameter: Parameter) -> Parameter:
        """Return a parameter with the dtype that is passed to forward."""
        if not self.is_lifted(parameter):
            return parameter
        return replace(parameter, dtype=dtype_name(self._storage[parameter.name].view.dtype))

    def pack(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return positional and keyword arguments of forward at the point as it is now."""
        for write in self._writers:
            write()
        if self._constant_call is not None:
            return self._constant_call
        self._passed = self.values()
        return self._arguments.pack(self._passed)

    @property
    def passed(self) -> Sequence[Any]:
        """The value of every argument as the last call left it, in the order of their names."""
        return self._values if self._passed is None else self._passed

    def values(self) -> list[Any]:
        """Return the value of every argument, in the order of their names."""
        return [
            value if maker is None else maker()
            for value, maker in zip(self._values, self._makers, strict=True)
        ]

    def find_change(self) -> Change | None:
        """Return the first checked entry that differs from `base`, and restore the point."""
        found = None
        # Most leaves are views of the point: one comparison says whether to compare each.
        is_unchanged = bool((self.point == self.base).all())
        for storage in self._working_arrays if is_unchanged else self._storage.values():
            parameter = storage.parameter
            part = slice(parameter.start, parameter.stop)
            before = self.base[part].view(storage.view.dtype).reshape(storage.view.shape)
            passed: NDArray[Any] = storage.view
            if storage.working is not None:
                passed, before = storage.working, before.astype(storage.working.dtype)
            differ = np.argwhere(~equal(np.asarray(passed), before))
            if differ.size and found is None:
                index = tuple(int(k) for k in differ[0])
                found = Change(parameter.name, index, before[index], np.asarray(passed)[index])
        if found is not None:
            self.point[:] = self.base
        return found

    def restore_changed(self) -> tuple[str, ...]:
        """Find unchecked arguments that a call changed; from now on copy them for each call.

        Returns
        -------
        tuple of str
            Accessors of what changed.
        """
        changed, names = [], []
        for k, (name, original) in enumerate(
            zip(self._arguments.names, self._originals, strict=True)
        ):
            maker = self._makers[k]
            passed = self._values[k] if maker is None else maker()
            places = list(differences(name, original, passed, self._checked))
            if places:
                changed += places
                names.append(name)
        self.copy_each_call(names)
        return tuple(changed)

    @property
    def copied_each_call(self) -> tuple[str, ...]:
        """Names of the arguments that are copied anew for each call."""
        return tuple(sorted(self._copied_each_call))

    def copy_each_call(self, names: Iterable[str]) -> None:
        """Copy these arguments anew for each call, from now on."""
        places = {name: k for k, name in enumerate(self._arguments.names)}
        for name in names:
            k = places[name]
            self._makers[k] = self._copier(name, self._originals[k])
            self._copied_each_call.add(name)
            self._constant_call = None

    def pack_rows(self, points: Vector) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return arguments for one call at k points, given with shape (k, n).

        Checked leaves become arrays with a leading axis of length k.
        """
        rows = {name: _rows(storage, points) for name, storage in self._storage.items()}
        named = zip(self._arguments.names, self.values(), strict=True)
        return self._arguments.pack([rebuilt(name, value, rows) for name, value in named])

    def _copier(self, name: str, original: Any) -> Maker:
        def copy_argument() -> Any:
            value, maker = self._insert(name, copy_data(name, original, self._checked))
            return value if maker is None else maker()

        return copy_argument

    def _storage_of(
        self, parameter: Parameter, leaf: Leaf, owner: object | None, *, lift: bool
    ) -> _LeafStorage:
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
            return _LeafStorage(parameter, view, None, make)
        if of_owner:
            # Perturbed in place: assigning a new array would miss aliases like params = [self.W].
            _make_writeable(value, leaf.name)
            self._writers.append(_Writer(value, view))
            self._writers.append(bind_again(owner, leaf.name.removeprefix("self"), value))
            return _LeafStorage(parameter, view, value, None)
        if type(value) is np.ndarray and value.flags.c_contiguous:
            if value.dtype in (np.float64, np.complex128):
                return _LeafStorage(parameter, view, None, None)
            if lift and dtype_name(value.dtype) in LOW_PRECISION:
                return _LeafStorage(parameter, view, None, None)
        working = value.copy(order="K")
        self._writers.append(_Writer(working, view))
        return _LeafStorage(parameter, view, working, None)

    def _insert(self, name: str, value: Any) -> tuple[Any, Maker | None]:
        """Return an argument with the stored leaves in it, or what makes it for each call."""
        storage = self._storage.get(name)
        if storage is not None:
            return (storage.view if storage.working is None else storage.working), storage.make
        if contents(value) is None or not self._checked.any_within(name):
            return value, None
        structure = Structure(name, value, around(self._checked, value))
        inserted = [self._insert(place, item) for place, item in structure.places]
        passed = [item for item, _ in inserted]
        makers = [(k, maker) for k, (_, maker) in enumerate(inserted) if maker is not None]
        if not makers:
            return structure.filled(passed), None

        def make() -> Any:
            for k, make_leaf in makers:
                passed[k] = make_leaf()
            return structure.filled(passed)

        return None, make


def _rows(storage: _LeafStorage, points: Vector) -> NDArray[Any]:
    """Return a leaf at k points, with a leading axis of length k."""
    part = points[:, storage.parameter.start : storage.parameter.stop]
    rows = part.view(storage.view.dtype).reshape(len(points), *storage.parameter.shape)
    return rows if storage.working is None else rows.astype(storage.working.dtype)


@dataclass(frozen=True, slots=True)
class _Writer:
    """Copies a part of the point to an array of another type or layout."""

    working: NDArray[Any]
    view: NDArray[Any]

    def __call__(self) -> None:
        np.copyto(self.working, self.view, casting="same_kind")


def _make_writeable(array: NDArray[Any], name: str) -> None:
    """Let the check write to an attribute, until everything is put back, or raise."""
    if array.flags.writeable:
        return
    try:
        array.flags.writeable = True
    except ValueError:
        raise GradcheckUsageError(
            f"{name} cannot be perturbed: its memory is read-only. Let the object hold a copy, "
            f"{name} = np.array({name})."
        ) from None


def _parameters_of(leaves: Iterable[Leaf]) -> Iterable[Parameter]:
    """Yield the leaves with their places in the point, one after the other."""
    start = 0
    for leaf in leaves:
        array = leaf.array
        is_complex = array.dtype.kind == "c"
        stop = start + array.size * (2 if is_complex else 1)
        yield Parameter(
            leaf.name,
            array.shape,
            dtype_name(array.dtype),
            start,
            stop,
            is_complex,
            notes=() if array.size else EMPTY,
        )
        start = stop


def _maker(value: Any, view: NDArray[Any], *, lift: bool) -> Maker:
    """Return what makes a number or a list of the user's own type from the point."""
    if isinstance(value, list):
        return view.tolist
    if isinstance(value, np.generic):
        kind = view.dtype.type if lift else type(value)
        return lambda: kind(view[()])
    return view.item


def copy_data(name: str, value: Any, checked: LeafNames) -> Any:
    """Return copies of arrays and containers, and anything else as it is.

    Random generators are not copied: `Replay` restores them. Checked leaves become None: their
    values are in the point.
    """
    structure = Structure(
        name,
        value,
        lambda place, inside: checked.any_within(place) or not holds_only(inside, SIMPLE),
        stored,
    )
    return structure.filled(
        [None if place in checked else _copied(item) for place, item in structure.places],
        lambda _, container, __: container,
    )


def _copied(value: Any) -> Any:
    """Return a copy of an array, or of a container of simple values; anything else as it is."""
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        return value.copy(order="K")
    if isinstance(value, (set, bytearray, array)) or is_number_list(value):
        return copy.deepcopy(value)
    inside = stored(value)
    try:
        return value if inside is None else replaced(value, inside)
    except RebuildError:
        return value


def equal(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.bool_]:
    """Return, entry by entry, whether two arrays are equal; NaN equals NaN."""
    same = a == b
    if a.dtype.kind in "fc" and b.dtype.kind in "fc" and not np.all(same):
        same = same | (np.isnan(a) & np.isnan(b))
    return np.asarray(same)


def differences(name: str, before: Any, after: Any, checked: LeafNames) -> Iterable[str]:
    """Yield accessors of what differs between two copies of an argument, except checked leaves."""
    pairs = [(name, before, after)]
    seen: dict[tuple[int, int], Any] = {}
    while pairs:
        name, before, after = pairs.pop()
        if before is after or name in checked:
            continue
        inside, inside_after = stored(before), stored(after)
        if isinstance(before, list) and inside is not None and isinstance(after, list):
            inside_after = after  # of plain numbers, where its items were measured in float64
        if inside is None or inside_after is None:
            if not _are_equal_leaves(before, after):
                yield name
            continue
        if (id(before), id(after)) in seen:
            continue
        seen[id(before), id(after)] = (before, after)
        if _are_simply_equal(before, inside, after, inside_after):
            continue
        named = list(accessors(before))
        if named != list(accessors(after)):
            yield name
            continue
        triples = zip(named, inside, inside_after, strict=True)
        pairs += [(name + accessor, old, new) for accessor, old, new in triples][::-1]


def _are_equal_leaves(before: Any, after: Any) -> bool:
    """Return whether two values that are no containers are equal, as far as that is known."""
    if isinstance(before, np.ndarray):
        same_shape = isinstance(after, np.ndarray) and before.shape == after.shape
        return same_shape and bool(equal(before, after).all())
    return not isinstance(before, COMPARED) or bool(before == after)


def _are_simply_equal(
    before: Any, inside: Sequence[Any], after: Any, inside_after: Sequence[Any]
) -> bool:
    """Return whether two containers hold the same simple values; faster than one by one."""
    if type(before) is not type(after) or type(before) not in (dict, list, tuple):
        return False
    if not (holds_only(inside, SIMPLE) and holds_only(inside_after, SIMPLE)):
        return False
    keys_are_equal = not isinstance(before, dict) or list(before) == list(after)
    return keys_are_equal and inside == inside_after
