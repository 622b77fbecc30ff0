"""A function of the user's with copies of the objects that it works on, for another thread.

Two threads that call one layer at once overwrite what it keeps. So each gets the object that
forward is, or is bound to, or closes over, for itself. What cannot be copied, such as an object
with a lock, stays shared, and so do globals. It does not call the function.
"""

from __future__ import annotations

import copy
import functools
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from pytest_gradcheck.binding.call.attributes import bound_object, copy_object, rebind
from pytest_gradcheck.binding.call.installed_code import is_installed
from pytest_gradcheck.binding.state.reachable import attributes_of, is_own
from pytest_gradcheck.binding.values.user_attributes import attribute
from pytest_gradcheck.errors import GradcheckUsageError

__all__ = ["thread_local_function"]

REASON = "another worker calls its method"

#: Larger arrays that a function closes over are taken for data, which it reads.
MOST_BYTES = 2**24


def thread_local_function(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that does the same with objects of its own.

    Parameters
    ----------
    function : callable
        The user's function.

    Returns
    -------
    callable
        The function itself, where there is nothing to copy.

    Raises
    ------
    GradcheckUsageError
        When it is a method of an object that cannot be copied.

    Examples
    --------
    >>> class Layer:
    ...     def forward(self, x):
    ...         self.x = x
    ...         return self
    >>> layer = Layer()
    >>> thread_local_function(layer.forward)(1.0).x, hasattr(layer, "x")
    (1.0, False)
    """
    owner = bound_object(function)
    if owner is not None:
        return rebind(function, owner, copy_object(owner, REASON))
    copied: Callable[..., Any] = _copied(function, {})
    return copied


def _copied(value: Any, memo: dict[int, Any]) -> Any:
    """Return a copy of what a function works on, the same for the same; anything else as it is."""
    if id(value) in memo:
        return memo[id(value)]
    if isinstance(value, types.FunctionType):
        return _copied_function(value, memo)
    if isinstance(value, types.MethodType):
        return types.MethodType(value.__func__, _copied(value.__self__, memo))
    if isinstance(value, functools.partial):
        arguments = [_copied(item, memo) for item in value.args]
        keywords = {key: _copied(item, memo) for key, item in value.keywords.items()}
        return functools.partial(_copied(value.func, memo), *arguments, **keywords)
    return _copied_object(value, memo) if _is_worked_on(value) else value


def _copied_object(value: Any, memo: dict[int, Any]) -> Any:
    try:
        return copy_object(value, REASON, memo)
    except GradcheckUsageError:
        return value


def _is_worked_on(value: Any) -> bool:
    """Return whether a value may keep something of a call: an object or array, or some of them."""
    if type(value) in (list, tuple, dict):
        return any(map(_may_keep, value.values() if type(value) is dict else value))
    return _may_keep(value)


def _may_keep(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.flags.writeable and value.nbytes <= MOST_BYTES
    if isinstance(value, type) or callable(attribute(value, "__enter__")):
        return False
    return is_own(type(value)) or attributes_of(value) is not None


def _copied_function(function: types.FunctionType, memo: dict[int, Any]) -> Any:
    cells = function.__closure__
    if cells is None or is_installed(function.__code__.co_filename):
        return function
    # Empty at first, since a function may close over itself.
    new = tuple(types.CellType() for _ in cells)
    result = types.FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, new
    )
    result.__kwdefaults__ = copy.copy(function.__kwdefaults__)
    result.__dict__.update(function.__dict__)
    result.__qualname__, result.__module__ = function.__qualname__, function.__module__
    memo[id(function)] = result
    for cell, filled in zip(new, cells, strict=True):
        try:
            cell.cell_contents = _copied(filled.cell_contents, memo)
        except ValueError:  # a name that is not bound yet
            continue
    return result
