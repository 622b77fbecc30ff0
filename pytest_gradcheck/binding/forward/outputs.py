"""What forward returned: the outputs, the cache or gradients beside it, and its errors in words.

It must not call anything; it reads one returned value.
"""

# MERGED Forward's outputs as one vector and back: their names, places and structure.
#
# It must not call anything or know what a derivative is.
# MERGED How what forward returns is read as numbers, and reduced by a cotangent.
#
# It must not call forward.

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.call.resolved_call import ReturnConvention
from pytest_gradcheck.binding.values.complex_pairs import flat_complex, flat_real
from pytest_gradcheck.binding.values.parameters import Block, Vector, dtype_name
from pytest_gradcheck.binding.values.pytree import (
    accessors,
    contents,
    counted,
    describe_value,
    rebuilt,
)
from pytest_gradcheck.errors import GradcheckUsageError

__all__ = [
    "Layout",
    "MismatchError",
    "Output",
    "Reading",
    "cache_hint",
    "named_outputs",
    "read_output",
    "shaped_like",
]


EMPTY = np.empty(0)


class MismatchError(Exception):
    """What was returned about outputs has not their structure.

    Parameters
    ----------
    name : str
        Where in the outputs.
    returned : Any
        What was found there.
    """

    def __init__(self, name: str, returned: Any) -> None:
        super().__init__(name)
        self.name = name
        self.returned = returned


@dataclass(frozen=True, slots=True)
class Layout:
    """How forward's outputs lie in one vector.

    Attributes
    ----------
    raw : Any
        The outputs at the point of the check, as forward returned them.
    blocks : tuple of Block
        Each output array, in order.
    """

    raw: Any
    blocks: tuple[Block, ...]

    @property
    def is_several(self) -> bool:
        """Whether forward returned a container, even of one output."""
        return _inside(self.raw) is not None

    @property
    def flatten(self) -> Callable[[Any], Vector]:
        """What turns outputs of this structure into a new vector; fast for one array.

        Outputs that miss one of these give a vector that is too short.
        """
        if self.is_several:
            return self._flatten_several
        return flat_complex if self.blocks[0].is_complex else flat_real

    def flatten_rows(self, raw: Any) -> Vector:
        """Return outputs that all have a leading axis of length k as a new array, shape (k, m)."""
        found = dict(named_outputs("output", raw))
        parts = [(found[block.name], block.is_complex) for block in self.blocks]
        rows = [
            np.array(value, dtype=np.complex128 if is_complex else np.float64)
            for value, is_complex in parts
        ]
        flat = [part.reshape(len(part), -1).view(np.float64) for part in rows]
        return flat[0] if len(flat) == 1 else np.concatenate(flat, axis=1)

    def shaped(self, vector: Vector) -> Any:
        """Return a vector in the structure of the outputs, each part with its shape and dtype."""
        values = dict(named_outputs("output", self.raw))
        parts = {
            block.name: shaped_like(vector[block.start : block.stop], block, values[block.name])
            for block in self.blocks
        }
        return rebuilt("output", self.raw, parts)

    def split(self, returned: Any) -> dict[str, Any]:
        """Return the part of `returned` about each output, by the output's name.

        Raises
        ------
        MismatchError
            When it has not the structure of the outputs.
        """
        return dict(_along("output", self.raw, returned))

    def _flatten_several(self, raw: Any) -> Vector:
        found = dict(named_outputs("output", raw))
        return np.concatenate(
            [
                flat_complex(found.get(block.name, EMPTY))
                if block.is_complex
                else flat_real(found.get(block.name, EMPTY))
                for block in self.blocks
            ]
        )


def named_outputs(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield accessor and value of every output in what forward returned, depth first.

    Examples
    --------
    >>> dict(named_outputs("output", {"loss": 0.5, "grid": [[1.0], [2.0]]}))
    {"output['loss']": 0.5, "output['grid']": [[1.0], [2.0]]}
    """
    inside = _inside(value)
    if inside is None:
        yield name, value
        return
    for accessor, item in zip(accessors(value), inside, strict=True):
        yield from named_outputs(name + accessor, item)


def shaped_like(part: Vector, block: Block, value: Any) -> Any:
    """Return coordinates in the form of `value`: a number for a number, an array in its dtype."""
    entries = part.view(np.complex128) if block.is_complex else part
    array = entries.reshape(block.shape)
    if isinstance(value, (np.ndarray, np.generic)):
        dtype = np.dtype(block.dtype)
        return array.astype(dtype) if block.shape else dtype.type(array[()])
    return array.tolist() if isinstance(value, (float, complex, list)) else array.copy()


def _inside(value: Any) -> list[Any] | None:
    """Return what a container of outputs holds; arrays of any library are none."""
    return None if hasattr(value, "__array__") else contents(value)


def _along(name: str, value: Any, returned: Any) -> Iterator[tuple[str, Any]]:
    """Walk outputs and what was returned about them together, down to the arrays."""
    inside = _inside(value)
    if inside is None:
        yield name, returned
        return
    if isinstance(value, Mapping):
        if not isinstance(returned, Mapping) or not all(key in returned for key in value):
            raise MismatchError(name, returned)
        parts = [returned[key] for key in value]
    else:
        parts = _in_order(returned)
        if len(parts) != len(inside):
            raise MismatchError(name, returned)
    for accessor, item, part in zip(accessors(value), inside, parts, strict=True):
        yield from _along(name + accessor, item, part)


def _in_order(returned: Any) -> list[Any]:
    """Return what a container holds that goes by position or by attribute, nothing of others."""
    if isinstance(returned, (tuple, list)):
        return list(returned)
    return [] if isinstance(returned, Mapping) else _inside(returned) or []


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


def read_output(result: Any, beside: ReturnConvention, forward_name: str) -> Output:
    """Read what forward returned at the point of the check.

    Parameters
    ----------
    result : Any
        The returned value: a number or an array, or a container of them.
    beside : ReturnConvention
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


def _split(result: Any, beside: ReturnConvention, forward_name: str) -> tuple[Any, Any, bool]:
    is_pair = isinstance(result, tuple) and len(result) == 2
    if beside is ReturnConvention.OUTPUT or (
        beside is ReturnConvention.MAYBE_CACHE and not is_pair
    ):
        return result, None, False
    if is_pair:
        return result[0], result[1], True
    returned = counted(result) if isinstance(result, tuple) else describe_value(result)
    if beside is ReturnConvention.GRADIENTS:
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


@dataclass(frozen=True, slots=True)
class Reading:
    """How outputs are read away from the point: as they were at the point.

    Attributes
    ----------
    size : int
        How many numbers they are.
    has_beside : bool
        Whether forward returns something beside them.
    flatten, flatten_rows : callable
        Turn them into a vector; or those at k points into an array of k rows.
    cotangent : ndarray, shape (size,), or None
        What they are multiplied by, to one number.
    """

    size: int = 0
    has_beside: bool = False
    flatten: Callable[[Any], Vector] = flat_real
    flatten_rows: Callable[[Any], Vector] = np.atleast_2d
    cotangent: Vector | None = None

    @classmethod
    def of(cls, output: Output) -> Reading:
        """Return how to read what is like `output`."""
        return cls(
            output.value.size, output.has_beside, output.layout.flatten, output.layout.flatten_rows
        )

    def under(self, cotangent: Vector) -> Reading:
        """Return the reading that ends with the product of `cotangent` and the outputs."""
        return replace(self, cotangent=cotangent)

    def outputs(self, result: Any) -> Any:
        """Return what forward returned without what is beside the outputs."""
        return result[0] if self.has_beside else result

    def rows(self, result: Any, count: int) -> Vector:
        """Return what forward returned at many points as numbers, shape (count, m).

        Raises
        ------
        ValueError
            When they are not as many as at the point, so many times.
        """
        values = self.flatten_rows(self.outputs(result)).reshape(count, self.size)
        return values if self.cotangent is None else values @ self.cotangent[:, None]

    def reduced(self, values: Vector) -> Vector:
        """Return all numbers as one, where there is a cotangent."""
        return values if self.cotangent is None else np.atleast_1d(self.cotangent @ values)

    def nowhere(self) -> Vector:
        """Return what stands for outputs where forward is undefined."""
        return self.reduced(np.full(self.size, np.nan))

    def stacked(self, outputs: Sequence[Vector]) -> Vector:
        """Return outputs at k points as one array, shape (k, m), even for none."""
        return np.array(outputs) if outputs else np.empty((0, self.nowhere().size))
