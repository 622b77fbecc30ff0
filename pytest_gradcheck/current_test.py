"""The test that is running, which a check finds wherever it is called from.

It holds the only global variable of the package. It does not import other modules of the
package, since every pytest run loads it, whether or not anything is checked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from pytest_gradcheck.diagnosis.diagnose import Suggest
    from pytest_gradcheck.gradient_coverage.backward_observer import BackwardObserver
    from pytest_gradcheck.options import Layer
    from pytest_gradcheck.report.report import Report

__all__ = ["RunningTest", "SessionState", "current_test", "session_state"]


@dataclass(slots=True)
class RunningTest:
    """One run of one test.

    A call overrides the options in `layers`, weakest first, and those in `overrides` override
    the call. `rerun` is the command that runs the test again. Each report of a completed check
    is kept, and passed to `finished`; `show` shows a line of progress, `suggest` returns
    hypotheses of the suite's own, `observer` observes backward, `accept` knows failures.
    Files are named relative to `root`.
    """

    layers: Sequence[Layer]
    overrides: Sequence[Layer]
    rerun: str
    finished: Callable[[Report], object]
    show: Callable[[str], object] | None = None
    suggest: Suggest | None = None
    observer: Callable[[], BackwardObserver] | None = None
    accept: Callable[[Report], bool] | None = None
    root: Path | None = None
    reports: list[Report] = field(default_factory=list)
    sent: int = 0

    def take(self, report: Report) -> None:
        """Keep the report of a completed check."""
        self.reports.append(report)
        self.finished(report)

    def unsent(self) -> list[Report]:
        """Return the reports since the last call: those of one phase of the test."""
        start, self.sent = self.sent, len(self.reports)
        return self.reports[start : self.sent]


@dataclass(slots=True)
class SessionState:
    """The running test of a session; its options are read by the first check.

    An event loop that outlives a test keeps a copy of the context of the test that started it.
    The copy refers to this object, which always has the running test. The tests in `expected`,
    by node id, must each complete a check. The first test report that has to do with checks
    names them all, since some may not run; then `is_announced` is True.
    """

    prepare: Callable[[pytest.Item], RunningTest]
    item: pytest.Item | None = None
    test: RunningTest | None = None
    expected: frozenset[str] = frozenset()
    is_announced: bool = False

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
