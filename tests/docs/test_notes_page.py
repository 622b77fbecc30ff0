"""The reference page of the notes, its examples, and those of the hooks."""

import inspect
import re

import pytest

from pytest_gradcheck import Note, hookspec
from tests.checkout import ROOT

PAGE = (ROOT / "docs/reference/refusals.md").read_text("utf-8")
EXAMPLES = (ROOT / "docs/examples/test_notes.py").read_text("utf-8")

KINDS = re.findall(r'``"(\w+)"``', inspect.getdoc(Note) or "")

#: Notes on bugs of the package have no example.
ON_BUGS = {"undrawn", "unlocated"}


@pytest.mark.parametrize("kind", KINDS)
def test_every_note_has_a_row_and_an_example(kind: str) -> None:
    """The example is a check whose report has the note."""
    assert re.search(rf"^\| (`\w+`, )?`{kind}`", PAGE, re.MULTILINE)
    assert kind in ON_BUGS or f"def test_{kind}()" in EXAMPLES


def test_page_has_no_other_note() -> None:
    """A kind that is no more has no row."""
    notes = PAGE.partition("## Notes on the check")[2]
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", notes, re.MULTILINE)
    assert {kind for row in rows for kind in re.findall(r"\w+", row)} == set(KINDS)


@pytest.mark.parametrize("hook", [name for name in vars(hookspec) if name.startswith("pytest_")])
def test_every_hook_has_an_example(hook: str) -> None:
    """On the page of the hooks, which an example file or a block shows."""
    assert f"def {hook}(" in (ROOT / "docs/reference/hooks.md").read_text("utf-8")
