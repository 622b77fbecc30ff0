"""A suite of others is run with ours beside its checkers."""

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
def trials(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> list[SuiteResult]:
    """Run a small suite as a package's own."""
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
    result = pytester.run(sys.executable, "-m", "pytest", *plugins, *options, str(folder))
    result.assert_outcomes(passed=2, failed=1, deselected=1)
    return list(read_results(records))


def test_claims_are_recorded_with_theirs_and_ours(trials: list[SuiteResult]) -> None:
    """As many of a test as were asked for; those of a test that fails are not accepted."""
    assert [trial.checker for trial in trials] == [
        "check_grad", "approx_fprime", "approx_fprime", "check_grad",
    ]  # fmt: skip
    assert [trial.accepted for trial in trials] == [True, True, True, False]
    assert [trial.ours.outcome for trial in trials] == ["correct"] * 3 + ["wrong"]
    assert [trial.is_right for trial in trials] == [None, None, None, False]
    assert [trial.entries for trial in trials] == [2, 1, 1, 2]
    assert all(trial.evaluations == 3 for trial in trials)


def test_what_is_false_is_called_wrong(trials: list[SuiteResult]) -> None:
    """Both errors of each claim."""
    outcomes = [answer and answer.outcome for trial in trials for answer in trial.falsified]
    assert set(outcomes) == {"wrong"}


def test_files_are_those_that_name_a_checker(tmp_path: Path) -> None:
    """And no others."""
    tmp_path.joinpath("test_one.py").write_text("check_grad(f, g, x)")
    tmp_path.joinpath("test_two.py").write_text("grad(f, g, x)")
    tmp_path.joinpath("three.py").write_text("check_grad(f, g, x)")
    assert checking_files(tmp_path, CHECKERS["scipy"]) == [tmp_path / "test_one.py"]


class Reaching:
    """Tests that reach `sought` in several ways."""

    def setup_method(self) -> None:
        """Do nothing."""

    def helper(self) -> None:
        """Reach it."""
        sought()

    def through(self) -> None:
        """Reach it by a helper."""
        self.helper()

    def inside(self) -> None:
        """Reach it in a function of its own."""
        assert [sought() for _ in ""] == []

    def never(self) -> None:
        """Reach nothing."""


def sought() -> bool:
    """Be looked for."""
    return True


@pytest.mark.parametrize(
    ("name", "found"), [("through", True), ("inside", True), ("never", False)]
)
def test_tests_that_reach_a_checker_are_found(name: str, found: bool) -> None:
    """By a helper, or in a function inside."""
    assert reaches(getattr(Reaching, name), Reaching, {"sought"}) is found


def test_what_was_found_is_not_looked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that was broken off begins with the suite it was in."""
    begun: list[str] = []

    def run_child(command: list[str], **named: Any) -> None:
        begun.append(command[-2])
        tmp_path.joinpath("torch.begun").write_text("")

    tmp_path.joinpath("torch.begun").write_text("half a line")
    monkeypatch.setattr(subprocess, "run", run_child)
    assert run_suite("torch", 2, tmp_path) == []
    assert run_suite("torch", 2, tmp_path) == []
    assert begun == [str(tmp_path / "torch.begun")]
