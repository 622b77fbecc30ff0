"""What is wrong according to a record: each derivative once, with all tests that found it.

A derivative is identified by a fingerprint of its names: the file and the name of backward, and
the parameter. Renumbered lines and other test cases do not change it. This module does not know
formats.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Literal

from pytest_gradcheck.report.message import likely_cause
from pytest_gradcheck.report.report_data import Diagnosis
from pytest_gradcheck.run_record.record import (
    Check,
    Record,
    RecordedTest,
    Run,
    failed_checks,
    unchecked_tests,
)

__all__ = [
    "DRIVE",
    "Finding",
    "Rule",
    "check_findings",
    "findings",
    "fingerprint",
    "known_findings",
    "repository_file",
]

#: Stable identifiers of what may be wrong.
Rule = Literal["wrong-gradient", "unverified-gradient", "violated-law", "no-check"]

#: Digits of a fingerprint: the probability that two of a million are equal is 1e-7.
FINGERPRINT_DIGITS = 16

#: The beginning of an absolute path on Windows.
DRIVE = re.compile(r"[A-Za-z]:/")


@dataclass(frozen=True, slots=True)
class Finding:
    """A derivative that is wrong, or could not be verified; or a test that checks nothing.

    Attributes
    ----------
    rule : str
        What is wrong with it.
    fingerprint : str
        Equal for the same derivative in other runs.
    parameter : str or None
        Accessor of the parameter.
    text : str
        What was found, as a sentence.
    file : str or None
        The file to look at, relative to the top of the repository.
    first_line, last_line : int or None
        The lines to look at: those where the gradient goes wrong if they are known, else the
        definition of backward, else the test.
    test : RecordedTest
        The test that found the largest error.
    check : dict or None
        Its check.
    nodeids : tuple of str
        All tests that found it.
    """

    rule: Rule
    fingerprint: str
    parameter: str | None
    text: str
    file: str | None
    first_line: int | None
    last_line: int | None
    test: RecordedTest
    check: Check | None
    nodeids: tuple[str, ...]

    @property
    def what(self) -> str:
        """What is wrong in a few words, with the likely cause if there is one."""
        words = self.rule.replace("-", " ")
        if self.check is None:
            return words
        own = [p["diagnosis"] for p in self.check["parameters"] if p["name"] == self.parameter]
        diagnoses = [Diagnosis(**each) for each in chain(*own, self.check["diagnosis"])]
        is_located = _wrong_line(self.check, self.parameter) is not None
        cause = likely_cause(diagnoses, is_located=is_located)
        return f"{words} ({cause})" if cause else words


def findings(record: Record) -> list[Finding]:
    """Return what is wrong according to a record, the worst first.

    Parameters
    ----------
    record : Record
        The record of one or more runs.

    Returns
    -------
    list of Finding
        Each fingerprint once, without those that a baseline accepts.
    """
    return _each_once(_new_findings(record))


def known_findings(record: Record) -> list[Finding]:
    """Return the wrong derivatives that tests found and a baseline accepted, each once."""
    return _each_once(
        finding
        for test in record["tests"]
        if test["known"]
        for check in test["checks"]
        for finding in check_findings(record["runs"][test["run"]], test, check)
        if finding.fingerprint in test["known"]
    )


def check_findings(run: Run, test: RecordedTest, check: Check) -> Iterator[Finding]:
    """Yield what is wrong according to one check.

    Parameters
    ----------
    run, test : Run, RecordedTest
        What the check belongs to.
    check : dict
        The check.
    """
    for reason in _reasons(check):
        yield _finding(run, test, check, reason)


def _each_once(found: Iterable[Finding]) -> list[Finding]:
    by_fingerprint: dict[str, list[Finding]] = {}
    for finding in found:
        by_fingerprint.setdefault(finding.fingerprint, []).append(finding)
    return [_together(same) for same in by_fingerprint.values()]


def _together(same: list[Finding]) -> Finding:
    """Return the first of equal findings, which is the worst, with the node ids of all."""
    nodeids = dict.fromkeys(finding.test["nodeid"] for finding in same)
    return replace(same[0], nodeids=tuple(nodeids))


@dataclass(frozen=True, slots=True)
class _Reason:
    """What is wrong with a check or a test: a rule, a parameter and a sentence."""

    rule: Rule
    parameter: str | None
    text: str


UNCHECKED = _Reason("no-check", None, "The test must complete a gradient check, and did not.")


def _new_findings(record: Record) -> Iterator[Finding]:
    for test, check in failed_checks(record):
        for finding in check_findings(record["runs"][test["run"]], test, check):
            if finding.fingerprint not in test["known"]:
                yield finding
    for test in unchecked_tests(record):
        yield _finding(record["runs"][test["run"]], test, None, UNCHECKED)


def _reasons(check: Check) -> Iterator[_Reason]:
    """Yield what is wrong with a check."""
    breaches = {breach["text"]: breach["parameter"] for breach in check["breaches"]}
    verdicts = {p["name"]: p["verdict"] for p in check["parameters"]}
    for failure in check["failures"]:
        if failure in breaches:
            yield _Reason("violated-law", breaches[failure], failure)
            continue
        names = [name for name in verdicts if failure.startswith(f"{name}: ")]
        parameter = max(names, key=len, default=None)
        is_wrong = parameter is not None and verdicts[parameter] == "wrong"
        rule: Rule = "wrong-gradient" if is_wrong else "unverified-gradient"
        yield _Reason(rule, parameter, failure)


def _finding(run: Run, test: RecordedTest, check: Check | None, reason: _Reason) -> Finding:
    definition = None if check is None else check["backward_definition"]
    location = _wrong_line(check, reason.parameter) or definition
    if location is None:
        file, first, last = test["file"], test["line"], test["line"]
    else:
        file, first, last = location["file"], location["first_line"], location["last_line"]
    derivative = _derivative(run, test, check)
    return Finding(
        rule=reason.rule,
        fingerprint=fingerprint(reason.rule, *derivative, reason.parameter or ""),
        parameter=reason.parameter,
        text=reason.text,
        file=None if file is None else repository_file(run, file),
        first_line=first,
        last_line=last,
        test=test,
        check=check,
        nodeids=(test["nodeid"],),
    )


def _derivative(run: Run, test: RecordedTest, check: Check | None) -> tuple[str, str]:
    """Return the names by which a derivative is known again.

    Several functions in a file of tests may have one name, since each may be local to a test.
    """
    function = repository_file(run, test["nodeid"].partition("[")[0])
    if check is None:
        return function, ""
    definition = check["backward_definition"]
    if definition is None or definition["file"] == test["file"]:
        return function, check["backward"]
    return repository_file(run, definition["file"]), definition["function"]


def _wrong_line(check: Check | None, parameter: str | None) -> dict[str, Any] | None:
    for wrong_line in () if check is None else check["wrong_lines"]:
        if parameter in wrong_line["parameters"]:
            location: dict[str, Any] = wrong_line["location"]
            return location
    return None


def fingerprint(*identity: str) -> str:
    """Return digits that are equal for equal texts, in every run."""
    text = "\0".join(identity)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:FINGERPRINT_DIGITS]


def repository_file(run: Run, file: str) -> str:
    """Return the path of a file relative to the top of its repository, with forward slashes.

    Parameters
    ----------
    run : Run
        The run, whose root directory is in the repository.
    file : str
        A path relative to the root directory, or absolute. A file outside the repository keeps
        its absolute path.
    """
    path, root = file.replace("\\", "/"), run["rootdir"].replace("\\", "/")
    prefix = run["repository_path"]
    if path.startswith("/") or DRIVE.match(path):
        top = root.removesuffix(f"/{prefix}") if prefix else root
        return path.removeprefix(f"{top}/")
    return posixpath.normpath(posixpath.join(prefix, path))
