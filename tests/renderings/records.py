"""A record with real reports of every kind, and one whose names are hostile."""

from dataclasses import replace

import numpy as np

from pytest_gradcheck import SourceLocation, WrongLine, check_gradient
from pytest_gradcheck.binding.call.resolved_call import Call
from pytest_gradcheck.check.run_check import run_check
from pytest_gradcheck.run_record.record import Check, Record
from pytest_gradcheck.running_test import RunningTest
from tests.run_record.builders import a_record, a_test

#: Names that mean something to a terminal, a browser, XML, Markdown or GitHub.
HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\x1b[31mred",
    "a\nb\r\n::error::c",
    "]]>",
    "```\n# heading",
    "|a|[b](javascript:c)|",
    "&lt;%0A,:",
    "n" * 10_000,
    "\u202e\u03b8\ud800",
)


def a_check(name: str = "x", factor: float = 3.0) -> Check:
    """Return the check of a function whose gradient has a factor of 2, without its source."""
    point = {name: np.array([1.0, 2.0])}
    report = check_gradient(
        lambda p: np.sum(p[name] ** 2), lambda p: {name: factor * p[name]}, point
    )
    return report.to_dict() | {"backward_definition": None, "wrong_lines": []}


def a_drawn_check(name: str = "x", size: int = 2) -> Check:
    """Return a check that failed, with all that a page draws, without its source."""
    test = RunningTest([], [], f"pytest {name}", lambda report: None, is_recorded=True)
    point = {name: np.linspace(0.5, 1.5, size)}
    call = Call(
        lambda p: np.sum(np.sin(p[name])),
        lambda p: {name: 3 * np.cos(p[name])},
        (point,),
        *(None, None, None, None),
    )
    report = run_check(call, {"seed": 7, "rtol": 1e-5}, test)
    location = SourceLocation("nn.py", 31, 32, name, f"{name} = 3 * np.cos(p)\nreturn {name}")
    line = WrongLine(location, (name,), ((name, 30),), (name, "b"))
    return replace(report, backward_definition=None, wrong_lines=(line,)).to_dict()


def mixed_record() -> Record:
    """Return a record with tests of every outcome."""
    wrong, good = a_check(), a_check(factor=2.0)
    return a_record(
        a_test("test_a.py::test_wrong[0]", wrong, outcome="failed", message="wrong"),
        a_test("test_a.py::test_wrong[1]", a_check(factor=5.0), outcome="failed"),
        a_test("test_a.py::test_good", good, good),
        a_test("test_a.py::test_xfailed", wrong, outcome="xfailed"),
        a_test("test_a.py::test_unchecked"),
        a_test("test_a.py::test_usage", outcome="failed", message="no option 'rtool'"),
        a_test("test_a.py::test_skipped", outcome="skipped", message="later"),
        a_test("test_a.py::test_crashed", outcome="crashed", worker="gw0"),
        a_test("test_a.py::test_not_run", outcome="not run", line=None),
    )


def hostile_record() -> Record:
    """Return a record whose names are hostile, escaped as those of every report are."""
    tests = [
        a_test(f"test_a.py::test_it[{k}]", a_check(name), outcome="failed", message=name)
        for k, name in enumerate(HOSTILE)
    ]
    return a_record(*tests)
