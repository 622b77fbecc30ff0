"""Failures that point at the ``def`` line of a test, since no line of its body is wrong.

A function is called from a frame whose code object claims to be that line. This module does
not know what fails.
"""

from __future__ import annotations

import linecache
import re
import types
from collections.abc import Callable

from pytest_gradcheck.errors import hide_own_errors

__all__ = ["run_at_def_line"]

_DEF = re.compile(r"\s*(async\s+)?def\s")


def run_at_def_line(test: object, run: Callable[[], None]) -> None:
    """Call `run` from a frame that appears to be at the ``def`` line of `test`.

    Pytest shows the innermost frame that is not hidden, and editors and annotations jump
    to it.

    Parameters
    ----------
    test : object
        The test function; an object without a code object is not shown.
    run : callable
        A function that may raise; its own frames should be hidden.
    """
    __tracebackhide__ = hide_own_errors

    def shim() -> None:
        run()

    code = getattr(test, "__code__", None)
    if isinstance(code, types.CodeType):
        shim.__code__ = shim.__code__.replace(
            co_filename=code.co_filename,
            co_name=code.co_name,
            co_qualname=code.co_qualname,
            co_firstlineno=_line_of_def(code),
            co_linetable=_one_line(len(shim.__code__.co_code) // 2),
        )
    shim()


def _line_of_def(code: types.CodeType) -> int:
    """Return the line number of the ``def`` of a function, after its decorators."""
    number = code.co_firstlineno
    while text := linecache.getline(code.co_filename, number):
        if _DEF.match(text):
            return number
        number += 1
    return code.co_firstlineno


def _one_line(units: int) -> bytes:
    """Return a location table that places a whole code object on its first line.

    Its entries have form 13 ("no columns") and a line delta of 0, each for up to 8 code
    units. CPython's ``locations.md`` describes the format.
    """
    table = bytearray()
    for start in range(0, units, 8):
        count = min(8, units - start)
        table += bytes([0x80 | 13 << 3 | count - 1, 0])
    return bytes(table)
