"""A record as SARIF 2.1.0, the format of code scanning: a result for each wrong derivative.

Identifiers of rules and fingerprints are stable, so that a code host knows a result again in
the next run. Tests that lost their checks are notifications, since nothing is known of their
derivatives.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Any
from urllib.parse import quote

from pytest_gradcheck.report.from_builtins import report_from_dict
from pytest_gradcheck.report.inert_text import without_middle
from pytest_gradcheck.report.message import render_text
from pytest_gradcheck.run_record.findings import DRIVE, Finding, findings
from pytest_gradcheck.run_record.record import Record, RecordedTest, lost_tests

__all__ = ["render_sarif"]

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)

#: The name and version of the algorithm of the fingerprints.
FINGERPRINT = "gradcheck/v1"

#: The most characters of a message.
MESSAGE_LENGTH = 10_000

#: Identifiers of rules with their level and text.
RULES = {
    "wrong-gradient": (
        "error",
        "A hand-written derivative differs from the measured one by more than its error bound.",
    ),
    "unverified-gradient": (
        "error",
        "A hand-written derivative could not be verified, and the check fails because of it.",
    ),
    "violated-law": (
        "error",
        "A function that should be a vector-Jacobian product is not linear in its cotangent.",
    ),
    "no-check": (
        "warning",
        "A test has the gradcheck fixture or mark and completed no check.",
    ),
}


def render_sarif(record: Record) -> str:
    """Return a record as the text of a SARIF file with one run.

    Parameters
    ----------
    record : Record
        The record of one or more runs.
    """
    log = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": _driver()},
                "columnKind": "unicodeCodePoints",
                "originalUriBaseIds": {"SRCROOT": {"description": {"text": "the repository"}}},
                "invocations": [_invocation(record)],
                "results": [_result(finding) for finding in findings(record)],
            }
        ],
    }
    return json.dumps(log, indent=1) + "\n"


def _driver() -> dict[str, Any]:
    return {
        "name": "pytest-gradcheck",
        "version": version("pytest-gradcheck"),
        "rules": [
            {
                "id": identifier,
                "shortDescription": {"text": text},
                "defaultConfiguration": {"level": level},
            }
            for identifier, (level, text) in RULES.items()
        ],
    }


def _invocation(record: Record) -> dict[str, Any]:
    notifications = [_notification(test) for test in lost_tests(record)]
    return {
        "executionSuccessful": not notifications,
        "toolExecutionNotifications": notifications,
    }


def _notification(test: RecordedTest) -> dict[str, Any]:
    reason = f": {test['message']}" if test["message"] else ""
    return {
        "level": "error",
        "message": {"text": f"{test['nodeid']} ({test['outcome']}){reason}"},
    }


def _result(finding: Finding) -> dict[str, Any]:
    text = finding.text
    if finding.check is not None:
        text = render_text(report_from_dict(finding.check))
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": list(RULES).index(finding.rule),
        "level": RULES[finding.rule][0],
        "message": {"text": without_middle(text, MESSAGE_LENGTH)},
        "partialFingerprints": {FINGERPRINT: finding.fingerprint},
        "occurrenceCount": len(finding.nodeids),
        "properties": {"tests": list(finding.nodeids), "parameter": finding.parameter},
    }
    if finding.file is not None:
        result["locations"] = [{"physicalLocation": _location(finding, finding.file)}]
    return result


def _location(finding: Finding, file: str) -> dict[str, Any]:
    location: dict[str, Any] = {"artifactLocation": _artifact(file)}
    if finding.first_line is not None:
        location["region"] = {"startLine": finding.first_line, "endLine": finding.last_line}
    return location


def _artifact(file: str) -> dict[str, str]:
    if file.startswith("/"):
        return {"uri": f"file://{quote(file)}"}
    if DRIVE.match(file):
        return {"uri": f"file:///{quote(file)}"}
    return {"uri": quote(file), "uriBaseId": "SRCROOT"}
