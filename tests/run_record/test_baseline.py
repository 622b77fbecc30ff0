"""The derivatives that are known to be wrong."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from pytest_gradcheck.run_record.baseline import (
    baseline_lines,
    baseline_state,
    read_baseline,
)
from pytest_gradcheck.run_record.json_file import RecordError
from pytest_gradcheck.run_record.record import KnownDerivative, Record, RecordedTest
from tests.run_record.builders import a_record, a_run, a_test, check, failing


def failed(nodeid: str, *parameters: str, **changes: Any) -> RecordedTest:
    """Return a test whose checks find one wrong parameter each."""
    checks = [failing(parameter) for parameter in parameters]
    return a_test(nodeid, *checks, **{"outcome": "failed"} | changes)


def known(*nodeids: str, parameter: str = "W") -> list[KnownDerivative]:
    """Return the baseline of a record in which these tests found a wrong parameter."""
    return list(baseline_state(a_record(*(failed(n, parameter) for n in nodeids))).new)


def under(baseline: list[KnownDerivative], *tests: RecordedTest) -> Record:
    """Return the record of a run under a baseline."""
    run = a_run()
    run["baseline"] = baseline
    return a_record(*tests, run=run)


def test_wrong_derivatives_are_new_without_a_baseline() -> None:
    """Each once, with all tests that found it; a test without a check is no derivative."""
    record = a_record(failed("t.py::b", "W"), failed("t.py::a", "W", "b"), a_test("t.py::c"))
    state = baseline_state(record)
    assert [(d["parameter"], d["tests"]) for d in state.new] == [
        ("W", ["t.py::a", "t.py::b"]),
        ("b", ["t.py::a"]),
    ]
    assert state.new[0]["backward"] == "backward"
    assert (state.known, state.mended, state.unseen) == ((), (), ())


def test_a_derivative_that_was_accepted_stays_known() -> None:
    """Also in a test that fails for another one, which is new."""
    baseline = known("t.py::a")
    keys = [derivative["fingerprint"] for derivative in baseline]
    test = failed("t.py::a", "W", "b", known=keys)
    state = baseline_state(under(baseline, test))
    assert [d["parameter"] for d in state.known] == ["W"]
    assert [d["parameter"] for d in state.new] == ["b"]


@pytest.mark.parametrize(
    ("tests", "is_mended"),
    [
        ([a_test("t.py::a", check()), a_test("t.py::b", check())], True),
        ([a_test("t.py::a", check())], False),
        ([a_test("t.py::a", check()), a_test("t.py::b")], False),
        ([a_test("t.py::a", check()), a_test("t.py::b", check(), outcome="failed")], False),
        ([a_test("t.py::a", check()), a_test("t.py::b", check(), outcome="unfinished")], False),
    ],
)
def test_mended_is_what_all_of_its_tests_no_longer_find(
    tests: list[RecordedTest], is_mended: bool
) -> None:
    """A test that did not run, or not to its end, says nothing."""
    baseline = known("t.py::a", "t.py::b")
    failing_tests = [test for test in tests if test["outcome"] == "failed"]
    for test in failing_tests:
        test["checks"] = [failing("other")]
    state = baseline_state(under(baseline, *tests))
    assert list(state.mended if is_mended else state.unseen) == baseline
    assert not (state.unseen if is_mended else state.mended)


def test_the_file_does_not_depend_on_the_order(tmp_path: Path) -> None:
    """A line for each derivative, which is read as it was written."""
    derivatives = [found for name in ("W", "b", "c") for found in known("t.py::a", parameter=name)]
    texts = {"".join(baseline_lines(each)) for each in itertools.permutations(derivatives)}
    (text,) = texts
    assert len(text.splitlines()) == 3 + 5
    path = tmp_path / "baseline.json"
    path.write_text(text)
    assert sorted(read_baseline(path), key=str) == sorted(derivatives, key=str)
    path.write_text("".join(baseline_lines([])))
    assert read_baseline(path) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "is no baseline of version 1: write one with"),
        ({"baseline_version": 2}, "is no baseline of version 1"),
        ({"baseline_version": 1}, "it has no list of derivatives"),
        ({"baseline_version": 1, "derivatives": [{"fingerprint": "a"}]}, "it has no list of"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: Any, message: str) -> None:
    """With the command that writes one."""
    path = tmp_path / "baseline.json"
    path.write_text(json.dumps(content))
    with pytest.raises(RecordError, match=message):
        read_baseline(path)
