"""The statements of source files."""

import linecache
from pathlib import Path

from pytest_gradcheck.fault_localization.statements import statements_of


def test_statements_of_an_unchanged_file_are_kept(tmp_path: Path) -> None:
    """The second failing check of a file does not parse it again; an edit shows."""
    path = tmp_path / "suite.py"
    path.write_text("a = 1\n")
    first = statements_of(str(path))
    assert statements_of(str(path)) is first
    path.write_text("a = 1\nb = a\n")
    linecache.checkcache(str(path))
    assert list(statements_of(str(path))) == [1, 2]
