"""Outputs at a perturbed point that are not of the kind and size of those at the base point.

A step may change what forward returns: to None, to text, to complex numbers, to fewer numbers.
This module says which of these it is. It does not call forward or read numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pytest_gradcheck.binding.forward.domain_boundary import Kind
from pytest_gradcheck.binding.values.conversion import converted
from pytest_gradcheck.binding.values.parameters import Block
from pytest_gradcheck.binding.values.pytree import (
    counted,
    describe_value,
    named_children,
    with_article,
)

__all__ = ["InconsistentOutputError"]


class InconsistentOutputError(Exception):
    """Forward returned something else than at the base point.

    Parameters
    ----------
    outputs : Any
        What it returned, without a cache.
    found : mapping of str to Any
        Every output in it, by accessor.
    blocks : sequence of Block
        The outputs at the base point.

    Attributes
    ----------
    kind : Kind
        Real functions leave their domain where they become complex; what else they return
        instead is no boundary of it.
    what : str
        What it returned, in words.
    """

    def __init__(self, outputs: Any, found: Mapping[str, Any], blocks: Sequence[Block]) -> None:
        self.kind, self.what = _described(outputs, found, blocks)
        super().__init__(self.what)


def _described(
    outputs: Any, found: Mapping[str, Any], blocks: Sequence[Block]
) -> tuple[Kind, str]:
    arrays = {name: converted(value)[0] for name, value in found.items()}
    for name, array in arrays.items():
        if array.dtype.kind not in "biufc":
            return "output", _in_words(found[name]) + _place(name)
    for block in blocks:
        if block.name not in arrays:
            names = [other.name for other in blocks]
            is_part = not arrays.keys().isdisjoint(names)
            return "output", f"no {block.name}" if is_part else _in_words(outputs)
    for block in blocks:
        array = arrays[block.name]
        if array.dtype.kind == "c" and not block.is_complex:
            return "domain", f"complex numbers{_place(block.name)}"
        if array.size != block.size:
            numbers = "1 number" if array.size == 1 else f"{array.size} numbers"
            return "output", f"{numbers}{_place(block.name)}, not {block.size}"
    return "output", _in_words(outputs)


def _in_words(value: Any) -> str:
    if isinstance(value, (tuple, list)) or named_children(value) is not None:
        return counted(value)
    return with_article(describe_value(value))


def _place(name: str) -> str:
    return "" if name == "output" else f" as {name}"
