"""The marker: a test function taken as the forward function of a check.

It must not know how a check is made or what marks mean; it puts the check in
the place of the test's body, and takes it out again.
"""

from __future__ import annotations

import functools
import linecache
import re
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from pytest_gradcheck.binding.call import Call
from pytest_gradcheck.check import run_check
from pytest_gradcheck.doors.marks import MarkedCall, marked_call
from pytest_gradcheck.doors.selection import asks_for_fixture
from pytest_gradcheck.errors import hide_ours
from pytest_gradcheck.running import Stage

__all__ = ["checking"]

_DEF = re.compile(r"\s*(async\s+)?def\s")


@contextmanager
def checking(item: pytest.Function, stage: Stage) -> Iterator[None]:
    """While the context lasts, running the test's body makes the check.

    Under hypothesis the inner test is replaced, so that each example is a check
    of its own. A test that asks for the fixture is left as it is.

    Parameters
    ----------
    item : pytest.Function
        A test with a gradcheck mark.
    stage : Stage
        Where the running test stands.
    """
    if asks_for_fixture(item):
        yield
        return
    marked = marked_call(item)
    handle = getattr(item.obj, "hypothesis", None)
    if handle is not None and hasattr(handle, "inner_test"):
        body = handle.inner_test
        handle.inner_test = functools.wraps(body)(_as_check(body, marked, stage))
        try:
            yield
        finally:
            handle.inner_test = body
        return
    test = item.obj
    item.obj = _as_check(test, marked, stage)
    try:
        yield
    finally:
        item.obj = test


def _as_check(test: Callable[..., Any], marked: MarkedCall, stage: Stage) -> Callable[..., None]:
    """Return a function that checks `test` as forward, and fails at its ``def`` line."""
    line = _Line.of(test)

    def check(*args: Any, **kwargs: Any) -> None:
        __tracebackhide__ = hide_ours
        forward, rest = test, args
        if args and not hasattr(test, "__self__"):
            # A method called as a plain function, as hypothesis does.
            forward, rest = types.MethodType(test, args[0]), args[1:]
        call = Call(
            forward,
            marked.backward,
            rest,
            kwargs,
            marked.wrt,
            marked.backward_args,
            marked.has_cache,
        )
        _run_from(line, functools.partial(_run, call, stage))

    return check


def _run(call: Call, stage: Stage) -> None:
    __tracebackhide__ = hide_ours
    run_check(call, {}, stage.running()).raise_if_failed()


@dataclass(frozen=True, slots=True)
class _Line:
    """The line of a test's ``def``."""

    filename: str
    name: str
    qualname: str
    number: int

    @classmethod
    def of(cls, test: Callable[..., Any]) -> _Line | None:
        """Find it past the decorators; None for a test without code of its own."""
        code = getattr(test, "__code__", None)
        if code is None:
            return None
        number = code.co_firstlineno
        while text := linecache.getline(code.co_filename, number):
            if _DEF.match(text):
                break
            number += 1
        else:
            number = code.co_firstlineno
        return cls(code.co_filename, code.co_name, code.co_qualname, number)


def _run_from(line: _Line | None, run: Callable[[], None]) -> None:
    """Call `run` from a frame that looks as if it were in the test's ``def`` line.

    Pytest shows the innermost frame that is not hidden, and editors and
    annotations jump there: it must be the test's, though its body is not what
    failed.
    """
    __tracebackhide__ = hide_ours

    def shim() -> None:
        run()

    if line is not None:
        code = shim.__code__
        shim.__code__ = code.replace(
            co_filename=line.filename,
            co_name=line.name,
            co_qualname=line.qualname,
            co_firstlineno=line.number,
            co_linetable=_one_line(len(code.co_code) // 2),
        )
    shim()


def _one_line(units: int) -> bytes:
    """Return a location table that puts all of a code object on its first line.

    Entries of form 13 ("no columns") with a line delta of 0, each for up to 8
    code units; the format is described in CPython's ``locations.md``.
    """
    table = bytearray()
    for start in range(0, units, 8):
        count = min(8, units - start)
        table += bytes([0x80 | 13 << 3 | count - 1, 0])
    return bytes(table)
