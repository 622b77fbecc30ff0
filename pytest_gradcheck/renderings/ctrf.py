"""A record in the Common Test Report Format, which several CI systems and dashboards read."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from datetime import datetime
from importlib.metadata import version
from typing import Any

from pytest_gradcheck.report.from_builtins import report_from_dict
from pytest_gradcheck.report.message import render_text
from pytest_gradcheck.run_record.derivative_coverage import derivative_coverage
from pytest_gradcheck.run_record.findings import repository_file
from pytest_gradcheck.run_record.record import Outcome, Record, RecordedTest, totals

__all__ = ["render_ctrf"]

SPECIFICATION = "0.0.0"

STATUSES: dict[Outcome, str] = {
    "passed": "passed",
    "xpassed": "passed",
    "failed": "failed",
    "error": "failed",
    "crashed": "failed",
    "skipped": "skipped",
    "xfailed": "other",
    "unfinished": "pending",
    "not run": "pending",
}

#: Namespace of the identifiers that are made of the runs' own.
NAMESPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")


def render_ctrf(record: Record) -> str:
    """Return a record as the text of a CTRF file.

    Parameters
    ----------
    record : Record
        The record of one or more runs.
    """
    tests = [_test(record, test) for test in record["tests"]]
    counts = Counter(test["status"] for test in tests)
    starts = [_milliseconds(run["started"]) for run in record["runs"]]
    stops = [
        start + round(1000 * run["seconds"])
        for start, run in zip(starts, record["runs"], strict=True)
    ]
    all_checks = totals(record)
    report = {
        "reportFormat": "CTRF",
        "specVersion": SPECIFICATION,
        "reportId": str(uuid.uuid5(NAMESPACE, " ".join(run["id"] for run in record["runs"]))),
        "generatedBy": "pytest-gradcheck",
        "results": {
            "tool": {"name": "pytest-gradcheck", "version": version("pytest-gradcheck")},
            "summary": {
                "tests": len(tests),
                **{
                    status: counts[status]
                    for status in ("passed", "failed", "skipped", "pending", "other")
                },
                "start": min(starts, default=0),
                "stop": max(stops, default=0),
                "extra": {
                    "checks": all_checks.checks,
                    "wrong": all_checks.wrong,
                    **_coverage(record),
                },
            },
            "tests": tests,
        },
    }
    return json.dumps(report, indent=1) + "\n"


def _coverage(record: Record) -> dict[str, Any]:
    """Return the gradient coverage, if that was asked for."""
    coverage = derivative_coverage(record)
    if coverage is None:
        return {}
    return {
        "gradientCoverage": {
            "packages": list(coverage.packages),
            "derivatives": len(coverage.derivatives),
            "unchecked": [
                {"name": derivative.name, "filePath": derivative.file, "line": derivative.line}
                for derivative in coverage.unchecked
            ],
        }
    }


def _test(record: Record, test: RecordedTest) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": test["nodeid"],
        "status": STATUSES[test["outcome"]],
        "rawStatus": test["outcome"],
        "duration": round(1000 * test["seconds"]),
        "tags": ["gradcheck"],
        "extra": {"checks": len(test["checks"])},
    }
    if test["attempts"] > 1:
        found["retries"] = test["attempts"] - 1
    if test["message"] is not None:
        found["message"] = test["message"]
    failed = [check for check in test["checks"] if check["failures"]]
    if failed:
        found["trace"] = "\n\n".join(render_text(report_from_dict(check)) for check in failed)
    if test["file"] is not None:
        found["filePath"] = repository_file(record["runs"][test["run"]], test["file"])
    if test["line"] is not None:
        found["line"] = test["line"]
    if test["worker"] is not None:
        found["threadId"] = test["worker"]
    return found


def _milliseconds(started: str) -> int:
    return round(1000 * datetime.fromisoformat(started).timestamp())
