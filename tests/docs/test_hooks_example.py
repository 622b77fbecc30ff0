"""The example of the page on hooks runs."""

import xml.etree.ElementTree as ET

import pytest

from tests.pytest_integration.records import read
from tests.pytest_integration.suites import STEADY


def test_hooks_of_the_example(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """The record has what the conftest file adds, and so has JUnit."""
    monkeypatch.setenv("GITHUB_SHA", "4f8")
    pytester.copy_example("hooks")
    pytester.runpytest_inprocess(*STEADY, "--gradcheck-json=record.json", "--junitxml=junit.xml")
    record = read(pytester.path / "record.json")
    assert record["extra"] == {"commit": "4f8"}
    assert [test["extra"] for test in record["tests"]] == [{"team": "test_norm.py"}]
    root = ET.parse(pytester.path / "junit.xml").getroot()  # noqa: S314  # our own
    properties = {p.get("name"): p.get("value") for p in root.iter("property")}
    assert properties["gradient_mode"] == "full"
