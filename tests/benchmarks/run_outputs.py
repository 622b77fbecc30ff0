"""The cost of the outputs of a run: time, size, and the ratio to a run without them.

``python -m tests.benchmarks.run_outputs [CHECKS]`` runs a suite of as many small checks, a
twentieth of which fail, without outputs and with all of them, and prints the processor time of
each run, the sizes, and how long it takes to read and to render the record.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pytest_gradcheck.renderings.ctrf import render_ctrf
from pytest_gradcheck.renderings.html_page.page import render_html
from pytest_gradcheck.renderings.markdown import render_markdown
from pytest_gradcheck.renderings.sarif import render_sarif
from pytest_gradcheck.run_record.json_file import read_record, write_record

SUITE = """
import numpy as np
import pytest

X = np.array([1.0, 2.0, 3.0])

def f(x):
    return np.sum(x**2)

@pytest.mark.parametrize("k", range({checks}))
def test_it(gradcheck, k):
    gradcheck(f, lambda x: (3 if k % 20 == 0 else 2) * x, X + k)
"""

#: Plugins whose cost is not ours.
QUIET = [f"-pno:{name}" for name in ("randomly", "asyncio", "anyio", "run-parallel", "xdist")]

OUTPUTS = [
    "--gradcheck-json=record.json",
    "--gradcheck-html=page.html",
    "--gradcheck-summary",
    "--gradcheck-github",
]


def processor_seconds(directory: Path, *outputs: str) -> float:
    """Return the processor time of a run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "pytest", "-q", "--tb=no", "-rN", *QUIET, *outputs]
    environment = os.environ | {
        "GITHUB_ACTIONS": "true",
        "GITHUB_STEP_SUMMARY": str(directory / "summary.md"),
        "OMP_NUM_THREADS": "1",
    }
    subprocess.run(command, cwd=directory, env=environment, stdout=subprocess.DEVNULL, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(checks: int) -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "test_suite.py").write_text(SUITE.format(checks=checks), encoding="utf-8")
        processor_seconds(directory, "--collect-only")  # writes bytecode
        without = processor_seconds(directory)
        with_outputs = processor_seconds(directory, *OUTPUTS)
        ratio = with_outputs / without
        print(
            f"{checks:,} checks: {without:.1f} s, with outputs {with_outputs:.1f} s, {ratio:.3f}"
        )
        path = directory / "record.json"
        print(f"record: {path.stat().st_size / 1e6:.1f} MB")
        print(f"step summary: {(directory / 'summary.md').stat().st_size / 1e6:.2f} MB")
        started = time.perf_counter()
        record = read_record(path)
        print(f"read: {time.perf_counter() - started:.2f} s")
        started = time.perf_counter()
        write_record(record, path)
        print(f"write: {time.perf_counter() - started:.2f} s")
        for render in (render_markdown, render_html, render_sarif, render_ctrf):
            started = time.perf_counter()
            size = len(render(record)) / 1e6
            print(f"{render.__name__}: {time.perf_counter() - started:.2f} s, {size:.2f} MB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 10_000)
