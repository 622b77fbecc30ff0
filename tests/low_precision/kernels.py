"""Kernels of low precision, made of plain functions: right ones, and systematically wrong ones.

A kernel gets and returns numbers of a low type. A wide one computes in a longer type, as kernels
of accelerators do, and a narrow one in its own. The wrong ones differ by how they end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np

from pytest_gradcheck import Report, check_gradient
from tests.low_precision.functions import Function

__all__ = ["ERRORS", "TYPES", "WIDER", "Kernel", "check", "epsilon"]

#: An array of any type of numbers.
Array = Any

#: The types of low precision, and those in which a wide kernel computes.
TYPES = {"float16": np.float16, "bfloat16": ml_dtypes.bfloat16, "float32": np.float32}
WIDER = {"float16": np.float32, "bfloat16": np.float32, "float32": np.float64}

#: What the results of a backward are made into, before they are rounded to nearest.
Ending = Callable[[Array, Any], Array]


def epsilon(dtype: Any) -> float:
    """Return the relative rounding of a type: the distance from one to the next number."""
    steps = 2.0 ** -np.arange(1.0, 24.0)
    return float(steps[(1 + steps).astype(dtype).astype(float) == 1 + steps].min())


def _right(result: Array, dtype: Any) -> Array:
    del dtype
    return result


def _off(roundings: float) -> Ending:
    """Return what makes all entries so many roundings too large."""
    return lambda result, dtype: result.astype(float) * (1 + roundings * epsilon(dtype))


def _truncated(result: Array, dtype: Any) -> Array:
    """Round toward zero: the digits that the type does not have are cut off."""
    mantissa, exponent = np.frexp(result.astype(float))
    scale = 2 / epsilon(dtype)
    return np.ldexp(np.trunc(mantissa * scale) / scale, exponent)


#: Endings of systematically wrong kernels.
ERRORS: dict[str, Ending] = {
    "2 roundings too small": _off(-2),
    "3 roundings too small": _off(-3),
    "4 roundings too small": _off(-4),
    "4 roundings too large": _off(4),
    "truncated": _truncated,
}


@dataclass(frozen=True)
class Kernel:
    """A function in low precision.

    Attributes
    ----------
    function : Function
        What it computes.
    dtype : type
        What it gets and returns.
    inside : type
        What it computes in.
    ending : callable
        What the results of backward are made into.
    """

    function: Function
    dtype: Any
    inside: Any
    ending: Ending = _right

    def forward(self, parameters: Sequence[Array], labels: Array | None) -> Array:
        """Return the output in the low type."""
        found = self.function.forward(self._inside(parameters), labels)
        return np.asarray(found).astype(self.dtype)

    def backward(
        self, parameters: Sequence[Array], labels: Array | None, cotangent: Array | None = None
    ) -> tuple[Array, ...]:
        """Return the gradients in the low type."""
        upstream = None if cotangent is None else cotangent.astype(self.inside)
        found = self.function.backward(self._inside(parameters), labels, upstream)
        return tuple(self.ending(each, self.dtype).astype(self.dtype) for each in found)

    def _inside(self, parameters: Sequence[Array]) -> tuple[Array, ...]:
        return tuple(x.astype(self.inside) for x in parameters)


def check(kernel: Kernel, *, seed: int, is_pair: bool) -> Report:
    """Check a kernel beside its function, which may have its backward with it."""
    function = kernel.function
    parameters, labels = function.draw(seed, kernel.dtype)
    return check_gradient(
        kernel.forward,
        kernel.backward,
        parameters,
        labels,
        wrt="parameters",
        reference=(function.forward, function.backward) if is_pair else function.forward,
        seed=seed,
    )
