"""Interrupts: whenever a signal is handled, everything that is global is as it was before."""

import inspect
import random
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import gradcheck
from pytest_gradcheck.binding.forward.call_environment import SilencedWarnings
from pytest_gradcheck.binding.random_state.turn import Turn
from pytest_gradcheck.errors import PACKAGE_DIRECTORY

#: Where global state is changed and restored; elsewhere an interrupt is like any exception.
MODULES = ("binding/random_state/", "call_environment", "bind.py", "run_check.py", "contextlib.py")

#: Only so many moments are tried, evenly spread.
MOMENTS = 80


class Interrupt:
    """Raises a `KeyboardInterrupt` at one moment: as a function starts, or before a line of it.

    These are the moments at which Python may handle a signal, and more. Lines that follow a later
    one of the same call are left out: among them is the end of a ``with``, before whose
    ``__exit__`` Python handles no signal, though it traces the line. So are generators: what
    is raised as one is closed is ignored.

    Parameters
    ----------
    moment : int
        The number of the moment.

    Attributes
    ----------
    count : int
        The number of moments so far.
    """

    def __init__(self, moment: int) -> None:
        self.moment = moment
        self.count = 0
        self._lines = dict[FrameType, int]()

    def __call__(self, frame: FrameType, event: str, arg: object) -> Any:
        """Trace a call or a line."""
        path = frame.f_code.co_filename.replace("\\", "/")
        is_elsewhere = not any(part in path for part in MODULES)
        if is_elsewhere or frame.f_code.co_flags & inspect.CO_GENERATOR:
            return self if event == "call" and path.startswith(PACKAGE_DIRECTORY) else None
        if event == "return":
            self._lines.pop(frame, None)
        elif event == "call" or (event == "line" and frame.f_lineno > self._lines.get(frame, 0)):
            self.count += 1
            if self.count == self.moment:
                raise KeyboardInterrupt
        if event == "line":
            self._lines[frame] = frame.f_lineno
        return self


def forward(x: Any) -> Any:
    """Return a random number, with a warning that numpy or Python might show."""
    warnings.warn("drawn", UserWarning, stacklevel=1)
    return np.sum(np.random.random() * x**2) + random.random()  # noqa: NPY002, S311  # global


def backward(x: Any) -> Any:
    """Return the gradient of `forward`."""
    return 2 * x * np.random.random()  # noqa: NPY002  # global


def check(interrupt: Interrupt) -> None:
    """Make a check that is interrupted."""
    tracer = sys.gettrace()
    sys.settrace(interrupt)
    try:
        gradcheck(forward, backward, 0.5)
    finally:
        sys.settrace(tracer)


def is_free(lock: Any) -> bool:
    """Return whether another thread can acquire a lock."""
    found: list[bool] = []

    def acquire() -> None:
        found.append(lock.acquire(blocking=False))
        if found[0]:
            lock.release()

    thread = threading.Thread(target=acquire)
    thread.start()
    thread.join()
    return found[0]


def global_state() -> tuple[Any, ...]:
    """Return everything that belongs to the process and that a check changes."""
    return (
        np.random.get_state()[1].tolist(),  # type: ignore[index]  # noqa: NPY002  # global
        random.getstate(),
        id(warnings.filters),
        list(warnings.filters),
        warnings.showwarning,
        np.geterr(),
        list(Turn._taken),
        is_free(Turn._lock),
        is_free(SilencedWarnings._lock),
    )


@pytest.mark.filterwarnings("ignore:drawn")
def test_an_interrupt_leaves_global_state_as_it_was() -> None:
    """At every moment; the exception is kept, and with it all that its frames refer to."""
    before, kept = global_state(), list[BaseException | None]()
    check(interrupt := Interrupt(0))
    moments = range(1, interrupt.count, max(1, interrupt.count // MOMENTS))
    # In a thread: Python 3.13 goes on handling an exception whose handler a tracer interrupts.
    with ThreadPoolExecutor(1) as executor:
        for moment in moments:
            kept.append(executor.submit(check, Interrupt(moment)).exception())
            assert global_state() == before, f"interrupted at moment {moment}"
    assert sum(isinstance(error, KeyboardInterrupt) for error in kept) > len(moments) / 2
