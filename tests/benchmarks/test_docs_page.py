"""Sections of pages of the docs, and Markdown tables."""

from pathlib import Path

import pytest

from tests.benchmarks.docs_page import markdown_table, replace_section

PAGE = """\
# Title

<!-- mistakes -->
one

two
<!-- end -->

<!-- rivals -->
three
<!-- end -->
"""


def test_columns_are_aligned() -> None:
    """A table is readable as plain text."""
    assert list(markdown_table(["a", "bc"], [["def", "g"]])) == [
        "| a   | bc |",
        "| --- | -- |",
        "| def | g  |",
    ]


def test_one_section_of_the_page_is_replaced(tmp_path: Path) -> None:
    """Other sections and the text around them stay."""
    page = tmp_path / "page.md"
    page.write_text(PAGE, encoding="utf-8")
    replace_section(page, "mistakes", ["four"])
    assert page.read_text(encoding="utf-8") == PAGE.replace("one\n\ntwo", "four")


def test_a_section_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """A misspelt name must not be ignored."""
    page = tmp_path / "page.md"
    page.write_text(PAGE, encoding="utf-8")
    with pytest.raises(ValueError, match="has 0 sections called mistake"):
        replace_section(page, "mistake", ["four"])
