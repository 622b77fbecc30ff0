"""The ``gradcheck`` mark: a test function that is the forward function of a check.

The marks of a test, its class and its module are merged and validated; then the body of the
test is replaced by a check of it while the test runs. This module does not make checks: it
passes the call to `check`.
"""

from __future__ import annotations

import functools
import inspect
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from pytest_gradcheck.binding.call.resolved_call import Call
from pytest_gradcheck.check.run_check import assert_check
from pytest_gradcheck.errors import GradcheckUsageError, hide_own_errors
from pytest_gradcheck.options import Layer, resolve, validate
from pytest_gradcheck.pytest_integration.collection import (
    is_marked,
    is_user_mark,
    requests_fixture,
)
from pytest_gradcheck.pytest_integration.failure_location import run_at_def_line
from pytest_gradcheck.report.representation import shown
from pytest_gradcheck.session_state import SessionState

__all__ = [
    "MarkedCall",
    "body_replaced_by_check",
    "mark_layers",
    "marked_call",
    "refuse_mark_on_helper",
    "refuse_unchecked",
    "validate_marks",
]


#: Arguments of a gradcheck mark that are no options.
CALL_ARGUMENTS = ("backward", "wrt", "backward_args", "has_cache")

FIXTURE_FORM = "def {name}(gradcheck): gradcheck(forward, backward, ...)"
FUNCTION_FORM = "from pytest_gradcheck import gradcheck, and gradcheck(forward, backward, ...)"


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedCall:
    """The call of a check, as the marks of a test describe it.

    Attributes
    ----------
    backward : callable, str or True
        The function under test; the name of a package that differentiates the test
        automatically; True if the test itself returns gradients.
    wrt, backward_args, has_cache
        As for `pytest_gradcheck.gradcheck`.
    """

    backward: Callable[..., Any] | str | bool = True
    wrt: Any = None
    backward_args: Any = None
    has_cache: bool | None = None


def marked_call(item: pytest.Item) -> MarkedCall:
    """Return the call that the marks of `item` describe together."""
    merged = {k: v for mark in _marks(item) for k, v in mark.kwargs.items() if k in CALL_ARGUMENTS}
    if merged.get("backward", True) is None:
        del merged["backward"]
    return MarkedCall(**merged)


def mark_layers(item: pytest.Item) -> Iterator[Layer]:
    """Yield the options in the marks of `item`, from those of the session to its own."""
    for mark in _marks(item):
        options = {k: v for k, v in mark.kwargs.items() if k not in CALL_ARGUMENTS}
        if options:
            yield Layer("mark", options)


def validate_marks(item: pytest.Item) -> None:
    """Validate the marks of a test.

    Raises
    ------
    GradcheckUsageError
        If a mark has positional arguments or invalid options, or if the test cannot be a
        forward function: a coroutine, a generator, a method of a TestCase.
    """
    __tracebackhide__ = hide_own_errors
    for mark in _marks(item):
        _validate_mark(mark, item)
    if requests_fixture(item):
        call = marked_call(item)
        if call != MarkedCall():
            raise GradcheckUsageError(
                f"{item.name} asks for the gradcheck fixture, so its mark holds options only: "
                "write backward=, wrt= and the like in the call of the fixture."
            )
        return
    function = getattr(item, "obj", None)
    fixture_form = FIXTURE_FORM.format(name=item.name.split("[")[0])
    unittest = sys.modules.get("unittest")
    cls = getattr(item, "cls", None)
    if unittest is not None and cls is not None and issubclass(cls, unittest.TestCase):
        raise GradcheckUsageError(
            f"{item.name} is a method of a unittest.TestCase, which cannot be a forward function. "
            f"Leave out the mark and use the function: {FUNCTION_FORM}."
        )
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise GradcheckUsageError(
            f"{item.name} is a coroutine, which cannot be a forward function. Use the fixture: "
            f"async {fixture_form}."
        )
    if inspect.isgeneratorfunction(function):
        raise GradcheckUsageError(
            f"{item.name} is a generator, which cannot be a forward function: return the value, "
            f"or use the fixture: {fixture_form}."
        )
    if not isinstance(item, pytest.Function):
        raise GradcheckUsageError(
            f"{item.name} is not a Python test function, so it cannot be a forward function. Use "
            f"the function: {FUNCTION_FORM}."
        )


def refuse_unchecked(item: pytest.Item, session: SessionState) -> None:
    """Raise an error for a test that passed without a completed check.

    One that has the fixture and no mark may do so, unless its options are strict.
    """
    __tracebackhide__ = hide_own_errors
    if is_marked(item):
        raise GradcheckUsageError(
            f"{item.name} is marked gradcheck but completed no check: call the gradcheck fixture "
            "in it, or mark with gradcheck_options what only needs options."
        )
    test = session.running()
    if test is not None and resolve([*test.layers, *test.overrides]).strict:
        raise GradcheckUsageError(
            f"{item.name} has the gradcheck fixture but completed no check, which fails under "
            "strict: call the fixture, or remove it from the arguments."
        )


def refuse_mark_on_helper(collector: pytest.Collector, name: str, function: Any) -> None:
    """Raise an error for a gradcheck mark on a function that is not collected as a test."""
    if not any(mark.name == "gradcheck" for mark in function.pytestmark):
        return
    if isinstance(collector, pytest.Class | pytest.Module) and collector.istestfunction(
        function, name
    ):
        return
    raise collector.CollectError(
        f"the gradcheck mark is on {name}, which is not a test. pytest.mark.gradcheck({name}) "
        f"marks {name} itself: write @pytest.mark.gradcheck(backward={name})."
    )


def _marks(item: pytest.Item) -> Iterator[pytest.Mark]:
    """Yield the marks from those of the session to those of the item; later ones override."""
    for node in item.listchain():
        for mark in node.own_markers:
            if mark.name == "gradcheck_options" or is_user_mark(mark):
                yield mark


def _may_be_backward(value: object) -> bool:
    if not isinstance(value, str):
        return value is None or value is True or callable(value)
    from pytest_gradcheck.integrations.reverse_mode import VECTOR_JACOBIAN_PRODUCTS

    return value in VECTOR_JACOBIAN_PRODUCTS


def _validate_mark(mark: pytest.Mark, item: pytest.Item) -> None:
    __tracebackhide__ = hide_own_errors
    if mark.args:
        raise GradcheckUsageError(
            f"pytest.mark.{mark.name} takes keywords only, and {item.name} gives it "
            f"{shown(mark.args[0])}: write backward=..."
        )
    for name, value in mark.kwargs.items():
        if name == "kwargs":
            raise GradcheckUsageError(
                f"kwargs= in a mark ({item.name}): arguments of a marked test come from fixtures "
                "and parametrize."
            )
        if mark.name == "gradcheck" and name in CALL_ARGUMENTS:
            if name == "backward" and not _may_be_backward(value):
                raise GradcheckUsageError(
                    f"backward={shown(value)} in the mark of {item.name}: it must be a function, "
                    "or left out where the test returns (value, gradients)."
                )
            continue
        if name in CALL_ARGUMENTS:
            raise GradcheckUsageError(
                f"{name}= in gradcheck_options ({item.name}): it holds options only; write it in "
                "pytest.mark.gradcheck."
            )
        _validate_option(name, value)


def _validate_option(name: str, value: object) -> None:
    __tracebackhide__ = hide_own_errors
    try:
        validate(name, value, "mark")
    except GradcheckUsageError as error:
        raise error.with_traceback(None) from None


@contextmanager
def body_replaced_by_check(item: pytest.Function, session: SessionState) -> Iterator[None]:
    """Replace the body of a test by a check of it while the context lasts.

    Under hypothesis the inner test is replaced, so that each example is a check of its own.
    A test that requests the fixture is unchanged.

    Parameters
    ----------
    item : pytest.Function
        A test with a gradcheck mark.
    session : SessionState
        The state of the session, with the running test.
    """
    if requests_fixture(item):
        yield
        return
    marked = marked_call(item)
    handle = getattr(item.obj, "hypothesis", None)
    if handle is not None and hasattr(handle, "inner_test"):
        body = handle.inner_test
        handle.inner_test = functools.wraps(body)(_check_of(body, marked, session))
        try:
            yield
        finally:
            handle.inner_test = body
        return
    test = item.obj
    item.obj = _check_of(test, marked, session)
    try:
        yield
    finally:
        item.obj = test


def _check_of(
    test: Callable[..., Any], marked: MarkedCall, session: SessionState
) -> Callable[..., None]:
    """Return a function that checks `test` as the forward function, and fails at its ``def``."""

    def check(*args: Any, **kwargs: Any) -> None:
        __tracebackhide__ = hide_own_errors
        forward, forward_args = test, args
        if args and not hasattr(test, "__self__"):
            # Hypothesis calls a method as a plain function.
            forward, forward_args = types.MethodType(test, args[0]), args[1:]
        call = Call(
            forward,
            marked.backward,
            forward_args,
            kwargs,
            marked.wrt,
            marked.backward_args,
            marked.has_cache,
        )
        run_at_def_line(test, functools.partial(_run, call, session))

    return check


def _run(call: Call, session: SessionState) -> None:
    __tracebackhide__ = hide_own_errors
    assert_check(call, {}, session.running())
