"""A pytest plugin that checks every claim in a package's own test suite by `check_gradient`, too.

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
    """Add the options for the suite and the file of results."""
    parser.addoption("--suite", required=True, choices=CHECKERS)
    parser.addoption("--records", type=Path, required=True)
    parser.addoption("--most", type=int, required=True, help="claims of one test")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the tests that cannot reach a checker."""
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
    replace_checkers(CHECKERS[recorder.suite], recorder.record)
    config.pluginmanager.register(recorder)


class Recorder:
    """Checks the claims of each test while it runs, and writes the results after it."""

    def __init__(self, suite: str, records: Path, most: int) -> None:
        self.suite = suite
        self._records = records
        self._most = most
        self._test = ""
        self._results: list[SuiteResult] = []
        self._is_checking = False

    def record(self, call: CheckerCall) -> None:
        """Check a claim at once, because its functions may depend on state that a test changes."""
        if self._is_checking or len(self._results) >= self._most:
            return
        self._is_checking = True
        try:
            number = len(self._results)
            result = check_suite_claim(self.suite, self._test, number, call, accepted=True)
            self._results.append(result)
        finally:
            self._is_checking = False

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Start the results of a test, and write them when it is over."""
        self._test, self._results = item.nodeid, []
        try:
            return (yield)
        finally:
            append_results(self._results, self._records)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Record that the suite's own check failed."""
        report = yield
        if report.failed:
            self._results = [replace(result, accepted=False) for result in self._results]
        return report


def _reaches(item: pytest.Item, names: set[str]) -> bool:
    return isinstance(item, pytest.Function) and reaches(item.function, item.cls, names)
