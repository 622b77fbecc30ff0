"""Attributes of the object that a method is bound to: copying the object, reading and setting.

An attribute has an accessor, as ``.params['W'][1]``, which `follow` and `assigner` take. It does
not know what is checked.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.values.pytree import accessors, attribute_names, contents, keys_of
from pytest_gradcheck.binding.values.user_attributes import attribute, has_attribute
from pytest_gradcheck.errors import GradcheckUsageError
from pytest_gradcheck.report.accessors import STRING, literal
from pytest_gradcheck.report.representation import type_name

__all__ = [
    "array_assigner",
    "as_method",
    "assigner",
    "bound_object",
    "called_object",
    "copy_object",
    "follow",
    "rebind",
]

_ACCESS = re.compile(rf"\.(?P<name>\w+)|\[(?P<key>{STRING})\]|\[(?P<index>-?\d+)\]")


def bound_object(function: Callable[..., Any]) -> object | None:
    """Return the object that a bound method belongs to, None for a plain function."""
    owner: object | None = attribute(function, "__self__")
    is_method = owner is not None and has_attribute(function, "__func__")
    return owner if is_method and not isinstance(owner, type) else None


def called_object(function: Callable[..., Any]) -> object | None:
    """Return an object of the user's that is called, as a network; None for a function."""
    is_own = isinstance(attribute(type(function), "__call__"), FunctionType)
    return function if is_own and not isinstance(function, type) else None


def as_method(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return an object that is called as the method that calls it, and a function as it is."""
    if called_object(function) is None:
        return function
    return MethodType(type(function).__call__, function)


def rebind(function: Callable[..., Any], owner: object, copied: object) -> Callable[..., Any]:
    """Return a bound method of `owner` as a method of its copy, anything else as it is."""
    if bound_object(function) is not owner:
        return function
    method: Callable[..., Any] = function.__func__.__get__(copied)  # type: ignore[attr-defined]  # bound_object() saw it
    return method


def copy_object(owner: object, reason: str, memo: dict[int, Any] | None = None) -> object:
    """Return a deep copy of an object.

    Parameters
    ----------
    owner : object
        The user's object.
    reason : str
        Why it is copied, for the message.
    memo : dict, optional
        What was copied before, by identity, as for `copy.deepcopy`.

    Returns
    -------
    object
        Arrays that are views of another one in `owner` are views of its copy.

    Raises
    ------
    GradcheckUsageError
        When it cannot be copied.
    """
    try:
        memo = {} if memo is None else memo
        for key, view in _copied_views(owner).items():
            memo.setdefault(key, view)
        return copy.deepcopy(owner, memo)
    except Exception as error:
        raise GradcheckUsageError(
            f"{reason}, so a copy of the {type_name(owner)} is used, but it cannot be copied: "
            f"{error}. Give it a __deepcopy__, or pass the parameters as arguments of forward."
        ) from error


def _copied_views(owner: object) -> dict[int, Any]:
    """Return copies of the arrays in an object that are views, by identity: a memo for `deepcopy`.

    `copy.deepcopy` would copy each view for itself, so that a layer whose ``W`` is a part of a
    flat vector of all parameters would no longer see the vector change.
    """
    memo: dict[int, Any] = {}
    for array in _arrays(owner, set()):
        root = _root(array)
        if root is None or root is array:
            continue
        if id(root) not in memo:
            memo[id(root)] = root.copy(order="K")
        copied = _in_memory_order(memo[id(root)])
        offset = array.ctypes.data - root.ctypes.data
        memo[id(array)] = np.ndarray(array.shape, array.dtype, copied, offset, array.strides)
    return memo


def _root(array: NDArray[Any]) -> NDArray[Any] | None:
    """Return the array that owns the memory of a view, None where it is not a plain one."""
    root: Any = array
    while isinstance(root.base, np.ndarray):
        root = root.base
    plain = type(root) is np.ndarray and root.base is None and not root.dtype.hasobject
    return root if plain and _in_memory_order(root).flags.c_contiguous else None


def _in_memory_order(array: NDArray[Any]) -> NDArray[Any]:
    """Return a view with the axes in the order of their strides, the longest first."""
    return array.transpose(sorted(range(array.ndim), key=lambda axis: -array.strides[axis]))


def _arrays(value: Any, seen: set[int]) -> Iterator[NDArray[Any]]:
    """Yield the plain arrays in an object, in its containers and the objects it holds."""
    if id(value) in seen or isinstance(value, (type, ModuleType, FunctionType)):
        return
    seen.add(id(value))
    if type(value) is np.ndarray:
        yield value
    inside: list[Any] = []
    if isinstance(value, dict):
        inside = list(value.values())
    elif isinstance(value, (list, tuple)):
        inside = list(value)
    else:
        inside = list(attribute(value, "__dict__", {}).values())
    for item in inside:
        yield from _arrays(item, seen)


def follow(owner: object, accessor: str) -> Any:
    """Return the value of `accessor` in `owner`.

    Examples
    --------
    >>> import types
    >>> layer = types.SimpleNamespace(params={"W": [1.0, 2.0]})
    >>> follow(layer, ".params['W'][1]")
    2.0
    """
    return _followed(owner, _accesses(owner, accessor))


def assigner(owner: object, accessor: str) -> Callable[[Any], None]:
    """Return what sets the value of `accessor` in `owner`, as the user would set it."""
    return partial(_set, owner, tuple(_accesses(owner, accessor)))


def array_assigner(owner: object, accessor: str, array: NDArray[Any]) -> Callable[[Any], None]:
    """Return what sets the value of `accessor` in `owner` to another array, if anything does.

    Parameters
    ----------
    owner : object
        The user's object.
    accessor : str
        The attribute.
    array : ndarray
        Its value, to which it is set once.

    Returns
    -------
    callable
        It does nothing where the attribute is a property that cannot be set.

    Examples
    --------
    >>> import types
    >>> layer = types.SimpleNamespace(W=np.ones(2))
    >>> array_assigner(layer, ".W", layer.W)(np.zeros(2))
    >>> layer.W
    array([0., 0.])
    """
    *path, (kind, last) = accesses = _accesses(owner, accessor)
    holder = _followed(owner, path)
    names = [last]
    if kind == "." and attribute(holder, f"_{last}") is array:
        names.append(f"_{last}")  # what a property of this name returns
    attributes = getattr(holder, "__dict__", {})
    before = dict(attributes)
    for name in names:
        assign = partial(_set, holder, ((kind, name),))
        with suppress(Exception):  # a property may raise anything
            assign(array)
            if np.array_equal(_followed(owner, accesses), array, equal_nan=True):
                return partial(_set, owner, (*path, (kind, name)))
        attributes |= before
    return lambda _: None


def _set(owner: object, accesses: Sequence[tuple[str, Any]], value: Any) -> None:
    *path, (kind, last) = accesses
    holder = _followed(owner, path)
    if kind == ".":
        try:
            setattr(holder, last, value)
        except AttributeError:  # an object that is frozen; it is put back
            object.__setattr__(holder, last, value)
    else:
        holder[last] = value


def _followed(owner: Any, accesses: Iterable[tuple[str, Any]]) -> Any:
    for kind, key in accesses:
        owner = getattr(owner, key) if kind == "." else owner[key]
    return owner


def _accesses(owner: Any, accessor: str) -> list[tuple[str, Any]]:
    """Return kind, "." or "[", and key of each access, or raise whatever the object raises."""
    try:
        found = _read_accesses(accessor)
        _followed(owner, found)
    except Exception:  # noqa: BLE001  # whatever the user's class raises
        return _searched_accesses(owner, accessor)
    return found


def _searched_accesses(owner: Any, accessor: str) -> list[tuple[str, Any]]:
    """Find the accesses whose keys are shown as in `accessor`: not all are written as Python."""
    first = _ACCESS.match(accessor)
    if first is None or first["name"] is None:
        raise ValueError(accessor)
    found = [(".", first["name"])]
    rest, value = accessor[first.end() :], getattr(owner, first["name"])
    while rest:
        named = zip(accessors(value), _keys(value), contents(value) or (), strict=True)
        fitting = [each for each in named if rest.startswith(each[0])]
        if not fitting:
            raise ValueError(accessor)
        accessor_here, key, value = max(fitting, key=lambda each: len(each[0]))
        found.append((accessor_here[0], key))
        rest = rest.removeprefix(accessor_here)
    return found


def _keys(container: Any) -> Iterable[Any]:
    """Return the keys, names of attributes or positions of the children of a container."""
    if isinstance(container, Mapping):
        return keys_of(container)
    return attribute_names(container) or range(len(contents(container) or ()))


def _read_accesses(accessor: str) -> list[tuple[str, Any]]:
    """Return kind and key of each access, or raise `ValueError`."""
    found: list[tuple[str, Any]] = []
    end = 0
    for match in _ACCESS.finditer(accessor):
        if match.start() != end:
            break
        end = match.end()
        if match["name"] is not None:
            found.append((".", match["name"]))
        else:
            index = match["index"]
            found.append(("[", literal(match["key"]) if index is None else int(index)))
    if end != len(accessor) or not found:
        raise ValueError(accessor)
    return found
