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
from pytest_gradcheck.run_record.derivative_coverage import (
    CoveredDerivative,
    derivative_coverage,
)
from pytest_gradcheck.run_record.findings import (
    DRIVE,
    Finding,
    findings,
    fingerprint,
    known_findings,
)
from pytest_gradcheck.run_record.record import Record, RecordedTest, lost_tests

__all__ = ["render_sarif"]

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)

#: The name and version of the algorithm of the fingerprints.
FINGERPRINT = "gradcheck/v1"

#: The most characters of a message.
MESSAGE_LENGTH = 10_000

#: What a result has in addition that a baseline accepts: code scanning does not show it as open.
SUPPRESSED = {"suppressions": [{"kind": "external", "justification": "the baseline accepts it"}]}

#: The rule of gradient coverage.
UNCHECKED = "unchecked-derivative"

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
    UNCHECKED: ("note", "No check of the run exercised a hand-written derivative."),
}


def render_sarif(record: Record) -> str:
    """Return a record as the text of a SARIF file with one run.

    Parameters
    ----------
    record : Record
        The record of one or more runs.
    """
    coverage = derivative_coverage(record)
    log = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": _driver()},
                "columnKind": "unicodeCodePoints",
                "originalUriBaseIds": {"SRCROOT": {"description": {"text": "the repository"}}},
                "invocations": [_invocation(record)],
                "results": [
                    *map(_result, findings(record)),
                    *(_result(known) | SUPPRESSED for known in known_findings(record)),
                    *map(_unchecked, () if coverage is None else coverage.unchecked),
                ],
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
    result = _at_rule(finding.rule, text, finding.fingerprint)
    result["occurrenceCount"] = len(finding.nodeids)
    result["properties"] = {"tests": list(finding.nodeids), "parameter": finding.parameter}
    if finding.file is not None:
        lines = finding.first_line, finding.last_line
        result["locations"] = [{"physicalLocation": _location(finding.file, *lines)}]
    return result


def _unchecked(derivative: CoveredDerivative) -> dict[str, Any]:
    text = f"no check exercised the derivative {derivative.name}"
    result = _at_rule(UNCHECKED, text, fingerprint(UNCHECKED, derivative.name))
    location = _location(derivative.file, derivative.line, derivative.line)
    return result | {"locations": [{"physicalLocation": location}]}


def _at_rule(rule: str, text: str, identity: str) -> dict[str, Any]:
    return {
        "ruleId": rule,
        "ruleIndex": list(RULES).index(rule),
        "level": RULES[rule][0],
        "message": {"text": without_middle(text, MESSAGE_LENGTH)},
        "partialFingerprints": {FINGERPRINT: identity},
    }


def _location(file: str, first_line: int | None, last_line: int | None) -> dict[str, Any]:
    location: dict[str, Any] = {"artifactLocation": _artifact(file)}
    if first_line is not None:
        location["region"] = {"startLine": first_line, "endLine": last_line}
    return location


def _artifact(file: str) -> dict[str, str]:
    if file.startswith("/"):
        return {"uri": f"file://{quote(file)}"}
    if DRIVE.match(file):
        return {"uri": f"file:///{quote(file)}"}
    return {"uri": quote(file), "uriBaseId": "SRCROOT"}
