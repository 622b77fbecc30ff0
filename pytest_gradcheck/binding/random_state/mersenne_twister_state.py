"""Mersenne Twisters as they lie in memory: states that are read and compared in a microsecond.

As everybody reads them, Python's is a tuple of 625 numbers, and numpy's is copied number by
number: 15 and 50 us, several times what a small function takes. Where they lie is tried once,
on others; where they do not lie there they are read as by everybody.

It must not know who draws from them.
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

__all__ = ["Access", "numpys_global", "pythons"]

#: What reads a state, and what puts it back.
Access = tuple[Callable[[], Any], Callable[[Any], None]]

#: In memory: of Python's the place among the numbers and these, of numpy's the other way
#: around; and a normal number that is kept for the next draw, which numpy has beside them.
PYTHONS = struct.Struct("=i624I")
NUMPYS = struct.Struct("=624Ii")
KEPT = struct.Struct("=i4xd")


def pythons(source: random.Random) -> Access:
    """Return what reads and restores a generator of Python's.

    Examples
    --------
    >>> source = random.Random(0)
    >>> read, restore = pythons(source)
    >>> state, first = read(), source.random()
    >>> restore(state)
    >>> source.random() == first
    True
    """
    if type(source) is random.Random and _pythons_are_found():
        return partial(_read_python, source), partial(_restore_python, source)
    return source.getstate, source.setstate


def numpys_global() -> Access:
    """Return what reads and restores numpy's global generator."""
    source, twister = np.random.mtrand._rand, np.random.get_bit_generator()  # type: ignore[attr-defined]  # no stub
    place = _place_of_kept()
    if isinstance(twister, np.random.MT19937) and place is not None:
        return partial(_read_numpy, source, twister, place), partial(_restore_numpy, source)
    return source.get_state, source.set_state


def _read_python(source: random.Random) -> tuple[bytes, float | None]:
    place = id(source) + object.__basicsize__
    return ctypes.string_at(place, PYTHONS.size), source.gauss_next  # type: ignore[attr-defined]  # no stub


def _restore_python(source: random.Random, state: tuple[bytes, float | None]) -> None:
    place, *numbers = PYTHONS.unpack(state[0])
    source.setstate((source.VERSION, (*numbers, place), state[1]))


def _read_numpy(
    source: np.random.RandomState, twister: np.random.MT19937, place: int
) -> tuple[bytes, bytes]:
    numbers = ctypes.string_at(twister.ctypes.state_address, NUMPYS.size)
    return numbers, ctypes.string_at(id(source) + place, KEPT.size)


def _restore_numpy(source: np.random.RandomState, state: tuple[bytes, bytes]) -> None:
    *numbers, place = NUMPYS.unpack(state[0])
    source.set_state(("MT19937", np.array(numbers, np.uint32), place, *KEPT.unpack(state[1])))


@cache
def _pythons_are_found() -> bool:
    """Tell whether this Python keeps its generators' states where they are looked for."""
    probe = random.Random(0)  # noqa: S311  # it keeps no secret
    known = object.__basicsize__ + PYTHONS.size
    if sys.implementation.name != "cpython" or type(probe).__basicsize__ < known:
        return False
    probe.gauss(0.0, 1.0)
    _, (*numbers, place), kept = probe.getstate()
    return _read_python(probe) == (PYTHONS.pack(place, *numbers), kept)


@cache
def _place_of_kept() -> int | None:
    """Return where in its generators numpy keeps a normal number; None where that is not seen."""
    if sys.implementation.name != "cpython":
        return None
    probe = np.random.RandomState(0)
    size, numbers = type(probe).__basicsize__, np.arange(624, dtype=np.uint32)

    def seen(has_kept: int, kept: float) -> tuple[bytes, bytes]:
        probe.set_state(("MT19937", numbers, 0, has_kept, kept))
        return ctypes.string_at(id(probe), size), KEPT.pack(has_kept, kept)

    memory, kept = seen(1, -0.7)
    place = memory.find(kept)
    for memory, kept in (seen(0, 0.0), seen(1, 2.5)):
        if place < 0 or memory[place : place + KEPT.size] != kept:
            return None
    return place
