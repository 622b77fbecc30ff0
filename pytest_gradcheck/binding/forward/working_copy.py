"""A working copy of the user's arguments, whose checked leaves are parts of one vector.

Perturbing the vector perturbs the arguments, as with `jax.flatten_util.ravel_pytree`: leaves, and
the containers around them, are made anew for each call. The copy also finds what a call changed
in place. It does not call the user's functions.
"""

from __future__ import annotations

import copy
from array import array
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.call.signature import BoundArguments
from pytest_gradcheck.binding.forward.passed_leaves import (
    Change,
    changed_visibly,
    equal,
    passed_leaf,
)
from pytest_gradcheck.binding.state.cached_values import forgetters
from pytest_gradcheck.binding.state.reachable import UNSET, reachable
from pytest_gradcheck.binding.state.value_places import places_of
from pytest_gradcheck.binding.values.parameters import Parameter, Vector, dtype_name, rounding_of
from pytest_gradcheck.binding.values.pytree import (
    SIMPLE,
    Leaf,
    LeafNames,
    accessors,
    contents,
    holds_only,
    is_number_list,
    other_attributes,
    stored,
)
from pytest_gradcheck.binding.values.rebuilding import (
    RebuildError,
    Structure,
    around,
    number_list,
    rebuilt,
    replaced,
)
from pytest_gradcheck.integrations.array_libraries import array_library, as_numpy
from pytest_gradcheck.report.report_data import Note

__all__ = [
    "FULL_PRECISION",
    "WorkingCopy",
    "copy_data",
    "differences",
]


#: The arguments of the last calls are kept alive, up to so many bytes.
KEPT_BYTES = 2**25
BYTES_PER_LEAF = 200

#: The relative rounding of the coordinates of the point.
FULL_PRECISION = float(np.finfo(np.float64).eps)


#: Types of leaves that a call may exchange or change, and that can be compared.
COMPARED = (int, float, complex, bool, str, bytearray, list, set, array)

#: The notes on a parameter without entries.
EMPTY = (Note("empty", 0, "it is empty, so that there is nothing to check"),)

Maker = Callable[[], Any]


class WorkingCopy:
    """The arguments of forward and its checked attributes, perturbed by changing `point`.

    Parameters
    ----------
    arguments : BoundArguments
        The user's arguments of forward; only copies of them are passed.
    leaves : sequence of Leaf
        The checked leaves.
    displaced : mapping of str to ndarray
        The values of those that are not as the user gave them.
    owner : object or None
        The bound object, for leaves that are its attributes.
    lift : collection of str
        Names of the leaves to pass as float64 where they are of low precision.

    Attributes
    ----------
    point : ndarray of float64, shape (n,)
        All checked leaves; whoever changes it must restore it.
    base : ndarray of float64, shape (n,)
        A copy of it.
    parameters : tuple of Parameter
        Names of the leaves and their places in the point.
    displaced : mapping of str to ndarray
        As given.
    lift : collection of str
        As given.
    """

    def __init__(
        self,
        arguments: BoundArguments,
        leaves: Sequence[Leaf],
        displaced: Mapping[str, NDArray[Any]],
        *,
        owner: object | None,
        lift: Collection[str],
    ) -> None:
        self._arguments = arguments
        self.displaced, self.lift = displaced, lift
        self._copied_each_call: set[str] = set()
        self.parameters = tuple(_parameters_of(leaves))
        named = zip(arguments.names, arguments.values, strict=True)
        self._checked = LeafNames(parameter.name for parameter in self.parameters)
        self._originals = [copy_data(name, value, self._checked) for name, value in named]
        self.point: Vector = np.empty(self.parameters[-1].stop if self.parameters else 0)
        attributes = [leaf.value for leaf in leaves if leaf.name.startswith("self.")]
        reached = reachable([], [("self", owner)]) if attributes else []
        places = places_of(reached, attributes)
        self._leaves = {
            parameter.name: passed_leaf(
                parameter,
                leaf,
                self.point,
                owner=owner if leaf.name.startswith("self.") else None,
                places=places.get(id(leaf.value), ()),
                lift=leaf.name in lift,
            )
            for parameter, leaf in zip(self.parameters, leaves, strict=True)
        }
        for passed, leaf in zip(self._leaves.values(), leaves, strict=True):
            passed.view[...] = displaced.get(leaf.name, leaf.array)
        self.base = self.point.copy()
        self._attributes = [
            passed for name, passed in self._leaves.items() if name.startswith("self.")
        ]
        self._forgetters = forgetters(reached)
        self._values: list[Any] = []
        self._makers: list[Maker | None] = []
        for name, original in zip(arguments.names, self._originals, strict=True):
            value, maker = self._insert(name, copy_data(name, original, self._checked))
            self._values.append(value)
            self._makers.append(maker)
        self._passed: list[Any] = []
        # What is not freed is not mistaken for what is made next, even by its `id`.
        size = self.point.nbytes + BYTES_PER_LEAF * (1 + len(self._leaves))
        self._kept = deque[list[Any]](maxlen=max(2, KEPT_BYTES // size))
        if any(not isinstance(leaf.value, np.ndarray) for leaf in leaves):
            self._refuse_containers_of_constants()

    def _refuse_containers_of_constants(self) -> None:
        """Raise where a container that is made anew for each call cannot hold other numbers."""
        self.point += 1.0
        for make in self._makers:
            if make is not None:
                make()
        self.point[:] = self.base

    def is_lifted(self, parameter: Parameter) -> bool:
        """Return whether forward is given a parameter in a higher precision than the user's."""
        return self._leaves[parameter.name].is_lifted

    def rounding(self, parameter: Parameter) -> float:
        """Return the relative rounding of a parameter in the type that is passed to forward."""
        return rounding_of(self.as_passed(parameter).dtype, self._leaves[parameter.name].passed)

    @property
    def replaces_attributes(self) -> bool:
        """Whether attributes are set to other arrays than the user's own."""
        return any(attribute.original is not None for attribute in self._attributes)

    @contextmanager
    def changed_originals(self) -> Iterator[None]:
        """Change the user's own arrays of these attributes, as long as the context lasts."""
        rng = np.random.default_rng(0)
        originals = [leaf.original for leaf in self._attributes if leaf.original is not None]
        before = [array.copy() for array in originals]
        try:
            for array in originals:
                np.copyto(array, changed_visibly(array, rng), casting="same_kind")
            yield
        finally:
            for array, entries in zip(originals, before, strict=True):
                np.copyto(array, entries)

    def holds(self, parameter: Parameter, value: Any) -> bool:
        """Return whether `value` is, or views, the array that was passed as a parameter."""
        passed = self._leaves[parameter.name].passed
        return (
            isinstance(value, np.ndarray)
            and isinstance(passed, np.ndarray)
            and np.may_share_memory(value, passed)
        )

    def as_passed(self, parameter: Parameter) -> Parameter:
        """Return a parameter with the dtype that is passed to forward."""
        if not self.is_lifted(parameter):
            return parameter
        return replace(parameter, dtype=dtype_name(self._leaves[parameter.name].view.dtype))

    def pack(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return positional and keyword arguments of forward at the point as it is now."""
        for forget in self._forgetters:
            forget()
        attributes = [attribute.take() for attribute in self._attributes]
        self._passed = passed = [
            value if make is None else make()
            for value, make in zip(self._values, self._makers, strict=True)
        ]
        self._kept.append([*attributes, *passed])
        return self._arguments.pack(passed)

    def put_attributes_back(self) -> None:
        """Set the attributes to the user's own arrays, as what else there is in the object has."""
        for attribute in self._attributes:
            attribute.put_back()

    @property
    def passed(self) -> Sequence[Any]:
        """The value of every argument as the last call left it, in the order of their names."""
        return self._passed

    def find_change(self) -> Change | None:
        """Return the first checked entry that the last call changed, made at the base point."""
        found = (leaf.find_change(self.base) for leaf in self._leaves.values())
        return next((change for change in found if change is not None), None)

    def restore_changed(self) -> tuple[str, ...]:
        """Find unchecked arguments that a call changed; from now on copy them for each call.

        Returns
        -------
        tuple of str
            Accessors of what changed.
        """
        changed, names = [], []
        for name, original, passed in zip(
            self._arguments.names, self._originals, self._passed, strict=True
        ):
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

    def copy_each_call(self, names: Collection[str]) -> None:
        """Copy these arguments anew for each call, from now on."""
        places = {name: k for k, name in enumerate(self._arguments.names)}
        if names:
            self._kept = deque(maxlen=2)  # data may be large
        for name in names:
            k = places[name]
            self._makers[k] = self._copier(name, self._originals[k])
            self._copied_each_call.add(name)

    def pack_rows(self, points: Vector) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return arguments for one call at k points, given with shape (k, n).

        Checked leaves become arrays with a leading axis of length k.
        """
        self.pack()
        rows = {name: leaf.rows(points) for name, leaf in self._leaves.items()}
        named = zip(self._arguments.names, self._passed, strict=True)
        return self._arguments.pack([rebuilt(name, value, rows) for name, value in named])

    def _copier(self, name: str, original: Any) -> Maker:
        def copy_argument() -> Any:
            value, maker = self._insert(name, copy_data(name, original, self._checked))
            return value if maker is None else maker()

        return copy_argument

    def _insert(self, name: str, value: Any) -> tuple[Any, Maker | None]:
        """Return an argument with the stored leaves in it, or what makes it for each call."""
        leaf = self._leaves.get(name)
        if leaf is not None:
            return None, leaf.take
        if contents(value) is None or not self._checked.any_within(name):
            return value, None
        structure = Structure(name, value, around(self._checked, value))
        inserted = [self._insert(place, item) for place, item in structure.places]
        items = [item for item, _ in inserted]
        makers = [(k, maker) for k, (_, maker) in enumerate(inserted) if maker is not None]

        def make() -> Any:
            for k, make_leaf in makers:
                items[k] = make_leaf()
            return structure.filled(items)

        return None, make


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


def copy_data(name: str, value: Any, checked: LeafNames) -> Any:
    """Return copies of arrays and containers, and anything else as it is.

    Random generators are not copied: `Replay` restores them. Checked leaves are not copied
    either: their values are in the point. What is in several places is copied once.
    """
    structure = Structure(
        name,
        value,
        lambda place, inside: checked.any_within(place) or not holds_only(inside, SIMPLE),
        stored,
        once=True,
    )
    return structure.filled(
        [item if place in checked else _copied(item) for place, item in structure.places],
        lambda _, container, __: container,
    )


def _copied(value: Any) -> Any:
    """Return a copy of an array, or of a container of simple values; anything else as it is."""
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        return value.copy(order="K")
    library = array_library(value)
    if library is not None:
        return library.copy(value)
    if is_number_list(value):
        return number_list(value, copy.deepcopy(list(value)))
    if type(value) in (set, bytearray, array):
        return copy.copy(value)
    inside = stored(value)
    try:
        return value if inside is None else replaced(value, inside)
    except RebuildError:
        return value


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
        pairs += _pairs_of_attributes(name, before, after)
        if _are_simply_equal(before, inside, after, inside_after):
            continue
        named = list(accessors(before))
        if named != list(accessors(after)):
            yield name
            continue
        triples = zip(named, inside, inside_after, strict=True)
        pairs += [(name + accessor, old, new) for accessor, old, new in triples][::-1]


def _pairs_of_attributes(name: str, before: Any, after: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield accessor and values of the attributes that two containers have besides children."""
    old, new = other_attributes(before), other_attributes(after)
    for key in [*old, *(key for key in new if key not in old)]:
        yield f"{name}.{key}", old.get(key, UNSET), new.get(key, UNSET)


def _are_equal_leaves(before: Any, after: Any) -> bool:
    """Return whether two values that are no containers are equal, as far as that is known."""
    if before is UNSET or after is UNSET:
        return False
    if isinstance(before, np.ndarray):
        same_shape = isinstance(after, np.ndarray) and before.shape == after.shape
        return same_shape and bool(equal(before, after).all())
    if array_library(before) is not None:
        return _are_equal_leaves(as_numpy(before), as_numpy(after))
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
