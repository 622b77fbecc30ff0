"""A static call graph by names: whether a test can reach one of some functions.

The names come from the compiled code of the test and of the functions that it names; nothing is
run. A call that is not by name is not found.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from typing import Any

__all__ = ["reaches"]

#: Methods of a class that pytest calls before its tests.
SETUP_METHODS = ("setup_class", "setup_method")


def reaches(test: Callable[..., Any], owner: type | None, names: AbstractSet[str]) -> bool:
    """Return whether a test names one of some functions, directly or through other functions.

    Parameters
    ----------
    test : callable
        The test function.
    owner : type or None
        The class of which the test is a method.
    names : set of str
        The names of the functions.

    Returns
    -------
    bool
        False where no chain of names leads to one of them.
    """
    setup = [getattr(owner, name) for name in SETUP_METHODS if hasattr(owner, name)]
    pending, visited = [test, *setup], set()
    while pending:
        code, module = _code_and_globals(pending.pop())
        if code is None or code in visited:
            continue
        visited.add(code)
        used = set(_names_used(code))
        if used & names:
            return True
        for name in used:
            found = (module.get(name), getattr(owner, name, None))
            pending += [function for function in found if function is not None]
    return False


def _code_and_globals(function: Any) -> tuple[types.CodeType | None, dict[str, Any]]:
    inner = getattr(function, "__func__", function)
    while hasattr(inner, "__wrapped__"):
        inner = inner.__wrapped__
    code = getattr(inner, "__code__", None)
    return (code, inner.__globals__) if isinstance(code, types.CodeType) else (None, {})


def _names_used(code: types.CodeType) -> Iterator[str]:
    """Yield the global names and attributes that code and the functions in it use."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names_used(constant)
