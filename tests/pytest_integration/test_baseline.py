"""A run under a baseline: derivatives that are known to be wrong do not fail it."""

import json
import os
from typing import Any

import pytest

from pytest_gradcheck.__main__ import main
from tests.pytest_integration.records import outcomes, read
from tests.pytest_integration.suites import HEADER, run_suite

SUITE = """
def weighted(x, w):
    return np.sum(w * x**2)

def weighted_backward(x, w):
    return {"x": FACTOR_X * w * x, "w": FACTOR_W * x**2}

@pytest.mark.parametrize("k", [1, 2])
def test_weighted(gradcheck, k):
    gradcheck(weighted, weighted_backward, X + k, np.ones(2))
    gradcheck(f, square_backward, X)

def square_backward(x):
    return FACTOR_SQUARE * x

def test_truth():
    assert check_gradient(weighted, weighted_backward, X, np.ones(2))

@pytest.mark.gradcheck(backward=square_backward)
@pytest.mark.parametrize("x", [X])
def test_marked(x): return f(x)

@pytest.fixture
def checked(gradcheck):
    gradcheck(weighted, weighted_backward, X, np.ones(2))

def test_fixture(checked): pass

def test_good(gradcheck):
    gradcheck(f, good, X)
"""

WEIGHTED = ["test_weighted[1]", "test_weighted[2]", "test_truth"]


class Suite:
    """A suite whose derivatives have factors."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self._pytester = pytester
        self._runs = 0

    def run(self, *args: str, x: int = 2, w: int = 1, square: int = 2, lines: int = 0) -> Any:
        """Run the suite with some factors and more lines above; return the record."""
        factors = f"FACTOR_X, FACTOR_W, FACTOR_SQUARE = {x}, {w}, {square}\n"
        path = self._pytester.makepyfile(test_suite=HEADER + lines * "\n" + factors + SUITE)
        self._runs += 1
        os.utime(path, (self._runs, self._runs))  # the bytecode of an earlier suite is older
        self.result = run_suite(self._pytester, "--gradcheck-json=record.json", *args)
        return read(self._pytester.path / "record.json")

    def baseline(self, *args: str) -> list[Any]:
        """Write a baseline of the record; return its derivatives."""
        path = self._pytester.path
        paths = [str(path / name) for name in ("record.json", "baseline.json")]
        assert main(["baseline", paths[0], "-o", paths[1], *args]) == 0
        derivatives: list[Any] = json.loads((path / "baseline.json").read_text())["derivatives"]
        return derivatives

    def lines(self, beginning: str) -> list[str]:
        """Return the lines of the output that begin like this."""
        return [line for line in self.result.outlines if line.startswith(beginning)]


@pytest.fixture
def suite(pytester: pytest.Pytester) -> Suite:
    """Return the suite."""
    return Suite(pytester)


BASELINE = "--gradcheck-baseline=baseline.json"


@pytest.mark.parametrize("workers", [[], ["-n1"]], ids=["one process", "a worker"])
def test_known_derivatives_do_not_fail(suite: Suite, workers: list[str]) -> None:
    """Wherever they are checked, and whatever lines they are on."""
    suite.run(x=3)
    assert suite.result.ret == 1
    suite.baseline()
    record = suite.run(BASELINE, *workers, x=3, lines=7)
    assert suite.result.ret == 0
    assert outcomes(record) == dict.fromkeys(WEIGHTED, "xfailed") | {
        "test_marked[x0]": "passed",
        "test_good": "passed",
        "test_fixture": "xfailed",
    }
    (line,) = suite.lines("gradcheck: 3 known")
    assert line == "gradcheck: 3 known wrong derivatives accepted by the baseline"


def test_a_new_wrong_derivative_fails(suite: Suite) -> None:
    """Also behind one that is known in the same test, and beside it in the same check."""
    suite.run(x=3)
    suite.baseline()
    record = suite.run(BASELINE, x=3, square=5)
    assert outcomes(record)["test_weighted[1]"] == "failed"
    assert outcomes(record)["test_truth"] == "xfailed"
    assert "square_backward" in suite.result.stdout.str()
    record = suite.run(BASELINE, x=3, w=7)
    assert "known to be wrong: x" in suite.result.outlines
    assert outcomes(record)["test_truth"] == "failed"
    failed = [test["known"] for test in record["tests"] if test["outcome"] == "failed"]
    assert failed
    assert all(failed)


def test_mended_derivatives_are_said_and_leave_the_baseline(suite: Suite) -> None:
    """The command writes what is still wrong; the run leaves the file as it is."""
    suite.run(x=3, square=5)
    before = suite.baseline()
    suite.run(BASELINE, x=3)
    assert suite.result.ret == 0
    assert suite.lines("gradcheck: 1 known") == ["gradcheck: 1 known wrong derivative mended:"]
    after = suite.baseline()
    assert len(before) - len(after) == 1
    assert all(derivative in before for derivative in after)
    assert {derivative["parameter"] for derivative in after} == {"x"}


def test_derivatives_of_tests_that_did_not_run_stay(suite: Suite) -> None:
    """A run of a part says nothing about the rest."""
    suite.run(x=3, square=5)
    before = suite.baseline()
    suite.run(BASELINE, "-k", "test_good")
    assert suite.baseline() == before


def test_no_new_derivatives_on_request(suite: Suite) -> None:
    """The command then only leaves out what is mended."""
    suite.run(x=3)
    before = suite.baseline()
    suite.run(BASELINE, x=3, square=5)
    assert suite.baseline("--no-new") == before
    assert len(suite.baseline()) > len(before)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "this file cannot be read: No such file or directory"),
        ("[", "is not a JSON file"),
        ("{}", "is no baseline of version 1"),
        ('{"baseline_version": 1, "derivatives": [{}]}', "it has no list of derivatives"),
    ],
)
def test_a_file_that_is_no_baseline_stops_the_run(
    pytester: pytest.Pytester, text: str | None, message: str
) -> None:
    """It would accept nothing, or anything."""
    pytester.makepyfile("def test_it(): pass")
    if text is not None:
        (pytester.path / "baseline.json").write_text(text)
    result = run_suite(pytester, BASELINE)
    assert result.ret == 4
    assert message in result.stderr.str()


def test_baseline_of_the_ini_file(suite: Suite, pytester: pytest.Pytester) -> None:
    """Its path is relative to the ini file."""
    suite.run(x=3)
    suite.baseline()
    pytester.makeini("[pytest]\ngradcheck_baseline = baseline.json\n")
    suite.run(x=3)
    assert suite.result.ret == 0


def test_tests_that_are_marked_xfail_are_left_to_pytest(
    suite: Suite, pytester: pytest.Pytester
) -> None:
    """A strict mark does not fail because the failure is known."""
    suite.run(x=3)
    suite.baseline()
    pytester.makepyfile(
        test_more=HEADER
        + """
from test_suite import weighted, weighted_backward

@pytest.mark.xfail(strict=True, raises=AssertionError)
def test_it(gradcheck):
    gradcheck(weighted, weighted_backward, X, np.ones(2))
"""
    )
    record = suite.run(BASELINE, x=3)
    assert suite.result.ret == 0
    assert outcomes(record)["test_it"] == "xfailed"


@pytest.mark.parametrize("workers", [[], ["-n1"]], ids=["one process", "a worker"])
def test_update_accepts_all_and_writes_the_file(suite: Suite, workers: list[str]) -> None:
    """Each test makes all of its checks, so that the next run under the baseline passes."""
    suite.run(BASELINE, "--gradcheck-update-baseline", *workers, x=3, square=5)
    assert suite.result.ret == 0
    suite.run(BASELINE, x=3, square=5)
    assert suite.result.ret == 0
    suite.run(BASELINE, "--gradcheck-update-baseline", square=5)
    suite.run(BASELINE, square=5)
    assert suite.result.ret == 0
    suite.run(BASELINE, x=3, square=5)
    assert suite.result.ret == 1


def test_update_needs_a_file(pytester: pytest.Pytester) -> None:
    """It is an error to name none."""
    result = run_suite(pytester, "--gradcheck-update-baseline")
    assert result.ret == 4
    assert "needs --gradcheck-baseline=FILE" in result.stderr.str()
