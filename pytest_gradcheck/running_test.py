"""One run of one test: the options that it adds to its checks, and the reports of these.

It knows neither pytest nor the checks; the first check of a test has it made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_gradcheck.diagnosis.diagnose import Suggest
    from pytest_gradcheck.gradient_coverage.backward_observer import BackwardObserver
    from pytest_gradcheck.options import Layer
    from pytest_gradcheck.report.report import Report

__all__ = ["RunningTest"]


@dataclass(slots=True)
class RunningTest:
    """One run of one test.

    A call overrides the options in `layers`, weakest first, and those in `overrides` override
    the call. `rerun` is the command that runs the test again. Each report of a completed check
    is kept, and passed to `finished`; `show` shows a line of progress, `suggest` returns
    hypotheses of the suite's own, `observer` observes backward, `accept` knows failures.
    Files are named relative to `root`. With `is_recorded` a failing check measures the curves
    that pages show.
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
    is_recorded: bool = False
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
