"""Conversion of what a function returned to an array."""

from typing import Any

import numpy as np
import pytest

from pytest_gradcheck.binding.values.conversion import converted, data_attribute


class Tensor:
    """A tensor of a small autodiff engine."""

    def __init__(self, data: Any) -> None:
        self.data = data
        self.grad = None


class Slotted:
    """One without a dict."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1.5, 1.5), ([1.0, 2.0], [1.0, 2.0]), (np.array([1.0, 2.0], dtype=object), [1.0, 2.0])],
)
def test_numbers_and_lists_are_converted(value: Any, expected: Any) -> None:
    """Also where NumPy was not asked to."""
    array, remark = converted(value)
    assert (array.tolist(), remark) == (expected, "")


@pytest.mark.parametrize("value", [None, "text", object(), [[1.0], [1.0, 2.0]], {"a": 1.0}])
def test_what_is_no_array_is_none(value: Any) -> None:
    """There is nothing to remark."""
    array, remark = converted(value)
    assert array.dtype.kind not in "biufc"
    assert remark == ""


def test_error_of_another_library_is_told() -> None:
    """It may have the remedy."""

    class Tracked:
        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            raise RuntimeError("call detach() first")

    assert converted(Tracked())[1] == " Its conversion raises RuntimeError: call detach() first"


def test_numbers_of_a_tensor_are_named() -> None:
    """They are in an attribute."""
    assert converted(Tensor(np.ones(3)))[1] == " Its .data is one: return that."
    assert converted(Slotted(1.0))[1] == " Its .value is one: return that."


@pytest.mark.parametrize(
    "value", [np.ones(3), np.float64(1), 1.0, Tensor("text"), Tensor(np.arange(3)), Slotted(None)]
)
def test_nothing_else_has_numbers_in_an_attribute(value: Any) -> None:
    """The memory of an array is called data, too."""
    assert data_attribute(value) is None


def test_data_of_a_sparse_matrix_are_not_the_matrix() -> None:
    """They are its nonzero entries only."""
    sparse = pytest.importorskip("scipy.sparse")
    assert data_attribute(sparse.csr_array(np.eye(3))) is None
