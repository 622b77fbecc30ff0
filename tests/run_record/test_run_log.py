"""The tests of a run, from the reports of their phases."""

from typing import Any

import pytest

from pytest_gradcheck.run_record.record import RecordedTest
from pytest_gradcheck.run_record.run_log import MESSAGE_LENGTH, Phase, RunLog
from tests.run_record.builders import check


def phase(when: str, **changes: Any) -> Phase:
    """Return a phase that passed and made no check."""
    values: dict[str, Any] = {
        "nodeid": "test_a.py::test_it",
        "worker": None,
        "when": when,
        "outcome": "passed",
        "seconds": 0.25,
        "file": "test_a.py",
        "line": 3,
        "message": None,
        "checks": [],
        "parametrization": {},
    }
    return Phase(**values | changes)


def recorded(*phases: Phase, expected: tuple[str, ...] = ()) -> list[RecordedTest]:
    """Return the tests of a log of some phases."""
    log = RunLog()
    log.expect(expected)
    for each in phases:
        log.add(each)
    return log.tests()


def test_checks_of_all_phases_belong_to_the_test() -> None:
    """Fixtures check in setup and teardown."""
    checks = [check(seed=k) for k in range(3)]
    names = ("setup", "call", "teardown")
    phases = [phase(name, checks=[c]) for name, c in zip(names, checks, strict=True)]
    (test,) = recorded(*phases)
    assert test["checks"] == checks
    assert test["seconds"] == 0.75
    assert (test["outcome"], test["attempts"], test["expected"]) == ("passed", 1, False)


@pytest.mark.parametrize(
    ("phases", "outcome", "message"),
    [
        ([phase("setup"), phase("call", outcome="failed", message="m")], "failed", "m"),
        ([phase("setup", outcome="failed", message="m"), phase("teardown")], "error", "m"),
        ([phase("setup", outcome="skipped", message="m"), phase("teardown")], "skipped", "m"),
        ([phase("setup"), phase("call", outcome="xfailed"), phase("teardown")], "xfailed", None),
        ([phase("setup")], "unfinished", None),
        ([phase("setup"), phase("crash", outcome="failed", message="m")], "crashed", "m"),
    ],
)
def test_outcome_is_that_of_the_phase_that_decides(
    phases: list[Phase], outcome: str, message: str | None
) -> None:
    """A crash decides before a failure, and a failure before what else happened."""
    (test,) = recorded(*phases)
    assert (test["outcome"], test["message"]) == (outcome, message)


def test_a_repeated_test_is_its_last_run() -> None:
    """The number of runs is kept, and the checks of earlier ones are not."""
    first, second = check(seed=1), check(seed=2)
    once = [phase("setup"), phase("call", checks=[first], outcome="failed"), phase("teardown")]
    again = [phase("setup"), phase("call", checks=[second]), phase("teardown")]
    (test,) = recorded(*once, *again)
    assert test["checks"] == [second]
    assert (test["outcome"], test["attempts"]) == ("passed", 2)


def test_order_does_not_depend_on_arrival() -> None:
    """Tests are in the order of their node ids, and phases of workers may be interleaved."""
    first = [phase(name, nodeid="a", worker="gw1") for name in ("setup", "call", "teardown")]
    second = [phase(name, nodeid="b", worker="gw0") for name in ("setup", "call", "teardown")]
    interleaved = [p for pair in zip(second, first, strict=True) for p in pair]
    assert recorded(*interleaved) == recorded(*first, *second)


def test_a_test_that_did_not_run_is_there() -> None:
    """It was selected, and must complete a check."""
    (test,) = recorded(expected=("sub/test_a.py::test_it",))
    assert (test["outcome"], test["file"]) == ("not run", "sub/test_a.py")


def test_other_tests_are_not_there() -> None:
    """Reports of tests that have nothing to do with checks are dropped."""
    assert recorded(phase("setup", checks=None), phase("call", checks=None)) == []


def test_names_and_messages_are_inert() -> None:
    """Control characters are escaped; a message is one line that is not long."""
    message = "\n\n" + "\x1b[31m" + "m" * 10_000 + "\nsecond"
    (test,) = recorded(phase("call", nodeid="a\x1b\n", outcome="failed", message=message))
    assert test["nodeid"] == "a\\x1b\\n"
    assert test["message"] is not None
    assert test["message"].startswith("\\x1b[31mmmm")
    assert len(test["message"]) <= MESSAGE_LENGTH
