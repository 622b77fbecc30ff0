"""The schema of a record is what the types in the code say."""

import jsonschema

from tests.docs.test_architecture import ROOT, load

record_schema = load(ROOT / "docs/record_schema.py")


def test_schema_is_what_the_command_writes() -> None:
    """Otherwise run ``python docs/record_schema.py``, and see there for the version."""
    assert record_schema.SCHEMA.read_text(encoding="utf-8") == record_schema.schema()


def test_schema_is_a_schema() -> None:
    """It is valid in the version that it names."""
    import json

    schema = json.loads(record_schema.schema())
    jsonschema.Draft202012Validator.check_schema(schema)


def test_every_version_has_its_line_in_the_docs() -> None:
    """The reference says what changed."""
    page = (ROOT / "docs/reference/record.md").read_text(encoding="utf-8")
    versions = range(1, record_schema.SCHEMA_VERSION + 1)
    assert [v for v in versions if f"\n- **{v}**" not in page] == []
