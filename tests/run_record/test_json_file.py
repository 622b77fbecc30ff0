"""The record as a JSON file: strict, and written whole or not at all."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck.run_record.json_file import (
    RecordError,
    prepare_path,
    read_record,
    write_record,
)
from tests.run_record.builders import a_record, a_test, check


def refuse_constant(name: str) -> None:
    """Fail for NaN, which is no JSON."""
    raise AssertionError(name)


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    """A record without special numbers is the same again."""
    record = a_record(a_test("a", check()), a_test("b \u03b8 \U0001f40d"))
    path = tmp_path / "deep" / "record.json"
    prepare_path(path)
    write_record(record, path)
    assert read_record(path) == record
    assert [p.name for p in path.parent.iterdir()] == ["record.json"]


def test_numbers_that_json_lacks_are_written_as_names(tmp_path: Path) -> None:
    """The file is strict JSON, and `float` reads the names."""
    values = [float("nan"), float("inf"), -float("inf"), 1.5]
    path = tmp_path / "record.json"
    write_record(a_record(a_test("a", check(worst=values))), path)
    text = path.read_text()
    json.loads(text, parse_constant=refuse_constant)
    found = read_record(path)["tests"][0]["checks"][0]["worst"]
    assert found == ["NaN", "Infinity", "-Infinity", 1.5]
    assert [str(float(value)) for value in found] == ["nan", "inf", "-inf", "1.5"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.float32(1.0), r"tests\[0\]\['extra'\]\['x'\] is of the class float32"),
        ({1: 2}, r"tests\[0\]\['extra'\]\['x'\] has a key that is no str but int"),
    ],
)
def test_what_json_lacks_is_refused(tmp_path: Path, value: Any, message: str) -> None:
    """The message says where it is; the file is unchanged, and nothing is left beside it."""
    path = tmp_path / "record.json"
    path.write_text("before")
    record = a_record(a_test("a", extra={"nan": float("nan"), "x": value}))
    with pytest.raises(RecordError, match=message):
        write_record(record, path)
    assert path.read_text() == "before"
    assert [p.name for p in tmp_path.iterdir()] == ["record.json"]


def test_a_full_disk_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full when the data are flushed."""

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    path = tmp_path / "record.json"
    path.write_text("before")
    with pytest.raises(OSError, match="No space left"):
        write_record(a_record(), path)
    assert path.read_text() == "before"
    assert [p.name for p in tmp_path.iterdir()] == ["record.json"]


@pytest.mark.skipif(sys.platform == "win32", reason="no such devices")
def test_a_device_is_written_to_and_not_replaced() -> None:
    """Its place in the directory is not taken by a file."""
    null = Path("/dev/null")
    prepare_path(null)
    write_record(a_record(), null)
    assert null.is_char_device()


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """The file that it points to is replaced."""
    target, link = tmp_path / "target.json", tmp_path / "link.json"
    target.write_text("before")
    link.symlink_to(target)
    write_record(a_record(), link)
    assert link.is_symlink()
    assert read_record(target) == a_record()


@pytest.mark.parametrize("place", ["", "file/record.json"])
def test_a_path_that_cannot_be_written_is_refused_at_once(tmp_path: Path, place: str) -> None:
    """A directory, and a path below a file."""
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"directory|exists"):
        prepare_path(tmp_path / place)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not a JSON file"),
        ("[]", "is not a record of gradient checks"),
        ('{"schema_version": true}', "is not a record of gradient checks"),
        (
            '{"schema_version": 2, "runs": [], "tests": "all"}',
            "is not a record of gradient checks",
        ),
        ('{"schema_version": 2, "runs": [1], "tests": []}', "is not a record of gradient checks"),
        ('{"schema_version": 99, "runs": [], "tests": []}', "has version 99 of the schema"),
        ("\xff", "is not a JSON file"),
    ],
)
def test_another_file_is_refused(tmp_path: Path, content: str, message: str) -> None:
    """The message says what it is."""
    path = tmp_path / "record.json"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(RecordError, match=message):
        read_record(path)
