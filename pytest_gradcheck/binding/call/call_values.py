"""The values of a call by name: numbers and arrays that forward is given, and sizes of arrays.

They are those of the arguments, of the object that forward is a method of, and of the variables
outside of forward that it reads. They name what a diagnosis finds in a wrong gradient.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.call.decorators import unwrapped
from pytest_gradcheck.binding.call.resolved_call import ResolvedCall
from pytest_gradcheck.binding.values.pytree import Leaf, leaves
from pytest_gradcheck.binding.values.user_attributes import attribute
from pytest_gradcheck.integrations.array_libraries import as_numpy

__all__ = ["CallNumber", "CallValues", "call_values"]

#: The most numbers and the most arrays that are read.
MOST_NUMBERS = 32
MOST_ARRAYS = 64

#: Types of variables outside of forward that are read; it may be anything there.
PLAIN = (int, float, np.ndarray, np.float64, np.int64)


@dataclass(frozen=True, slots=True)
class CallNumber:
    """A number of a call: ``CallNumber("len(X)", 8, is_size=True)``."""

    name: str
    value: float
    is_size: bool


@dataclass(frozen=True, slots=True)
class CallValues:
    """The values of a call.

    Attributes
    ----------
    numbers : tuple of CallNumber
        Numbers that are not checked, then sizes, those of unchecked arrays first.
    arrays : tuple of (str, ndarray)
        Real arrays, with their names; nobody may change them.
    """

    numbers: tuple[CallNumber, ...] = ()
    arrays: tuple[tuple[str, NDArray[Any]], ...] = ()


def call_values(resolved: ResolvedCall) -> CallValues:
    """Return the values of a call.

    Parameters
    ----------
    resolved : ResolvedCall
        The call.
    """
    checked = {leaf.name for leaf in resolved.leaves}
    found, arrays = list[CallNumber](), list[Leaf]()
    for leaf in _leaves(resolved):
        number = _number(leaf.value)
        if number is None:
            arrays.append(leaf)
        elif number and leaf.name not in checked and math.isfinite(number):
            found.append(CallNumber(leaf.name, number, is_size=False))
    arrays.sort(key=lambda leaf: leaf.name in checked)
    del arrays[MOST_ARRAYS:]
    sizes = [size for leaf in arrays for size in _sizes(leaf)]
    return CallValues(
        (*found[:MOST_NUMBERS], *sizes),
        tuple((leaf.name, leaf.array) for leaf in arrays if leaf.array.dtype.kind in "biuf"),
    )


def _leaves(resolved: ResolvedCall) -> Iterator[Leaf]:
    """Yield the numbers and arrays that forward can read, by name."""
    for name, value in resolved.named_arguments():
        yield from leaves(name, value)
    for name, value in attribute(resolved.owner, "__dict__", {}).items():
        yield from leaves(f"self.{name}", value)
    function = unwrapped(attribute(resolved.forward, "__func__", resolved.forward))
    if isinstance(function, FunctionType):
        for name, value in _variables_outside(function):
            if type(value) in PLAIN:
                yield Leaf(name, value)


def _variables_outside(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """Yield the variables outside of a function that it reads."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with suppress(ValueError):  # not assigned yet
            yield name, cell.cell_contents
    for name in _names(function.__code__):
        if name in function.__globals__:
            yield name, function.__globals__[name]


def _names(code: CodeType) -> tuple[str, ...]:
    """Return the global names in a function, those of functions inside included."""
    inner = [const for const in code.co_consts if isinstance(const, CodeType)]
    return tuple(dict.fromkeys((*code.co_names, *(n for c in inner for n in _names(c)))))


def _number(value: Any) -> float | None:
    """Return a real number as a float, NaN for one that is none; None for an array."""
    array = as_numpy(value)
    if array.shape:
        return None
    return float(array) if array.dtype.kind in "iuf" else math.nan


def _sizes(leaf: Leaf) -> Iterator[CallNumber]:
    """Yield the sizes of an array as a user would write them."""
    name, shape = leaf.name, leaf.array.shape
    for axis, length in enumerate(shape):
        text = f"len({name})" if axis == 0 else f"{name}.shape[{axis}]"
        yield CallNumber(text, length, is_size=True)
    if len(shape) > 1:
        yield CallNumber(f"{name}.size", math.prod(shape), is_size=True)
