"""What forward returned: the output, the cache or gradients beside it, and its errors in words.

It must not call anything; it reads one returned value.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.tree import describe_value
from pytest_gradcheck.errors import GradcheckUsageError

__all__ = ["Beside", "Output", "read_output"]


class Beside(Enum):
    """What forward returns beside its output."""

    NOTHING = "output"
    CACHE = "(output, cache)"
    MAYBE_CACHE = "output or (output, cache)"
    GRADIENTS = "(value, gradients)"


@dataclass(frozen=True, slots=True)
class Output:
    """A checked output.

    Attributes
    ----------
    value : ndarray of float64, shape (m,)
        The output, flat, copied.
    shape : tuple of int
        Its shape.
    raw : Any
        The output as forward returned it.
    beside : Any
        The cache or the gradients, None where there is nothing.
    has_beside : bool
        Whether there is something.
    """

    value: NDArray[np.float64]
    shape: tuple[int, ...]
    raw: Any
    beside: Any
    has_beside: bool

    @property
    def is_scalar(self) -> bool:
        """Whether it is one number, in whatever shape."""
        return self.value.size == 1

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype forward computed in."""
        return np.asarray(self.raw).dtype


def read_output(result: Any, beside: Beside, forward_name: str) -> Output:
    """Read what forward returned at the point of the check.

    Parameters
    ----------
    result : Any
        The returned value.
    beside : Beside
        What else is expected in it.
    forward_name : str
        For messages.

    Returns
    -------
    Output
        With a copy of the numbers.

    Raises
    ------
    GradcheckUsageError
        When it is not a finite number or floating array, or lacks what was
        expected beside it.
    """
    raw, extra, has_beside = _split(result, beside, forward_name)
    array = _numeric(raw, forward_name)
    if not np.isfinite(array).all():
        bad = tuple(int(k) for k in np.argwhere(~np.isfinite(array))[0])
        place = f"output[{', '.join(map(str, bad))}]" if bad else "output"
        raise GradcheckUsageError(
            f"{forward_name} is not finite at this point: {place} is {array[bad]}. A derivative "
            "can only be checked where forward is defined: choose another point."
        )
    value = np.array(array, dtype=np.float64).reshape(-1)
    return Output(value, array.shape, raw, extra, has_beside)


def _split(result: Any, beside: Beside, forward_name: str) -> tuple[Any, Any, bool]:
    is_pair = isinstance(result, tuple) and len(result) == 2
    if beside is Beside.NOTHING or (beside is Beside.MAYBE_CACHE and not is_pair):
        if isinstance(result, tuple):
            raise GradcheckUsageError(
                f"{forward_name} returned a tuple of {len(result)}. If it is (output, cache), say "
                "has_cache=True; several outputs are checked one at a time: wrap forward to "
                "return one of them."
            )
        return result, None, False
    if is_pair:
        return result[0], result[1], True
    returned = f"a tuple of {len(result)}" if isinstance(result, tuple) else describe_value(result)
    if beside is Beside.GRADIENTS:
        raise GradcheckUsageError(
            f"{forward_name} returned {returned}. Without a backward function it must return "
            f"{beside.value}; else pass backward=."
        )
    raise GradcheckUsageError(
        f"{forward_name} returned {returned}, but backward asks for the cache: forward must "
        f"return {beside.value}."
    )


def _numeric(raw: Any, forward_name: str) -> NDArray[Any]:
    array = (
        np.asarray(raw) if isinstance(raw, (int, float, complex, np.ndarray, np.generic)) else None
    )
    if array is None or array.dtype.kind not in "biufc":
        array = _listed(raw)
    if array is None:
        raise GradcheckUsageError(
            f"{forward_name} returned {describe_value(raw)}; a derivative needs a number or a "
            "floating array. Return the value whose derivative backward computes."
        )
    if array.dtype.kind == "c":
        raise GradcheckUsageError(
            f"{forward_name} returned complex numbers ({array.dtype}); derivatives of complex "
            "outputs are not checked: return the real or the imaginary part, or a modulus."
        )
    if array.dtype.kind != "f":
        raise GradcheckUsageError(
            f"{forward_name} returned {array.dtype}, which cannot change by a small step; a "
            "derivative needs floating point. Return float(value)."
        )
    if array.size == 0:
        raise GradcheckUsageError(f"{forward_name} returned an empty array: nothing to check.")
    return array


def _listed(raw: Any) -> NDArray[Any] | None:
    """Return a list of numbers as an array, and other arrays' own idea of one."""
    if isinstance(raw, list) or hasattr(raw, "__array__"):
        try:
            array = np.asarray(raw)
        except (TypeError, ValueError):
            return None
        return array if array.dtype.kind in "biufc" else None
    return None
