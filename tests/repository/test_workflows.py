"""The workflows of the repository: what they run, and with which rights."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest

from tests.checkout import ROOT, load_yaml

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))

#: A commit, with its version for the reader.
PINNED = re.compile(r"[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def jobs(name: str) -> dict[str, Any]:
    """Return the jobs of a workflow."""
    found: dict[str, Any] = load_yaml(ROOT / ".github/workflows" / name)["jobs"]
    return found


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_each_action_is_a_commit(path: Any) -> None:
    """A tag can be moved to other code; a commit cannot."""
    used = re.findall(r"uses: (.*)", path.read_text("utf-8"))
    assert used
    assert [action for action in used if not PINNED.fullmatch(action)] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_code_of_the_repository_may_only_read(path: Any) -> None:
    """A job that checks it out has no other right and no credentials; others run no commands."""
    workflow = load_yaml(path)
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        checkouts = [step for step in job["steps"] if "actions/checkout@" in step.get("uses", "")]
        runs = [step for step in job["steps"] if "run" in step]
        assert bool(checkouts) == bool(runs)
        assert not checkouts or job["permissions"] == {"contents": "read"}
        assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_what_is_published_was_built_and_attested() -> None:
    """The jobs follow each other, and only the last one is in the environment that PyPI trusts."""
    build, attest, publish = jobs("publish.yml").values()
    assert (attest["needs"], publish["needs"]) == ("build", "attest")
    assert ["environment" in job for job in (build, attest, publish)] == [False, False, True]
    assert "secrets." not in (ROOT / ".github/workflows/publish.yml").read_text("utf-8")


def test_ci_runs_on_each_supported_python() -> None:
    """Those of the classifiers are those of nox and of CI."""
    classifiers = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"][
        "classifiers"
    ]
    pythons = [name.split()[-1] for name in classifiers if re.search(r"Python :: 3\.\d+$", name)]
    assert jobs("ci.yml")["tests"]["strategy"]["matrix"]["python"] == pythons


def test_ci_runs_sessions_of_nox() -> None:
    """Each name in a workflow is a session."""
    ci = jobs("ci.yml")
    used = {*ci["others"]["strategy"]["matrix"]["session"], "tests", "frameworks"}
    defined = set(
        re.findall(r"^def (\w+)\(session", (ROOT / "noxfile.py").read_text("utf-8"), re.MULTILINE)
    )
    assert used - defined == set()
