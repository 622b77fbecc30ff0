"""The state of a session: which test is running, for a check to find wherever it is called from.

It holds the only global variable of the package. It does not import other modules of the
package, since every pytest run loads it, whether or not anything is checked.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

    from pytest_gradcheck.report.report import Report
    from pytest_gradcheck.running_test import RunningTest

__all__ = ["SessionState", "current_test", "session_state"]


class SessionState:
    """The running test of a session; its options are read by the first check.

    An event loop that outlives a test keeps a copy of the context of the test that started it.
    The copy refers to this object, which always has the running test. The tests in `expected`,
    by node id, must each complete a check. The first test report that has to do with checks
    names them all, since some may not run; then `is_announced` is True.

    It is no dataclass, which would take a fifth of the time of the import of the plugin.
    """

    def __init__(self, prepare: Callable[[pytest.Item], RunningTest]) -> None:
        self.prepare = prepare
        self.item: pytest.Item | None = None
        self.test: RunningTest | None = None
        self.expected: frozenset[str] = frozenset()
        self.is_announced = False

    def enter(self, item: pytest.Item | None) -> None:
        """Start a run of `item`; None ends the run."""
        self.item, self.test = item, None

    def running(self) -> RunningTest | None:
        """Return the running test, None between tests."""
        if self.test is None and self.item is not None:
            self.test = self.prepare(self.item)
        return self.test

    def reports(self) -> list[Report]:
        """Return the reports of the running test so far."""
        return [] if self.test is None else self.test.reports

    def unsent(self) -> list[Report]:
        """Return the reports of the current phase of the running test."""
        return [] if self.test is None else self.test.unsent()


session_state: ContextVar[SessionState | None] = ContextVar(
    "pytest_gradcheck_session", default=None
)


def current_test() -> RunningTest | None:
    """Return the running test of this context, or None outside a test."""
    session = session_state.get()
    return None if session is None else session.running()
