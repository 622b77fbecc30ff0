"""Arrays of `ml_dtypes` as arrays of another library."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pytest_gradcheck.integrations.array_libraries import (
    array_library,
    as_numpy,
    rounded_as,
    short_rounding,
)

ml_dtypes = pytest.importorskip("ml_dtypes")

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)


def library(value: Any) -> Any:
    """Return the library of a value."""
    return array_library(value)


@pytest.mark.parametrize("value", [np.ones(2, BFLOAT16), BFLOAT16.type(1)])
def test_what_is_read_as_float32_is_written_back(value: Any) -> None:
    """Float64, which is a parameter that was lifted, stays what it is."""
    found = library(value)
    assert as_numpy(value).dtype == np.float32
    assert found.parameter(as_numpy(value), value).dtype == BFLOAT16
    assert found.from_numpy(as_numpy(value).astype(float), value).dtype == np.float64


@pytest.mark.parametrize(
    "value", [np.ones(2), np.float16(1), np.zeros(2, "i4,f4"), np.ones(2, "V4")]
)
def test_other_arrays_of_numpy(value: Any) -> None:
    """They are of no other library, structured ones included."""
    assert array_library(value) is None
    assert short_rounding(value) == 0.0
    assert rounded_as(np.ones(2), value).tolist() == [1.0, 1.0]


def test_the_rounding_of_a_short_type() -> None:
    """It is the distance from one to the next number."""
    value = np.ones(2, BFLOAT16)
    assert short_rounding(value) == float(ml_dtypes.finfo(BFLOAT16).eps)
    assert rounded_as(np.array([1.003, 1.005], np.float32), value).tolist() == [1.0, 1.0078125]


@pytest.mark.parametrize("name", ["float8_e5m2", "float8_e4m3fn", "float8_e8m0fnu"])
def test_other_short_types(name: str) -> None:
    """Also one that says it is of the kind of float64, and one of powers of two."""
    value = np.ones(2, getattr(ml_dtypes, name))
    assert as_numpy(value).dtype == np.float32
    assert short_rounding(value) == float(ml_dtypes.finfo(value.dtype).eps)


def test_an_array_is_overwritten_and_put_back() -> None:
    """An attribute of an object is; a scalar cannot be."""
    value = np.ones(2, BFLOAT16)
    found = library(value)
    restore = found.restorer(value)
    assert found.writer(value)(np.array([2.0, 3.0])) is value
    assert value.tolist() == [2.0, 3.0]
    restore()
    assert value.tolist() == [1.0, 1.0]
    assert found.copy(value) is not value
    assert found.writer(value[0]) is found.restorer(value[0]) is None
