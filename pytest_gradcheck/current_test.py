"""Which test is running, so that every door opens into the same test.

It holds the one module global of the package. It must import nothing of the
package: it is loaded in every pytest run, whether or not anything is checked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

    from pytest_gradcheck.options import Layer
    from pytest_gradcheck.report.report import Report

__all__ = ["RunningTest", "SessionState", "current_test", "session_state"]


@dataclass(slots=True)
class RunningTest:
    """One run of one test.

    It holds the options that a call overrides (`layers`, weakest first) and those
    that win over a call (`overrides`), the command that runs the test again
    (`rerun`), and every report of a completed check, of which `finished` is told;
    `show` shows a line of progress, where somebody watches.
    """

    layers: Sequence[Layer]
    overrides: Sequence[Layer]
    rerun: str
    finished: Callable[[Report], object]
    show: Callable[[str], object] | None = None
    reports: list[Report] = field(default_factory=list)

    def take(self, report: Report) -> None:
        """Take the report of a completed check."""
        self.reports.append(report)
        self.finished(report)


@dataclass(slots=True)
class SessionState:
    """Where a session's running test stands; what it needs is made when a check asks.

    An event loop that outlives a test keeps a copy of the context of the test
    that started it. The copy holds this object, whose test is always today's.
    """

    prepare: Callable[[pytest.Item], RunningTest]
    item: pytest.Item | None = None
    test: RunningTest | None = None

    def enter(self, item: pytest.Item | None) -> None:
        """Let `item` be the running test, afresh; None when it is over."""
        self.item, self.test = item, None

    def running(self) -> RunningTest | None:
        """Return the running test, None between tests."""
        if self.test is None and self.item is not None:
            self.test = self.prepare(self.item)
        return self.test

    def reports(self) -> list[Report]:
        """Return what the running test has checked so far."""
        return [] if self.test is None else self.test.reports


session_state: ContextVar[SessionState | None] = ContextVar(
    "pytest_gradcheck_session", default=None
)


def current_test() -> RunningTest | None:
    """Return the test that runs in this context, or None outside of one."""
    session = session_state.get()
    return None if session is None else session.running()
