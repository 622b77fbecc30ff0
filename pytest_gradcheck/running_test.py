"""One run of one test: the options that it adds to its checks, and the reports of these.

It is made at the first check of a test, and knows neither pytest nor how checks are made.
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

    Attributes
    ----------
    layers : sequence of Layer
        Options that a call overrides, the weakest first.
    overrides : sequence of Layer
        Options that override those of a call.
    rerun : str
        The command that runs the test again.
    finished : callable
        Takes the report of each completed check.
    show : callable or None
        Shows a line of progress.
    suggest : callable or None
        Returns hypotheses of the suite's own.
    observer : callable or None
        Returns what observes backward, for gradient coverage.
    accept : callable or None
        Returns whether everything that is wrong according to a report is known.
    root : Path or None
        Files are named relative to it.
    is_recorded : bool
        Whether a failing check measures the curves that pages show: the run writes its record.
    reports : list of Report
        Those of the completed checks.
    sent : int
        How many of them belong to earlier phases of the test.
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
