"""The relative links in the pages, as a host of code reads them and as Sphinx does."""

import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.checkout import ROOT, load_script

SITE = ROOT / "docs"
PAGES = load_script(SITE / "code_blocks.py").pages()

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_FENCED = re.compile(r"^ *```.*?^ *```", re.DOTALL | re.MULTILINE)
_SPAN = re.compile(r"`[^`]*`")
_LINK = re.compile(r"\[((?:[^]\[]|\[[^]]*\])*)\]\(([^)\s]+)\)")


def relative(path: Path) -> str:
    """Return the name of a file in the checkout."""
    return path.relative_to(ROOT).as_posix()


def prose(page: Path) -> str:
    """Return the text of a page without its comments and code, and without brackets in that."""
    text = _COMMENT.sub("", _FENCED.sub("", page.read_text(encoding="utf-8")))
    return _SPAN.sub(lambda span: re.sub(r"[][()]", "", span[0]), text)


def links(page: Path) -> Iterator[tuple[str, str]]:
    """Yield the text and the target of each link without a scheme."""
    for text, target in _LINK.findall(prose(page)):
        if not re.match(r"[a-z]+:", target):
            yield text, target


def target_of(page: Path, link: str) -> tuple[Path, str]:
    """Return the file and the anchor that a link of a page leads to."""
    path, _, anchor = link.partition("#")
    return ((page.parent / path).resolve() if path else page), anchor


def anchors(page: Path) -> set[str]:
    """Return the anchors of the headings of a page, as GitHub and MyST make them."""
    found = set[str]()
    for heading in re.findall(r"^#{1,3} (.+)$", prose(page), re.MULTILINE):
        plain = _LINK.sub(r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        found.add(next(s for k in count() if (s := f"{slug}-{k}" if k else slug) not in found))
    return found


def broken(page: Path) -> Iterator[str]:
    """Yield each link of a page that leads nowhere, or has no text to be seen."""
    for text, link in links(page):
        file, anchor = target_of(page, link)
        is_there = file.is_file() and (not anchor or anchor in anchors(file))
        if not (text and is_there and file.is_relative_to(ROOT)):
            yield link


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_links_lead_somewhere(page: Path) -> None:
    """To a file of the checkout, and to one of its headings."""
    assert list(broken(page)) == []


def test_links_of_the_site_lead_to_its_pages() -> None:
    """A page of the checkout that is not in the site would be downloaded, not opened."""
    leaving = [
        (relative(page), link)
        for page in PAGES
        if page.is_relative_to(SITE)
        for _, link in links(page)
        if (file := target_of(page, link)[0]).suffix == ".md" and not file.is_relative_to(SITE)
    ]
    assert leaving == []


def test_every_page_is_reached_from_the_first_one() -> None:
    """A reader of a host of code has no other list of the pages."""
    reached, new = set[Path](), {ROOT / "README.md"}
    while new:
        reached |= new
        files = {target_of(page, link)[0] for page in new for _, link in links(page)}
        new = {file for file in files if file.suffix == ".md"} - reached
    site = [page for page in PAGES if page.is_relative_to(SITE)]
    assert [relative(page) for page in site if page not in reached] == []


def test_a_link_to_nowhere_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its file, its anchor or its missing text."""
    monkeypatch.setattr("tests.docs.test_links.ROOT", tmp_path)
    page = tmp_path / "page.md"
    page.write_text("# A `title`\n[a](no.md) [b](#a-title) [c](#b) [](page.md) [d](page.md)\n")
    assert list(broken(page)) == ["no.md", "#b", "page.md"]
