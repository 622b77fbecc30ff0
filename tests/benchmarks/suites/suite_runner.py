"""Running a package's own tests in a process of their own, with ours asked beside their checkers.

It must not count; it returns what became of each claim.
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

#: Where `tests` is imported from.
ROOT = Path(__file__).parents[3]

#: The list of operators is no suite of tests, and has a command of its own.
TORCH = "torch"

SUITES = (*CHECKERS, TORCH)

#: Without what would reorder or rerun tests, and without our plugin: its options are a user's.
ALONE = ("no:randomly", "no:gradcheck", "no:cacheprovider", "no:rerunfailures", "no:run-parallel")


def run_suite(suite: str, most: int, folder: Path) -> list[SuiteResult]:
    """Run one suite, unless its trials are there.

    Parameters
    ----------
    suite : str
        One of `SUITES`; the package must be installed.
    most : int
        So many claims of one test at most, or samples of one operator.
    folder : Path
        Where its trials are kept, a file for each suite.

    Returns
    -------
    list of SuiteResult
        In the order of the tests.
    """
    records = folder / f"{suite}.jsonl"
    if not records.exists():
        begun = records.with_suffix(".begun")
        begun.unlink(missing_ok=True)
        command = _operators(begun, most) if suite == TORCH else _tests(suite, begun, most)
        # One thread: what both take is compared.
        surroundings = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        # Tests of others may fail, here as elsewhere: then their checks count as not accepted.
        subprocess.run([sys.executable, *command], cwd=folder, env=surroundings, check=False)
        begun.touch()
        begun.rename(records)
    return list(read_results(records))


def _operators(records: Path, most: int) -> list[str]:
    return ["-m", "tests.benchmarks.suites.torch_operators", str(records), str(most)]


def _tests(suite: str, records: Path, most: int) -> list[str]:
    spec = importlib.util.find_spec(suite)
    if spec is None or spec.submodule_search_locations is None:
        raise ModuleNotFoundError(f"{suite} is not installed: pip install --group suites")
    plugins = [
        part for name in (*ALONE, f"{__package__}.recording_plugin") for part in ("-p", name)
    ]
    options = ["--suite", suite, "--records", str(records), "--most", str(most), "--quiet"]
    options += ["--override-ini", "addopts="]  # a package's own options need its own plugins
    chosen = checking_files(Path(spec.submodule_search_locations[0]), CHECKERS[suite])
    return ["-m", "pytest", *plugins, *options, *map(str, chosen)]


def checking_files(package: Path, checkers: Iterable[Checker]) -> list[Path]:
    """Return the test files of a package that name one of the checkers."""
    names = {checker.name for checker in checkers}
    tests = sorted(package.rglob("test_*.py"))
    return [path for path in tests if any(name in path.read_text("utf-8") for name in names)]
