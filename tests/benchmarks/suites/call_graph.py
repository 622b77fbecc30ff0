"""Whether a test can reach a function by name, read from its code; it need not be run for that.

It must not know which functions are looked for.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from typing import Any

__all__ = ["reaches"]

#: What pytest calls of a class around its tests.
AROUND = ("setup_class", "setup_method")


def reaches(test: Callable[..., Any], owner: type | None, names: AbstractSet[str]) -> bool:
    """Tell whether a test names one of some functions, or something in its module that does.

    Parameters
    ----------
    test : callable
        The test function.
    owner : type or None
        The class it is a method of.
    names : set of str
        The functions looked for.

    Returns
    -------
    bool
        False where no call by name leads there.
    """
    around = [getattr(owner, name) for name in AROUND if hasattr(owner, name)]
    waiting, seen = [test, *around], set()
    while waiting:
        code, home = _code(waiting.pop())
        if code is None or code in seen:
            continue
        seen.add(code)
        named = set(_named(code))
        if named & names:
            return True
        for name in named:
            waiting += [v for v in (home.get(name), getattr(owner, name, None)) if v is not None]
    return False


def _code(function: Any) -> tuple[types.CodeType | None, dict[str, Any]]:
    inner = getattr(function, "__func__", function)
    while hasattr(inner, "__wrapped__"):
        inner = inner.__wrapped__
    code = getattr(inner, "__code__", None)
    return (code, inner.__globals__) if isinstance(code, types.CodeType) else (None, {})


def _named(code: types.CodeType) -> Iterator[str]:
    """Yield the names that code and the functions in it use."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _named(constant)
