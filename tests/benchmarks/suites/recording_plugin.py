"""A pytest plugin for other people's suites: asks ours whatever their checkers are asked.

``python -m pytest -p tests.benchmarks.suites.recording_plugin --suite sklearn --records FILE ...``
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.benchmarks.suites.call_graph import reaches
from tests.benchmarks.suites.checkers import CHECKERS, CheckerCall, replace_checkers
from tests.benchmarks.suites.suite_result import SuiteResult, append_results, check_suite_claim

__all__ = ["pytest_addoption", "pytest_collection_finish", "pytest_collection_modifyitems"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Say which suite runs, and where its trials go."""
    parser.addoption("--suite", required=True, choices=CHECKERS)
    parser.addoption("--records", type=Path, required=True)
    parser.addoption("--most", type=int, required=True, help="claims of one test")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests that reach no checker."""
    names = {checker.name for checker in CHECKERS[config.getoption("suite")]}
    kept = [item for item in items if _reaches(item, names)]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


def pytest_collection_finish(session: pytest.Session) -> None:
    """Replace the checkers, once every test module has imported them."""
    config = session.config
    recorder = Recorder(
        config.getoption("suite"), config.getoption("records"), config.getoption("most")
    )
    replace_checkers(CHECKERS[recorder.suite], recorder.take)
    config.pluginmanager.register(recorder)


class Recorder:
    """Asks ours as the tests run; a trial is written when its test is over."""

    def __init__(self, suite: str, records: Path, most: int) -> None:
        self.suite = suite
        self._records = records
        self._most = most
        self._test = ""
        self._trials: list[SuiteResult] = []
        self._busy = False

    def take(self, asked: CheckerCall) -> None:
        """Try a claim at once: the suite's functions may depend on what a test changes later."""
        if self._busy or len(self._trials) >= self._most:
            return
        self._busy = True
        try:
            number = len(self._trials)
            self._trials.append(
                check_suite_claim(self.suite, self._test, number, asked, accepted=True)
            )
        finally:
            self._busy = False

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Begin a test, and write what it claimed."""
        self._test, self._trials = item.nodeid, []
        try:
            return (yield)
        finally:
            append_results(self._trials, self._records)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Note that the suite's own check failed."""
        report = yield
        if report.failed:
            self._trials = [replace(trial, accepted=False) for trial in self._trials]
        return report


def _reaches(item: pytest.Item, names: set[str]) -> bool:
    return isinstance(item, pytest.Function) and reaches(item.function, item.cls, names)
