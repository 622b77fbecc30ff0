"""Random generators that the user's functions may draw from.

They are searched for in the global state, in arguments, defaults, closures and attributes, and in
the globals that functions name. It does not draw from any or restore any; it gives each a name.
"""

from __future__ import annotations

import functools
import random
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pytest_gradcheck.binding.random_state.mersenne_twister_state import (
    numpy_global_access,
    python_access,
)
from pytest_gradcheck.binding.values.pytree import accessors, stored
from pytest_gradcheck.errors import GradcheckUsageError

__all__ = [
    "SEARCHED",
    "Generator",
    "as_generator",
    "find_generators",
    "global_generators",
    "is_installed",
]

#: Where generators are searched for, for messages.
SEARCHED = (
    "numpy's and Python's global state, arguments, defaults, closures, the bound object and the "
    "globals that forward and backward name"
)

#: Types of values that cannot hold a generator.
PLAIN = (str, bytes, int, float, complex, np.ndarray, np.generic, types.ModuleType, types.NoneType)

#: The depth to which objects and functions are searched.
DEPTH = 4


@dataclass(frozen=True, slots=True)
class Generator:
    """A random generator whose state can be read and restored.

    Attributes
    ----------
    name : str
        Where it was found, for messages.
    read : callable
        Returns its state.
    write : callable
        Restores a state.
    is_global : bool
        Whether its state belongs to the whole process.
    """

    name: str
    read: Callable[[], Any]
    write: Callable[[Any], None]
    is_global: bool = False

    def is_at(self, state: Any) -> bool:
        """Return whether it is in this state."""
        return _are_equal(self.read(), state)


def global_generators() -> tuple[Generator, Generator]:
    """Return numpy's and Python's global generators."""
    return (
        Generator("numpy's global state", *numpy_global_access(), is_global=True),
        Generator("random's global state", *python_access(random._inst), is_global=True),
    )


def _are_equal(a: Any, b: Any) -> bool:
    """Return whether two states, nested tuples and dicts with arrays in them, are equal."""
    if isinstance(a, np.ndarray):
        return bool(np.array_equal(a, b))
    try:
        # Fast in C: a state of random.Random is a tuple of 625 numbers.
        return bool(a == b)
    except ValueError:  # arrays in it have no truth value
        if isinstance(a, dict):
            return a.keys() == b.keys() and all(_are_equal(a[key], b[key]) for key in a)
        return len(a) == len(b) and all(map(_are_equal, a, b))


def as_generator(name: str, value: object) -> Generator | None:
    """Return `value` as a generator, None where it is not one."""
    if isinstance(value, np.random.Generator):
        return as_generator(name, value.bit_generator)
    if isinstance(value, np.random.BitGenerator):
        bits = value
        return Generator(name, lambda: bits.state, lambda state: setattr(bits, "state", state))
    if isinstance(value, np.random.RandomState):
        return Generator(name, value.get_state, value.set_state)
    if isinstance(value, random.Random):
        return Generator(name, *python_access(value))
    return None


def find_generators(
    functions: Sequence[Callable[..., Any]],
    arguments: Iterable[tuple[str, Any]],
    extra: Sequence[object] = (),
) -> list[Generator]:
    """Find every generator that the functions may draw from, the global ones first.

    Parameters
    ----------
    functions : sequence of callable
        Forward and backward.
    arguments : iterable of (str, Any)
        Names and values of the arguments.
    extra : sequence of object
        Generators that the user named.

    Returns
    -------
    list of Generator
        Each once.

    Raises
    ------
    GradcheckUsageError
        When one of `extra` is not a generator whose state can be restored.
    """
    search = _Search()
    for k, value in enumerate(extra):
        if not search.add(f"replay[{k}]", value):
            raise GradcheckUsageError(
                f"replay={value!r} cannot be put back: replay takes numpy.random.Generator, "
                "BitGenerator and RandomState objects and random.Random objects."
            )
    for name, value in arguments:
        search.search(f"{name} (argument)", value, 0)
    for function in functions:
        search.search_function(function, 0)
    return [*global_generators(), *search.found]


class _Search:
    """A depth-first search of everything that the functions can reach; it visits nothing twice."""

    def __init__(self) -> None:
        self.found: list[Generator] = []
        # Holding the objects keeps their ids from being reused.
        self._seen: dict[int, object] = {}

    def add(self, name: str, value: object) -> bool:
        """Return whether `value` is a generator, and add it if so."""
        generator = as_generator(name, value)
        if generator is None:
            return False
        identity = value.bit_generator if isinstance(value, np.random.Generator) else value
        if self._is_new(identity):
            self.found.append(generator)
        return True

    def search(self, name: str, value: object, depth: int) -> None:
        """Search a value: a generator, or a container, an object or a function that holds some."""
        if _is_plain(value) or self.add(name, value):
            return
        if depth >= DEPTH or not self._is_new(value):
            return
        if isinstance(value, (types.FunctionType, types.MethodType, functools.partial)):
            code = getattr(value, "__code__", None)
            if code is None or not is_installed(code.co_filename):
                self.search_function(value, depth)
            return
        inside = stored(value)
        if inside is None:
            for key, item in _attributes(value).items():
                self.search(f"{name}.{key}", item, depth + 1)
        elif not _are_plain(inside):
            for accessor, item in zip(accessors(value), inside, strict=True):
                self.search(f"{name}{accessor}", item, depth + 1)

    def search_function(self, function: Any, depth: int) -> None:
        """Search defaults, closure, bound object and the globals that a function names."""
        if isinstance(function, functools.partial):
            for item in (*function.args, *function.keywords.values()):
                self.search("partial's argument", item, depth + 1)
            self.search_function(function.func, depth)
        elif isinstance(function, types.MethodType):
            self.search("self", function.__self__, depth)
            self.search_function(function.__func__, depth)
        elif isinstance(function, types.FunctionType):
            for name, item in _reachable(function):
                self.search(name, item, depth + 1)
        elif depth == 0:
            self.search(type(function).__name__, function, depth)
            call = type(function).__dict__.get("__call__")
            if isinstance(call, types.FunctionType):
                self.search_function(call, depth + 1)

    def _is_new(self, value: object) -> bool:
        if id(value) in self._seen:
            return False
        self._seen[id(value)] = value
        return True


def _reachable(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """Yield what a plain function can reach by name, except its arguments."""
    for item in function.__defaults__ or ():
        yield "default", item
    for name, item in (function.__kwdefaults__ or {}).items():
        yield f"{name} (default)", item
    free = function.__code__.co_freevars
    for name, cell in zip(free, function.__closure__ or (), strict=True):
        try:
            yield f"{name} (closure)", cell.cell_contents
        except ValueError:  # a name that is not bound yet
            continue
    wrapped = getattr(function, "__wrapped__", None)
    if wrapped is not None:
        yield "wrapped", wrapped
    for name in _global_names(function.__code__):
        if name in function.__globals__:
            yield f"{name} (global)", function.__globals__[name]


def _global_names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _global_names(constant)


def _attributes(value: object) -> dict[str, Any]:
    """Return the attributes of an object of the user's own class, none of other objects."""
    module = sys.modules.get(type(value).__module__)
    if isinstance(value, type) or is_installed(getattr(module, "__file__", None)):
        return {}
    slots = [s for cls in type(value).__mro__ for s in getattr(cls, "__slots__", ())]
    own = {name: getattr(value, name) for name in slots if hasattr(value, name)}
    return own | getattr(value, "__dict__", {})


def is_installed(path: str | None) -> bool:
    """Return whether a file belongs to Python or an installed package, not to the user."""
    return path is None or "site-packages" in path or path.startswith(sys.base_prefix)


def _is_plain(value: object) -> bool:
    """Return whether a value cannot hold a generator, as most cannot."""
    return isinstance(value, PLAIN)


def _are_plain(values: Iterable[object]) -> bool:
    """Return whether none of many values can hold a generator, by their few types."""
    return all(issubclass(kind, PLAIN) for kind in set(map(type, values)))
