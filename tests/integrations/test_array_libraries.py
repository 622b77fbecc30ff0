"""Arrays of other libraries, by the Python array API standard, as arrays of NumPy and back."""

from __future__ import annotations

import pickle
from typing import Any

import array_api_strict
import numpy as np
import pytest

from pytest_gradcheck.integrations.array_libraries import ArrayLibrary, array_library, as_numpy


class Meta:
    """An object with attributes of an array, and no namespace."""

    shape = (2,)
    device = "cpu"


def of_standard(value: Any) -> ArrayLibrary:
    """Return the library of a value, which must have one."""
    library = array_library(value)
    assert library is not None
    return library


@pytest.mark.parametrize("value", [np.ones(2), np.float64(1.0), 1.0, [1.0], "text", None, Meta()])
def test_what_has_no_library(value: Any) -> None:
    """NumPy's own arrays, numbers, containers and other objects."""
    assert array_library(value) is None


def test_entries_are_read() -> None:
    """As an array of NumPy of the same type."""
    array = as_numpy(array_api_strict.asarray([[1.0, 2.0]], dtype=array_api_strict.float32))
    assert (array.dtype, array.tolist()) == (np.dtype(np.float32), [[1.0, 2.0]])


def test_an_array_is_made_anew() -> None:
    """It does not share the memory of what it is made of, which is overwritten later."""
    like = array_api_strict.asarray([0.0])
    entries = np.array([1.0, 2.0])
    library = of_standard(like)
    made = [library.from_numpy(entries, like), library.parameter(entries, like)]
    copied = library.copy(made[0])
    entries[:] = 7.0
    assert [type(array) for array in (*made, copied)] == [type(like)] * 3
    assert [as_numpy(array).tolist() for array in (*made, copied)] == [[1.0, 2.0]] * 3


def test_arrays_of_the_standard_are_not_written_to() -> None:
    """Those of JAX cannot be."""
    like = array_api_strict.asarray([0.0])
    assert of_standard(like).writer(like) is None
    assert of_standard(like).restorer(like) is None


def test_a_library_is_named_by_its_package() -> None:
    """In messages."""
    assert of_standard(array_api_strict.asarray([0.0])).noun == "array_api_strict array"


def test_arrays_on_another_device_are_fetched() -> None:
    """As those of CuPy are, by their method ``get``."""

    class OnDevice:
        device = "gpu"

        def __array_namespace__(self) -> Any:
            return np

        def get(self) -> Any:
            return np.array([1.0])

    assert as_numpy(OnDevice()).tolist() == [1.0]


def test_short_floats_are_read_as_float32() -> None:
    """NumPy has no numbers of this kind of its own."""
    ml_dtypes = pytest.importorskip("ml_dtypes")

    class Short:
        device = "cpu"

        def __array_namespace__(self) -> Any:
            return np

        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            return np.array([1.5], ml_dtypes.bfloat16)

    assert as_numpy(Short()).dtype == np.float32


def test_a_type_is_looked_up_once() -> None:
    """The answer does not depend on the value."""
    first = array_library(array_api_strict.asarray([0.0]))
    assert array_library(array_api_strict.asarray([1])) is first
    assert array_library(pickle.loads(pickle.dumps(1.0))) is None  # noqa: S301  # our own
