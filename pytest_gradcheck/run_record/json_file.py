"""The record of a run as a JSON file, which is written whole or not at all.

The JSON is strict (RFC 8259): NaN and infinities, which it lacks, are written as the strings
``"NaN"``, ``"Infinity"`` and ``"-Infinity"``. A record is written to a new file beside the old
one, which then takes its place, so that a reader never sees a part of it: not after an
interrupt or on a full disk, nor if two runs write the same file.
"""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from pytest_gradcheck.run_record.record import SCHEMA_VERSION, Record

__all__ = [
    "RecordError",
    "json_text",
    "listed_lines",
    "named_numbers",
    "prepare_path",
    "read_json",
    "read_record",
    "record_lines",
    "write_record",
    "write_whole",
]


class RecordError(ValueError):
    """A record could not be written, or a file is not a record."""


def prepare_path(path: Path) -> None:
    """Make the directory of a file, and find out whether it can be written.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if _is_replaceable(path):
        with _new_file(path):
            pass


def write_record(record: Record, path: Path) -> None:
    """Write a record to a file.

    Parameters
    ----------
    record : Record
        The record.
    path : Path
        The file. What is there is replaced, except a device or a pipe, which is written to.

    Raises
    ------
    RecordError
        If the record holds something that JSON does not have.
    OSError
        If the file cannot be written; then it is unchanged.
    """
    write_whole(path, record_lines(record))


def write_whole(path: Path, parts: Iterator[str]) -> None:
    """Write a text to a file so that the file has all of it, or what it had before."""
    if not _is_replaceable(path):
        with path.open("w", encoding="utf-8") as file:
            file.writelines(parts)
        return
    with _new_file(path) as (temporary, file):
        file.writelines(parts)
        file.flush()
        os.fsync(file.fileno())
        file.close()
        # A link keeps its place.
        temporary.replace(path.resolve())


def _is_replaceable(path: Path) -> bool:
    return path.is_file() or not path.exists()


@contextlib.contextmanager
def _new_file(path: Path) -> Iterator[tuple[Path, IO[str]]]:
    """Provide a new file beside `path`; it is removed if it is still there at the end."""
    temporary = path.resolve().with_name(f".{uuid.uuid4().hex}.tmp")
    file = temporary.open("x", encoding="utf-8", newline="\n")
    try:
        yield temporary, file
    finally:
        with contextlib.suppress(OSError):  # what could not be written cannot be flushed
            file.close()
        temporary.unlink(missing_ok=True)


def record_lines(record: Record) -> Iterator[str]:
    """Yield the JSON of a record, a line for each run and each test.

    Raises
    ------
    RecordError
        If the record holds something that JSON does not have.
    """
    yield "{\n"
    rest = {key: value for key, value in record.items() if key not in {"runs", "tests"}}
    for key, value in rest.items():
        yield f"{json.dumps(key)}: {json_text(value, key)},\n"
    yield from listed_lines("runs", record["runs"])
    yield ",\n"
    yield from listed_lines("tests", record["tests"])
    yield "\n}\n"


def listed_lines(name: str, items: Iterable[Any]) -> Iterator[str]:
    """Yield a member of a JSON object that is a list, a line for each item."""
    yield f'"{name}": ['
    for k, item in enumerate(items):
        yield ",\n" if k else "\n"
        yield json_text(item, f"{name}[{k}]")
    yield "\n]"


def json_text(value: Any, place: str = "it") -> str:
    """Return a part of a record as strict JSON.

    Parameters
    ----------
    value : object
        Builtins; numbers that JSON lacks become their names.
    place : str, optional
        The accessor of the part, for the error message.

    Raises
    ------
    RecordError
        If it holds something that JSON does not have.
    """
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return json.dumps(named_numbers(value, place), allow_nan=False)


def named_numbers(value: Any, place: str = "it") -> Any:
    """Return a part of a record with the names of numbers that JSON lacks.

    Parameters
    ----------
    value : object
        Builtins.
    place : str, optional
        The accessor of the part, for the error message.

    Raises
    ------
    RecordError
        If it holds something that JSON does not have.
    """
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise RecordError(f"{place} has a key that is no str but {type(key).__name__}")
        return {key: named_numbers(item, f"{place}[{key!r}]") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [named_numbers(item, f"{place}[{k}]") for k, item in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise RecordError(
        f"{place} is of the class {type(value).__name__}, which JSON does not have: put Python "
        "numbers, text, lists and dicts into a record"
    )


def read_record(path: Path) -> Record:
    """Read a record from a file.

    Raises
    ------
    RecordError
        If the file is not a record, or of another version of the schema.
    OSError
        If it cannot be read.
    """
    record: Any = read_json(path)
    version = record.get("schema_version")
    lists = (record.get("runs"), record.get("tests"))
    if not isinstance(version, int) or not all(map(_is_list_of_objects, lists)):
        raise RecordError(f"{path} is not a record of gradient checks")
    if version != SCHEMA_VERSION:
        raise RecordError(
            f"{path} has version {version} of the schema, and this pytest-gradcheck reads version "
            f"{SCHEMA_VERSION}: use the one that wrote it"
        )
    found: Record = record
    return found


def _is_list_of_objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object from a file; empty if the file holds another value.

    Raises
    ------
    RecordError
        If the file is not JSON.
    OSError
        If it cannot be read.
    """
    try:
        content = json.loads(path.read_bytes())
    except ValueError as error:
        raise RecordError(f"{path} is not a JSON file: {error}") from None
    return content if isinstance(content, dict) else {}
