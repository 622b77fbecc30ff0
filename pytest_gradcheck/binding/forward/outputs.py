"""The outputs of forward: what it returned, checked, as one vector and back.

`read_output` reads what forward returned at the base point; `Output.layout` is the structure of
the outputs, much like the ``PyTreeDef`` of `jax.tree_util.tree_flatten`; and `OutputReader` reads
outputs of the same structure at perturbed points, with less to verify. It does not call forward.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.call.resolved_call import ReturnConvention
from pytest_gradcheck.binding.forward.inconsistent_outputs import InconsistentOutputError
from pytest_gradcheck.binding.values.complex_pairs import flat_complex, flat_real
from pytest_gradcheck.binding.values.conversion import converted
from pytest_gradcheck.binding.values.masked_arrays import first_masked, nan_where_masked
from pytest_gradcheck.binding.values.parameters import Block, Vector, dtype_name
from pytest_gradcheck.binding.values.pytree import (
    accessors,
    contents,
    counted,
    describe_value,
    empty_containers,
    named_children,
    places,
    unsorted_mapping,
)
from pytest_gradcheck.binding.values.rebuilding import rebuilt
from pytest_gradcheck.binding.values.sparse_matrices import RETURN_ENTRIES, as_dense, is_sparse
from pytest_gradcheck.binding.values.user_attributes import has_attribute
from pytest_gradcheck.errors import GradcheckUsageError
from pytest_gradcheck.integrations.array_libraries import array_library, as_numpy
from pytest_gradcheck.report.representation import key_text

__all__ = [
    "Layout",
    "MismatchError",
    "Output",
    "OutputReader",
    "cache_hint",
    "named_outputs",
    "read_output",
    "shaped_like",
    "whole",
]

#: Stands for an output that is missing or None.
NO_OUTPUT = np.empty(0)


Taker = Callable[[Any], Any]


def whole(result: Any) -> Any:
    """Return the outputs where forward returns nothing else."""
    return result


def first(result: Any) -> Any:
    """Return the outputs in ``(outputs, cache)``."""
    return result[0]


def all_but_last(result: Any) -> Any:
    """Return the outputs in ``(output, ..., output, cache)``."""
    return result[:-1]


@dataclass(frozen=True, slots=True)
class Layout:
    """The structure of the outputs, and their places in one vector.

    Attributes
    ----------
    raw : Any
        The outputs at the base point, as forward returned them.
    blocks : tuple of Block
        Each output array that has a derivative, in order.
    discrete : tuple of str
        Accessors of those that have none: integers and booleans beside them.
    """

    raw: Any
    blocks: tuple[Block, ...]
    discrete: tuple[str, ...] = ()

    @property
    def is_several(self) -> bool:
        """Whether forward returned a container, be it of one output."""
        return _inside(self.raw) is not None

    @property
    def flatten(self) -> Callable[[Any], Vector]:
        """A function from outputs of this structure to a new vector, the fastest there is.

        Where an output is missing or None the vector is too short.
        """
        if self.is_several:
            return self._flatten_several
        flatten = flat_complex if self.blocks[0].is_complex else flat_real
        is_plain = type(self.raw) in (np.ndarray, float, complex) and not _holds_objects(self.raw)
        return flatten if is_plain else partial(_flat, flatten)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of what is in the container, empty in a tuple or list; () of a single output."""
        inside = _inside(self.raw)
        if inside is None:
            return ()
        if isinstance(self.raw, Mapping):
            return tuple(key_text(key) for key, _ in self.raw.items())
        names = (accessor.removeprefix(".") for accessor in accessors(self.raw))
        return tuple("" if name.startswith("[") else name for name in names)

    def flatten_rows(self, raw: Any) -> Vector:
        """Return outputs with a leading axis of length k as a new array, shape (k, m)."""
        found = dict(named_outputs("output", raw))
        parts = [(found[block.name], block.is_complex) for block in self.blocks]
        flat = [
            (flat_complex if is_complex else flat_real)(as_numpy(value)).reshape(len(value), -1)
            for value, is_complex in parts
        ]
        return flat[0] if len(flat) == 1 else np.concatenate(flat, axis=1)

    def shaped(self, vector: Vector) -> Any:
        """Return a vector as outputs of this structure, with their shapes and dtypes.

        Those without a derivative are zeros.
        """
        values = dict(named_outputs("output", self.raw))
        parts = {
            block.name: shaped_like(vector[block.start : block.stop], block, values[block.name])
            for block in self.blocks
        }
        parts |= {name: _zeros_like(values[name]) for name in self.discrete}
        return rebuilt("output", self.raw, parts)

    @property
    def all_names(self) -> tuple[str, ...]:
        """Accessors of all outputs, in order."""
        return tuple(name for name, _ in named_outputs("output", self.raw))

    @property
    def places(self) -> tuple[tuple[str, ...], ...]:
        """Accessors of the outputs in each place of the container; of a single one its own."""
        inside = _inside(self.raw)
        if inside is None:
            return (("output",),)
        return tuple(
            tuple(name for name, _ in named_outputs("output" + accessor, item))
            for accessor, item in zip(accessors(self.raw), inside, strict=True)
        )

    def only(self, vector: Vector, names: Collection[str]) -> Vector:
        """Return a vector with zeros for the outputs of other names."""
        chosen = vector.copy()
        for block in self.blocks:
            if block.name not in names:
                chosen[block.start : block.stop] = 0
        return chosen

    def split(self, returned: Any) -> dict[str, Any]:
        """Split what backward returned into the parts for each output, by its name.

        It has the structure of the outputs; or it is one array, of which the first axis runs
        over the entries of all outputs. Of one output among discrete ones it may be the
        derivative itself.

        Raises
        ------
        MismatchError
            When `returned` has another structure.
        """
        try:
            if self.is_several and hasattr(returned, "shape"):
                return self._split_rows(returned)
            return dict(_pair_up("output", self.raw, returned, frozenset(self.discrete)))
        except MismatchError:
            if not (self.discrete and len(self.blocks) == 1):
                raise
            return {self.blocks[0].name: returned}

    def _split_rows(self, array: Any) -> dict[str, Any]:
        """Split an array with a row for each entry of the outputs."""
        try:
            rows = as_numpy(array)
        except Exception:  # noqa: BLE001  # whatever the conversion of another library raises
            raise MismatchError("output", array) from None
        sizes = [block.size for block in self.blocks]
        if unsorted_mapping("output", self.raw) is not None:
            raise MismatchError("output", array)  # their order in it may be another
        if rows.dtype.kind not in "biufc" or rows.shape[:1] != (sum(sizes),):
            raise MismatchError("output", array)
        parts = np.split(rows, np.cumsum(sizes)[:-1])
        return {
            block.name: part.reshape((*block.shape, *rows.shape[1:]))
            for block, part in zip(self.blocks, parts, strict=True)
        }

    def _flatten_several(self, raw: Any) -> Vector:
        found = {k: v for k, v in named_outputs("output", raw) if v is not None}
        return np.concatenate(
            [
                _flat(
                    flat_complex if block.is_complex else flat_real,
                    found.get(block.name, NO_OUTPUT),
                )
                for block in self.blocks
            ]
        )


@dataclass(frozen=True, slots=True)
class Output:
    """What forward returned, checked to be finite floating numbers.

    Attributes
    ----------
    value : ndarray of float64, shape (m,)
        A copy of all outputs, flat.
    layout : Layout
        Their structure.
    auxiliary : Any
        The cache or the gradients that forward returned with them, else None.
    take : callable
        Returns the outputs in what forward returns: `whole`, `first` or `all_but_last`.
    """

    value: NDArray[np.float64]
    layout: Layout
    auxiliary: Any
    take: Taker

    @property
    def has_auxiliary(self) -> bool:
        """Whether forward returned something with the outputs."""
        return self.take is not whole

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
        """Shape of the output; of several outputs that of the vector."""
        return self.value.shape if self.layout.is_several else self.blocks[0].shape

    @property
    def is_scalar(self) -> bool:
        """Whether it is one real number, in an array of any shape."""
        return self.value.size == 1 and not self.layout.is_several

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the output, of several the least precise."""
        return max((np.dtype(b.dtype) for b in self.blocks), key=lambda dtype: np.finfo(dtype).eps)


@dataclass(frozen=True, slots=True)
class OutputReader:
    """Reads outputs at perturbed points, expecting the structure of those at the base point.

    Attributes
    ----------
    blocks : tuple of Block
        The outputs at the base point.
    take : callable
        Returns the outputs in what forward returns, without a cache.
    flatten, flatten_rows : callable
        Convert the outputs at one point to a vector, and those at k points to k rows.
    cotangent : ndarray, shape (size,), or None
        Weights that reduce the outputs to one number, where there are any.
    """

    blocks: tuple[Block, ...] = ()
    take: Taker = whole
    flatten: Callable[[Any], Vector] = flat_real
    flatten_rows: Callable[[Any], Vector] = np.atleast_2d
    cotangent: Vector | None = None

    @classmethod
    def of(cls, output: Output) -> OutputReader:
        """Return the reader of outputs with the structure of `output`."""
        return cls(
            output.blocks,
            output.take,
            output.layout.flatten,
            output.layout.flatten_rows,
        )

    def weighted(self, cotangent: Vector) -> OutputReader:
        """Return a reader that reduces the outputs to their product with `cotangent`."""
        return replace(self, cotangent=cotangent)

    @property
    def size(self) -> int:
        """The number of coordinates of the outputs."""
        return self.blocks[-1].stop if self.blocks else 0

    def read(self, result: Any) -> Vector:
        """Return the outputs in what forward returned, reduced where there is a cotangent.

        Raises
        ------
        InconsistentOutputError
            When they are not of the kind and size of those at the base point.
        """
        outputs = result
        try:
            outputs = self.take(result)
            values = self.flatten(outputs)
            if values.size == self.size:
                return self.reduced(values)
        except (AttributeError, LookupError, TypeError, ValueError):
            pass  # so that what is raised next does not refer to it
        raise InconsistentOutputError(outputs, dict(named_outputs("output", outputs)), self.blocks)

    def rows(self, result: Any, count: int) -> Vector:
        """Return what forward returned at many points, shape (count, m).

        Raises
        ------
        ValueError
            When a point has another number of outputs than the base point.
        TypeError
            When they are of another kind.
        """
        values = self.flatten_rows(self.take(result)).reshape(count, self.size)
        return values if self.cotangent is None else values @ self.cotangent[:, None]

    def reduced(self, values: Vector) -> Vector:
        """Return the outputs, reduced to one number where there is a cotangent."""
        return values if self.cotangent is None else np.atleast_1d(self.cotangent @ values)

    def undefined(self) -> Vector:
        """Return NaN for the outputs, where forward is undefined."""
        return self.reduced(np.full(self.size, np.nan))

    def stacked(self, outputs: Sequence[Vector]) -> Vector:
        """Return outputs at k points as one array, shape (k, m), even for k = 0."""
        return np.array(outputs) if outputs else np.empty((0, self.undefined().size))


class MismatchError(Exception):
    """Backward returned another structure than that of the outputs.

    Parameters
    ----------
    name : str
        The place in the outputs.
    returned : Any
        What was found there.
    """

    def __init__(self, name: str, returned: Any) -> None:
        super().__init__(name)
        self.name = name
        self.returned = returned


def _flat(flatten: Callable[[Any], Vector], raw: Any) -> Vector:
    """Flatten an output that may be masked, hold objects or be a sparse matrix."""
    if is_sparse(raw):
        return flatten(as_dense(raw, "forward"))
    return flatten(raw.tolist() if _holds_objects(raw) else as_numpy(nan_where_masked(raw)))


def _holds_objects(raw: Any) -> bool:
    return isinstance(raw, np.ndarray) and raw.dtype.hasobject


def read_output(result: Any, returns: ReturnConvention, forward_name: str) -> Output:
    """Read what forward returned at the base point.

    Parameters
    ----------
    result : Any
        The returned value: a number or an array, or a container of them.
    returns : ReturnConvention
        What it is expected to be.
    forward_name : str
        For messages.

    Returns
    -------
    Output
        With a copy of the numbers.

    Raises
    ------
    GradcheckUsageError
        When an output is not a finite floating number or array, or `result` is not the
        expected pair.
    """
    take, extra = _split(result, returns, forward_name)
    raw = take(result)
    hint = cache_hint(raw) if take is whole else ""
    blocks: list[Block] = []
    start = 0
    named = dict(named_outputs("output", raw))
    discrete = tuple(name for name, value in named.items() if _is_discrete(value))
    if len(discrete) == len(named):
        discrete = ()  # none is left beside them: each is refused
    for name, value in named.items():
        if name in discrete:
            continue
        array = _numeric(value, forward_name, name, hint)
        _refuse_infinite(array, name, forward_name)
        is_complex = array.dtype.kind == "c"
        stop = start + array.size * (2 if is_complex else 1)
        blocks.append(Block(name, array.shape, dtype_name(array.dtype), start, stop, is_complex))
        start = stop
    if not blocks:
        raise GradcheckUsageError(f"{forward_name} returned an empty container: nothing to check.")
    layout = Layout(raw, tuple(blocks), discrete)
    return Output(layout.flatten(raw), layout, extra, take)


def cache_hint(raw: Any) -> str:
    """Return a hint that a tuple may be ``(output, cache)``; of anything else an empty text."""
    if not isinstance(raw, tuple) or hasattr(raw, "_fields"):
        return ""
    return (
        f" The tuple of {len(raw)} that forward returned is taken as that many outputs; if it is "
        "(output, cache), say has_cache=True."
    )


def _split(result: Any, returns: ReturnConvention, forward_name: str) -> tuple[Taker, Any]:
    """Return how to take the outputs out of what forward returned, and what is with them."""
    is_pair = isinstance(result, tuple) and len(result) == 2
    if returns is ReturnConvention.GRADIENTS and isinstance(result, (tuple, list)):
        if len(result) == 2:
            return first, result[1]
        if len(result) > 2:  # the value, then a gradient for each parameter
            return first, _following(result)
    if returns is ReturnConvention.OUTPUT or (
        returns is ReturnConvention.MAYBE_CACHE and not is_pair
    ):
        return whole, None
    if is_pair:
        return first, result[1]
    if returns is ReturnConvention.OUTPUTS_AND_CACHE and isinstance(result, tuple) and result:
        return all_but_last, result[-1]
    returned = counted(result) if isinstance(result, tuple) else describe_value(result)
    if returns is ReturnConvention.GRADIENTS:
        raise GradcheckUsageError(
            f"{forward_name} returned {returned}. Without a backward function it must return "
            f"{returns.value}; else pass backward=."
        )
    raise GradcheckUsageError(
        f"{forward_name} returned {returned}, but backward asks for the cache: forward must "
        f"return {returns.value}."
    )


def _following(result: Any) -> Any:
    """Return all but the first element of a tuple, by name if it is a named one."""
    named = named_children(result)
    return tuple(result[1:]) if named is None else dict(list(named.items())[1:])


def _numeric(value: Any, forward_name: str, name: str, hint: str) -> NDArray[Any]:
    """Return one output as a floating or complex array, or raise."""
    place = "" if name == "output" else f" as {name}"
    masked = first_masked(value)
    if masked is not None:
        raise GradcheckUsageError(
            f"{forward_name} returned a masked array{place}: {name}{masked} is masked, and so is "
            "no number. Return output.compressed(), or output.filled(0.0) if what is masked "
            "counts as 0."
        )
    if is_sparse(value):
        value = as_dense(value, forward_name, RETURN_ENTRIES)
    array, remark = converted(value)
    if array.dtype.kind not in "biufc":
        remark = remark or " Return the value whose derivative backward computes."
        raise GradcheckUsageError(
            f"{forward_name} returned {describe_value(value)}{place}; a derivative needs a number "
            f"or a floating array.{remark}{hint}"
        )
    if array.dtype.kind not in "fc":
        raise GradcheckUsageError(
            f"{forward_name} returned {array.dtype}{place}, which cannot change by a small step; "
            f"a derivative needs floating point. Return {_as_floats(value, array.shape)}.{hint}"
        )
    return array


def _is_discrete(value: Any) -> bool:
    """Return whether an output holds integers or booleans, as indices and masks do."""
    if first_masked(value) is not None or is_sparse(value):
        return False
    return converted(value)[0].dtype.kind in "biu"


def _zeros_like(value: Any) -> Any:
    """Return zeros in the type of an output without a derivative."""
    library, array = array_library(value), as_numpy(value)
    zeros = np.zeros(array.shape, array.dtype)
    if library is not None:
        return library.from_numpy(zeros, value)
    return zeros if isinstance(value, np.ndarray) else zeros.tolist()


def _as_floats(value: Any, shape: tuple[int, ...]) -> str:
    """Return an expression that converts an output to floating point."""
    if not shape:
        return "float(value)"
    return "value.astype(float)" if hasattr(value, "astype") else "np.array(value, dtype=float)"


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


def named_outputs(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield accessor and value of every output in what forward returned, depth first.

    Examples
    --------
    >>> dict(named_outputs("output", {"loss": 0.5, "grid": [[1.0], [2.0]]}))
    {"output['loss']": 0.5, "output['grid']": [[1.0], [2.0]]}
    """
    for place, item, inside in places(name, value, inside_of=_inside):
        if inside is None:
            yield place, item


def shaped_like(part: Vector, block: Block, value: Any) -> Any:
    """Return coordinates in the type of `value`: a number, a list, or an array of its dtype."""
    if not part.size and empty_containers("", value):
        return value
    entries = part.view(np.complex128) if block.is_complex else part
    array = entries.reshape(block.shape)
    library = array_library(value)
    if library is not None:
        return library.from_numpy(array.astype(np.dtype(block.dtype)), value)
    if isinstance(value, np.ndarray):
        return array.astype(np.dtype(block.dtype))
    if isinstance(value, np.generic):
        return np.dtype(block.dtype).type(array[()])
    return array.tolist() if isinstance(value, (float, complex, list)) else array.copy()


def _inside(value: Any) -> list[Any] | None:
    """Return the contents of a container of outputs; an array of any library is not one."""
    return None if has_attribute(value, "__array__") or is_sparse(value) else contents(value)


def _pair_up(
    name: str, value: Any, returned: Any, discrete: frozenset[str]
) -> Iterator[tuple[str, Any]]:
    """Yield the name of each output with the part of `returned` at the same place.

    In the place of a discrete output there may be nothing that is a derivative: None, integers,
    or in a mapping no key.
    """
    inside = _inside(value)
    if returned is None and discrete.issuperset(n for n, _ in named_outputs(name, value)):
        return
    if inside is None:
        if name in discrete and not _is_discrete(returned):
            raise MismatchError(name, returned)
        yield name, returned
        return
    named, returned_by_name = named_children(value), named_children(returned)
    places = [name + accessor for accessor in accessors(value)]
    if named is not None and returned_by_name is not None:
        parts = [
            returned_by_name.get(key)
            for key, place in zip(named, places, strict=True)
            if key in returned_by_name
            or discrete.issuperset(n for n, _ in named_outputs(place, named[key]))
        ]
    elif isinstance(returned, (tuple, list)) and not isinstance(value, Mapping):
        parts = list(returned)
    else:
        raise MismatchError(name, returned)
    if len(parts) != len(inside):
        raise MismatchError(name, returned)
    for place, item, part in zip(places, inside, parts, strict=True):
        yield from _pair_up(place, item, part, discrete)
