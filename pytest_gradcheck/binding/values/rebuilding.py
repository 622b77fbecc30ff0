"""Rebuilding: containers of any protocol with other children in them, at any depth.

A copy is made as `copy.copy` makes it, but without a constructor or a method of a subclass: these
may have arguments of their own, convert what is set, or refuse to set anything. Each copy is
compared with what it should hold. Nothing is ever written to an object that was not made here.
"""

from __future__ import annotations

import copy
import types
from collections import OrderedDict, UserDict, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from pytest_gradcheck.binding.values.pytree import (
    SIMPLE,
    LeafNames,
    Way,
    accessors,
    attribute_names,
    contents,
    dict_of,
    holds_only,
    is_same,
    keys_of,
    other_attributes,
)
from pytest_gradcheck.errors import GradcheckUsageError
from pytest_gradcheck.report.representation import shown, type_name

__all__ = ["RebuildError", "Structure", "around", "number_list", "rebuilt", "replaced"]


Enters = Callable[[str, list[Any]], bool]


class RebuildError(TypeError):
    """There is no way to make a copy of a container with other children."""


def replaced(value: Any, new: Sequence[Any]) -> Any:
    """Return a copy of a container with `new` for its children, in order.

    Raises
    ------
    RebuildError
        When there is no way to make one.
    """
    kind = type(value)
    if kind is dict:
        return dict(zip(value, new, strict=True))
    if kind is list:
        return list(new)
    if kind is tuple:
        return tuple(new)
    old = contents(value) or []
    try:
        result = _made_by_kind(value, old, new)
        found = contents(result) or []
    except RebuildError:
        raise
    except Exception as error:
        raise RebuildError(f"{type_name(error)}: {error}") from error
    if len(found) != len(new) or not all(map(_is_kept, found, new)):
        raise RebuildError("it does not keep what it is given")
    return result


def _made_by_kind(value: Any, old: Sequence[Any], new: Sequence[Any]) -> Any:
    """Return a copy of a container, made as its kind has to be made."""
    if isinstance(value, types.MappingProxyType):
        return types.MappingProxyType(replaced(value.copy(), new))
    if isinstance(value, tuple):
        result = _new(type(value), new)
        _copy_attributes(value, result)
    elif has_shell(value):
        result = shell(value)
        fill(result, value, new)
    else:
        result = _with_other_items(value, old, new)
        return _deep_copy(value, old, new) if result is None else result
    _follow(result, old, new)
    return result


def has_shell(value: Any) -> bool:
    """Return whether a container can be made before its children: all that can be changed can."""
    if isinstance(value, Mapping):
        return dict_of(value) is not None
    return not isinstance(value, tuple)


def shell(value: Any) -> Any:
    """Return a copy of a container for `fill` to put its children in."""
    if isinstance(value, np.ndarray):
        return np.empty(value.shape, object)
    kind = type(value)
    result = _new(kind)
    if isinstance(value, deque):
        deque.__init__(result, (), value.maxlen)
    elif isinstance(value, defaultdict):
        defaultdict.__init__(result, value.default_factory)
    _copy_attributes(value, result)
    if isinstance(value, UserDict):
        result.data = shell(value.data)
    return result


def fill(result: Any, value: Any, new: Sequence[Any]) -> None:
    """Put `new` into a shell of `value` as its children."""
    if isinstance(value, Mapping):
        own = result.data if isinstance(result, UserDict) else result
        put = OrderedDict.__setitem__ if isinstance(own, OrderedDict) else dict.__setitem__
        for key, item in zip(keys_of(value), new, strict=True):
            put(own, key, item)
    elif isinstance(value, list):
        list.__setitem__(result, slice(None), new)
    elif isinstance(value, deque):
        deque.clear(result)
        deque.extend(result, new)
    elif isinstance(value, np.ndarray):
        flat = result.reshape(-1)
        for k, item in enumerate(new):
            flat[k] = item
    else:
        for name, item in zip(attribute_names(value) or (), new, strict=True):
            object.__setattr__(result, name, item)


def number_list(value: list[Any], numbers: list[Any]) -> Any:
    """Return numbers as a list of the class of another one, with its attributes."""
    if type(value) is list:
        return numbers
    result = shell(value)
    fill(result, value, numbers)
    return result


def _new(kind: type, *arguments: Any) -> Any:
    """Return a new object of a class, made by the built-in type that it derives from."""
    for base in kind.__mro__:
        make = vars(base).get("__new__")
        if isinstance(make, types.BuiltinFunctionType):
            return make(kind, *arguments)
    raise RebuildError(f"{shown(kind)} derives from no built-in type")


def _copy_attributes(value: Any, result: Any) -> None:
    """Give a new object the attributes of another, in its ``__dict__`` and its slots."""
    state = object.__getstate__(value)
    attributes, slots = state if isinstance(state, tuple) else (state, None)
    if attributes is value:  # attributes that are items: self.__dict__ = self
        result.__dict__ = result
    elif isinstance(attributes, dict):
        kind = type(value)
        # What was computed from other children is to be computed again.
        vars(result).update(
            (name, item)
            for name, item in attributes.items()
            if type(getattr(kind, name, None)) is not cached_property
        )
    for name, item in (slots or {}).items():
        object.__setattr__(result, name, item)


def _follow(result: Any, old: Sequence[Any], new: Sequence[Any]) -> None:
    """Let attributes that were one of the old children, or hold one, be or hold the new one.

    An array of which the children are parts has the new ones for its parts. Other arrays and
    containers among the attributes are copied, so that a function that keeps something there
    keeps it in this copy only.
    """
    attributes = other_attributes(result)
    if not attributes:
        return
    now = {id(was): item for was, item in zip(old, new, strict=True) if type(was) not in SIMPLE}
    for name, item in attributes.items():
        if id(item) in now:
            result.__dict__[name] = now[id(item)]
        elif type(item) in (dict, list, tuple):
            inside = contents(item) or item
            result.__dict__[name] = replaced(item, [now.get(id(was), was) for was in inside])
        elif type(item) is np.ndarray:
            result.__dict__[name] = _packed(result, item, old, new)
        elif type(item) in (set, deque, bytearray):
            result.__dict__[name] = copy.copy(item)


def _is_kept(found: Any, given: Any) -> bool:
    """Return whether a container holds a child that it was given, or the same numbers."""
    if is_same(found, given):
        return True
    return (
        type(found) is type(given) is np.ndarray
        and found.dtype == given.dtype
        and np.array_equal(found, given, equal_nan=found.dtype.kind in "fc")
    )


def _share_memory(first: Any, second: Any) -> bool:
    return (
        isinstance(first, np.ndarray)
        and isinstance(second, np.ndarray)
        and np.may_share_memory(first, second)
    )


def _packed(
    result: Any, array: np.ndarray[Any, Any], old: Sequence[Any], new: Sequence[Any]
) -> np.ndarray[Any, Any]:
    """Return a copy of an array in which the children that were views of it are the new ones.

    Those that are the same as before are made views of the copy.
    """
    copied, children = array.copy(order="K"), [*new]
    for k, was in enumerate(old):
        part = _part_of(copied, array, was)
        if part is not None:
            np.copyto(part, new[k], casting="same_kind")
            children[k] = part if new[k] is was else new[k]
    if has_shell(result):
        fill(result, result, children)
    return copied


def _part_of(
    copied: np.ndarray[Any, Any], array: np.ndarray[Any, Any], view: Any
) -> np.ndarray[Any, Any] | None:
    """Return the part of a copy of an array that `view` is of the array; None if it is none."""
    is_dense = array.flags.c_contiguous and not array.dtype.hasobject
    if not is_dense or type(view) is not np.ndarray or not np.may_share_memory(view, array):
        return None
    offset = view.ctypes.data - array.ctypes.data
    try:
        return np.ndarray(view.shape, view.dtype, copied, offset, view.strides)
    except (TypeError, ValueError):  # not all of it is within the array
        return None


def _with_other_items(value: Any, old: Sequence[Any], new: Sequence[Any]) -> Any:
    """Return a copy of a mapping with a copy of the dict that holds its items, None without one.

    As deep copies do, but numbers have no identity by which these could exchange them.
    """
    keys = list(value)
    state = object.__getstate__(value)
    for attributes in state if isinstance(state, tuple) else (state,):
        for name, item in (attributes or {}).items():
            if not isinstance(item, dict) or list(dict.keys(item)) != keys:
                continue
            if all(map(is_same, dict.values(item), old)):
                result = _new(type(value))
                _copy_attributes(value, result)
                object.__setattr__(result, name, replaced(item, new))
                return result
    return None


def _deep_copy(value: Any, old: Sequence[Any], new: Sequence[Any]) -> Any:
    """Return a copy of a mapping of the user's own class, with its storage but other children."""
    memo: dict[int, Any] = {id(item): item for pair in value.items() for item in pair}
    memo |= {id(was): item for was, item in zip(old, new, strict=True) if type(was) not in SIMPLE}
    result = copy.deepcopy(value, memo)
    if result is value:
        raise RebuildError("a copy of it is itself")
    if any(map(_share_memory, contents(result) or [], old)):
        raise RebuildError("a copy of it shares its items")
    for key, item in zip(value, new, strict=True):
        if not is_same(result[key], item):
            result[key] = item
    now = contents(value) or []
    if len(now) != len(old) or not all(map(is_same, now, old)):
        for key, item in zip(list(value), old, strict=True):
            value[key] = item
        raise RebuildError("a copy of it shares its items")
    return result


class _Step(NamedTuple):
    """One container: its accessor, itself, and where its children are found.

    A child is a place, k, or a container, ~k.
    """

    name: str
    value: Any
    number: int
    children: list[int]


Failed = Callable[[str, Any, RebuildError], Any]


def _refuse(name: str, value: Any, error: RebuildError) -> Any:
    """Raise, with what to pass instead of a container that cannot be copied."""
    instead = (
        f"dict({name})" if isinstance(value, Mapping) else f"a dict or list instead of {name}"
    )
    raise GradcheckUsageError(
        f"{name} is a {type_name(value)}, of which no copy with other values can be made "
        f"({error}). Pass {instead}, or name what else is to be checked in wrt=."
    ) from error


class Structure:
    """The containers of a value apart from what they hold, as the PyTreeDef of `jax.tree_util`.

    Parameters
    ----------
    name : str
        The accessor of the value.
    value : Any
        A container or a leaf.
    enters : callable
        Returns whether to rebuild a container, from its accessor and its children. What is not
        entered is a place.
    inside_of : callable
        Returns the children of a container, None for anything else.
    once : bool
        Whether a container that is in several others is rebuilt once, for all of them.

    Attributes
    ----------
    places : list of (str, Any)
        Accessor and value of all that is not entered.
    """

    def __init__(
        self,
        name: str,
        value: Any,
        enters: Enters,
        inside_of: Callable[[Any], list[Any] | None] = contents,
        *,
        once: bool = False,
    ) -> None:
        self.places: list[tuple[str, Any]] = []
        self._steps: list[_Step] = []
        # Containers that are inside themselves, with those that they are children of.
        self._knots: dict[int, list[_Step]] = {}
        self._count = 0
        inside = inside_of(value)
        if inside is None or not enters(name, inside):
            self.places.append((name, value))
            return
        way = Way(value, inside_of, once=once)
        number: dict[int, int] = {}
        open_steps: list[tuple[_Step, Iterator[tuple[str, Any]]]] = []

        def enter(name: str, value: Any, inside: Sequence[Any]) -> None:
            way.enter(value)
            step = _Step(name, value, self._count, [])
            number[id(value)] = self._count
            self._count += 1
            open_steps.append((step, zip(accessors(value), inside, strict=True)))

        enter(name, value, inside)
        while open_steps:
            step, rest = open_steps[-1]
            for accessor, item in rest:
                inside = inside_of(item)
                if inside is None:
                    step.children.append(len(self.places))
                    self.places.append((step.name + accessor, item))
                elif not way.may_enter(item):
                    step.children.append(~number[id(item)])
                    if way.is_inside(item):
                        self._knots.setdefault(number[id(item)], []).append(step)
                elif enters(step.name + accessor, inside):
                    step.children.append(~self._count)
                    enter(step.name + accessor, item, inside)
                    break
                else:
                    step.children.append(len(self.places))
                    self.places.append((step.name + accessor, item))
            else:
                self._steps.append(step)
                way.leave()
                open_steps.pop()

    def filled(self, new: Sequence[Any], failed: Failed = _refuse) -> Any:
        """Return the value with `new` for its places, in order.

        Parameters
        ----------
        new : sequence
            The values of the places.
        failed : callable
            Returns what takes the place of a container that cannot be made, from its accessor,
            itself and the error; by default it raises a `GradcheckUsageError`.

        Returns
        -------
        Any
            The value.
        """
        if not self._steps:
            return new[0]
        built: list[Any] = [None] * self._count
        for step in self._steps:
            if step.number in self._knots and has_shell(step.value):
                built[step.number] = shell(step.value)
        for step in self._steps:
            children = [new[k] if k >= 0 else built[~k] for k in step.children]
            try:
                self._build(step, children, built)
            except RebuildError as error:
                built[step.number] = failed(step.name, step.value, error)
        return built[0]

    def _build(self, step: _Step, children: Sequence[Any], built: list[Any]) -> None:
        holders = self._knots.get(step.number, ())
        if holders and has_shell(step.value):
            fill(built[step.number], step.value, children)
            _follow(built[step.number], contents(step.value) or [], children)
            return
        built[step.number] = replaced(step.value, children)
        for holder in holders:
            if not has_shell(holder.value):
                raise RebuildError(f"{holder.name} holds it, and cannot be changed")
            _put(built[holder.number], holder, step.number, built[step.number])


def _put(result: Any, holder: _Step, number: int, item: Any) -> None:
    """Put a container that is made last into those of its children that hold it."""
    children = contents(result) or []
    children = [
        item if child == ~number else was
        for child, was in zip(holder.children, children, strict=True)
    ]
    fill(result, holder.value, children)


def rebuilt(name: str, value: Any, new: Mapping[str, Any]) -> Any:
    """Return a copy of `value`, called `name`, with the values that `new` has for accessors.

    Examples
    --------
    >>> rebuilt("p", {"W": [1.0], "b": {"c": 2.0}}, {"p['b']['c']": 3.0})
    {'W': [1.0], 'b': {'c': 3.0}}
    """
    structure = Structure(name, value, around(LeafNames(new), value))
    return structure.filled([new.get(place, item) for place, item in structure.places])


def around(names: LeafNames, value: Any) -> Enters:
    """Return what enters the containers of a value that have one of these leaves inside.

    Where a container is inside itself, it enters all: any may hold one that is made anew.
    """
    way = Way(value)
    return lambda place, inside: (
        place not in names
        and (names.any_within(place) or (not holds_only(inside, SIMPLE) and way.is_cyclic))
    )
