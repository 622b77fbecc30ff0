"""States of Mersenne Twisters, read from memory in a microsecond.

The public interfaces, `random.getstate` and `numpy.random.get_state`, build tuples and arrays of
624 numbers in 15 and 50 us, which is several times a small function. Where a state lies in memory
is verified once, on a generator of our own; if it is not there, the public interface is used.
The generator is that of Matsumoto and Nishimura, ACM Trans. Model. Comput. Simul. 8 (1998) 3. It
does not know who draws from it.
"""

from __future__ import annotations

import ctypes
import random
import struct
import sys
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np

__all__ = ["Access", "numpy_global_access", "python_access"]

#: Functions that read a state and restore one.
Access = tuple[Callable[[], Any], Callable[[Any], None]]

#: The layouts in memory: Python has the position and then the 624 numbers, NumPy the other way
#: around, and in its own object the normal number that is cached for the next draw.
PYTHON_STATE = struct.Struct("=i624I")
NUMPY_STATE = struct.Struct("=624Ii")
CACHED_NORMAL = struct.Struct("=i4xd")


def python_access(source: random.Random) -> Access:
    """Return the functions that read and restore a generator of Python.

    Examples
    --------
    >>> source = random.Random(0)
    >>> read, restore = python_access(source)
    >>> state, first = read(), source.random()
    >>> restore(state)
    >>> source.random() == first
    True
    """
    if type(source) is random.Random and _is_python_layout_known():
        return partial(_read_python, source), partial(_restore_python, source)
    return source.getstate, source.setstate


def numpy_global_access() -> Access:
    """Return the functions that read and restore the global generator of NumPy."""
    source, twister = np.random.mtrand._rand, np.random.get_bit_generator()  # type: ignore[attr-defined]  # no stub
    offset = _offset_of_cached_normal()
    if isinstance(twister, np.random.MT19937) and offset is not None:
        return partial(_read_numpy, source, twister, offset), partial(_restore_numpy, source)
    return source.get_state, source.set_state


def _read_python(source: random.Random) -> tuple[bytes, float | None]:
    address = id(source) + object.__basicsize__
    return ctypes.string_at(address, PYTHON_STATE.size), source.gauss_next  # type: ignore[attr-defined]  # no stub


def _restore_python(source: random.Random, state: tuple[bytes, float | None]) -> None:
    position, *numbers = PYTHON_STATE.unpack(state[0])
    source.setstate((source.VERSION, (*numbers, position), state[1]))


def _read_numpy(
    source: np.random.RandomState, twister: np.random.MT19937, offset: int
) -> tuple[bytes, bytes]:
    numbers = ctypes.string_at(twister.ctypes.state_address, NUMPY_STATE.size)
    return numbers, ctypes.string_at(id(source) + offset, CACHED_NORMAL.size)


def _restore_numpy(source: np.random.RandomState, state: tuple[bytes, bytes]) -> None:
    *numbers, position = NUMPY_STATE.unpack(state[0])
    source.set_state(
        ("MT19937", np.array(numbers, np.uint32), position, *CACHED_NORMAL.unpack(state[1]))
    )


@cache
def _is_python_layout_known() -> bool:
    """Return whether this Python stores the state of its generators as expected."""
    probe = random.Random(0)  # noqa: S311  # it keeps no secret
    known = object.__basicsize__ + PYTHON_STATE.size
    if sys.implementation.name != "cpython" or type(probe).__basicsize__ < known:
        return False
    probe.gauss(0.0, 1.0)
    _, (*numbers, position), cached = probe.getstate()
    return _read_python(probe) == (PYTHON_STATE.pack(position, *numbers), cached)


@cache
def _offset_of_cached_normal() -> int | None:
    """Return the offset of the cached normal number in NumPy's generators, None if unknown."""
    if sys.implementation.name != "cpython":
        return None
    probe = np.random.RandomState(0)
    size, numbers = type(probe).__basicsize__, np.arange(624, dtype=np.uint32)

    def state_with(has_cached: int, cached: float) -> tuple[bytes, bytes]:
        probe.set_state(("MT19937", numbers, 0, has_cached, cached))
        return ctypes.string_at(id(probe), size), CACHED_NORMAL.pack(has_cached, cached)

    memory, cached = state_with(1, -0.7)
    offset = memory.find(cached)
    for memory, cached in (state_with(0, 0.0), state_with(1, 2.5)):
        if offset < 0 or memory[offset : offset + CACHED_NORMAL.size] != cached:
            return None
    return offset
