"""A description of objects and of the process, to see what a check has changed in them."""

from __future__ import annotations

import os
import pickle
import random
import sys
import threading
import types
import warnings
from collections import deque
from typing import Any

import numpy as np

__all__ = ["content", "surroundings"]

#: What holds nothing that a check could change.
OPAQUE = (type, types.ModuleType, types.BuiltinFunctionType, types.FunctionType, threading.Thread)
NUMBERS = (int, float, complex, str, bytes, bytearray, type(None), np.generic)


def content(*roots: Any) -> list[Any]:
    """Return all that some objects hold, level by level: types, identities and values.

    It calls no method of a class of the user's.
    """
    found = list[Any]()
    seen = set[int]()
    kept = list[Any]()
    queue = deque(roots)
    while queue:
        value = queue.popleft()
        kept.append(value)
        found.append(type(value))
        if isinstance(value, NUMBERS):
            found.append(repr(value) if type(value).__module__ in {"builtins", "numpy"} else 0)
            continue
        if type(value).__module__.startswith("pandas"):
            found.append(pickle.dumps(value))
            continue
        found.append(id(value))
        if id(value) in seen:
            continue
        seen.add(id(value))
        found.extend(_own(value, queue))
    return found


def _own(value: Any, queue: deque[Any]) -> list[Any]:
    """Return what an object itself holds, and queue the objects in it."""
    if isinstance(value, OPAQUE):
        return []
    if _is_frame(value):
        return _state(value)  # how it stores its values is an affair of its own
    attributes = object.__getattribute__(value, "__dict__") if _has_dict(value) else {}
    slots = [name for c in type(value).__mro__ for name in _slots(c) if _has(value, name)]
    queue.extend(attributes.values())
    queue.extend(object.__getattribute__(value, name) for name in slots)
    items = _items(value)
    queue.extend(items)
    return [list(map(str, attributes)), slots, len(items), *_state(value)]


def _items(value: Any) -> list[Any]:
    """Return the items of a container, in its order."""
    if isinstance(value, dict):
        return [*dict.keys(value), *dict.values(value)]
    if isinstance(value, types.MethodType):
        return [value.__self__]
    if isinstance(value, np.ndarray):
        return list(np.asarray(value).ravel()) if value.dtype == object else []
    kinds: tuple[Any, ...] = (list, tuple, deque)
    return next((list(kind.__iter__(value)) for kind in kinds if isinstance(value, kind)), [])


def _state(value: Any) -> list[Any]:
    """Return the state of an array, a set or a generator."""
    match value:
        case np.ndarray():
            layout = (value.dtype, value.shape, value.strides, value.flags.writeable)
            return [layout, b"" if value.dtype == object else np.asarray(value).tobytes()]
        case set() | frozenset():
            return [sorted(map(id, value))]
        case np.random.Generator():
            return [repr(value.bit_generator.state)]
        case np.random.RandomState() | random.Random() if _is_readable(value):
            return [repr(random_state(value))]
        case _ if _is_frame(value):
            return [repr(value.to_dict()), list(map(str, value.index))]
        case _:
            return []


def _is_frame(value: Any) -> bool:
    return type(value).__module__ == "pandas" and hasattr(value, "to_dict")


def random_state(value: np.random.RandomState | random.Random) -> Any:
    """Return the state of a generator of the older kinds."""
    return value.getstate() if isinstance(value, random.Random) else value.get_state()


def _is_readable(value: np.random.RandomState | random.Random) -> bool:
    try:
        random_state(value)
    except (NotImplementedError, OSError):
        return False
    return True


def _has_dict(value: Any) -> bool:
    try:
        return isinstance(object.__getattribute__(value, "__dict__"), dict)
    except AttributeError:
        return False


def _has(value: Any, name: str) -> bool:
    try:
        object.__getattribute__(value, name)
    except AttributeError:
        return False
    return True


def _slots(owner: type) -> tuple[str, ...]:
    slots = vars(owner).get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)


def surroundings() -> dict[str, Any]:
    """Return the state of the process that belongs to the user."""
    return {
        "numpy's generator": repr(np.random.get_state()),
        "Python's generator": random.getstate(),
        "warning filters": list(warnings.filters),
        "showwarning": warnings.showwarning,
        "numpy's error state": np.geterr(),
        "numpy's print options": repr(np.get_printoptions()),
        "environment": dict(os.environ),
        "directory": os.getcwd(),  # noqa: PTH109 - the string is all that is compared
        "recursion limit": sys.getrecursionlimit(),
        "trace function": (sys.gettrace(), sys.getprofile()),
        "standard streams": (sys.stdout, sys.stderr),
    }
