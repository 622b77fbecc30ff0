"""A record as Markdown, which is never too long for GitHub."""

import re

import pytest
from markdown_it import MarkdownIt

from pytest_gradcheck.renderings.markdown import STEP_SUMMARY_BYTES, render_markdown
from pytest_gradcheck.report.inert_text import escaped
from tests.renderings.records import HOSTILE, a_check, hostile_record, mixed_record
from tests.run_record.builders import a_record, a_test, covered


def test_failures_come_first() -> None:
    """Then come the tests whose checks are missing, and the versions."""
    text = render_markdown(mixed_record())
    headings = [
        "### gradcheck",
        "|wrong gradient",
        "|no check|",
        "#### Failures that are alike",
        "<details><summary><code>test&#95;a.py&#58;&#58;test&#95;wrong&#91;1&#93;</code>",
        "#### Tests whose checks are missing",
        "- python 3.13",
    ]
    places = [text.index(heading) for heading in headings]
    assert places == sorted(places)
    assert "test&#95;xfailed" not in text
    assert "x[1]: backward 10.0, numerical 4.0" in text


@pytest.mark.parametrize("limit", [0, 100, 1000, 5000, 20_000, STEP_SUMMARY_BYTES])
def test_never_longer_than_the_limit(limit: int) -> None:
    """It says how many failures are left out."""
    failures = [a_test(f"{k}", a_check(factor=k), outcome="failed") for k in range(3, 12)]
    text = render_markdown(a_record(*failures), limit)
    assert len(text.encode()) <= max(limit, 400)
    shown = text.count("<details>")
    if shown < 9:
        assert f"... and {9 - shown} more failures, which are in the record" in text
    else:
        assert "more failures" not in text


def test_ten_thousand_failures_are_below_one_mebibyte() -> None:
    """The most important is there."""
    check = a_check()
    failures = [a_test(f"test_a.py::test_it[{k}]", check, outcome="failed") for k in range(10_000)]
    text = render_markdown(a_record(*failures))
    assert len(text.encode()) <= STEP_SUMMARY_BYTES
    assert text.count("<details>") > 500
    assert re.search(r"\.\.\. and \d,\d{3} more failures", text)


def test_names_are_inert() -> None:
    """No name is HTML, a link, a heading or the end of a fence."""
    text = render_markdown(hostile_record())
    html = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    tags = set(re.findall(r"<(/?\w+)", html))
    assert tags <= {
        "h3", "/h3", "h4", "/h4", "table", "/table", "thead", "/thead", "tbody", "/tbody", "tr",
        "/tr", "th", "/th", "td", "/td", "code", "/code", "details", "/details", "summary",
        "/summary", "pre", "/pre", "ul", "/ul", "li", "/li", "p", "/p",
    }  # fmt: skip
    assert html.count("<details>") == html.count("</details>") == len(HOSTILE)
    assert html.count("<tr>") == len(HOSTILE) + 1
    assert all(c.isprintable() or c == "\n" for c in text)


def test_derivatives_without_a_check_are_a_table() -> None:
    """Below a heading with the figures; their names are inert."""
    names = ("a_grad", *map(escaped, HOSTILE))
    text = render_markdown(covered(names=names))
    assert "#### gradient coverage of nn&#58; 0 of 11 derivatives checked (0&#37;)" in text
    assert "|<code>nn.py&#58;97</code>|<code>nn&#58;a&#95;grad</code>|" in text
    html = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    assert not set(re.findall(r"<(\w+)", html)) & {"script", "img", "a"}
