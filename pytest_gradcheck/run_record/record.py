"""The record of one or more runs: the artifact that all other outputs are made from.

It is plain data, in the shape that ``schema.json`` beside this file describes. A check is the
dict of its report, `pytest_gradcheck.Report.to_dict`. A number that JSON cannot write may be a
float or, in a record that was read from a file, its name: ``float`` takes both. This module
does not know pytest, files or formats.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, NotRequired, TypedDict

from pytest_gradcheck.report.report_data import VERDICTS

__all__ = [
    "FAILED",
    "SCHEMA_VERSION",
    "Check",
    "Outcome",
    "Record",
    "RecordedTest",
    "Run",
    "Totals",
    "blank_test",
    "failed_checks",
    "lost_tests",
    "totals",
    "unchecked_tests",
]

#: The version of the schema. A change of the schema raises it, and has a line in the docs.
SCHEMA_VERSION = 2

#: How a test ended. A crashed test took its process along, an unfinished one was interrupted.
Outcome = Literal[
    "passed",
    "failed",
    "error",
    "skipped",
    "xfailed",
    "xpassed",
    "crashed",
    "unfinished",
    "not run",
]

#: Outcomes of tests that failed, and of tests that did not come to an end.
FAILED = ("failed", "error")
LOST = ("crashed", "unfinished", "not run")

#: The report of a check, as `pytest_gradcheck.Report.to_dict` returns it.
Check = dict[str, Any]


class ListedDerivative(TypedDict):
    """A hand-written derivative of a package.

    Attributes
    ----------
    name : str
        The module and the qualified name: ``nn.layers:Affine.backward``. Checks name it so in
        ``exercised``.
    file : str
        The path of its file, relative to the root directory if it is inside, else absolute.
    line : int
        The line of its definition.
    """

    name: str
    file: str
    line: int


class Coverage(TypedDict):
    """The derivatives that a run was asked to check.

    Attributes
    ----------
    packages : list of str
        The packages, as the user named them.
    fail_under : float or None
        The least percentage of derivatives that must be checked.
    derivatives : list of dict
        All derivatives in their source code.
    """

    packages: list[str]
    fail_under: float | None
    derivatives: list[ListedDerivative]


class KnownDerivative(TypedDict):
    """A derivative that a baseline knows to be wrong.

    Attributes
    ----------
    fingerprint : str
        Equal for the same derivative in other runs.
    rule : str
        What is wrong with it.
    backward : str
        Name of backward.
    parameter : str or None
        Accessor of the parameter.
    file : str or None
        The file to look at, relative to the top of the repository.
    tests : list of str
        Node ids of the tests that found it.
    """

    fingerprint: str
    rule: str
    backward: str
    parameter: str | None
    file: str | None
    tests: list[str]


class Run(TypedDict):
    """One run of pytest.

    Attributes
    ----------
    id : str
        Random digits, by which a run that is merged twice is recognized.
    started : str
        Date and time in UTC, as in ISO 8601.
    seconds : float
        Wall time of the run.
    rootdir : str
        The directory that the paths of files are relative to.
    repository_path : str
        Its path in the repository that contains it; empty at the top, or without a repository.
    exit_status : int
        The exit status of pytest.
    interrupted : str or None
        Why the run stopped early.
    collection_errors : list of str
        Node ids of files and directories that could not be collected.
    workers : list of str
        Names of the processes of pytest-xdist that ran tests of this record.
    versions : dict of str
        Versions of Python, of the system and of packages.
    settings : dict of dict
        The options of the suite, each with its ``value`` and its ``origin``.
    coverage : dict, optional
        The hand-written derivatives of packages, if gradient coverage was asked for.
    baseline : list of dict, optional
        The derivatives that are known to be wrong, if the run has a baseline.
    extra : dict, optional
        Data that the suite added.
    """

    id: str
    started: str
    seconds: float
    rootdir: str
    repository_path: str
    exit_status: int
    interrupted: str | None
    collection_errors: list[str]
    workers: list[str]
    versions: dict[str, str]
    settings: dict[str, dict[str, Any]]
    coverage: NotRequired[Coverage]
    baseline: NotRequired[list[KnownDerivative]]
    extra: NotRequired[dict[str, Any]]


class RecordedTest(TypedDict):
    """One test that made a check, or should have made one.

    Attributes
    ----------
    nodeid : str
        The name of the test, as pytest takes it on the command line.
    run : int
        The index of its run.
    worker : str or None
        The process of pytest-xdist that ran it.
    file : str or None
        The path of its file, relative to the root directory.
    line : int or None
        The number of its first line.
    parametrization : dict
        The values that it is parametrized with; text in the place of objects.
    expected : bool
        Whether it must complete a check: it is marked, or it requests the fixture.
    outcome : str
        How it ended.
    message : str or None
        The first line of why it failed or was skipped.
    attempts : int
        How often it was run; the rest is about the last time.
    seconds : float
        Wall time of setup, call and teardown.
    checks : list of dict
        The reports of its checks.
    known : list of str
        Fingerprints of wrong derivatives that the test found and the baseline accepts.
    extra : dict, optional
        Data that the suite added.
    """

    nodeid: str
    run: int
    worker: str | None
    file: str | None
    line: int | None
    parametrization: dict[str, Any]
    expected: bool
    outcome: Outcome
    message: str | None
    attempts: int
    seconds: float
    checks: list[Check]
    known: list[str]
    extra: NotRequired[dict[str, Any]]


class Record(TypedDict):
    """The runs, and the tests in the order of their node ids.

    Attributes
    ----------
    schema_version : int
        The version of the schema.
    runs : list of Run
        The runs, in the order in which they started.
    tests : list of RecordedTest
        The tests of all runs.
    extra : dict, optional
        Data that the suite added.
    """

    schema_version: int
    runs: list[Run]
    tests: list[RecordedTest]
    extra: NotRequired[dict[str, Any]]


def blank_test(nodeid: str, file: str, line: int | None = None) -> RecordedTest:
    """Return a test that must complete a check, of which only the name and place are known."""
    return {
        "nodeid": nodeid,
        "run": 0,
        "worker": None,
        "file": file,
        "line": line,
        "parametrization": {},
        "expected": True,
        "outcome": "not run",
        "message": None,
        "attempts": 0,
        "seconds": 0.0,
        "checks": [],
        "known": [],
    }


@dataclass(frozen=True, slots=True)
class Totals:
    """What all checks of a record amount to."""

    checks: int
    correct: int
    wrong: int
    inconclusive: int
    failed: int
    evaluations: int
    seconds: float


def totals(record: Record) -> Totals:
    """Return what all checks of a record amount to."""
    checks = [check for test in record["tests"] for check in test["checks"]]
    verdicts = Counter(check["verdict"] for check in checks)
    return Totals(
        checks=len(checks),
        correct=verdicts["correct"],
        wrong=verdicts["wrong"],
        inconclusive=verdicts["inconclusive"],
        failed=len(list(failed_checks(record))),
        evaluations=sum(check["evaluations"] for check in checks),
        seconds=sum(float(check["seconds"]) for check in checks),
    )


def failed_checks(record: Record) -> Iterator[tuple[RecordedTest, Check]]:
    """Yield the checks that made their test fail, each with its test, worst first.

    A test that passed or was expected to fail may have made wrong checks on purpose.
    """
    failed = [
        (test, check)
        for test in record["tests"]
        if test["outcome"] in FAILED
        for check in test["checks"]
        if check["failures"]
    ]
    yield from sorted(failed, key=lambda pair: _badness(pair[1]), reverse=True)


def _badness(check: Check) -> tuple[int, float]:
    """Return a key that orders failed checks by how wrong they are, as a message does entries."""
    deviation = abs(float(check["worst"][0]["deviation"])) if check["worst"] else 0.0
    is_nan = math.isnan(deviation)
    return VERDICTS.index(check["verdict"]), math.inf if is_nan else deviation


def unchecked_tests(record: Record) -> Iterator[RecordedTest]:
    """Yield the tests that passed and should have completed a check, but did not."""
    for test in record["tests"]:
        if test["expected"] and test["outcome"] == "passed" and not test["checks"]:
            yield test


def lost_tests(record: Record) -> Iterator[RecordedTest]:
    """Yield the tests that ended before they completed the check that they must complete."""
    for test in record["tests"]:
        is_failed = test["outcome"] in FAILED and not test["checks"]
        if is_failed or test["outcome"] in LOST:
            yield test
