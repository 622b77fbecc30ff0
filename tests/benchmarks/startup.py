"""The time that the plugin adds to a pytest run that checks no gradient.

``python tests/benchmarks/startup.py`` prints, in milliseconds, the minimum and the median time of
the import of the plugin after pytest in fresh processes, with a warm and a cold bytecode cache;
and of runs of one empty test with and without the plugin.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

IMPORT = """
import pytest, _pytest.terminal, time
from importlib import import_module
start = time.perf_counter()
import_module("pytest_gradcheck.plugin")
import_module("pytest_gradcheck.hookspec")
print((time.perf_counter() - start) * 1e3)
"""

RUNS = 30


def environment(**changes: str) -> dict[str, str]:
    """Return an environment in which bytecode is cached and no plugin is loaded by itself."""
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"} | changes


def import_times(*, warm: bool) -> list[float]:
    """Return the times of imports of the plugin in fresh processes."""
    times = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(RUNS + 1):
            cache = environment(PYTHONPYCACHEPREFIX=folder)
            command = [sys.executable, "-c", IMPORT]
            result = subprocess.run(command, env=cache, capture_output=True, text=True, check=True)
            times.append(float(result.stdout))
            if not warm:
                for path in Path(folder).rglob("pytest_gradcheck"):
                    shutil.rmtree(path)
    return times[1:]


def run_times(*arguments: str) -> list[float]:
    """Return the times of runs of one empty test in fresh processes."""
    times = []
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_empty.py").write_text("def test_empty(): pass\n")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
        for _ in range(RUNS + 1):
            start = time.perf_counter()
            subprocess.run(command, cwd=folder, env=environment(), capture_output=True, check=True)
            times.append((time.perf_counter() - start) * 1e3)
    return times[1:]


def main() -> None:
    """Print the table."""
    rows = {
        "import of the plugin, warm": import_times(warm=True),
        "import of the plugin, cold": import_times(warm=False),
        "whole run without the plugin": run_times(),
        "whole run with the plugin": run_times("-p", "pytest_gradcheck.plugin"),
    }
    print(f"{'ms':32}{'min':>8}{'median':>8}")
    for name, times in rows.items():
        print(f"{name:32}{min(times):8.2f}{statistics.median(times):8.2f}")


if __name__ == "__main__":
    main()
