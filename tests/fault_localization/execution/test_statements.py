"""The statements of a file."""

from __future__ import annotations

import linecache
from collections.abc import Mapping
from pathlib import Path

import pytest

from pytest_gradcheck.fault_localization.execution.statements import (
    Statement,
    location_of,
    relative,
    statements_of,
)

SOURCE = """\
def f(x, cache):
    y = cache["W"][0] @ x.T
    y[1:] += 2 * x
    for k in range(3):
        z = (
            y
            + x
        )
    alias = y
    return {"a": y, "b": z}
"""


@pytest.fixture
def by_line(tmp_path: Path) -> Mapping[int, Statement]:
    """Return the statements of the source by each of their lines."""
    path = tmp_path / "source.py"
    path.write_text(SOURCE)
    return statements_of(str(path))


def chains(statement: Statement) -> set[tuple[str, int]]:
    """Return the names that a statement reads, with the number of accessors of each."""
    return {(chain.name, len(chain.accessors)) for chain in statement.reads}


def test_chains_lead_to_what_is_read(by_line: Mapping[int, Statement]) -> None:
    """Attributes and subscripts belong to the variable that they begin with."""
    assert chains(by_line[2]) == {("cache", 2), ("x", 1)}
    assert by_line[2].binds == {"y"}


def test_augmented_assignment_reads_and_changes_its_target(
    by_line: Mapping[int, Statement],
) -> None:
    """It changes the array, and binds no variable."""
    assert ("y", 1) in chains(by_line[3])
    assert [chain.name for chain in by_line[3].changes] == ["y"]
    assert not by_line[3].binds


def test_statement_over_several_lines_is_one(by_line: Mapping[int, Statement]) -> None:
    """Each of its lines leads to it."""
    assert by_line[5] is by_line[8]
    assert (by_line[5].first_line, by_line[5].last_line) == (5, 8)


def test_loop_is_its_header(by_line: Mapping[int, Statement]) -> None:
    """What is in a loop are statements of their own."""
    assert by_line[4].is_header
    assert by_line[4].last_line == 4


def test_another_name_is_an_alias(by_line: Mapping[int, Statement]) -> None:
    """A variable is bound to the value of another one."""
    assert by_line[9].is_alias
    assert not by_line[2].is_alias


def test_elements_that_are_written_out_have_reads_of_their_own(
    by_line: Mapping[int, Statement],
) -> None:
    """What is returned under a key is read for that key only."""
    elements = by_line[10].elements
    assert {key: {chain.name for chain in read} for key, read in elements.items()} == {
        "a": {"y"},
        "b": {"z"},
    }


def test_file_without_source_has_no_statements() -> None:
    """As code that was not read from a file."""
    assert statements_of("<string>") == {}


def test_code_of_the_command_line_is_not_that_of_other_strings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Python 3.13 keeps the source of ``python -c`` under the name that all of them have."""
    source = "x = 1\n"
    monkeypatch.setitem(linecache.cache, "<string>", (len(source), None, [source], "<string>"))
    assert statements_of("<string>") == {}


def test_location_spans_statements(by_line: Mapping[int, Statement], tmp_path: Path) -> None:
    """Its file is relative to the root, and its source dedented."""
    location = location_of([by_line[2], by_line[3]], tmp_path)
    assert (location.file, location.first_line, location.last_line) == ("source.py", 2, 3)
    assert location.source.splitlines()[1] == "y[1:] += 2 * x"


def test_file_outside_of_the_root_keeps_its_path(tmp_path: Path) -> None:
    """It is not made relative."""
    assert relative("/elsewhere/f.py", tmp_path) == "/elsewhere/f.py"


def test_statements_of_an_unchanged_file_are_kept(tmp_path: Path) -> None:
    """The second failing check of a file does not parse it again; an edit shows."""
    path = tmp_path / "suite.py"
    path.write_text("a = 1\n")
    first = statements_of(str(path))
    assert statements_of(str(path)) is first
    path.write_text("a = 1\nb = a\n")
    linecache.checkcache(str(path))
    assert list(statements_of(str(path))) == [1, 2]
