"""The tests of a run, from the reports of their phases in the order in which these arrive.

Phases of different workers arrive interleaved; a worker that is killed sends no more. This
module does not know pytest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_gradcheck.report.inert_text import escaped, without_middle
from pytest_gradcheck.run_record.record import Check, Outcome, RecordedTest, blank_test

__all__ = ["MESSAGE_LENGTH", "Phase", "RunLog", "first_line"]

#: The most characters of a message.
MESSAGE_LENGTH = 500


@dataclass(frozen=True, slots=True)
class Phase:
    """The report of one phase of a test.

    Attributes
    ----------
    nodeid : str
        The name of the test.
    worker : str or None
        The process that ran it, under pytest-xdist.
    when : {"setup", "call", "teardown", "crash"}
        Which phase it is; a crash ends the test in any of them.
    outcome : {"passed", "failed", "skipped", "xfailed", "xpassed"}
        How the phase ended.
    seconds : float
        Wall time of the phase.
    file : str
        The path of the test's file.
    line : int or None
        The number of the test's first line.
    message : str or None
        Why it failed or was skipped.
    checks : list of dict or None
        The checks that it completed; None if the test has nothing to do with checks.
    parametrization : dict
        The values that the test is parametrized with, by name.
    known : sequence of str
        Fingerprints of wrong derivatives that it found and the baseline accepts.
    """

    nodeid: str
    worker: str | None
    when: str
    outcome: Outcome
    seconds: float
    file: str
    line: int | None
    message: str | None
    checks: list[Check] | None
    parametrization: dict[str, Any]
    known: Sequence[str] = ()


@dataclass(slots=True)
class _RunOfTest:
    """The phases of the last run of a test, and how often it was run."""

    attempts: int = 0
    phases: list[Phase] = field(default_factory=list)

    def add(self, phase: Phase) -> None:
        if phase.when == "setup":
            self.attempts += 1
            self.phases = []
        self.phases.append(phase)

    def outcome(self) -> tuple[Outcome, str | None]:
        """Return how the test ended, and why."""
        for phase in self.phases:
            if phase.when == "crash":
                return "crashed", phase.message
        for phase in self.phases:
            if phase.outcome == "failed":
                return "failed" if phase.when == "call" else "error", phase.message
        if self.phases[-1].when != "teardown":
            return "unfinished", None
        for phase in reversed(self.phases):
            if phase.outcome != "passed":
                return phase.outcome, phase.message
        return "passed", None


class RunLog:
    """The tests of a run that make checks, or should."""

    def __init__(self) -> None:
        self._expected = set[str]()
        self._tests = dict[tuple[str, str | None], _RunOfTest]()

    def expect(self, nodeids: Iterable[str]) -> None:
        """Add the node ids of tests that must complete a check."""
        self._expected.update(nodeids)

    def add(self, phase: Phase) -> None:
        """Add a phase of a test, if the test has to do with checks."""
        key = (phase.nodeid, phase.worker)
        is_known = key in self._tests or phase.nodeid in self._expected
        if is_known or phase.checks is not None:
            self._tests.setdefault(key, _RunOfTest()).add(phase)

    def workers(self) -> list[str]:
        """Return the names of the processes that ran the tests."""
        return sorted({worker for _, worker in self._tests if worker is not None})

    def tests(self) -> list[RecordedTest]:
        """Return all tests in the order of their node ids, those that did not run among them."""
        found = [self._test(run_of_test) for run_of_test in self._tests.values()]
        started = {nodeid for nodeid, _ in self._tests}
        found += map(_not_run, self._expected - started)
        return sorted(found, key=lambda test: (test["nodeid"], test["worker"] or ""))

    def _test(self, run_of_test: _RunOfTest) -> RecordedTest:
        phases = run_of_test.phases
        outcome, message = run_of_test.outcome()
        return {
            "nodeid": escaped(phases[0].nodeid),
            "run": 0,
            "worker": None if phases[0].worker is None else escaped(phases[0].worker),
            "file": escaped(phases[0].file),
            "line": phases[0].line,
            "parametrization": phases[0].parametrization,
            "expected": phases[0].nodeid in self._expected,
            "outcome": outcome,
            "message": None if message is None else first_line(message),
            "attempts": max(run_of_test.attempts, 1),
            "seconds": sum(phase.seconds for phase in phases),
            "checks": [check for phase in phases for check in phase.checks or ()],
            "known": sorted({key for phase in phases for key in phase.known}),
        }


def _not_run(nodeid: str) -> RecordedTest:
    return blank_test(escaped(nodeid), file=escaped(nodeid.partition("::")[0]))


def first_line(message: str) -> str:
    """Return the first line of a message, inert; it may begin with an empty line."""
    first: Iterator[str] = (line for line in message.split("\n") if line.strip())
    return without_middle(escaped(next(first, "")), MESSAGE_LENGTH)
