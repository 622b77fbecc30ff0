"""A snapshot of everything that the user's functions can change, to put it back after a check.

It holds what objects, containers and arrays contain, and writes it back to the very same ones
where it has changed. What a function may close over to record its calls is left as it is: see
`state_restored`.
"""

from __future__ import annotations

import operator
import sys
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import MemberDescriptorType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.state.cached_values import forgetters
from pytest_gradcheck.binding.state.reachable import (
    FUNCTIONS,
    UNSET,
    Reached,
    attributes_of,
    slot_value,
    slots_of,
)
from pytest_gradcheck.integrations.array_libraries import array_library

__all__ = ["MOST_BYTES", "state_restored"]

#: Arrays beyond so many bytes in all are not copied: what is so large is data, which is read.
MOST_BYTES = 2**30

#: Types of containers. Their own methods are called, not those of the user's subclasses.
CONTAINERS = (OrderedDict, dict, list, set, deque, bytearray)

#: Types of what is not put back itself, but what is in it: the names of functions and classes.
WITHOUT_STATE = (*FUNCTIONS, type)

#: Puts one thing back.
Restore = Callable[[], None]


@contextmanager
def state_restored(reached: Sequence[Reached], checked: Sequence[Any] = ()) -> Iterator[None]:
    """Put back, when the context ends, what can be reached and was changed.

    These are the entries of arrays, the elements of lists, dicts, sets, deques and bytearrays,
    the attributes of objects, sparse matrices and data frames. A container that a function closes
    over, names as a global or has as an attribute is left as it is, though not what is in it:
    functions record their calls there.

    Parameters
    ----------
    reached : sequence of Reached
        Everything that the functions can reach.
    checked : sequence of Any
        Values of the checked attributes, which the check itself will change.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from pytest_gradcheck.binding.state.reachable import reachable
    >>> layer, calls = SimpleNamespace(running=np.zeros(2), history=[]), []
    >>> def forward(x):
    ...     calls.append(x)
    ...     layer.history.append(x)
    ...     layer.running += x
    >>> with state_restored(reachable([forward])):
    ...     forward(1.0)
    >>> layer, calls
    (namespace(running=array([0., 0.]), history=[]), [1.0])
    """
    restores = [_array_restore(value) for value in checked if isinstance(value, np.ndarray)]
    bytes_left = MOST_BYTES
    for found in reached:
        value = found.value
        if isinstance(value, WITHOUT_STATE):
            continue
        if isinstance(value, np.ndarray):
            bytes_left -= value.nbytes
            if value.flags.writeable and bytes_left >= 0:
                restores.append(_array_restore(value))
        elif (library := array_library(value)) is not None:
            restore = library.restorer(value)
            restores += [restore] if restore is not None else []
        elif not found.is_named:
            restores += _container_restores(value)
        if type(value) is not np.ndarray:
            restores += _attribute_restores(value)
    forget = forgetters(reached) if checked else []
    try:
        yield
    finally:
        for put_back in (*forget, *reversed(restores)):
            put_back()


def _array_restore(array: NDArray[Any]) -> Restore:
    """Return what restores the entries of an array, those that are masked included."""
    content, is_writeable = array.view(np.ndarray).copy(order="K"), array.flags.writeable

    def restore() -> None:
        if array.flags.writeable and array.size == content.size:
            np.copyto(array.view(np.ndarray).reshape(content.shape), content)
        if array.flags.writeable is not is_writeable:
            array.flags.writeable = is_writeable

    return restore


def _container_restores(value: Any) -> Iterator[Restore]:
    """Yield what restores the elements of a container, of others nothing."""
    for kind in CONTAINERS:
        if isinstance(value, kind):
            yield _elements_restore(value, kind)
            return
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(value, (pandas.DataFrame, pandas.Series)):
        yield _frame_restore(value)


def _elements_restore(value: Any, kind: type) -> Restore:
    elements, fill = _elements, _FILL[kind]
    before = elements(value, kind)

    def restore() -> None:
        now = elements(value, kind)
        if len(now) != len(before) or not all(map(operator.is_, now, before)):
            fill(value, before)

    return restore


def _elements(value: Any, kind: type) -> list[Any]:
    """Return the elements of a container; of a dict its keys, followed by its values."""
    if issubclass(kind, dict):
        return [*kind.keys(value), *kind.values(value)]
    return [*kind.__iter__(value)]  # type: ignore[attr-defined]  # each of CONTAINERS has it


def _fill_dict(kind: type[dict[Any, Any]]) -> Callable[[Any, list[Any]], None]:
    def fill(value: Any, elements: list[Any]) -> None:
        kind.clear(value)
        half = len(elements) // 2
        for key, item in zip(elements[:half], elements[half:], strict=True):
            kind.__setitem__(value, key, item)

    return fill


def _fill_set(value: Any, elements: list[Any]) -> None:
    set.clear(value)
    set.update(value, elements)


def _fill_deque(value: Any, elements: list[Any]) -> None:
    deque.clear(value)
    deque.extend(value, elements)


#: How to give each type of container its elements back.
_FILL: dict[type, Callable[[Any, list[Any]], None]] = {
    OrderedDict: _fill_dict(OrderedDict),
    dict: _fill_dict(dict),
    list: lambda value, elements: list.__setitem__(value, slice(None), elements),
    set: _fill_set,
    deque: _fill_deque,
    bytearray: lambda value, elements: bytearray.__setitem__(value, slice(None), bytes(elements)),
}


def _attribute_restores(value: Any) -> Iterator[Restore]:
    """Yield what restores the attributes and slots of an object of the user's."""
    attributes = attributes_of(value)
    if attributes is not None:
        yield _elements_restore(attributes, dict)
    for _, slot in slots_of(type(value)):
        yield _slot_restore(value, slot)


def _slot_restore(value: Any, slot: MemberDescriptorType) -> Restore:
    before = slot_value(value, slot)

    def restore() -> None:
        if slot_value(value, slot) is before:
            return
        if before is UNSET:
            slot.__delete__(value)
        else:
            slot.__set__(value, before)

    return restore


def _frame_restore(frame: Any) -> Restore:
    content = frame.copy(deep=True)

    def restore() -> None:
        if not (frame.equals(content) and frame.index.equals(content.index)):
            frame.__setstate__(content.__getstate__())

    return restore
