"""The process that has the reports of all tests: it records, summarizes and colours them.

Under pytest-xdist it is the controller, which runs no tests; otherwise it is the only process.
The data of checks arrive with the reports of tests. This module does not make checks.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import platform
import sys
import time
import uuid
from collections.abc import Generator, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pytest_gradcheck.current_test import SessionState
from pytest_gradcheck.pytest_integration import github, terminal_summary
from pytest_gradcheck.pytest_integration.terminal import colour
from pytest_gradcheck.renderings.github_annotations import render_annotations
from pytest_gradcheck.report.inert_text import escaped, without_middle
from pytest_gradcheck.run_record.json_file import RecordError, prepare_path, write_record
from pytest_gradcheck.run_record.record import SCHEMA_VERSION, Outcome, Record, Run
from pytest_gradcheck.run_record.run_log import MESSAGE_LENGTH, Phase, RunLog

__all__ = ["start_controller"]

#: Packages whose versions may explain a result.
PACKAGES = ("pytest-gradcheck", "pytest", "numpy", "scipy", "torch", "jax", "pytest-xdist")

#: The result of pytest-xdist for a test whose worker died, in the place of a phase.
CRASHED = "???"


def start_controller(
    config: pytest.Config, session_state: SessionState, option_names: Sequence[str]
) -> Controller:
    """Return the controller of a run, which is registered as a plugin.

    Parameters
    ----------
    config : pytest.Config
        The configuration of the run.
    session_state : SessionState
        The state of the session in this process.
    option_names : sequence of str
        The options that can be set for a suite.
    """
    controller = Controller(config, session_state, option_names)
    config.pluginmanager.register(controller, "gradcheck-controller")
    config.pluginmanager.register(LastLines(controller), "gradcheck-last-lines")
    return controller


class Controller:
    """Collects the tests of a run, and writes what was asked for when it ends."""

    def __init__(
        self, config: pytest.Config, session_state: SessionState, option_names: Sequence[str]
    ) -> None:
        self._config = config
        self._session_state = session_state
        self._option_names = option_names
        self._log = RunLog()
        self._started = datetime.now(UTC)
        self._clock = time.perf_counter()
        self._interrupted: str | None = None
        self._collection_errors = set[str]()
        self._problems: list[str] = []
        self._record: Record | None = None
        self._json = _output_path(config, "json")
        self._is_github = config.getoption("gradcheck_github") and github.is_job()
        self._step_summary = github.step_summary_path() if self._is_github else None

    def take(self, report: pytest.TestReport) -> None:
        """Add the report of a phase of a test, and colour it if a check failed."""
        self._log.expect(getattr(report, "gradcheck_expected", ()))
        self._log.add(_phase(report))
        if report.failed and hasattr(report, "gradcheck"):
            colour(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note what could not be collected."""
        if report.failed:
            self._collection_errors.add(report.nodeid)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Note why the run stops."""
        self._interrupted = str(excinfo.value) or excinfo.typename

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Make the record of the run, and write it."""
        self._log.expect(self._session_state.expected)
        self._record = record = self._build(session)
        try:
            self._config.hook.pytest_gradcheck_update_record(config=self._config, record=record)
        except Exception as error:  # noqa: BLE001  # of the suite
            text = without_middle(escaped(str(error)), MESSAGE_LENGTH)
            self._problems.append(
                f"the hook pytest_gradcheck_update_record raised {type(error).__name__}: {text}"
            )
        if self._json is not None:
            with self._problem_of(f"the record could not be written to {self._json}"):
                write_record(record, self._json)
        if self._step_summary is not None:
            with self._problem_of("the step summary of GitHub could not be written"):
                github.append_step_summary(record, self._step_summary)
        if self._problems and session.exitstatus in {
            pytest.ExitCode.OK,
            pytest.ExitCode.NO_TESTS_COLLECTED,
        }:
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
        if not self._config.pluginmanager.hasplugin("terminalreporter"):
            for problem in self._problems:
                sys.stderr.write(f"gradcheck: {problem}\n")

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Write sections of our own, and fit the first lines of failures into the summary."""
        if self._record is not None:
            terminal_summary.write_groups(terminalreporter, self._record)
            if self._config.getoption("gradcheck_summary"):
                terminal_summary.write_table(terminalreporter, self._record)
            terminal_summary.fit_first_lines(terminalreporter)

    def write_last_lines(self, terminal: pytest.TerminalReporter) -> None:
        """Write annotations, the totals, and what became of the outputs."""
        if self._record is not None:
            if self._is_github:
                terminal.write(render_annotations(self._record))
            terminal_summary.write_totals(terminal, self._record)
        for problem in self._problems:
            terminal.write_line(f"gradcheck: {problem}", red=True)
        if self._json is not None and not self._problems:
            terminal.write_line(f"gradcheck: record written to {self._json}")

    @contextlib.contextmanager
    def _problem_of(self, text: str) -> Iterator[None]:
        """Note a problem if an output cannot be written."""
        try:
            yield
        except (OSError, RecordError) as error:
            reason = (isinstance(error, OSError) and error.strerror) or str(error)
            self._problems.append(f"{text}: {reason}")

    def _build(self, session: pytest.Session) -> Record:
        run: Run = {
            "id": uuid.uuid4().hex,
            "started": self._started.isoformat(timespec="milliseconds"),
            "seconds": time.perf_counter() - self._clock,
            "arguments": [str(argument) for argument in self._config.invocation_params.args],
            "rootdir": str(self._config.rootpath),
            "repository_path": _repository_path(self._config.rootpath),
            "exit_status": int(session.exitstatus),
            "interrupted": self._interrupted
            or str(session.shouldfail or "")
            or str(session.shouldstop or "")
            or None,
            "collection_errors": sorted(self._collection_errors),
            "workers": self._log.workers(),
            "versions": _versions(),
            "settings": self._settings(),
        }
        return {"schema_version": SCHEMA_VERSION, "runs": [run], "tests": self._log.tests()}

    def _settings(self) -> dict[str, dict[str, Any]]:
        """Return the options of the suite as they were written."""
        settings = {}
        sources = (("ini", self._config.getini), ("command line", self._config.getoption))
        for origin, read in sources:
            for name in self._option_names:
                value = read(f"gradcheck_{name}")
                if value is not None:
                    settings[name] = {"value": value, "origin": origin}
        return settings


class LastLines:
    """Writes the last lines of a controller, below the summaries of pytest and other plugins."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> Generator[None, None, None]:
        """Wait until all summaries are written."""
        yield
        self._controller.write_last_lines(terminalreporter)


def _output_path(config: pytest.Config, name: str) -> Path | None:
    """Return the path that an option names; it is relative to where pytest was started."""
    given = config.getoption(f"gradcheck_{name}")
    if given is None:
        return None
    path = Path(config.invocation_params.dir, given)
    try:
        prepare_path(path)
    except OSError as error:
        raise pytest.UsageError(
            f"--gradcheck-{name}={given}: this file cannot be written: {error.strerror}"
        ) from None
    return path


def _phase(report: pytest.TestReport) -> Phase:
    path, line, _ = report.location
    return Phase(
        nodeid=report.nodeid,
        worker=getattr(report, "worker_id", None) or _worker_of_crash(report),
        when="crash" if report.when == CRASHED else str(report.when),
        outcome=_outcome(report),
        seconds=getattr(report, "duration", 0.0),
        file=path,
        line=None if line is None else line + 1,
        message=None if report.passed else _message(report),
        checks=getattr(report, "gradcheck", None),
        parametrization=getattr(report, "gradcheck_parametrization", {}),
    )


def _worker_of_crash(report: pytest.TestReport) -> str | None:
    gateway = getattr(getattr(report, "node", None), "gateway", None)
    name: str | None = getattr(gateway, "id", None)
    return name


def _outcome(report: pytest.TestReport) -> Outcome:
    if hasattr(report, "wasxfail"):
        return "xfailed" if report.skipped else "xpassed"
    return report.outcome


def _message(report: pytest.TestReport) -> str | None:
    if hasattr(report, "wasxfail"):
        return report.wasxfail or None
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is not None:
        return str(crash.message)
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2])
    return None if report.longrepr is None else str(report.longrepr)


def _repository_path(rootdir: Path) -> str:
    for directory in (rootdir, *rootdir.parents):
        if (directory / ".git").exists():
            path = rootdir.relative_to(directory).as_posix()
            return "" if path == "." else path
    return ""


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "platform": platform.platform()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
