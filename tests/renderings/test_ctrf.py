"""The Common Test Report Format, which is valid against its published schema."""

import json
from pathlib import Path
from typing import Any

import jsonschema

from pytest_gradcheck.renderings.ctrf import render_ctrf
from pytest_gradcheck.run_record.record import Record
from tests.renderings.records import hostile_record, mixed_record
from tests.run_record.builders import a_record, covered

SCHEMA = json.loads((Path(__file__).parent / "schemas/ctrf-0.0.json").read_text("utf-8"))


def rendered(record: Record) -> Any:
    """Return the results of a report, which is valid."""
    report = json.loads(render_ctrf(record))
    jsonschema.Draft7Validator(SCHEMA, format_checker=jsonschema.FormatChecker()).validate(report)
    return report["results"]


def test_every_test_has_its_status() -> None:
    """The summary counts them."""
    results = rendered(mixed_record())
    statuses = {test["name"].partition("::")[2]: test["status"] for test in results["tests"]}
    assert statuses == {
        "test_wrong[0]": "failed",
        "test_wrong[1]": "failed",
        "test_good": "passed",
        "test_xfailed": "other",
        "test_unchecked": "passed",
        "test_usage": "failed",
        "test_skipped": "skipped",
        "test_crashed": "failed",
        "test_not_run": "pending",
    }
    summary = results["summary"]
    counts = [summary[name] for name in ("passed", "failed", "skipped", "pending", "other")]
    assert counts == [2, 4, 1, 1, 1]
    assert summary["tests"] == 9
    assert summary["stop"] - summary["start"] == 1000


def test_a_failure_has_its_message() -> None:
    """The trace is that of the gradient check."""
    test = rendered(mixed_record())["tests"][0]
    assert test["message"] == "wrong"
    assert test["trace"].startswith("x[1]: backward 6.0, numerical 4.0")
    assert (test["filePath"], test["line"], test["duration"]) == ("test_a.py", 1, 500)


def test_records_of_every_kind_are_valid() -> None:
    """An empty one, and one with hostile names."""
    assert rendered(a_record())["tests"] == []
    assert len(rendered(hostile_record())["tests"]) == 10


def test_gradient_coverage_is_in_the_summary() -> None:
    """With the derivatives that were not checked."""
    extra = rendered(covered(names=("a_grad",)))["summary"]["extra"]
    assert extra["gradientCoverage"] == {
        "packages": ["nn"],
        "derivatives": 1,
        "unchecked": [{"name": "nn:a_grad", "filePath": "nn.py", "line": 97}],
    }
