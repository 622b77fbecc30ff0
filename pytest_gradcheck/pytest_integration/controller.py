"""The process that has the reports of all tests: it records, summarizes and colours them.

Under pytest-xdist it is the controller, which runs no tests; otherwise it is the only process.
The data of checks arrive with the reports of tests. This module does not make checks.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from pytest_gradcheck.pytest_integration import github, terminal_summary
from pytest_gradcheck.pytest_integration.coverage_settings import coverage_settings
from pytest_gradcheck.pytest_integration.known_failures import baseline_path, known_derivatives
from pytest_gradcheck.pytest_integration.run_description import describe_run
from pytest_gradcheck.pytest_integration.terminal import colour
from pytest_gradcheck.renderings.github_annotations import render_annotations
from pytest_gradcheck.report.inert_text import escaped
from pytest_gradcheck.run_record.baseline import baseline_lines, baseline_state
from pytest_gradcheck.run_record.derivative_coverage import derivative_coverage
from pytest_gradcheck.run_record.json_file import (
    RecordError,
    prepare_path,
    record_lines,
    write_whole,
)
from pytest_gradcheck.run_record.record import SCHEMA_VERSION, Outcome, Record
from pytest_gradcheck.run_record.run_log import Phase, RunLog, first_line
from pytest_gradcheck.session_state import SessionState

__all__ = ["start_controller"]


def _page(record: Record) -> Iterator[str]:
    """Yield an HTML page; what makes it is loaded for a run that writes one only."""
    from pytest_gradcheck.renderings.html_page.page import render_html

    yield render_html(record)


def _require_packages_of_page() -> None:
    from pytest_gradcheck.renderings.html_page.page import require_packages

    require_packages()


#: What is written to a file that an option names: in words, and how.
FILES: Mapping[str, tuple[str, Callable[[Record], Iterator[str]]]] = {
    "json": ("record", record_lines),
    "html": ("page", _page),
}

#: What must be installed for that, besides the package.
REQUIREMENTS: Mapping[str, Callable[[], None]] = {"html": _require_packages_of_page}

#: Exit statuses with which a run without a promised file must not end.
PASSING = (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)

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
        self._log = RunLog()
        self._started = time.perf_counter()
        self._run = describe_run(config, option_names)
        self._interrupted: str | None = None
        self._collection_errors = set[str]()
        self._problems: list[str] = []
        self._written: list[str] = []
        self._record: Record | None = None
        self._coverage = coverage_settings(config)
        self._known = known_derivatives(config)
        is_updated = config.getoption("gradcheck_update_baseline")
        self._updated_baseline = baseline_path(config) if is_updated else None
        self._files = {
            name: path for name in FILES if (path := _output_path(config, name)) is not None
        }
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
        """Make the record of the run, and write what was asked for."""
        self._log.expect(self._session_state.expected)
        self._record = record = self._build(session)
        if session.exitstatus == pytest.ExitCode.OK and _is_coverage_too_low(record):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
            self._run["exit_status"] = int(session.exitstatus)
        with self._problem_of("the hook pytest_gradcheck_update_record failed"):
            self._config.hook.pytest_gradcheck_update_record(config=self._config, record=record)
        for name, path in self._files.items():
            what, render = FILES[name]
            with self._problem_of(f"the {what} could not be written to {path}"):
                write_whole(path, render(record))
                self._written.append(f"{what} written to {path}")
        if self._updated_baseline is not None:
            path = self._updated_baseline
            with self._problem_of(f"the baseline could not be written to {path}"):
                write_whole(path, baseline_lines(baseline_state(record).accepted))
                self._written.append(f"baseline written to {path}")
        if self._step_summary is not None:
            with self._problem_of("the step summary of GitHub could not be written"):
                github.append_step_summary(record, self._step_summary)
        if self._problems and session.exitstatus in PASSING:
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
            terminal_summary.write_coverage(terminalreporter, self._record)
            terminal_summary.fit_first_lines(terminalreporter)

    def write_last_lines(self, terminal: pytest.TerminalReporter) -> None:
        """Write annotations, the totals, and what became of the outputs."""
        if self._record is not None:
            if self._is_github:
                terminal.write(render_annotations(self._record))
            terminal_summary.write_totals(terminal, self._record)
            terminal_summary.write_baseline(terminal, self._record)
            terminal_summary.write_shortfall(terminal, self._record)
        for problem in self._problems:
            terminal.write_line(f"gradcheck: {problem}", red=True)
        for written in self._written:
            terminal.write_line(f"gradcheck: {written}")

    @contextlib.contextmanager
    def _problem_of(self, text: str) -> Iterator[None]:
        """Note a problem with one output, which must not cost the others."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  # also of hooks of the suite
            self._problems.append(f"{text}: {_reason(error)}")

    def _build(self, session: pytest.Session) -> Record:
        stopped = self._interrupted or session.shouldfail or session.shouldstop
        self._run.update(
            {
                "seconds": time.perf_counter() - self._started,
                "exit_status": int(session.exitstatus),
                "interrupted": first_line(str(stopped)) if stopped else None,
                "collection_errors": sorted(map(escaped, self._collection_errors)),
                "workers": self._log.workers(),
            }
        )
        if self._coverage is not None:
            self._run["coverage"] = self._coverage.listing(self._config.rootpath)
        if self._known is not None:
            self._run["baseline"] = self._known
        return {
            "schema_version": SCHEMA_VERSION,
            "runs": [self._run],
            "tests": self._log.tests(),
        }


def _is_coverage_too_low(record: Record) -> bool:
    coverage = derivative_coverage(record)
    return coverage is not None and coverage.is_too_low


def _reason(error: Exception) -> str:
    """Return what an exception says, in one line."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = first_line(str(error))
    return text if isinstance(error, RecordError) else f"{type(error).__name__}: {text}"


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
        if name in REQUIREMENTS:
            REQUIREMENTS[name]()
        prepare_path(path)
    except RecordError as error:
        raise pytest.UsageError(f"--gradcheck-{name}: {error}") from None
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
        known=getattr(report, "gradcheck_known", ()),
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
