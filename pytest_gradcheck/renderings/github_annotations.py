"""Annotations for GitHub: lines that a job prints, and that GitHub shows at lines of the code.

The format is that of GitHub's workflow commands. GitHub shows ten errors of a step at most,
therefore the worst come first, and each derivative has one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pytest_gradcheck.report.from_builtins import report_from_dict
from pytest_gradcheck.report.inert_text import without_middle
from pytest_gradcheck.report.message import render_text
from pytest_gradcheck.run_record.derivative_coverage import (
    CoveredDerivative,
    derivative_coverage,
)
from pytest_gradcheck.run_record.findings import Finding, findings
from pytest_gradcheck.run_record.record import Record

__all__ = ["render_annotations"]

#: The most errors, the most warnings and the most notices of a step that GitHub shows.
SHOWN = 10

#: The most characters of a message and of a property.
MESSAGE_LENGTH = 4000
PROPERTY_LENGTH = 200

TITLES = {
    "wrong-gradient": "wrong gradient",
    "unverified-gradient": "gradient not verified",
    "violated-law": "not a vector-Jacobian product",
    "no-check": "no gradient check",
}


def render_annotations(record: Record) -> str:
    """Return workflow commands, one on each line, for what is wrong according to a record."""
    found = findings(record)
    errors = [finding for finding in found if finding.check is not None]
    warnings = [finding for finding in found if finding.check is None]
    lines = [_command("error", finding) for finding in errors[:SHOWN]]
    lines += [_command("warning", finding) for finding in warnings[:SHOWN]]
    coverage = derivative_coverage(record)
    lines += map(_notice, () if coverage is None else coverage.unchecked[:SHOWN])
    return "".join(f"{line}\n" for line in lines)


def _command(level: str, finding: Finding) -> str:
    return _command_line(level, dict(_properties(finding)), _message(finding))


def _notice(derivative: CoveredDerivative) -> str:
    properties = {
        "file": derivative.file,
        "line": str(derivative.line),
        "title": "derivative not checked",
    }
    return _command_line("notice", properties, f"no check exercised {derivative.name}")


def _command_line(level: str, properties: Mapping[str, str], message: str) -> str:
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{level} {listed}::{_data(message)}"


def _properties(finding: Finding) -> Iterator[tuple[str, str]]:
    if finding.file is not None:
        yield "file", finding.file
        if finding.first_line is not None:
            yield "line", str(finding.first_line)
            yield "endLine", str(finding.last_line)
    about = f" of {finding.parameter}" if finding.parameter else ""
    yield "title", f"{TITLES[finding.rule]}{about}"


def _message(finding: Finding) -> str:
    if finding.check is None:
        return f"{finding.test['nodeid']}: {finding.text}"
    others = len(finding.nodeids) - 1
    more = f"\n\nAlso found by {others:,} other tests." if others else ""
    text = without_middle(render_text(report_from_dict(finding.check)), MESSAGE_LENGTH)
    return f"{text}{more}"


def _data(text: str) -> str:
    """Return text in which no character ends or begins a command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    short = without_middle(text, PROPERTY_LENGTH)
    return _data(short).replace(":", "%3A").replace(",", "%2C")
