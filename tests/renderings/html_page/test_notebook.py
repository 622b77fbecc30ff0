"""Reports in notebooks: the message and the heat maps."""

from __future__ import annotations

import importlib.util
import xml.etree.ElementTree as ET

import html5lib
import numpy as np
import pytest

from pytest_gradcheck import Report, check_gradient


def a_report(factor: float, name: str = "W") -> Report:
    """Return the report on a matrix."""
    return check_gradient(
        lambda p: np.sum(p[name] ** 2),
        lambda p: {name: factor * p[name]},
        {name: np.arange(1.0, 7.0).reshape(2, 3)},
    )


def parsed(report: Report) -> ET.Element:
    """Return what a notebook shows as a tree."""
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    root: ET.Element = parser.parseFragment(report._repr_html_())
    return root


def test_a_failure_has_its_message_and_its_map() -> None:
    """The picture is described for those who do not see it."""
    report = a_report(3.0)
    root = parsed(report)
    assert root.findtext("pre") == str(report)
    (image,) = root.iter("img")
    assert image.get("alt") == (
        "Heat map of 6 cells, 6 of them wrong or inconclusive: rows 0 to 1, columns 0 to 2."
    )
    assert str(image.get("src")).startswith("data:image/png;base64,")
    assert root.findtext(".//code") == "p['W']"


def test_a_check_that_passes_has_no_picture() -> None:
    """There is nothing to be seen on it."""
    root = parsed(a_report(2.0))
    assert [child.tag for child in root] == ["pre"]


def test_names_are_inert() -> None:
    """They are text, whatever they look like."""
    html = a_report(3.0, "<script>alert(1)</script>")._repr_html_()
    assert "<script>" not in html


def test_without_pillow_there_is_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing more is needed for it."""
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        "pytest_gradcheck.renderings.html_page.notebook.find_spec",
        lambda name: None if name == "PIL" else find_spec(name),
    )
    root = parsed(a_report(3.0))
    assert [child.tag for child in root] == ["pre"]
