"""The wrong derivatives of a test that a baseline accepts: the test is reported as xfailed.

A failing check of which everything is known does not raise, so that the checks after it are made.
A report whose own truth value raises is accepted where the test ends. A test that is marked xfail
is left to pytest.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from pytest_gradcheck.errors import GradcheckError
from pytest_gradcheck.pytest_integration.run_description import describe_run
from pytest_gradcheck.report.report import Report
from pytest_gradcheck.report.representation import listed
from pytest_gradcheck.run_record.baseline import read_baseline
from pytest_gradcheck.run_record.findings import Finding, check_findings
from pytest_gradcheck.run_record.json_file import RecordError
from pytest_gradcheck.run_record.record import KnownDerivative, Run, blank_test

__all__ = ["KnownFailures", "baseline_path", "known_derivatives", "known_failures", "settle"]

DERIVATIVES = pytest.StashKey[list[KnownDerivative] | None]()
RUN = pytest.StashKey[Run]()
KNOWN = pytest.StashKey["KnownFailures"]()


def known_derivatives(config: pytest.Config) -> list[KnownDerivative] | None:
    """Return the derivatives of the baseline of a run, None if it has none.

    Raises
    ------
    pytest.UsageError
        If the file is not a baseline.
    """
    if DERIVATIVES not in config.stash:
        path = baseline_path(config)
        is_updated = config.getoption("gradcheck_update_baseline")
        if path is None and is_updated:
            raise pytest.UsageError(
                "--gradcheck-update-baseline needs --gradcheck-baseline=FILE, the file to write"
            )
        try:
            config.stash[DERIVATIVES] = None if path is None else read_baseline(path)
        except RecordError as error:
            raise pytest.UsageError(f"--gradcheck-baseline: {error}") from None
        except OSError as error:
            if is_updated and isinstance(error, FileNotFoundError):
                config.stash[DERIVATIVES] = []
                return []
            raise pytest.UsageError(
                f"--gradcheck-baseline={path}: this file cannot be read: {error.strerror}; "
                f"`python -m pytest_gradcheck baseline record.json -o {path}` writes it from the "
                "record of a run, and --gradcheck-update-baseline in a run"
            ) from None
    return config.stash[DERIVATIVES]


def baseline_path(config: pytest.Config) -> Path | None:
    """Return the path of the baseline, which is relative to where it is named; None without."""
    given = config.getoption("gradcheck_baseline")
    if given is not None:
        return Path(config.invocation_params.dir, given)
    ini = config.getini("gradcheck_baseline")
    return None if ini is None else Path(config.inipath or config.rootpath, "..", ini).resolve()


class KnownFailures:
    """The failures of one run of a test that the baseline accepts."""

    def __init__(
        self, item: pytest.Item, fingerprints: frozenset[str], *, accepts_all: bool
    ) -> None:
        self._item = item
        self._fingerprints = fingerprints
        self._accepts_all = accepts_all
        self.accepted: list[Report] = []
        self.found = dict[str, None]()

    def accept(self, report: Report) -> bool:
        """Return whether everything that is wrong according to a report is known."""
        found = {finding.fingerprint for finding in self._findings(report)}
        is_known = bool(found) and (self._accepts_all or found <= self._fingerprints)
        if is_known:
            self.accepted.append(report)
            self.found |= dict.fromkeys(sorted(found))
        return is_known

    def note(self, report: Report) -> str:
        """Note what of a report is known, though it has failures that are not; return it."""
        known = [f for f in self._findings(report) if f.fingerprint in self._fingerprints]
        self.found |= dict.fromkeys(finding.fingerprint for finding in known)
        return listed(finding.parameter or report.backward for finding in known)

    def reason(self) -> str:
        """Return what was accepted, for pytest's summary of tests that xfailed."""
        names = (
            f"{report.backward}: {parameter.name}"
            for report in self.accepted
            for parameter in report.parameters
            if parameter.verdict != "correct"
        )
        return f"known to be wrong: {listed(dict.fromkeys(names))}"

    def _findings(self, report: Report) -> Sequence[Finding]:
        config = self._item.config
        if RUN not in config.stash:
            config.stash[RUN] = describe_run(config, ())
        file, line, _ = self._item.location
        test = blank_test(self._item.nodeid, file, line)
        return list(check_findings(config.stash[RUN], test, report.to_dict()))


def known_failures(item: pytest.Item) -> KnownFailures | None:
    """Return what takes the known failures of a run of a test; None without a baseline."""
    derivatives = known_derivatives(item.config)
    if derivatives is None or item.get_closest_marker("xfail") is not None:
        return None
    fingerprints = frozenset(derivative["fingerprint"] for derivative in derivatives)
    accepts_all = bool(item.config.getoption("gradcheck_update_baseline"))
    known = item.stash[KNOWN] = KnownFailures(item, fingerprints, accepts_all=accepts_all)
    return known


def settle(report: pytest.TestReport, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Turn the report of a phase that failed for known reasons only into one that xfailed."""
    known = item.stash.get(KNOWN, None)
    if known is None:
        return
    error = None if call.excinfo is None else call.excinfo.value
    if isinstance(error, GradcheckError):
        is_known = known.accept(error.report)
        if not is_known:
            names = known.note(error.report)
            if names:
                report.sections.append(("gradcheck baseline", f"known to be wrong: {names}"))
    else:
        # A setup must have passed for its test to run.
        is_known = report.passed and call.when == "call" and bool(known.accepted)
    if is_known:
        report.outcome = "skipped"
        vars(report)["wasxfail"] = known.reason()
    vars(report)["gradcheck_known"] = list(known.found)
