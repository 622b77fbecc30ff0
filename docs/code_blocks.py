"""Fill the code blocks of the pages with the files that they show.

A comment before a block names the file, relative to the page. Where the block is a part of the
file, it goes from the first line with one text to the line before the next one with another, or it
has some lines only, the first one with each of the texts:

    <!-- code: ../examples/test_course.py from "def loss" to "def test" -->
    <!-- code: ../examples/test_course.py lines "def loss" "gradcheck(" -->

``python docs/code_blocks.py`` writes the blocks, and a test compares them. So the pages can be
read as plain Markdown where no Sphinx includes files.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]

#: Languages of blocks, by the ending of the file.
LANGUAGES = {".py": "python", ".txt": "text", ".yml": "yaml"}

_BLOCK = re.compile(
    r'( *<!-- code: (?P<file>\S+)(?: from "(?P<start>[^"\n]+)")?(?: to "(?P<end>[^"\n]+)")?'
    r'(?: lines (?P<lines>"[^\n]+"))? -->\n)(?P<indent> *)```.*?\n *```$',
    re.DOTALL | re.MULTILINE,
)


def pages() -> list[Path]:
    """Return the pages in Markdown, those of the site and the ones at the top of the checkout."""
    site = (path for path in (ROOT / "docs").rglob("*.md") if "_build" not in path.parts)
    return sorted([*ROOT.glob("*.md"), *site])


def files_shown(page: Path) -> set[Path]:
    """Return the files of which a page shows all or a part."""
    text = page.read_text(encoding="utf-8")
    return {(page.parent / block["file"]).resolve() for block in _BLOCK.finditer(text)}


def filled(page: Path) -> str:
    """Return the text of a page with today's code in its blocks."""

    def block(match: re.Match[str]) -> str:
        file = page.parent / match["file"]
        code = file.read_text(encoding="utf-8")
        if match["lines"] is not None:
            code = selection(code, match["lines"].strip('"').split('" "'))
        else:
            code = excerpt(code, match["start"], match["end"])
        fenced = f"```{LANGUAGES[file.suffix]}\n{code}\n```"
        return match[1] + textwrap.indent(fenced, match["indent"])

    return _BLOCK.sub(block, page.read_text(encoding="utf-8"))


def excerpt(code: str, start: str | None, end: str | None) -> str:
    """Return the lines from the first one with `start` to the one before the next with `end`.

    Raises
    ------
    ValueError
        When no line has one of the texts.
    """
    lines = code.splitlines()
    first = 0 if start is None else _line_with(start, lines)
    last = len(lines) if end is None else first + 1 + _line_with(end, lines[first + 1 :])
    return "\n".join(lines[first:last]).strip("\n")


def selection(code: str, texts: Iterable[str]) -> str:
    """Return the first line with each of the `texts`, without its indentation."""
    lines = code.splitlines()
    return "\n".join(lines[_line_with(text, lines)].strip() for text in texts)


def _line_with(text: str, lines: list[str]) -> int:
    for k, line in enumerate(lines):
        if text in line:
            return k
    raise ValueError(f"no line has {text!r}")


if __name__ == "__main__":
    for page in pages():
        page.write_text(filled(page), encoding="utf-8")
