"""Files that other tools read are valid against the schemas that are published for them."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

from tests.checkout import ROOT, load_yaml

#: Each file with the name of its schema.
FILES = (
    (ROOT / ".github/dependabot.yml", "dependabot"),
    (ROOT / ".github/workflows/ci.yml", "github-workflows"),
    (ROOT / ".github/workflows/publish.yml", "github-workflows"),
    (ROOT / ".readthedocs.yaml", "readthedocs"),
    (ROOT / "CITATION.cff", "citation-file-format"),
    (ROOT / "docs/examples/ci/github.yml", "github-workflows"),
    (ROOT / "docs/examples/ci/gitlab.yml", "gitlab-ci"),
)


@pytest.mark.parametrize(("path", "name"), FILES, ids=lambda value: getattr(value, "name", value))
def test_files_are_valid(path: Path, name: str) -> None:
    """Against the schema that is published for them."""
    vendored = resources.files("check_jsonschema") / "builtin_schemas/vendor" / f"{name}.json"
    schema = json.loads(vendored.read_text("utf-8"))
    jsonschema.validators.validator_for(schema)(schema).validate(load_yaml(path))
