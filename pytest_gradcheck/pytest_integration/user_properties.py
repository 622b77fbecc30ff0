"""The data of checks on a test report, for JUnit, xdist and other plugins.

They are builtins, since xdist sends them between processes. This module also shortens the
summary of a failure to the first line of its message.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import Any

import pytest

from pytest_gradcheck.errors import GradcheckError, GradcheckUsageError
from pytest_gradcheck.pytest_integration.known_failures import settle
from pytest_gradcheck.report.inert_text import shortened
from pytest_gradcheck.report.report import Report
from pytest_gradcheck.report.report_data import as_builtin
from pytest_gradcheck.report.representation import shown
from pytest_gradcheck.run_record.json_file import named_numbers
from pytest_gradcheck.session_state import SessionState

__all__ = ["attach_reports", "json_metadata", "set_properties", "shorten_when_quiet"]

PREFIX = "gradcheck_"

#: The bits of the largest integer that is attached as a number.
LARGEST_BITS = 64

#: The most checks of a test that pytest-html lists.
LISTED_CHECKS = 20

_PREFIX = re.compile(r"^(E\s+)pytest_gradcheck\.\w+: ")


def set_properties(item: pytest.Item, reports: Sequence[Report]) -> None:
    """Set the user properties of a test, and replace those of an earlier run.

    Parameters
    ----------
    item : pytest.Item
        The test.
    reports : sequence of Report
        The reports of its completed checks.
    """
    others = [p for p in item.user_properties if not p[0].startswith(PREFIX)]
    item.user_properties[:] = [*others, *_properties(reports)]


def shorten_when_quiet(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Shorten the message of a failed check, before pytest shows it, with ``-q``."""
    if call.excinfo is None or item.config.get_verbosity("gradcheck") >= 0:
        return
    if isinstance(call.excinfo.value, GradcheckError):
        call.excinfo.value.shorten()


def attach_reports(
    report: pytest.TestReport,
    item: pytest.Item,
    call: pytest.CallInfo[None],
    session: SessionState,
) -> None:
    """Attach the reports of a phase as data to its test report; shorten its summary to one line.

    On CI pytest repeats the whole message in the short summary.

    Parameters
    ----------
    report : pytest.TestReport
        The report of one phase of a test.
    item : pytest.Item
        The test.
    call : pytest.CallInfo
        How the phase ended.
    session : SessionState
        The session, with the checks that were completed in the phase.
    """
    reports = session.unsent()
    # xdist sends every attribute of a report.
    data = [r.to_dict() for r in reports]
    vars(report).update(gradcheck=data, gradcheck_parametrization=_parametrization(item))
    _attach_expected(report, session)
    settle(report, item, call)
    if reports and item.config.getoption("htmlpath", None):
        vars(report)["extras"] = [*getattr(report, "extras", ()), _html_extra(reports)]
    if call.excinfo is None or not call.excinfo.errisinstance(
        (GradcheckError, GradcheckUsageError)
    ):
        return
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is not None:
        crash.message = str(call.excinfo.value).partition("\n")[0]
    _drop_class_prefix(report.longrepr)


def _attach_expected(report: pytest.TestReport, session: SessionState) -> None:
    """Attach the node ids of all tests that must complete a check, once in a process."""
    if not session.is_announced:
        vars(report)["gradcheck_expected"] = sorted(session.expected)
        session.is_announced = True


def _parametrization(item: pytest.Item) -> dict[str, bool | int | float | str | None]:
    """Return the values that a test is parametrized with; text in the place of objects.

    They are in the order of its arguments.
    """
    callspec = getattr(item, "callspec", None)
    values = {} if callspec is None else callspec.params
    position = {name: k for k, name in enumerate(getattr(item, "fixturenames", ()))}
    names = sorted(values, key=lambda name: position.get(name, len(position)))
    return {shortened(name): _short_builtin(values[name]) for name in names}


def _short_builtin(value: Any) -> bool | int | float | str | None:
    """Return a number, or short text; other processes and formats take no number of any size."""
    is_scalar = type(value).__module__ == "numpy" and getattr(value, "shape", None) == ()
    builtin = as_builtin(value.item() if is_scalar else value)
    if isinstance(builtin, str):
        return shortened(builtin)
    is_large = isinstance(builtin, int) and builtin.bit_length() > LARGEST_BITS
    return shown(builtin) if is_large else builtin


def json_metadata(reports: Sequence[Report]) -> dict[str, object]:
    """Return the data of checks for pytest-json-report, which writes them as JSON."""
    return {"gradcheck": [named_numbers(report.to_dict()) for report in reports]}


def _html_extra(reports: Sequence[Report]) -> dict[str, str | None]:
    """Return the first lines of reports for pytest-html, as its ``extras.html`` does."""
    lines = [str(report).partition("\n")[0] for report in reports[:LISTED_CHECKS]]
    if len(reports) > LISTED_CHECKS:
        lines.append(f"... and {len(reports) - LISTED_CHECKS:,} more checks")
    content = f"<pre>{html.escape(chr(10).join(lines))}</pre>"
    return dict.fromkeys(("name", "mime_type", "extension")) | {
        "format_type": "html",
        "content": content,
    }


def _drop_class_prefix(longrepr: Any) -> None:
    """Remove the class name from the first line; pytest shows it at the end of the failure."""
    entries = getattr(getattr(longrepr, "reprtraceback", None), "reprentries", None) or ()
    for entry in entries:
        lines = getattr(entry, "lines", [])
        for k, line in enumerate(lines):
            if line.startswith("E"):
                lines[k] = _PREFIX.sub(r"\1", line, count=1)
                break


def _properties(reports: Sequence[Report]) -> list[tuple[str, Any]]:
    if not reports:
        return []
    worst = max(reports, key=lambda report: report.relative_difference)
    return [
        ("gradcheck_worst", worst.relative_difference),
        ("gradcheck_checks", len(reports)),
        ("gradcheck_evaluations", sum(report.evaluations for report in reports)),
        ("gradcheck_seed", reports[0].seed),
    ]
