"""Pages in Chinese follow the English ones."""

import re

import pytest

from tests.checkout import ROOT

PAIRS = [("README.md", "README.zh.md"), ("docs/tutorial/course.md", "docs/tutorial/course.zh.md")]

pytestmark = pytest.mark.parametrize(("english", "chinese"), PAIRS)


def text(name: str) -> str:
    """Return the text of a page."""
    return (ROOT / name).read_text(encoding="utf-8")


def test_code_is_the_same(english: str, chinese: str) -> None:
    """Every block, with what its comment says, and every formula that stands alone."""
    parts = re.compile(r"(?:<!-- [^\n]* -->\n)?```.*?^```$|\$\$.*?\$\$", re.DOTALL | re.MULTILINE)
    assert parts.findall(text(chinese)) == parts.findall(text(english))


def test_sections_are_the_same(english: str, chinese: str) -> None:
    """A section that is new in English is missed in Chinese."""
    headings = re.compile(r"^#+ ", re.MULTILINE)
    assert headings.findall(text(chinese)) == headings.findall(text(english))


def test_pages_lead_to_each_other(english: str, chinese: str) -> None:
    """Beneath their titles."""
    for name, other in [(english, chinese), (chinese, english)]:
        beginning = "\n".join(text(name).splitlines()[:4])
        assert f"({other.rpartition('/')[2]})" in beginning
