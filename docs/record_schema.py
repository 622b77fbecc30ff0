"""Write the JSON Schema of a record from the types in the code.

``python docs/record_schema.py`` writes ``pytest_gradcheck/run_record/schema.json``. A test
compares them. The types and descriptions are those of `Record`, `Report` and the classes that
they hold. A change raises ``SCHEMA_VERSION`` and has a line in ``docs/reference/record.md``.
"""

import dataclasses
import inspect
import json
import re
import types
from collections.abc import Mapping
from pathlib import Path
from typing import (
    Any,
    Literal,
    NotRequired,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from pytest_gradcheck.report.report import Report
from pytest_gradcheck.run_record.record import SCHEMA_VERSION, Record

SCHEMA = Path(__file__).parents[1] / "pytest_gradcheck/run_record/schema.json"

#: A number; JSON lacks three of them.
NUMBER = {"anyOf": [{"type": "number"}, {"enum": ["NaN", "Infinity", "-Infinity"]}]}

SIMPLE = {str: "string", int: "integer", bool: "boolean", type(None): "null"}

#: Data of the suite.
FREE = (Any, object, dict[str, Any])


class Definitions:
    """The definitions of classes, each written when it is first needed."""

    def __init__(self) -> None:
        self.found: dict[str, Any] = {"number": NUMBER}

    def of(self, kind: Any) -> dict[str, Any]:
        """Return the schema of a type."""
        if kind in SIMPLE:
            return {"type": SIMPLE[kind]}
        if kind in FREE:
            return {"type": "object"} if kind == dict[str, Any] else {}
        if kind is float:
            return {"$ref": "#/$defs/number"}
        return self._reference(kind) if get_origin(kind) is None else self._generic(kind)

    def _generic(self, kind: Any) -> dict[str, Any]:
        origin, arguments = get_origin(kind), get_args(kind)
        if origin is NotRequired:
            return self.of(arguments[0])
        if origin is Literal:
            return {"enum": list(arguments)}
        if origin in {Union, types.UnionType}:
            return {"anyOf": [self.of(argument) for argument in arguments]}
        if origin in {dict, Mapping}:
            return {"type": "object", "additionalProperties": self.of(arguments[1])}
        return self._array(arguments)

    def _array(self, arguments: tuple[Any, ...]) -> dict[str, Any]:
        if len(arguments) == 1 or arguments[1] is Ellipsis:
            return {"type": "array", "items": self.of(arguments[0])}
        items = [self.of(argument) for argument in arguments]
        return {"type": "array", "prefixItems": items, "items": False, "minItems": len(items)}

    def _reference(self, kind: type) -> dict[str, Any]:
        name = kind.__name__
        if name not in self.found:
            self.found[name] = {}
            self.found[name] = self.object(kind)
        return {"$ref": f"#/$defs/{name}"}

    def object(self, kind: type) -> dict[str, Any]:
        """Return the schema of a dataclass or of a typed dict."""
        hints = get_type_hints(kind, include_extras=True)
        if dataclasses.is_dataclass(kind):
            names = [field.name for field in dataclasses.fields(kind)]
        else:
            names = list(hints)
        described = descriptions(kind)
        properties = {
            name: described.get(name, {}) | self._property(kind, name, hints[name])
            for name in names
        }
        optional = {name for name in names if get_origin(hints[name]) is NotRequired}
        return {
            "type": "object",
            "properties": properties,
            "required": [name for name in names if name not in optional],
            "additionalProperties": False,
        }

    def _property(self, kind: type, name: str, hint: Any) -> dict[str, Any]:
        if is_typeddict(kind) and name == "checks":
            return {"type": "array", "items": self._reference(Report)}
        return self.of(hint)


def descriptions(kind: type) -> dict[str, dict[str, str]]:
    """Return the descriptions of the attributes in a docstring."""
    text = inspect.getdoc(kind) or ""
    section = text.partition("Attributes\n----------\n")[2]
    section = re.split(r"\n\n\w+\n-{3,}\n", section)[0]
    found = {}
    for heading, body in re.findall(r"^(\S.*?) : .*\n((?:(?: .*)?\n?)+)", section, re.MULTILINE):
        for name in heading.split(", "):
            found[name] = {"description": " ".join(body.split()).replace("`", "")}
    return found


def schema() -> str:
    """Return the schema as text."""
    definitions = Definitions()
    record = definitions.object(Record)
    record["properties"]["schema_version"] = {"const": SCHEMA_VERSION}
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:pytest-gradcheck:record:{SCHEMA_VERSION}",
        "title": "Record of gradient checks",
        **record,
        "$defs": dict(sorted(definitions.found.items())),
    }
    return json.dumps(whole, indent=2) + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(schema(), encoding="utf-8")
