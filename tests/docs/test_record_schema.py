"""The schema of a record is what the types in the code say."""

import json
from typing import Any

import jsonschema

from tests.checkout import ROOT, load_script

record_schema = load_script(ROOT / "docs/record_schema.py")


def without_descriptions(schema: Any) -> Any:
    """Return a schema without the texts that come from docstrings, which may be reworded."""
    if isinstance(schema, list):
        return [without_descriptions(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: item for key, item in schema.items() if not _is_text(key, item)}
    return {key: without_descriptions(item) for key, item in kept.items()}


def _is_text(key: str, item: Any) -> bool:
    return key == "description" and isinstance(item, str)


def test_schema_is_what_the_command_writes() -> None:
    """Otherwise run ``python docs/record_schema.py``, and see there for the version."""
    stored = json.loads(record_schema.SCHEMA.read_text(encoding="utf-8"))
    written = json.loads(record_schema.schema())
    assert without_descriptions(stored) == without_descriptions(written)


def test_schema_is_a_schema() -> None:
    """It is valid in the version that it names."""
    jsonschema.Draft202012Validator.check_schema(json.loads(record_schema.schema()))


def test_every_version_has_its_line_in_the_docs() -> None:
    """The reference says what changed."""
    page = (ROOT / "docs/reference/record.md").read_text(encoding="utf-8")
    versions = range(1, record_schema.SCHEMA_VERSION + 1)
    assert [v for v in versions if f"\n- **{v}**" not in page] == []
