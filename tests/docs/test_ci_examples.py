"""The workflows in the docs: with options that exist and the rights that they need."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_gradcheck.plugin import GATES, OPTIONS, OUTPUTS
from pytest_gradcheck.run_record.baseline import baseline_lines
from tests.checkout import ROOT, load_yaml

EXAMPLES = ROOT / "docs/examples/ci"

#: The plugin alone is loaded, which is faster.
ALONE = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "-p gradcheck"}

SETTINGS = "[tool.pytest.ini_options]\ngradcheck_rtol = '{}'\n"
SUITE = "def test_it(gradcheck): gradcheck(lambda x: x * x, lambda x: 2.02 * x, 1.0)\n"


@pytest.mark.parametrize("name", ["github.yml", "gitlab.yml"])
def test_their_options_exist(name: str) -> None:
    """Each is one of the command line."""
    used = set(re.findall(r"--gradcheck-([\w-]+)", (EXAMPLES / name).read_text("utf-8")))
    known = {option.replace("_", "-") for option, _, _ in (*OPTIONS, *GATES, *OUTPUTS)}
    assert used
    assert used - known == set()


def test_the_job_that_runs_foreign_code_may_only_read() -> None:
    """It has no other right and no credentials, and the job with rights checks out nothing."""
    workflow = load_yaml(EXAMPLES / "github.yml")
    assert set(workflow["on"]) == {"pull_request"}
    assert workflow["permissions"] == {}
    check, report = workflow["jobs"]["check"], workflow["jobs"]["report"]
    assert check["permissions"] == {"contents": "read"}
    assert check["steps"][0]["with"]["persist-credentials"] is False
    assert not [step for step in report["steps"] if "checkout" in step.get("uses", "")]
    assert "secrets." not in (EXAMPLES / "github.yml").read_text("utf-8")


def commands(name: str) -> list[str]:
    """Return the commands of an example that put the settings back, and that run pytest."""
    if name == "gitlab.yml":
        script: list[str] = load_yaml(EXAMPLES / name)["gradients"]["script"]
        return script
    steps = load_yaml(EXAMPLES / name)["jobs"]["check"]["steps"]
    return [step["run"] for step in steps if step.get("name")]


@pytest.mark.skipif(not (shutil.which("git") and shutil.which("bash")), reason="no git or bash")
@pytest.mark.parametrize("name", ["github.yml", "gitlab.yml"])
def test_settings_of_a_pull_request_do_not_count(name: str, tmp_path: Path) -> None:
    """A change that allows large errors fails all the same, and leaves a record and a page."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    names = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a",
             "GIT_COMMITTER_EMAIL": "a@b"}  # fmt: skip
    environment = os.environ | {"PATH": path} | ALONE | names

    def run(command: str, **more: str) -> int:
        arguments = ["bash", "-c", command]
        return subprocess.run(  # noqa: S603  # our own
            arguments, cwd=tmp_path, env=environment | more, capture_output=True, check=False
        ).returncode

    (tmp_path / "pyproject.toml").write_text(SETTINGS.format("1e-6"))
    (tmp_path / "gradcheck-baseline.json").write_text("".join(baseline_lines([])))
    (tmp_path / "test_it.py").write_text(SUITE)
    assert run("git init -q && git add -A && git commit -qm base && git tag base") == 0
    (tmp_path / "pyproject.toml").write_text(SETTINGS.format("0.5"))
    assert run("git add -A && git commit -qm loosened") == 0
    restore, check = commands(name)
    assert run(restore, BASE="base") == 0
    assert run(check) == pytest.ExitCode.TESTS_FAILED
    assert {"gradcheck.json", "gradcheck.html"} <= {path.name for path in tmp_path.iterdir()}
