"""Arrays of other libraries as arrays of NumPy, and back: of PyTorch, JAX, CuPy, small engines.

The library of a value is found by its type. Where there is such a value, its library is imported
already; this module imports none by itself. PyTorch has an interface of its own, objects with a
gradient have theirs, and all others have that of the Python array API standard. It does not know
what is done with the arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.integrations.gradient_objects import GradientObjects, is_gradient_object
from pytest_gradcheck.integrations.short_floats import (
    ShortFloats,
    as_short,
    is_short_float,
    short_epsilon,
)
from pytest_gradcheck.integrations.torch_tensors import TorchTensors, is_tensor_type

__all__ = ["ArrayLibrary", "array_library", "as_numpy", "rounded_as", "short_rounding"]


class ArrayLibrary(Protocol):
    """What is done with the arrays of one library.

    Attributes
    ----------
    noun : str
        What one is called: ``tensor``.
    """

    @property
    def noun(self) -> str:
        """What one is called."""

    def to_numpy(self, array: Any) -> NDArray[Any]:
        """Return the entries as an array of NumPy, which may share the memory."""

    def from_numpy(self, array: NDArray[Any], like: Any) -> Any:
        """Return a new array of the library with the entries, on the device of another one."""

    def parameter(self, array: NDArray[Any], like: Any) -> Any:
        """Return the same, in the place of a parameter of the user's."""

    def copy(self, array: Any) -> Any:
        """Return a copy, or the array itself where it cannot be changed."""

    def writer(self, array: Any) -> Callable[[NDArray[Any]], Any] | None:
        """Return what overwrites an array in place, and returns it; None where it cannot be."""

    def restorer(self, array: Any) -> Callable[[], None] | None:
        """Return what puts an array back as it is now; None where it cannot be changed."""

    def short_rounding(self, array: Any) -> float:
        """Return the relative rounding of a type that NumPy does not have; 0 of any other."""


class StandardArrays:
    """Arrays with the interface of the Python array API standard (data-apis.org/array-api)."""

    def __init__(self, noun: str) -> None:
        self.noun = noun

    def to_numpy(self, array: Any) -> NDArray[Any]:
        """Return the entries, from another device by ``get`` as CuPy has it."""
        entries = np.asarray(array.get() if hasattr(array, "get") else array)
        # NumPy has no kind for bfloat16 and other short floats of JAX.
        return entries.astype(np.float32) if entries.dtype.kind == "V" else entries

    def from_numpy(self, array: NDArray[Any], like: Any) -> Any:
        """Return a new array: not one that shares the memory, as JAX may make."""
        if isinstance(like.dtype, np.dtype) and is_short_float(like.dtype):
            array = as_short(array, like.dtype)
        return like.__array_namespace__().asarray(array.copy(), device=like.device)

    def parameter(self, array: NDArray[Any], like: Any) -> Any:
        """Return the same."""
        return self.from_numpy(array, like)

    def copy(self, array: Any) -> Any:
        """Return a copy."""
        return array.__array_namespace__().asarray(array, copy=True)

    def writer(self, array: Any) -> Callable[[NDArray[Any]], Any] | None:
        """Return None: arrays of JAX are immutable, so that none is expected to change."""

    def restorer(self, array: Any) -> Callable[[], None] | None:
        """Return None, likewise."""

    def short_rounding(self, array: Any) -> float:
        """Return that of bfloat16 and other short floats of JAX."""
        dtype = array.dtype
        is_short = isinstance(dtype, np.dtype) and is_short_float(dtype)
        return short_epsilon(dtype) if is_short else 0.0


SHORT_FLOATS = ShortFloats()

_OF_TYPE: WeakKeyDictionary[type, ArrayLibrary | None] = WeakKeyDictionary()


def array_library(value: Any) -> ArrayLibrary | None:
    """Return the library of an array that is none of NumPy's; None of anything else.

    Examples
    --------
    >>> array_library(np.ones(3)) is None, array_library([1.0]) is None
    (True, True)
    """
    kind = type(value)
    if kind is np.ndarray:
        return SHORT_FLOATS if is_short_float(value.dtype) else None
    if kind is float:
        return None
    if kind not in _OF_TYPE:
        _OF_TYPE[kind] = _library_of(kind)
    library = _OF_TYPE[kind]
    if isinstance(library, GradientObjects) and not is_gradient_object(value):
        return None  # a layer has a method backward, too
    return library


def as_numpy(value: Any) -> NDArray[Any]:
    """Return an array of any library, or what NumPy makes one of, as an array of NumPy.

    Examples
    --------
    >>> as_numpy([1.0, 2.0])
    array([1., 2.])
    """
    library = array_library(value)
    return np.asarray(value) if library is None else library.to_numpy(value)


def rounded_as(array: NDArray[Any], value: Any) -> NDArray[Any]:
    """Return numbers as they are in the type of `value`, which may be shorter than their own."""
    library = array_library(value)
    if library is None or not library.short_rounding(value):
        return array
    return library.to_numpy(library.from_numpy(array, value))


def short_rounding(value: Any) -> float:
    """Return the relative rounding of an array whose type NumPy does not have; else 0."""
    library = array_library(value)
    return 0.0 if library is None else library.short_rounding(value)


def _library_of(kind: type) -> ArrayLibrary | None:
    if issubclass(kind, (np.ndarray, np.generic)):
        is_short = issubclass(kind, np.generic) and kind.__module__ == "ml_dtypes"
        return SHORT_FLOATS if is_short and "float" in kind.__name__ else None
    if is_tensor_type(kind):
        return TorchTensors()
    if callable(getattr(kind, "backward", None)):
        return GradientObjects(kind.__name__)
    is_dense = not hasattr(kind, "todense")
    if hasattr(kind, "__array_namespace__") and hasattr(kind, "device") and is_dense:
        package = kind.__module__.partition(".")[0].removesuffix("lib")
        return StandardArrays(f"{package} array")
    return None
