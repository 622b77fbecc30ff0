"""Produce the failure output that the pages and the README show, by running it.

``python docs/outputs.py`` runs every file in ``docs/examples/failing`` and
stores what pytest printed beside it, volatile figures replaced. A test
compares them, so that no page shows what the code no longer prints.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
FAILING = ROOT / "docs/examples/failing"

#: Further arguments of pytest, by the name of the example.
ARGUMENTS = {"suite": ["--tb=no"]}

#: What differs from run to run or from machine to machine.
VOLATILE = (
    (re.compile(r"\b[\d.e-]+ s\b"), "0.01 s"),
    (re.compile(r"in [\d.]+s\b"), "in 0.10s"),
)


def run(example: Path) -> str:
    """Run one example as a user would, and return the failure it prints.

    It runs beside the modules that it imports, so that files are named by their names alone.
    """
    with tempfile.TemporaryDirectory() as suite:
        for file in (*FAILING.glob("*.py"), *FAILING.parent.glob("*.py")):
            shutil.copy(file, suite)
        return _run_in(suite, example)


def _run_in(suite: str, example: Path) -> str:
    command = [sys.executable, "-m", "pytest", "-p", "gradcheck", "-q", "-c", os.devnull]
    command += ["-o", "verbosity_gradcheck=0"]
    command += ["--rootdir", suite, example.name, *ARGUMENTS.get(example.stem, ())]
    path = os.pathsep.join([suite, str(ROOT)])
    environment = os.environ | {
        "COLUMNS": "80",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONPATH": path,
        "NO_COLOR": "1",
    }
    environment.pop("CI", None)
    result = subprocess.run(
        command, cwd=suite, env=environment, capture_output=True, text=True, check=False
    )
    if result.returncode != 1:
        raise RuntimeError(f"{example.name} should fail:\n{result.stdout}{result.stderr}")
    return normalised(result.stdout)


def normalised(output: str) -> str:
    """Return `output` with its volatile figures replaced, from the first failure or section on."""
    for pattern, replacement in VOLATILE:
        output = pattern.sub(replacement, output)
    lines = [line.rstrip() for line in output.splitlines()]
    starts = [k for mark in ("____", "====") for k, line in enumerate(lines) if line[:4] == mark]
    return "\n".join(lines[starts[0] :]) + "\n"


def rounded(output: str) -> str:
    """Return `output` without the figures that differ between processors and numpy versions."""
    output = re.sub(r"\d(\.\d)?e-\d\d", "#", output)
    output = re.sub(r"to \d+\s+digits", "to # digits", output)
    return re.sub(r"[ -]+", " ", re.sub(r"[\d,]+ evaluations", "# evaluations", output))


if __name__ == "__main__":
    for example in sorted(FAILING.glob("*.py")):
        example.with_suffix(".txt").write_text(run(example), encoding="utf-8")
