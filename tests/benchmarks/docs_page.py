"""Sections of the documentation that benchmarks write: Markdown tables and package versions.

A benchmark replaces the text between two marks of a page and keeps everything else. This module
does not know what the tables hold.
"""

from __future__ import annotations

import platform
import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

__all__ = ["WIDTH", "filled", "markdown_table", "replace_section", "version_line"]

#: Columns of a line of prose.
WIDTH = 99


def markdown_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    r"""Yield the lines of a Markdown table whose columns are aligned.

    Examples
    --------
    >>> print(*markdown_table(["tool", "ms"], [["scipy", "0.1"]]), sep="\n")
    | tool  | ms  |
    | ----- | --- |
    | scipy | 0.1 |
    """
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    for cells in (headings, ["-" * width for width in widths], *rows):
        padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        yield f"| {' | '.join(padded)} |"


def replace_section(page: Path, name: str, lines: Iterable[str]) -> None:
    """Write `lines` between the marks ``<!-- name -->`` and ``<!-- end -->`` of a page.

    Raises
    ------
    ValueError
        When the page does not have exactly one section of this name.
    """
    section = re.compile(rf"(?<=<!-- {name} -->\n).*?(?=\n<!-- end -->)", re.DOTALL)
    text, count = section.subn(lambda _: "\n".join(lines), page.read_text(encoding="utf-8"))
    if count != 1:
        raise ValueError(f"{page} has {count} sections called {name}")
    page.write_text(text, encoding="utf-8")


def version_line(packages: Iterable[str]) -> str:
    """Return the versions of Python and of `packages` as one sentence, wrapped."""
    named = [f"{package} {version(package)}" for package in dict.fromkeys(packages)]
    return filled(f"{', '.join([f'Python {platform.python_version()}', *named])}.")


def filled(text: str) -> str:
    """Return a paragraph wrapped to `WIDTH` columns."""
    return textwrap.fill(text, WIDTH)
