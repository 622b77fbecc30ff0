"""Workflow commands of GitHub."""

import re

from pytest_gradcheck.renderings.github_annotations import render_annotations
from pytest_gradcheck.report.inert_text import escaped
from tests.renderings.records import HOSTILE, a_check, hostile_record, mixed_record
from tests.run_record.builders import a_record, a_test, covered

COMMAND = re.compile(r"::(error|warning|notice) ((?:\w+=[^,:]*,?)+)::(.*)")


def test_each_derivative_has_one_error() -> None:
    """It is at the line to look at, and the message tells of the other tests."""
    first, second = render_annotations(mixed_record()).splitlines()
    assert first.startswith("::error file=test_a.py,line=1,endLine=1,title=wrong gradient of p")
    assert "numerical 4.0" in first
    assert "%0A" in first
    assert second == (
        "::warning file=test_a.py,line=1,endLine=1,title=no gradient check::"
        "test_a.py::test_unchecked: The test must complete a gradient check, and did not."
    )


def test_no_more_than_github_shows() -> None:
    """Ten errors and ten warnings."""
    wrong = [a_test(f"test_{k}", a_check(), outcome="failed") for k in range(15)]
    lines = render_annotations(a_record(*wrong)).splitlines()
    assert len(lines) == 10


def test_names_are_inert() -> None:
    """No name ends a property or begins a command."""
    lines = render_annotations(hostile_record()).split("\n")
    assert lines.pop() == ""
    assert len(lines) == len(HOSTILE)
    assert all(COMMAND.fullmatch(line) for line in lines)
    assert all(line.isprintable() for line in lines)


def test_derivatives_without_a_check_are_notices() -> None:
    """At their definition, no more than GitHub shows."""
    first, *_ = render_annotations(covered()).splitlines()
    assert first == (
        "::notice file=nn.py,line=97,title=derivative not checked::no check exercised nn:a_grad"
    )
    names = tuple(escaped(f"{name}{k}") for name in HOSTILE for k in range(2))
    lines = render_annotations(covered(names=names)).splitlines()
    assert len(lines) == 10
    assert all(COMMAND.fullmatch(line) for line in lines)
