"""Everything that forward and backward can reach: objects, containers, arrays and generators.

From arguments, defaults, closures, the objects that methods are bound to, and the globals that
functions name, it follows containers and the attributes of the user's own objects. It visits
nothing twice, and runs no code of the user's: no property, no method of a mapping.
"""

from __future__ import annotations

import functools
import sys
import types
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from pytest_gradcheck.binding.call.installed_code import is_installed
from pytest_gradcheck.binding.values.user_attributes import attribute
from pytest_gradcheck.integrations.torch_tensors import is_module_type

__all__ = [
    "FUNCTIONS",
    "UNSET",
    "Reached",
    "attributes_of",
    "is_own",
    "reachable",
    "slot_value",
    "slots_of",
]

#: Stands for the value of a slot or an attribute that has none.
UNSET = object()

#: Types of values through which nothing else is reached.
PLAIN = (str, bytes, int, float, complex, np.generic, types.ModuleType, types.NoneType)

#: Types of functions.
FUNCTIONS = (types.FunctionType, types.MethodType, functools.partial)

#: The elements of each type of container, by the method of the builtin type.
ELEMENTS: dict[type, Callable[[Any], Iterable[Any]]] = {
    kind: kind.__iter__ for kind in (list, tuple, set, frozenset, deque)
}


class Reached(NamedTuple):
    """Something that the functions can reach.

    Attributes
    ----------
    value : Any
        The thing itself.
    key : Any
        Its name; within something else its attribute, key or position.
    within : Reached or None
        What it was found in, None for what has a name of its own.
    is_attribute : bool
        Whether `key` is an attribute.
    is_named : bool
        Whether a function closes over it, has it as an attribute, or names it as a global.
    """

    value: Any
    key: Any
    within: Reached | None = None
    is_attribute: bool = False
    is_named: bool = False

    @property
    def name(self) -> str:
        """Where it was found, for messages."""
        accessors, place = list[str](), self
        while place.within is not None:
            accessors.append(place._accessor())
            place = place.within
        return "".join([str(place.key), *reversed(accessors)])

    def _accessor(self) -> str:
        if self.is_attribute:
            return f".{self.key}"
        # The representation of any other key is code of the user's.
        return (
            f"[{self.key!r}]" if type(self.key) in (str, int) else f"[{type(self.key).__name__}]"
        )


def reachable(
    functions: Sequence[Callable[..., Any]], arguments: Iterable[tuple[str, Any]] = ()
) -> list[Reached]:
    """Return everything that functions can reach.

    Parameters
    ----------
    functions : sequence of callable
        Forward and backward.
    arguments : iterable of (str, Any)
        Names and values of the arguments.

    Returns
    -------
    list of Reached
        Each once, depth first, except plain values such as numbers, strings and modules.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> layer = SimpleNamespace(W=np.ones(2), rate=0.1)
    >>> [found.name for found in reachable([lambda x: layer.W @ x])]
    ['function', 'layer (global)', 'layer (global).W']
    """
    pending = [Reached(value, f"{name} (argument)") for name, value in arguments]
    pending += [Reached(function, type(function).__name__) for function in functions]
    pending.reverse()
    found = dict[int, Reached]()  # it holds the values, so that their ids are not reused
    while pending:
        reached = pending.pop()
        value = reached.value
        if isinstance(value, PLAIN) or id(value) in found:
            continue
        found[id(value)] = reached
        pending += reversed([*_inside(reached)])
    return list(found.values())


def _inside(reached: Reached) -> Iterator[Reached]:
    """Yield what is reached through something directly."""
    value = reached.value
    if type(value) is np.ndarray:
        if value.dtype.hasobject:
            yield from _elements(reached, value.ravel().tolist())
    elif isinstance(value, FUNCTIONS):
        yield from _of_function(value)
    elif isinstance(value, type):
        yield from _of_class(reached)
    else:
        yield from _of_object(reached)


def _of_function(function: Any) -> Iterator[Reached]:
    """Yield the arguments, defaults, closure, bound object and globals of a function."""
    if isinstance(function, functools.partial):
        for item in (*function.args, *function.keywords.values()):
            yield Reached(item, "partial's argument")
        yield Reached(function.func, "partial")
    elif isinstance(function, types.MethodType):
        yield Reached(function.__self__, "self")
        yield Reached(function.__func__, "method")
    elif not is_installed(function.__code__.co_filename):
        yield from _of_plain_function(function)


def _of_plain_function(function: types.FunctionType) -> Iterator[Reached]:
    for item in function.__defaults__ or ():
        yield Reached(item, "default")
    for name, item in (function.__kwdefaults__ or {}).items():
        yield Reached(item, f"{name} (default)")
    free = function.__code__.co_freevars
    for name, cell in zip(free, function.__closure__ or (), strict=True):
        try:
            yield Reached(cell.cell_contents, f"{name} (closure)", is_named=True)
        except ValueError:  # a name that is not bound yet
            continue
    for name, item in function.__dict__.items():
        yield Reached(item, f"{function.__name__}.{name}", is_named=True)
    namespace = function.__globals__
    for name in _global_names(function.__code__):
        if name in namespace:
            yield Reached(namespace[name], f"{name} (global)", is_named=True)


_NAMES: WeakKeyDictionary[types.CodeType, tuple[str, ...]] = WeakKeyDictionary()


def _global_names(code: types.CodeType) -> tuple[str, ...]:
    """Return all names in code, those of functions inside it included."""
    found = _NAMES.get(code)
    if found is None:
        inner = [c for c in code.co_consts if isinstance(c, types.CodeType)]
        found = (*code.co_names, *(name for c in inner for name in _global_names(c)))
        _NAMES[code] = found
    return found


def _of_class(reached: Reached) -> Iterator[Reached]:
    """Yield what the user's own class shares among its objects, and its bases."""
    cls = reached.value
    if not is_own(cls):
        return
    for key, item in vars(cls).items():
        if not callable(item) and not hasattr(type(item), "__get__"):
            yield Reached(item, key, reached, is_attribute=True)
    for base in cls.__bases__:
        yield Reached(base, base.__name__)


def _of_object(reached: Reached) -> Iterator[Reached]:
    """Yield elements and attributes of containers and of the user's own objects."""
    value = reached.value
    if isinstance(value, dict):
        yield from _items(reached, list(dict.keys(value)), list(dict.values(value)))
    elif isinstance(value, types.MappingProxyType):
        yield from _items(reached, list(value), list(value.values()))
    else:
        for kind, iterate in ELEMENTS.items():
            if isinstance(value, kind):
                yield from _elements(reached, [*iterate(value)])
    for key, item in (attributes_of(value) or {}).items():
        yield Reached(item, key, reached, is_attribute=True)
    cls = type(value)
    if is_own(cls):
        for key, slot in slots_of(cls):
            yield Reached(slot_value(value, slot), key, reached, is_attribute=True)
        yield Reached(cls, cls.__name__)
        call = cls.__dict__.get("__call__")
        if call is not None:
            yield Reached(call, "call")
    elif callable(value) and isinstance(
        wrapped := attribute(value, "__wrapped__"), types.FunctionType
    ):
        yield Reached(wrapped, "wrapped")


def _elements(reached: Reached, items: Sequence[Any]) -> Iterator[Reached]:
    return _items(reached, range(len(items)), items)


def _items(reached: Reached, keys: Sequence[Any], items: Sequence[Any]) -> Iterator[Reached]:
    """Yield the items of a container, by their few types none where all are plain."""
    if all(issubclass(kind, PLAIN) for kind in set(map(type, items))):
        return
    for key, item in zip(keys, items, strict=True):
        yield Reached(item, key, reached)


def attributes_of(value: object) -> dict[str, Any] | None:
    """Return the attributes of the user's own object, of a namespace or of an array, by name.

    Of other libraries' objects only sparse matrices and modules of PyTorch have any: what the
    attributes of others mean is known to their libraries alone.
    """
    cls = type(value)
    is_known = (
        isinstance(value, (types.SimpleNamespace, np.ndarray))
        or _module_name(cls).startswith("scipy.sparse.")
        or is_module_type(cls)
        or is_own(cls)
    )
    if not is_known:
        return None
    try:
        # Not by vars(): an object may define what it pretends its attributes to be.
        attributes = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return None
    return attributes if isinstance(attributes, dict) else None


def slots_of(cls: type) -> Iterator[tuple[str, types.MemberDescriptorType]]:
    """Yield name and descriptor of every slot of a class of the user's."""
    if not is_own(cls):
        return
    for base in cls.__mro__:
        if "__slots__" in base.__dict__:
            for key, slot in base.__dict__.items():
                if isinstance(slot, types.MemberDescriptorType):
                    yield key, slot


def slot_value(value: object, slot: types.MemberDescriptorType) -> Any:
    """Return the value of a slot, `UNSET` where it has none."""
    try:
        return slot.__get__(value)
    except AttributeError:
        return UNSET


_OWN: WeakKeyDictionary[type, bool] = WeakKeyDictionary()


def is_own(cls: type) -> bool:
    """Return whether a class is the user's, not one of Python or of an installed package."""
    known = _OWN.get(cls)
    if known is None:
        name = _module_name(cls)
        module = sys.modules.get(name)
        file = getattr(module, "__file__", None)
        is_builtin = name.partition(".")[0] in sys.stdlib_module_names
        known = name == "__main__" or not (is_builtin or (module and is_installed(file)))
        _OWN[cls] = known
    return known


def _module_name(cls: type) -> str:
    """Return the name of the module of a class, which its body may have replaced by anything."""
    name: object = cls.__module__
    return name if isinstance(name, str) else ""
