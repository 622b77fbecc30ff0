"""What forward returned: the outputs, the cache or gradients beside it, and its errors in words.

It must not call anything; it reads one returned value.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.blocks import Block, dtype_name
from pytest_gradcheck.binding.layout import Layout, named_outputs
from pytest_gradcheck.binding.tree import counted, describe_value
from pytest_gradcheck.errors import GradcheckUsageError

__all__ = ["Beside", "Output", "cache_hint", "read_output"]


class Beside(Enum):
    """What forward returns beside its output."""

    NOTHING = "output"
    CACHE = "(output, cache)"
    MAYBE_CACHE = "output or (output, cache)"
    GRADIENTS = "(value, gradients)"


@dataclass(frozen=True, slots=True)
class Output:
    """What forward returned, checked.

    Attributes
    ----------
    value : ndarray of float64, shape (m,)
        All outputs, flat, copied.
    layout : Layout
        Their structure.
    beside : Any
        The cache or the gradients, None where there is nothing.
    has_beside : bool
        Whether there is something.
    """

    value: NDArray[np.float64]
    layout: Layout
    beside: Any
    has_beside: bool

    @property
    def raw(self) -> Any:
        """The outputs as forward returned them."""
        return self.layout.raw

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Each output array, in order."""
        return self.layout.blocks

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the output; of several the number of their coordinates."""
        return self.value.shape if self.layout.is_several else self.blocks[0].shape

    @property
    def is_scalar(self) -> bool:
        """Whether it is one real number, in whatever shape."""
        return self.value.size == 1 and not self.layout.is_several

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype forward computed in, of several outputs the least precise."""
        return max((np.dtype(b.dtype) for b in self.blocks), key=lambda dtype: np.finfo(dtype).eps)


def read_output(result: Any, beside: Beside, forward_name: str) -> Output:
    """Read what forward returned at the point of the check.

    Parameters
    ----------
    result : Any
        The returned value: a number or an array, or a container of them.
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
        When it is not made of finite numbers and floating arrays, or lacks what
        was expected beside it.
    """
    raw, extra, has_beside = _split(result, beside, forward_name)
    hint = "" if has_beside else cache_hint(raw)
    blocks: list[Block] = []
    start = 0
    for name, value in named_outputs("output", raw):
        array = _numeric(value, f"{forward_name} returned", name, hint)
        _refuse_infinite(array, name, forward_name)
        is_complex = array.dtype.kind == "c"
        stop = start + array.size * (2 if is_complex else 1)
        blocks.append(Block(name, array.shape, dtype_name(array.dtype), start, stop, is_complex))
        start = stop
    if not blocks:
        raise GradcheckUsageError(f"{forward_name} returned an empty container: nothing to check.")
    layout = Layout(raw, tuple(blocks))
    return Output(layout.flatten(raw), layout, extra, has_beside)


def cache_hint(raw: Any) -> str:
    """Say that a tuple may be ``(output, cache)``; nothing of anything else."""
    if not isinstance(raw, tuple) or hasattr(raw, "_fields"):
        return ""
    return (
        f" The tuple of {len(raw)} that forward returned is taken as that many outputs; if it is "
        "(output, cache), say has_cache=True."
    )


def _split(result: Any, beside: Beside, forward_name: str) -> tuple[Any, Any, bool]:
    is_pair = isinstance(result, tuple) and len(result) == 2
    if beside is Beside.NOTHING or (beside is Beside.MAYBE_CACHE and not is_pair):
        return result, None, False
    if is_pair:
        return result[0], result[1], True
    returned = counted(result) if isinstance(result, tuple) else describe_value(result)
    if beside is Beside.GRADIENTS:
        raise GradcheckUsageError(
            f"{forward_name} returned {returned}. Without a backward function it must return "
            f"{beside.value}; else pass backward=."
        )
    raise GradcheckUsageError(
        f"{forward_name} returned {returned}, but backward asks for the cache: forward must "
        f"return {beside.value}."
    )


def _numeric(value: Any, returned: str, name: str, hint: str) -> NDArray[Any]:
    """Return one output as a floating or complex array, or say why it is none."""
    place = "" if name == "output" else f" as {name}"
    array = None
    if isinstance(value, (int, float, complex, np.ndarray, np.generic)):
        array = np.asarray(value)
    if array is None or array.dtype.kind not in "biufc":
        array = _listed(value)
    if array is None:
        raise GradcheckUsageError(
            f"{returned} {describe_value(value)}{place}; a derivative needs a number or a "
            f"floating array. Return the value whose derivative backward computes.{hint}"
        )
    if array.dtype.kind not in "fc":
        raise GradcheckUsageError(
            f"{returned} {array.dtype}{place}, which cannot change by a small step; a "
            f"derivative needs floating point. Return float(value).{hint}"
        )
    if array.size == 0:
        raise GradcheckUsageError(f"{returned} an empty array{place}: nothing to check.{hint}")
    return array


def _refuse_infinite(array: NDArray[Any], name: str, forward_name: str) -> None:
    finite = np.isfinite(array)
    if finite.all():
        return
    bad = tuple(int(k) for k in np.argwhere(~finite)[0])
    place = f"{name}[{', '.join(map(str, bad))}]" if bad else name
    raise GradcheckUsageError(
        f"{forward_name} is not finite at this point: {place} is {array[bad]}. A derivative "
        "can only be checked where forward is defined: choose another point."
    )


def _listed(raw: Any) -> NDArray[Any] | None:
    """Return a list of numbers as an array, and other arrays' own idea of one."""
    if isinstance(raw, list) or hasattr(raw, "__array__"):
        try:
            array = np.asarray(raw)
        except (TypeError, ValueError):
            return None
        return array if array.dtype.kind in "biufc" else None
    return None
