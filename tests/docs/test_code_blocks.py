"""The code in the pages is that of the files that they show."""

from pathlib import Path

import pytest

from tests.checkout import ROOT, load_script

EXAMPLES = ROOT / "docs/examples"
code_blocks = load_script(ROOT / "docs/code_blocks.py")

CODE = "import numpy\n\n\ndef f(x):\n    return x\n\n\ndef g(x):\n    return 1\n"


def relative(path: Path) -> str:
    """Return the name of a file in the checkout."""
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", code_blocks.pages(), ids=relative)
def test_blocks_are_what_the_command_writes(page: Path) -> None:
    """Otherwise run ``python docs/code_blocks.py``."""
    assert code_blocks.filled(page) == page.read_text(encoding="utf-8")


@pytest.mark.parametrize("page", code_blocks.pages(), ids=relative)
def test_blocks_are_plain_markdown(page: Path) -> None:
    """What only Sphinx reads is in comments: a host would show a directive as text."""
    shown, is_comment = [], False
    for line in page.read_text(encoding="utf-8").splitlines():
        is_comment = line == "<!-- sphinx" or (is_comment and line != "-->")
        if line.startswith(("```{", ":::")) and not is_comment:
            shown.append(line)
    assert shown == []


def test_every_example_is_on_a_page() -> None:
    """What no page shows, no reader finds."""
    shown = set[Path]().union(*(code_blocks.files_shown(page) for page in code_blocks.pages()))
    patterns = ("*.py", "styles/*.py", "migrating/*.py", "packages/*.py", "ci/*")
    files = {file for pattern in patterns for file in EXAMPLES.glob(pattern)}
    assert sorted(relative(file) for file in files - shown) == []


def test_every_style_has_a_card() -> None:
    """On the page where readers look for their own code."""
    styles = set((EXAMPLES / "styles").glob("*.py"))
    assert styles <= code_blocks.files_shown(ROOT / "docs/start.md")


def test_part_of_a_file() -> None:
    """It begins with the first text, and ends before the next line with the second."""
    assert code_blocks.excerpt(CODE, "def f", "def") == "def f(x):\n    return x"
    assert code_blocks.excerpt(CODE, "def g", None) == "def g(x):\n    return 1"


def test_lines_of_a_file() -> None:
    """Each without its indentation."""
    assert code_blocks.selection(CODE, ["def g", "return x"]) == "def g(x):\nreturn x"


def test_text_that_is_not_there_is_an_error() -> None:
    """A block does not become empty when its file changes."""
    with pytest.raises(ValueError, match="no line has 'def h'"):
        code_blocks.excerpt(CODE, "def h", None)
