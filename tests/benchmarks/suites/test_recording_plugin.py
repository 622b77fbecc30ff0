"""A package's own suite is run, and its claims are checked by `check_gradient` as well."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.suites.call_graph import reaches
from tests.benchmarks.suites.checkers import CHECKERS
from tests.benchmarks.suites.suite_result import SuiteResult, read_results
from tests.benchmarks.suites.suite_runner import ROOT, checking_files, run_suite

pytest.importorskip("scipy")

SUITE = """
import numpy as np
from numpy.testing import assert_allclose
from scipy import optimize
from scipy.optimize import approx_fprime, check_grad


def function(x, power):
    return np.sum(x**power)


def gradient(x, power):
    return power * x ** (power - 1)


def helper():
    assert check_grad(function, gradient, np.array([1.0, 2.0]), 3) < 1e-5


def test_through_a_helper():
    helper()


def test_by_comparison():
    x = np.array([1.0, 2.0])
    for power in (2, 3, 4):
        found = optimize.approx_fprime(x, function, 1e-7, power)
        assert_allclose(found[:1], gradient(x, power)[:1], rtol=1e-4)


def test_that_fails():
    assert check_grad(function, lambda x, power: x, np.array([1.0, 2.0]), 3) < 1e-5


def test_nothing():
    assert True
"""


@pytest.fixture
def results(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> list[SuiteResult]:
    """Run a small suite of tests in a package."""
    folder = pytester.mkpydir("package")
    tests = folder / "tests"
    tests.mkdir()
    tests.joinpath("__init__.py").touch()
    tests.joinpath("test_suite.py").write_text(SUITE)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    records = pytester.path / "records.jsonl"
    names = ("tests.benchmarks.suites.recording_plugin", "no:gradcheck", "no:randomly")
    plugins = [part for name in names for part in ("-p", name)]
    options = ("--suite", "scipy", "--records", str(records), "--most", "2")
    outcome = pytester.run(sys.executable, "-m", "pytest", *plugins, *options, str(folder))
    outcome.assert_outcomes(passed=2, failed=1, deselected=1)
    return list(read_results(records))


def test_claims_are_recorded_with_both_results(results: list[SuiteResult]) -> None:
    """At most `--most` claims of a test are checked; those of a failing test are not accepted."""
    assert [result.checker for result in results] == [
        "check_grad", "approx_fprime", "approx_fprime", "check_grad",
    ]  # fmt: skip
    assert [result.accepted for result in results] == [True, True, True, False]
    assert [result.ours.outcome for result in results] == ["correct"] * 3 + ["wrong"]
    assert [result.is_right for result in results] == [None, None, None, False]
    assert [result.entries for result in results] == [2, 1, 1, 2]
    assert all(result.evaluations == 3 for result in results)


def test_claims_with_a_wrong_entry_are_called_wrong(results: list[SuiteResult]) -> None:
    """Both errors of each claim are found."""
    outcomes = [check and check.outcome for result in results for check in result.falsified]
    assert set(outcomes) == {"wrong"}


def test_only_files_with_the_name_of_a_checker_are_run(tmp_path: Path) -> None:
    """Other test files, and files that are not tests, are left out."""
    tmp_path.joinpath("test_one.py").write_text("check_grad(f, g, x)")
    tmp_path.joinpath("test_two.py").write_text("grad(f, g, x)")
    tmp_path.joinpath("three.py").write_text("check_grad(f, g, x)")
    assert checking_files(tmp_path, CHECKERS["scipy"]) == [tmp_path / "test_one.py"]


class Callers:
    """Methods that call `target` in several ways."""

    def setup_method(self) -> None:
        """Do nothing."""

    def helper(self) -> None:
        """Call it."""
        target()

    def by_a_helper(self) -> None:
        """Call it by a helper."""
        self.helper()

    def in_an_inner_function(self) -> None:
        """Call it in a comprehension."""
        assert [target() for _ in ""] == []

    def never(self) -> None:
        """Do not call it."""


def target() -> bool:
    """Return True."""
    return True


@pytest.mark.parametrize(
    ("name", "expected"),
    [("by_a_helper", True), ("in_an_inner_function", True), ("never", False)],
)
def test_tests_that_reach_a_checker_are_found(name: str, expected: bool) -> None:
    """A checker may be called by a helper or in an inner function."""
    assert reaches(getattr(Callers, name), Callers, {"target"}) is expected


def test_kept_results_are_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The suite of an interrupted run is run again from its start."""
    begun: list[str] = []

    def run_child(command: list[str], **named: Any) -> None:
        begun.append(command[-2])
        tmp_path.joinpath("torch.begun").write_text("")

    tmp_path.joinpath("torch.begun").write_text("half a line")
    monkeypatch.setattr(subprocess, "run", run_child)
    assert run_suite("torch", 2, tmp_path) == []
    assert run_suite("torch", 2, tmp_path) == []
    assert begun == [str(tmp_path / "torch.begun")]
