"""Small records for tests."""

from typing import Any

from pytest_gradcheck.run_record.record import (
    SCHEMA_VERSION,
    Check,
    Record,
    RecordedTest,
    Run,
    blank_test,
)


def check(**changes: Any) -> Check:
    """Return a check that passed, as far as totals need one, with some values changed."""
    return {
        "verdict": "correct",
        "failures": [],
        "backward": "backward",
        "parameters": [{"checked": 3}],
        "relative_difference": 1e-9,
        "evaluations": 20,
        "seconds": 0.5,
        "worst": [],
        **changes,
    }


def wrong(deviation: float | str = 1.0, **changes: Any) -> Check:
    """Return a check that failed."""
    failed = {"verdict": "wrong", "failures": ["wrong"], "worst": [{"deviation": deviation}]}
    return check(**failed | changes)


def failing(parameter: str = "W", line: int = 10, **changes: Any) -> Check:
    """Return a check whose parameter is wrong, in a function that is known."""
    definition = {
        "file": "nn.py",
        "first_line": line,
        "last_line": line + 5,
        "function": "Layer.backward",
        "source": "def backward(self):",
    }
    return wrong(
        failures=[f"{parameter}: 3 of 3 entries wrong"],
        parameters=[{"name": parameter, "verdict": "wrong", "checked": 3}],
        backward_definition=definition,
        breaches=[],
        wrong_lines=[],
        **changes,
    )


def a_test(nodeid: str = "test_a.py::test_it", *checks: Check, **changes: Any) -> RecordedTest:
    """Return a test that passed with some checks."""
    values: Any = {
        **blank_test(nodeid, "test_a.py", 1),
        "outcome": "passed",
        "attempts": 1,
        "seconds": 0.5,
        "checks": list(checks),
        **changes,
    }
    test: RecordedTest = values
    return test


def a_run(identifier: str = "a", started: str = "2026-01-01T00:00:00.000+00:00") -> Run:
    """Return a run."""
    return {
        "id": identifier,
        "started": started,
        "seconds": 1.0,
        "rootdir": "/suite",
        "repository_path": "",
        "exit_status": 0,
        "interrupted": None,
        "collection_errors": [],
        "workers": [],
        "versions": {"python": "3.13"},
        "settings": {},
    }


def a_record(*tests: RecordedTest, run: Run | None = None) -> Record:
    """Return a record of one run."""
    return {"schema_version": SCHEMA_VERSION, "runs": [run or a_run()], "tests": list(tests)}


def covered(
    *tests: RecordedTest,
    run: str = "a",
    fail_under: float | None = None,
    names: tuple[str, ...] = ("c_grad", "a_grad", "b_grad"),
) -> Record:
    """Return the record of a run that asks for the coverage of some derivatives of `nn`."""
    recorded = a_run(run)
    recorded["coverage"] = {
        "packages": ["nn"],
        "fail_under": fail_under,
        "derivatives": [
            {"name": f"nn:{name}", "file": "nn.py", "line": ord(name[0])} for name in names
        ],
    }
    return a_record(*tests, run=recorded)
