"""The recipe for conda says the same as the metadata of the package."""

from __future__ import annotations

import tomllib

from tests.checkout import ROOT, load_yaml

RECIPE = load_yaml(ROOT / "recipe/recipe.yaml")
METADATA = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def conda_name(requirement: str) -> str:
    """Return a requirement of pip as conda writes it."""
    return requirement.replace(">=", " >=")


def test_requirements() -> None:
    """What the package is built with, and what it needs at run time."""
    project, needed = METADATA["project"], RECIPE["requirements"]
    assert needed["run"][1:] == [conda_name(text) for text in project["dependencies"]]
    assert needed["host"][2:] == [
        conda_name(text) for text in METADATA["build-system"]["requires"]
    ]
    assert f">={RECIPE['context']['python_min']}" == project["requires-python"]


def test_description() -> None:
    """The licence and the summary."""
    project, about = METADATA["project"], RECIPE["about"]
    assert (about["license"], about["summary"]) == (project["license"], project["description"])
