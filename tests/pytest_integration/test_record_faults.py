"""What a record promises when a run goes wrong."""

import os
import signal
import sys
import time

import pytest

from tests.pytest_integration.records import (
    ended,
    outcomes,
    read,
    recorded,
    started,
)
from tests.pytest_integration.suites import HEADER, STEADY, run, run_suite

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals")

GOOD = "def test_it(gradcheck): gradcheck(f, good, X)\n"

WAITING = """
import pathlib, time

def test_a(gradcheck): gradcheck(f, good, X)

def test_b(gradcheck):
    gradcheck(f, good, X)
    pathlib.Path("waiting").touch()
    time.sleep(60)

def test_c(gradcheck): gradcheck(f, good, X)
def test_d(gradcheck): gradcheck(f, good, X)
"""


@posix
def test_a_killed_worker_loses_its_test_only(pytester: pytest.Pytester) -> None:
    """The record says which, and has the checks before and after."""
    body = """
import os, signal

@pytest.mark.parametrize("k", range(6))
def test_it(gradcheck, k):
    gradcheck(f, good, X)
    if k == 2:
        os.kill(os.getpid(), signal.SIGKILL)
"""
    record = recorded(pytester, body, "-n2")
    assert outcomes(record) == {
        f"test_it[{k}]": "crashed" if k == 2 else "passed" for k in range(6)
    }
    lost = record["tests"][2]
    assert lost["message"].startswith(f"worker '{lost['worker']}' crashed while running")
    assert [len(test["checks"]) for test in record["tests"]] == [1, 1, 0, 1, 1, 1]
    assert record["runs"][0]["exit_status"] == 1


@posix
def test_a_killed_worker_that_is_not_replaced(pytester: pytest.Pytester) -> None:
    """The tests that nobody ran are in the record, and the last lines count them."""
    body = """
import os, signal

@pytest.mark.parametrize("k", range(4))
def test_it(gradcheck, k):
    gradcheck(f, good, X)
    if k == 1:
        os.kill(os.getpid(), signal.SIGKILL)
"""
    pytester.makepyfile(test_suite=HEADER + body)
    output = ended(started(pytester, "-n1", "--max-worker-restart=0"))
    line = "gradcheck: 3 tests ended without a completed check (1 crashed, 2 not run)"
    assert line in output.splitlines()
    found = list(outcomes(read(pytester.path / "record.json")).values())
    assert found == ["passed", "crashed", "not run", "not run"]


@posix
@pytest.mark.parametrize("processes", ["0", "1"])
def test_interrupt_leaves_a_whole_record(pytester: pytest.Pytester, processes: str) -> None:
    """It says which test was not finished, and which did not run."""
    pytester.makepyfile(test_suite=HEADER + WAITING)
    process = started(pytester, "-n", processes)
    deadline = time.monotonic() + 60
    while not (pytester.path / "waiting").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    output = ended(process)
    assert process.returncode == pytest.ExitCode.INTERRUPTED, output
    record = read(pytester.path / "record.json")
    assert outcomes(record) == {
        "test_a": "passed",
        "test_b": "unfinished",
        "test_c": "not run",
        "test_d": "not run",
    }
    assert record["runs"][0]["interrupted"] == "KeyboardInterrupt"
    assert record["runs"][0]["exit_status"] == pytest.ExitCode.INTERRUPTED


@posix
def test_interrupt_before_the_first_report(pytester: pytest.Pytester) -> None:
    """Then no test ran, and the record has all of them."""
    body = """
@pytest.fixture
def interrupted(): raise KeyboardInterrupt
def test_a(interrupted, gradcheck): gradcheck(f, good, X)
def test_b(gradcheck): gradcheck(f, good, X)
"""
    pytester.makepyfile(test_suite=HEADER + body)
    pytester.runpytest_subprocess(*STEADY, "--gradcheck-json=record.json")
    record = read(pytester.path / "record.json")
    assert outcomes(record) == {"test_a": "not run", "test_b": "not run"}


@posix
def test_a_full_disk(pytester: pytest.Pytester) -> None:
    """The old record stays, nothing is left beside it, and the run says so and fails."""
    pytester.makeconftest("""
    import resource, signal
    def pytest_sessionfinish():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    """)
    pytester.makepyfile(test_suite=HEADER + GOOD)
    (pytester.path / "record.json").write_text("before")
    result = pytester.runpytest_subprocess(*STEADY, "--gradcheck-json=record.json")
    assert result.ret == pytest.ExitCode.INTERNAL_ERROR
    result.stdout.fnmatch_lines(
        ["gradcheck: the record could not be written to *record.json: File too large"]
    )
    assert (pytester.path / "record.json").read_text() == "before"
    assert list(pytester.path.glob(".*")) == []


@pytest.mark.parametrize("path", ["test_suite.py/record.json", "."])
def test_an_unwritable_path_stops_the_run_at_once(pytester: pytest.Pytester, path: str) -> None:
    """Not after an hour of tests."""
    result = run(pytester, GOOD, f"--gradcheck-json={path}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert f"ERROR: --gradcheck-json={path}: this file cannot be written" in result.stderr.str()


def test_a_fault_is_said_without_a_terminal_plugin(pytester: pytest.Pytester) -> None:
    """It goes to the standard error stream."""
    pytester.makeconftest("def pytest_gradcheck_update_record(): 1 / 0")
    pytester.makepyfile(test_suite=HEADER + GOOD)
    result = run_suite(pytester, "-p", "no:terminal", "--gradcheck-json=r.json")
    assert result.ret == pytest.ExitCode.INTERNAL_ERROR
    assert "failed: ZeroDivisionError: division by zero" in result.stderr.str()


def test_two_runs_that_write_the_same_file(pytester: pytest.Pytester) -> None:
    """The record of one of them is there, whole."""
    body = '@pytest.mark.parametrize("k", range(10))\n' + GOOD.replace(
        "gradcheck)", "gradcheck, k)"
    )
    pytester.makepyfile(test_suite=HEADER + body)
    for process in [started(pytester, "-p", "no:xdist") for _ in range(2)]:
        output = ended(process)
        assert process.returncode == 0, output
        assert len(read(pytester.path / "record.json")["tests"]) == 10
    assert [p.name for p in pytester.path.glob(".*.tmp")] == []


@pytest.mark.parametrize("workers", [[], ["-n1"]], ids=["one process", "a worker"])
def test_names_of_every_kind(pytester: pytest.Pytester, workers: list[str]) -> None:
    """The file is ASCII, its names are printable, and the whole of it is valid."""
    pytester.makeini(
        "[pytest]\ndisable_test_id_escaping_and_forfeit_all_rights_to_community_support = True\n"
    )
    body = r"""
NAMES = ["<script>alert(1)</script>", "\x1b[31mred", "a\nb", "]]>", "n" * 10_000, "\u03b8"]

@pytest.mark.parametrize("name", NAMES, ids=NAMES)
def test_it(gradcheck, name):
    gradcheck(lambda p: f(p[name]), lambda p: {name: bad(p[name])}, {name: X})
"""
    record = recorded(pytester, body, *workers)
    assert len(record["tests"]) == 6
    assert all(test["nodeid"].isprintable() for test in record["tests"])
    assert all(check["parameters"][0]["name"].isprintable()
               for test in record["tests"] for check in test["checks"])  # fmt: skip
    assert all(len(test["checks"]) == 1 for test in record["tests"])


def test_the_same_test_on_every_worker(pytester: pytest.Pytester) -> None:
    """Then each worker has its own result."""
    record = recorded(pytester, GOOD, "--dist=each", "--tx=2*popen")
    assert [(test["worker"], test["outcome"]) for test in record["tests"]] == [
        ("gw0", "passed"),
        ("gw1", "passed"),
    ]
