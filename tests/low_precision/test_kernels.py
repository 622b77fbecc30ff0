"""Kernels in float16, bfloat16 and float32 beside a reference in float64.

`tests/benchmarks/low_precision.py` makes these checks for all functions and many points.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("ml_dtypes")  # before the kernels, which need it

from pytest_gradcheck import check_gradient
from tests.low_precision.functions import FUNCTIONS
from tests.low_precision.kernels import ERRORS, TYPES, WIDER, Kernel, check


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_right_kernels(name: str, dtype: str) -> None:
    """They pass, whether they compute in float32 or in their own type."""
    wide = Kernel(FUNCTIONS[name], TYPES[dtype], WIDER[dtype])
    narrow = Kernel(FUNCTIONS[name], TYPES[dtype], TYPES[dtype])
    assert check(wide, seed=0, is_pair=True).failures == ()
    assert check(narrow, seed=0, is_pair=False).failures == ()


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", ["gelu", "layer norm", "linear"])
def test_systematic_errors(name: str, dtype: str, error: str) -> None:
    """They are found, although every single entry is within what rounding allows."""
    kernel = Kernel(FUNCTIONS[name], TYPES[dtype], WIDER[dtype], ERRORS[error])
    report = check(kernel, seed=0, is_pair=False)
    assert report.verdict == "wrong"
    assert {breach.kind for breach in report.breaches} == {"rounding"}
    assert all(p.wrong == 0 for p in report.parameters)
    wanted = (
        "toward zero"
        if error == "truncated"
        else f" too {error.rsplit(maxsplit=1)[-1]} in the median"
    )
    assert any(wanted in text for text in report.failures)


def product(x: NDArray[Any], weight: NDArray[Any]) -> NDArray[Any]:
    """Return a product; NumPy sums it in float32 or in float64."""
    long = np.promote_types(x.dtype, np.float32)
    found: NDArray[Any] = x.astype(long) @ weight.astype(long)
    return found.astype(x.dtype)


def product_backward(
    x: NDArray[Any], weight: NDArray[Any], cotangent: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the gradients of a product."""
    return product(cotangent, weight.T), product(x.T, cotangent)


def accumulated_backward(
    x: NDArray[Any], weight: NDArray[Any], cotangent: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the same, where the sum over the batch is in the type of the numbers."""
    total = np.zeros_like(weight)
    for row, upstream in zip(x, cotangent, strict=True):
        total += row[:, None] * upstream
    return product(cotangent, weight.T), total


def test_sums_in_low_precision() -> None:
    """They scatter about zero, and are far less exact than a plain implementation is."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(256, 8)).astype(np.float16)
    weight = rng.normal(size=(8, 16)).astype(np.float16)
    plain = (product, product_backward)
    report = check_gradient(product, product_backward, x, weight, reference=plain)
    assert report.failures == ()
    report = check_gradient(product, accumulated_backward, x, weight, reference=plain)
    assert [breach.parameter for breach in report.breaches] == ["weight"]
    assert "times as far off as product in the same type" in report.failures[0]
