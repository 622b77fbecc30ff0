"""Calls, lines and returns of the user's own functions, as they are executed in this thread.

From Python 3.12 on they come from `sys.monitoring`, with a tool identifier of our own, so that
coverage and debuggers are not disturbed. Python 3.11 has `sys.settrace` only, which is put back.
Where a debugger traces, there should be no events: see `can_be_traced`. It does not know what is
executed.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any, Literal

__all__ = ["CAN_REBIND", "can_be_traced", "frame_events"]

Event = Literal["call", "line", "return"]
Listener = Callable[[FrameType, Event, Any], None]
Follows = Callable[[CodeType], bool]

#: `sys.monitoring`, which Python 3.11 does not have.
MONITORING: Any = getattr(sys, "monitoring", None)

#: The identifiers of tools that are nobody's by convention.
FREE_TOOLS = (3, 4)

#: Whether a listener can bind local variables of a frame anew: a trace function can, and everybody
#: from Python 3.13 on (PEP 667).
CAN_REBIND = MONITORING is None or sys.version_info >= (3, 13)

#: Trace functions of coverage only count lines, which were executed before; others are debuggers.
COUNTING = ("coverage",)


def can_be_traced() -> bool:
    """Return whether there is no debugger that it would disturb, or that would disturb it."""
    tracer: Any = sys.gettrace()
    owner = getattr(tracer, "__self__", tracer)
    names = {type(owner).__module__, getattr(tracer, "__module__", None) or ""}
    if tracer is not None and not any(name.split(".")[0] in COUNTING for name in names):
        return False
    if MONITORING is None:
        return True
    has_debugger = MONITORING.get_tool(MONITORING.DEBUGGER_ID) is not None
    return not has_debugger and _free_tool() is not None


@contextmanager
def frame_events(listener: Listener, follows: Follows) -> Iterator[None]:
    """Report what is executed in this thread to `listener`, for as long as the context lasts.

    Parameters
    ----------
    listener : callable
        ``listener(frame, event, value)``; the value is that which a frame returns. An exception
        in it propagates into the code that is traced.
    follows : callable
        ``follows(code) -> bool`` selects the functions.
    """
    with _traced(listener, follows) if MONITORING is None else _monitored(listener, follows):
        yield


@contextmanager
def _traced(listener: Listener, follows: Follows) -> Iterator[None]:
    """Report events of a trace function."""

    def trace_call(frame: FrameType, event: str, value: object) -> Callable[..., Any] | None:
        del event, value
        if not follows(frame.f_code):
            return None
        listener(frame, "call", None)
        return trace_frame

    def trace_frame(frame: FrameType, event: str, value: object) -> Callable[..., Any]:
        if event == "line":
            listener(frame, "line", None)
        elif event == "return":
            listener(frame, "return", value)
        return trace_frame

    before = sys.gettrace()
    sys.settrace(trace_call)
    try:
        yield
    finally:
        sys.settrace(before)


@contextmanager
def _monitored(listener: Listener, follows: Follows) -> Iterator[None]:
    """Report events of `sys.monitoring`."""
    thread, tool, events = threading.get_ident(), _free_tool(), MONITORING.events

    def report(code: CodeType, event: Event, value: object = None) -> object:
        if not follows(code):
            return MONITORING.DISABLE
        if threading.get_ident() == thread:
            listener(sys._getframe(2), event, value)
        return None

    def unwound(code: CodeType, *_: object) -> None:
        if follows(code):  # this event cannot be disabled
            report(code, "return")

    callbacks: dict[int, Callable[..., object]] = {
        events.PY_START: lambda code, _: report(code, "call"),
        events.LINE: lambda code, _: report(code, "line"),
        events.PY_RETURN: lambda code, _, value: report(code, "return", value),
        events.PY_UNWIND: unwound,
    }
    MONITORING.use_tool_id(tool, "pytest-gradcheck")
    try:
        for event, callback in callbacks.items():
            MONITORING.register_callback(tool, event, callback)
        MONITORING.set_events(tool, sum(callbacks))
        yield
    finally:
        MONITORING.set_events(tool, 0)
        for event in callbacks:
            MONITORING.register_callback(tool, event, None)
        MONITORING.free_tool_id(tool)
        # What was disabled for this tool would stay so for the next one that takes its place.
        MONITORING.restart_events()


def _free_tool() -> int | None:
    """Return an identifier that no tool uses, None where there is none."""
    return next((tool for tool in FREE_TOOLS if MONITORING.get_tool(tool) is None), None)
