"""Runs of a package's own test suite in a subprocess, with its checkers replaced.

The results of a suite are kept in a file and not made again. The module does not count them.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.benchmarks.suites.checkers import CHECKERS, Checker
from tests.benchmarks.suites.suite_result import SuiteResult, read_results

__all__ = ["SUITES", "checking_files", "run_suite"]

#: The folder from which `tests` is imported.
ROOT = Path(__file__).parents[3]

#: PyTorch's list of operators is no suite of tests, and has a command of its own.
TORCH = "torch"

SUITES = (*CHECKERS, TORCH)

#: Plugins that would reorder or rerun tests are disabled, and so is ours, whose options are a
#: user's.
DISABLED_PLUGINS = (
    "no:randomly",
    "no:gradcheck",
    "no:cacheprovider",
    "no:rerunfailures",
    "no:run-parallel",
)


def run_suite(suite: str, most: int, folder: Path) -> list[SuiteResult]:
    """Run a suite, unless its results are already kept.

    Parameters
    ----------
    suite : str
        One of `SUITES`; the package must be installed.
    most : int
        The number of claims of one test, or samples of one operator, at most.
    folder : Path
        Where results are kept, one file for each suite. The results of a run that was
        interrupted are discarded.

    Returns
    -------
    list of SuiteResult
        In the order of the tests.
    """
    records = folder / f"{suite}.jsonl"
    if not records.exists():
        begun = records.with_suffix(".begun")
        begun.unlink(missing_ok=True)
        if suite == TORCH:
            command = _operators_command(begun, most)
        else:
            command = _pytest_command(suite, begun, most)
        # One thread, because processor times are compared.
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        # Tests of a suite may fail. Then the suite's own checks in them count as failed.
        subprocess.run([sys.executable, *command], cwd=folder, env=environment, check=False)
        begun.touch()
        begun.rename(records)
    return list(read_results(records))


def _operators_command(records: Path, most: int) -> list[str]:
    return ["-m", "tests.benchmarks.suites.torch_operators", str(records), str(most)]


def _pytest_command(suite: str, records: Path, most: int) -> list[str]:
    spec = importlib.util.find_spec(suite)
    if spec is None or spec.submodule_search_locations is None:
        raise ModuleNotFoundError(f"{suite} is not installed: pip install --group suites")
    names = (*DISABLED_PLUGINS, f"{__package__}.recording_plugin")
    plugins = [part for name in names for part in ("-p", name)]
    options = ["--suite", suite, "--records", str(records), "--most", str(most), "--quiet"]
    options += ["--override-ini", "addopts="]  # a package's own options need its own plugins
    files = checking_files(Path(spec.submodule_search_locations[0]), CHECKERS[suite])
    return ["-m", "pytest", *plugins, *options, *map(str, files)]


def checking_files(package: Path, checkers: Iterable[Checker]) -> list[Path]:
    """Return the test files of a package in which the name of a checker occurs."""
    names = {checker.name for checker in checkers}
    tests = sorted(package.rglob("test_*.py"))
    return [path for path in tests if any(name in path.read_text("utf-8") for name in names)]
