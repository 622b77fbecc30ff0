"""The types of the arguments of a check: what makes no sense is refused before anything is called.

Numbers and strings of numpy, and members of an enumeration of strings, become those of Python. It
does not know the arguments of forward, and so not what names mean.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np

from pytest_gradcheck.binding.values.pytree import describe_value, with_article
from pytest_gradcheck.binding.values.user_attributes import attribute
from pytest_gradcheck.errors import GradcheckUsageError
from pytest_gradcheck.integrations.reverse_mode import VECTOR_JACOBIAN_PRODUCTS
from pytest_gradcheck.integrations.torch_tensors import is_rule_type
from pytest_gradcheck.report.representation import shown

__all__ = [
    "read_backward",
    "read_backward_args",
    "read_forward",
    "read_has_cache",
    "read_kwargs",
    "read_wrt",
]

CALL = "the call is gradcheck(forward, backward, *arguments)"


def read_forward(forward: Any) -> Any:
    """Return forward, if it can be called."""
    if is_rule_type(forward):
        raise GradcheckUsageError(
            f"forward is the class {shown(forward)}, and PyTorch calls it by its apply: the call "
            f"is gradcheck({shown(forward)}.apply, 'torch', *arguments)."
        )
    if callable(forward):
        return forward
    methods = [name for name in ("forward", "backward") if callable(attribute(forward, name))]
    hint = f" It has methods: pass {' and '.join(f'object.{m}' for m in methods)}."
    raise GradcheckUsageError(
        f"forward is {with_article(describe_value(forward))}, not a function: {CALL}."
        f"{hint if methods else ''}"
    )


def read_backward(backward: Any) -> Any:
    """Return backward, if it can be called, names a package, or is True."""
    if callable(backward):
        return backward
    if isinstance(backward, str):
        if backward in VECTOR_JACOBIAN_PRODUCTS:
            return str.__str__(backward)
        *packages, objects = map(repr, VECTOR_JACOBIAN_PRODUCTS)
        raise GradcheckUsageError(
            f"backward={shown(backward)}: it must be a function, or {', '.join(packages)} for "
            f"what that package's automatic differentiation makes of forward, or {objects} for "
            "objects that keep their gradient there."
        )
    if isinstance(backward, (bool, np.bool_)) and backward:
        return True
    raise GradcheckUsageError(
        f"backward is {with_article(describe_value(backward))}, not a function: {CALL}, with "
        "backward=True where forward returns (value, gradients)."
    )


def read_kwargs(kwargs: Any) -> dict[str, Any]:
    """Return the keyword arguments of forward as a dict."""
    if kwargs is None:
        return {}
    if not isinstance(kwargs, Mapping):
        raise GradcheckUsageError(
            f"kwargs={shown(kwargs)}: it must be a dict of keyword arguments of forward, as in "
            "kwargs={'alpha': 0.5}."
        )
    found = dict(kwargs)
    for name in found:
        if not isinstance(name, str):
            raise GradcheckUsageError(
                f"kwargs has the key {shown(name)}: its keys are names of arguments of forward."
            )
    return {str.__str__(name): value for name, value in found.items()}


def read_has_cache(has_cache: Any) -> bool | None:
    """Return whether forward returns a cache, None where that is not said."""
    if has_cache is None or isinstance(has_cache, (bool, np.bool_)):
        return None if has_cache is None else bool(has_cache)
    raise GradcheckUsageError(
        f"has_cache={shown(has_cache)}: it must be True where forward returns (output, cache), "
        "else False, or left out."
    )


def read_backward_args(backward_args: Any) -> tuple[str, ...] | None:
    """Return the names of the arguments of backward, None where they are not stated."""
    if backward_args is None:
        return None
    names = _items(backward_args)
    if names is None or not all(isinstance(name, str) for name in names):
        example = "('cotangent', 'x')"
        if isinstance(backward_args, str):
            example = shown((backward_args,))
        raise GradcheckUsageError(
            f"backward_args={shown(backward_args)}: it must be a tuple of the names of what "
            f"backward is given, in order, as in backward_args={example}."
        )
    return tuple(str.__str__(name) for name in names)


def read_wrt(wrt: Any) -> tuple[str | int, ...] | None:
    """Return names and positions of what is checked, None for everything."""
    if wrt is None:
        return None
    items = [wrt] if isinstance(wrt, str) or _is_integer(wrt) else _items(wrt)
    if items is None or not all(isinstance(i, str) or _is_integer(i) for i in items):
        raise GradcheckUsageError(
            f"wrt={shown(wrt)}: wrt takes the names or positions of arguments of forward, one of "
            "them or a list."
        )
    return tuple(str.__str__(i) if isinstance(i, str) else operator.index(i) for i in items)


def _items(value: Any) -> list[Any] | None:
    """Return the items of a list, an array or the like; None for what has no items in an order."""
    if isinstance(value, AbstractSet) and len(value) < 2:
        return list(value)
    unordered = isinstance(value, (str, bytes, bytearray, Mapping, AbstractSet))
    if unordered or not isinstance(value, Iterable):
        return None
    try:
        return list(value)
    except TypeError:  # an array of no axes
        return None


def _is_integer(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)
