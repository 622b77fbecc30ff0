"""Forward's outputs as one vector and back: their names, places and structure.

It must not call anything or know what a derivative is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pytest_gradcheck.binding.blocks import Block, Vector
from pytest_gradcheck.binding.complexes import flat_complex, flat_real
from pytest_gradcheck.binding.tree import accessors, contents, rebuilt

__all__ = ["Layout", "MismatchError", "named_outputs", "shaped_like"]

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
