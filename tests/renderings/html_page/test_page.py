"""The page of a record: valid HTML that is whole, inert and small."""

from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ET
from importlib import util
from typing import Any

import html5lib
import numpy as np
import pytest

from pytest_gradcheck import check_gradient
from pytest_gradcheck.renderings.html_page import page
from pytest_gradcheck.renderings.html_page.page import render_html
from pytest_gradcheck.report.inert_text import escaped, shortened
from pytest_gradcheck.report.report_data import VERDICTS
from pytest_gradcheck.run_record.json_file import RecordError
from pytest_gradcheck.run_record.record import Record
from tests.renderings.html_page.colours import TEXT, contrast
from tests.renderings.records import HOSTILE, a_check, a_drawn_check, mixed_record
from tests.renderings.test_baseline_lines import under_baseline
from tests.run_record.builders import a_record, a_test, covered

#: Elements that a page has none of: they load or run something, or leave the page.
FORBIDDEN = {"iframe", "object", "embed", "base", "frame", "foreignObject"}


def parsed(record: Record) -> ET.Element:
    """Return the tree of a page, which has no error of syntax."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    root: ET.Element = parser.parse(render_html(record))
    return root


def texts(root: ET.Element, path: str) -> list[str]:
    """Return the texts of elements, without repeated spaces."""
    return [" ".join("".join(element.itertext()).split()) for element in root.iterfind(path)]


def drawn_record() -> Record:
    """Return a record with one failure that has all pictures."""
    return a_record(
        a_test("test_a.py::test_wrong", a_drawn_check(size=6), outcome="failed"),
        a_test("test_a.py::test_good", a_check(factor=2.0)),
    )


def failed(check: Any) -> Record:
    """Return a record with one failure."""
    return a_record(a_test("test_a.py::test_it", check, outcome="failed"))


def test_the_title_is_the_result() -> None:
    """Also where nothing failed, or nothing was checked."""
    assert parsed(mixed_record()).findtext(".//title") == "2 of 5 gradient checks failed"
    passing = a_record(a_test("t.py::a", a_check(factor=2.0)))
    assert parsed(passing).findtext(".//title") == "1 gradient check passed"
    assert parsed(a_record()).findtext(".//h1") == "No gradient checks"


def test_a_failure_has_its_pictures_and_what_they_show_in_words() -> None:
    """The map in both themes, and the curve."""
    root = parsed(drawn_record())
    (article,) = root.iterfind(".//article")
    (image,) = article.iterfind(".//img")
    assert image.get("alt") == (
        "Heat map of 6 cells, 6 of them wrong or inconclusive: entries 0 to 5."
    )
    (dark,) = article.iterfind(".//source")
    assert dark.get("media") == "(prefers-color-scheme: dark)"
    assert dark.get("srcset") != image.get("src")
    (curve,) = (e for e in article.iter() if str(e.tag).endswith("svg"))
    assert str(curve.get("aria-label")).startswith("Error of central differences of ")


def test_curves_are_drawn_once_for_a_derivative() -> None:
    """Other failures of it lead to the worst one, which has them."""
    tests = [a_test(f"t.py::test[{k}]", a_drawn_check(), outcome="failed") for k in range(3)]
    articles = list(parsed(a_record(*tests)).iterfind(".//article"))
    curves = [[e for e in one.iter() if str(e.tag).endswith("svg")] for one in articles]
    links = [
        [a.get("href") for a in one.iterfind(".//div[@class='pictures']//a")] for one in articles
    ]
    assert [len(drawn) for drawn in curves] == [1, 0, 0]
    assert links == [[], ["#f1"], ["#f1"]]


def test_a_failure_says_what_is_wrong_and_where() -> None:
    """The headline, the line with its source, the cause and the command."""
    (article,) = parsed(drawn_record()).iterfind(".//article")
    (headline,) = texts(article, "p[@class='headline']")
    assert headline.startswith("x[")
    assert texts(article, "figure/figcaption") == ["Goes wrong at nn.py:31-32, in x"]
    assert texts(article, "figure/pre") == ["31 x = 3 * np.cos(p) 32 return x"]
    assert "a stray factor 3?" in texts(article, "ul[@class='causes']")[0]
    assert texts(article, "p[@class='rerun']") == ["Run again: pytest x"]


def test_settings_are_said_once() -> None:
    """The seed of a test is an option that was set, and stands with the others."""
    (facts,) = parsed(drawn_record()).iterfind(".//article//dl")
    names = texts(facts, "div/dt")
    assert len(names) == len(set(names))
    assert {"mode", "seed", "rtol", "evaluations", "time"} <= set(names)


def test_backward_and_numerical_are_beside_each_other() -> None:
    """In the table of the worst entries."""
    root = parsed(failed(a_check()))
    rows = [texts(row, "*")[:3] for row in root.iterfind(".//article//tbody/tr")]
    assert ["p['x'][1]", "6.0", "4.0"] in rows


def test_each_check_has_its_line() -> None:
    """Failed ones first, with a link to what is said of them."""
    root = parsed(mixed_record())
    names = texts(root, ".//table[@class='checks']/tbody/tr/td[1]")
    assert names == [
        "test_a.py::test_wrong[1]",
        "test_a.py::test_wrong[0]",
        "test_a.py::test_good",
        "test_a.py::test_good",
        "test_a.py::test_xfailed",
    ]
    verdicts = texts(root, ".//table[@class='checks']/tbody/tr/td[2]")
    assert verdicts == ["wrong", "wrong", "correct", "correct", "wrong (xfailed)"]
    links = [a.get("href") for a in root.iterfind(".//table[@class='checks']//a")]
    ids = [f"#{article.get('id')}" for article in root.iterfind(".//article")]
    assert links == ids


def test_tests_without_a_check_are_listed() -> None:
    """Those that were lost, and those that made none."""
    names = texts(parsed(mixed_record()), ".//section[@aria-labelledby='missing']//tbody//th")
    assert names == [f"test_a.py::test_{name}" for name in
                     ("usage", "crashed", "not_run", "unchecked")]  # fmt: skip


def test_baseline_and_coverage_have_their_sections() -> None:
    """What is mended, and what no check exercised."""
    mended = texts(parsed(under_baseline()), ".//section[@aria-labelledby='baseline']//li")
    assert any("mended" in line for line in mended)
    unchecked = texts(parsed(covered()), ".//section[@aria-labelledby='coverage']//tbody//th")
    assert unchecked == ["nn:a_grad", "nn:b_grad", "nn:c_grad"]


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name[:10]))
@pytest.mark.parametrize("is_escaped", [True, False], ids=["written", "forged"])
def test_names_are_inert(name: str, is_escaped: bool) -> None:
    """A page is valid and runs nothing but its own script, also if the record is forged."""
    check = a_drawn_check(shortened(name) if is_escaped else "x")
    shown = escaped(name) if is_escaped else name
    for key in ("forward", "backward", "rerun"):
        check[key] = shown
    check["failures"] = [shown]
    check["diagnosis"] = [{"kind": "factor", "text": shown, "evidence": {}}]
    if not is_escaped:
        check["parameters"][0]["name"] = name
        check["worst"][0]["parameter"] = name
        check["step_curves"][0]["entry"]["parameter"] = name
        check["options"]["rtol"] = {"value": name, "origin": name}
    record = a_record(
        a_test(shown, check, outcome="failed", message=shown, file=shown),
        a_test(f"{shown}2", outcome="failed", message=shown),
        a_test(f"{shown}3", a_check(factor=2.0)),
    )
    record["runs"][0]["versions"][shown] = shown
    root = parsed(record)
    assert not FORBIDDEN & {str(element.tag).rpartition("}")[2] for element in root.iter()}
    assert len(list(root.iterfind(".//script"))) == 1
    assert not [a for e in root.iter() for a in e.attrib if str(a).startswith("on")]
    assert all(str(a.get("href")).startswith("#") for a in root.iter("a"))
    assert all(line.isprintable() for text in root.itertext() for line in text.split("\n"))


def test_a_page_loads_nothing() -> None:
    """Its policy allows its own style and script only, and its images are in it."""
    text = render_html(drawn_record())
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    root = parsed(drawn_record())
    sources = [e.get(a) for e in root.iter() for a in ("src", "srcset", "href") if e.get(a)]
    assert all(str(source).startswith(("data:", "#")) for source in sources)
    assert not [element for element in root.iter() if element.get("style")]


def test_identifiers_are_unique() -> None:
    """Also those of many pictures, and each that is referred to is there."""
    drawn = a_drawn_check()
    tests = [a_test(f"t.py::{k}", dict(drawn), outcome="failed") for k in range(3)]
    root = parsed(a_record(*tests))
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    used = re.findall(r'(?:href="|url\()#([\w-]+)', render_html(a_record(*tests)))
    assert set(used) <= set(ids)


def test_ten_thousand_checks_are_small() -> None:
    """They take less than 3 MB."""
    good = a_check(factor=2.0)
    name = "tests/layers/test_layers.py::TestAffine::test_backward_of_a_layer[{}-float64]"
    text = render_html(a_record(*(a_test(name.format(k), good) for k in range(10_000))))
    assert len(text.encode()) < 3_000_000
    assert text.count("test_backward_of_a_layer[") == 10_000


def test_very_many_failures_are_bounded() -> None:
    """The worst are whole, others have a line, and the rest is counted."""
    bad = {**a_check(), "step_curves": []}
    count = page.MOST_WHOLE + page.MOST_BRIEF + 7
    tests = [a_test(f"t.py::test[{k}]", dict(bad), outcome="failed") for k in range(count)]
    text = render_html(a_record(*tests))
    assert text.count("<article") == page.MOST_WHOLE
    assert "... and 7 further failures" in text
    assert len(text.encode()) < 5_000_000


def test_very_many_parameters_are_bounded() -> None:
    """The worst ones are listed."""
    leaves = {f"W{k}": np.ones(2) for k in range(100)}
    report = check_gradient(
        lambda p: sum(np.sum(v * v) for v in p.values()),
        lambda p: {k: (3 if k == "W99" else 2) * v for k, v in p.items()},
        leaves,
    )
    root = parsed(failed(report.to_dict()))
    table = next(root.iterfind(".//article//table"))
    assert texts(table, "tbody/tr/th")[0] == "p['W99']"
    assert len(texts(table, "tbody/tr/th")) == 1 + page.LISTED_PARAMETERS["correct"]
    assert "... and 89 more correct" in texts(root, ".//article/p")


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_can_be_read(theme: int) -> None:
    """Each colour of text has enough contrast with each background that it is on."""
    style = (page.DIRECTORY / "page.css").read_text("utf-8")
    declared = re.findall(r":root\{([^}]*)\}", style)[theme]
    colours = dict(re.findall(r"--([\w-]+):(#\w+)", declared))
    grounds = ("page", "card", "soft")
    pairs = [(text, ground) for text in ("text", "dim", "link") for ground in grounds]
    pairs += [(v, g) for v in VERDICTS for g in ("page", "card", f"{v}-soft")]
    pairs += [("text", "wrong-soft"), ("dim", "wrong-soft")]
    poor = [pair for pair in pairs if contrast(*(colours[name] for name in pair)) < TEXT]
    assert poor == []


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that installs it."""
    monkeypatch.setattr(page, "find_spec", lambda name: None if name == "jinja2" else util)
    with pytest.raises(RecordError) as caught:
        render_html(a_record())
    assert str(caught.value) == ("an HTML page needs jinja2: pip install 'pytest-gradcheck[html]'")


def test_nothing_is_imported_before_a_page_is_made(pytester: pytest.Pytester) -> None:
    """The packages of the extra need not be there for other formats."""
    code = (
        "import sys, pytest_gradcheck.renderings.html_page.page as p; p.require_packages();"
        "print({'jinja2', 'matplotlib', 'PIL', 'numpy'} & sys.modules.keys())"
    )
    assert pytester.run(sys.executable, "-c", code).outlines == ["set()"]
