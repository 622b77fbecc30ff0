"""Runs of suites whose record is compared."""

import json
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import pytest_gradcheck
from tests.pytest_integration.suites import HEADER, STEADY, run_suite

SCHEMA = json.loads(
    (Path(pytest_gradcheck.__file__).parent / "run_record/schema.json").read_text("utf-8")
)


def strict_json(text: str) -> Any:
    """Read JSON that has no NaN."""

    def refuse(name: str) -> None:
        raise AssertionError(name)

    return json.loads(text, parse_constant=refuse)


def read(path: Path) -> Any:
    """Return the record in a file, which is valid."""
    record = strict_json(path.read_text("ascii"))
    jsonschema.Draft202012Validator(SCHEMA).validate(record)
    return record


def recorded(pytester: pytest.Pytester, body: str, *args: str) -> Any:
    """Run a suite of `body`; return the record, which is valid."""
    pytester.makepyfile(test_suite=HEADER + body)
    run_suite(pytester, "--gradcheck-json=record.json", *args)
    return read(pytester.path / "record.json")


def outcomes(record: Any) -> dict[str, str]:
    """Return the outcomes of the tests in a record, by the names of the tests."""
    return {test["nodeid"].partition("::")[2]: test["outcome"] for test in record["tests"]}


def started(pytester: pytest.Pytester, *args: str) -> subprocess.Popen[str]:
    """Start a run in the background, in a process group of its own.

    It heeds Ctrl-C also where these tests run in the background of a shell and do not.
    """
    command = [sys.executable, "-m", "pytest", *STEADY, "--gradcheck-json=record.json", *args]
    path = os.pathsep.join(filter(None, [str(Path(pytest_gradcheck.__file__).parents[1]),
                                         os.environ.get("PYTHONPATH")]))  # fmt: skip
    return subprocess.Popen(  # noqa: S603  # our own command
        command,
        cwd=pytester.path,
        env=os.environ | {"PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509  # no threads
    )


def ended(process: subprocess.Popen[str]) -> str:
    """Wait for a run, and return its output."""
    try:
        output, _ = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return output
