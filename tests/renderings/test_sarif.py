"""SARIF, which is valid against its published schema."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pytest_gradcheck.renderings.sarif import render_sarif
from pytest_gradcheck.report.inert_text import escaped
from pytest_gradcheck.run_record.record import Record
from tests.renderings.records import HOSTILE, hostile_record, mixed_record
from tests.run_record.builders import a_record, covered

SCHEMA = json.loads((Path(__file__).parent / "schemas/sarif-2.1.0.json").read_text("utf-8"))


def rendered(record: Record) -> Any:
    """Return the run of a log, which is valid."""
    log = json.loads(render_sarif(record))
    jsonschema.Draft4Validator(SCHEMA, format_checker=jsonschema.FormatChecker()).validate(log)
    (run,) = log["runs"]
    return run


def test_results_have_stable_identifiers() -> None:
    """A rule, a fingerprint, a place and the tests."""
    run = rendered(mixed_record())
    wrong, unchecked = run["results"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert rules[:4] == ["wrong-gradient", "unverified-gradient", "violated-law", "no-check"]
    assert wrong["ruleId"] == rules[wrong["ruleIndex"]] == "wrong-gradient"
    assert wrong["occurrenceCount"] == 2
    assert wrong["partialFingerprints"].keys() == {"gradcheck/v1"}
    assert wrong["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "test_a.py"
    assert unchecked["ruleId"] == "no-check"


def test_lost_checks_are_notifications() -> None:
    """Then the run was not successful."""
    (invocation,) = rendered(mixed_record())["invocations"]
    texts = [each["message"]["text"] for each in invocation["toolExecutionNotifications"]]
    assert texts == [
        "test_a.py::test_usage (failed): no option 'rtool'",
        "test_a.py::test_crashed (crashed)",
        "test_a.py::test_not_run (not run)",
    ]
    assert not invocation["executionSuccessful"]
    assert rendered(a_record())["invocations"][0]["executionSuccessful"]


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("a b/\u03b8.py", "a%20b/%CE%B8.py"),
        ("/usr/lib/a.py", "file:///usr/lib/a.py"),
        ("C:\\lib\\a.py", "file:///C%3A/lib/a.py"),
        ("a:b.py", "a%3Ab.py"),
    ],
)
def test_paths_are_uris(file: str, uri: str) -> None:
    """Those in the repository are relative to it."""
    record = mixed_record()
    for test in record["tests"]:
        test["file"] = file
    location = rendered(record)["results"][0]["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"] == uri
    assert ("uriBaseId" in location["artifactLocation"]) == (":/" not in uri)


def test_names_of_every_kind_are_valid() -> None:
    """The text is short."""
    run = rendered(hostile_record())
    assert all(len(result["message"]["text"]) <= 10_000 for result in run["results"])


def test_derivatives_without_a_check_are_notes() -> None:
    """At their definition, with a fingerprint of their name."""
    first, *others = rendered(covered())["results"]
    assert len(others) == 2
    assert (first["ruleId"], first["level"]) == ("unchecked-derivative", "note")
    assert first["message"]["text"] == "no check exercised the derivative nn:a_grad"
    assert first["locations"][0]["physicalLocation"]["region"] == {"startLine": 97, "endLine": 97}
    assert rendered(covered(names=tuple(map(escaped, HOSTILE))))["results"]
