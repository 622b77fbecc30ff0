"""The marker: a test function taken as the forward function of a check.

It must not know how a check is made or what marks mean; it puts the check in
the place of the test's body, and takes it out again.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from pytest_gradcheck.binding.call import Call
from pytest_gradcheck.check import run_check
from pytest_gradcheck.doors.lines import run_from_def
from pytest_gradcheck.doors.marks import MarkedCall, marked_call
from pytest_gradcheck.doors.selection import asks_for_fixture
from pytest_gradcheck.errors import hide_ours
from pytest_gradcheck.running import Stage

__all__ = ["checking"]


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
        run_from_def(test, functools.partial(_run, call, stage))

    return check


def _run(call: Call, stage: Stage) -> None:
    __tracebackhide__ = hide_ours
    run_check(call, {}, stage.running()).raise_if_failed()
