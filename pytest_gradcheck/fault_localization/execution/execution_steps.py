"""Steps of an execution: each time that a statement of the user's functions is executed.

A step is named by its statement and by how often that was executed before, so that it is found
again when the same functions are called once more. It does not look at variables.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR
from pathlib import Path
from sysconfig import get_paths
from types import CodeType, FrameType
from typing import Any, Protocol

from pytest_gradcheck.binding.call.user_function import call_user
from pytest_gradcheck.errors import PACKAGE_DIRECTORY
from pytest_gradcheck.fault_localization.execution.statements import Statement, statements_of

__all__ = ["Activation", "Step", "StepListener", "Steps", "TracingError", "UserCode"]

#: Longer executions are not followed.
MOST_STEPS = 20_000

SUSPENDED = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR


class TracingError(Exception):
    """An execution cannot be followed."""


@dataclass(frozen=True, slots=True)
class Step:
    """One execution of a statement.

    Attributes
    ----------
    statement : Statement
        What is executed.
    occurrence : int
        How often it was executed before.
    """

    statement: Statement
    occurrence: int


@dataclass(slots=True)
class Activation:
    """A call of one of the user's functions that has not returned yet.

    Attributes
    ----------
    frame : frame
        Its frame.
    number : int
        How many such calls were made before.
    caller : Activation or None
        Whose step it was called in; None for forward and backward themselves.
    phase : int
        How many functions the check had called with it: 1 in forward, then 2 in backward.
    step : Step or None
        What is being executed.
    """

    frame: FrameType
    number: int
    caller: Activation | None
    phase: int
    step: Step | None = None


class StepListener(Protocol):
    """What is told of the steps of an execution."""

    def enter(self, activation: Activation) -> None:
        """Take note of a call."""

    def begin(self, activation: Activation, step: Step) -> None:
        """Take note of a statement that is about to be executed."""

    def end(self, activation: Activation, step: Step, returned: Any) -> None:
        """Take note of one that was; `returned` is what its function returns by it, or None."""


@dataclass(slots=True)
class UserCode:
    """Which code is the user's own, and its statements.

    Code of installed packages is followed only in packages that forward or backward are in.

    Attributes
    ----------
    packages : tuple of str
        Directories of these packages.
    """

    packages: tuple[str, ...]
    _statements: dict[str, Mapping[int, Statement]] = field(default_factory=dict)
    _follows: dict[CodeType, bool] = field(default_factory=dict)

    def follows(self, code: CodeType) -> bool:
        """Return whether to follow the execution of some code."""
        found = self._follows.get(code)
        if found is None:
            found = self._follows[code] = code is call_user.__code__ or self._is_own(code)
        return found

    def statements(self, file: str) -> Mapping[int, Statement]:
        """Return the statements of a file by line."""
        if file not in self._statements:
            self._statements[file] = statements_of(file)
        return self._statements[file]

    def _is_own(self, code: CodeType) -> bool:
        file = code.co_filename
        if code.co_name.startswith("<") or code.co_flags & SUSPENDED:
            return False
        if file.startswith(PACKAGE_DIRECTORY):
            return False
        if file.startswith(INSTALLED) and not file.startswith(self.packages):
            return False
        return bool(self.statements(file))  # last, since it parses the file

    @classmethod
    def around(cls, codes: list[CodeType]) -> UserCode:
        """Return the user's code where some of it is known."""
        packages = []
        for code in codes:
            path = Path(code.co_filename)
            for directory in INSTALLED:
                if path.is_relative_to(directory) and path.parent != Path(directory):
                    parts = path.relative_to(directory).parts
                    packages.append(str(Path(directory, parts[0])) + "/")
        return cls(tuple(packages))


#: Directories of the standard library and of installed packages.
INSTALLED = tuple(
    get_paths()[name].rstrip("/") + "/" for name in ("stdlib", "platstdlib", "purelib", "platlib")
)


class Steps:
    """Turns events of frames into steps.

    Parameters
    ----------
    code : UserCode
        What is followed.
    listener : StepListener
        What is told.

    Attributes
    ----------
    phase : int
        How many of the user's functions were called by a check so far: forward, then backward.
    results : list
        What these returned, in order.
    """

    def __init__(self, code: UserCode, listener: StepListener) -> None:
        self.phase = 0
        self.results: list[Any] = []
        self._code, self._listener = code, listener
        self._stack: list[Activation] = []
        self._depth = 0
        self._calls = self._count = 0
        self._occurrences: Counter[Statement] = Counter()

    def __call__(self, frame: FrameType, event: str, value: Any) -> None:
        """Take an event of a frame, see `frame_events`."""
        if frame.f_code is call_user.__code__:
            if event == "call":
                self.phase += 1
                self._depth += 1
            elif event == "return":
                self._depth -= 1
                self.results.append(value)
        elif not self._depth:
            return
        elif event == "call":
            caller = self._stack[-1] if self._stack else None
            activation = Activation(frame, self._calls, caller, self.phase)
            self._calls += 1
            self._stack.append(activation)
            self._listener.enter(activation)
        elif self._stack and self._stack[-1].frame is frame:
            if event == "line":
                self._at_line(self._stack[-1])
            else:
                self._finish(self._stack[-1], value)
                self._stack.pop()

    def _at_line(self, activation: Activation) -> None:
        frame = activation.frame
        statement = self._code.statements(frame.f_code.co_filename).get(frame.f_lineno)
        step = activation.step
        if statement is None or (
            step is not None and step.statement is statement and not statement.is_header
        ):
            return
        self._finish(activation, None)
        self._count += 1
        if self._count > MOST_STEPS:
            raise TracingError
        step = Step(statement, self._occurrences[statement])
        self._occurrences[statement] += 1
        activation.step = step
        self._listener.begin(activation, step)

    def _finish(self, activation: Activation, returned: Any) -> None:
        if activation.step is not None:
            self._listener.end(activation, activation.step, returned)
            activation.step = None
