"""Run a suite in a process of its own, and say what is wrong with how it ends."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.robustness.case import Fault, Suite

__all__ = ["suite_faults"]

PYTEST = (sys.executable, "-m", "pytest", "-c", "pytest.ini", "-p", "pytest_gradcheck.plugin")

#: No other plugins than ours are loaded, which takes a second less.
ALONE = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}

#: Seconds that a suite may take.
LIMIT = 50.0


def suite_faults(suite: Suite) -> dict[Fault, str]:
    """Return each fault with its explanation."""
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        files = {"test_suite.py": suite.text, "pytest.ini": "[pytest]\n"} | suite.files
        for name, text in files.items():
            (root / name).write_text(text, encoding="utf-8")
        plugins = ("-p", "xdist.plugin") if "-n1" in suite.options else ()
        try:
            run = subprocess.run(  # noqa: S603 - our own command
                [*PYTEST, *plugins, *suite.options],
                cwd=root,
                env=os.environ | ALONE | suite.environment,
                capture_output=True,
                timeout=LIMIT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return {"hang": f"the suite took more than {LIMIT:.0f} s"}
    output = (run.stdout + run.stderr).decode("utf-8", "surrogateescape")
    if "INTERNALERROR" in output:
        line = next(line for line in output.splitlines()[::-1] if "INTERNALERROR" in line)
        return {"internal traceback": line}
    lines = run.stdout.decode("utf-8", "replace").splitlines() or [""]
    counts = re.findall(r"(\d+) (passed|failed|errors?|skipped|xfailed)", lines[-1])
    ended = {word: int(number) for number, word in counts}
    if not ended and suite.outcomes:
        return {"internal traceback": output[-300:]}
    if ended != suite.outcomes:
        return {"wrong verdict": f"{ended} instead of {suite.outcomes}"}
    said = [f"does not show {p!r}" for p in suite.shows if not re.search(p, output)]
    said += [f"shows {p!r}" for p in suite.hides if re.search(p, output)]
    faults: dict[Fault, str] = {"misleading": ", ".join(said)}
    return faults if said else {}
