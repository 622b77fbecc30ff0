"""The page in headless Chromium: with and without scripts, in both themes, on a phone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from pytest_gradcheck.renderings.html_page.page import render_html
from pytest_gradcheck.run_record.record import Record
from tests.renderings.records import HOSTILE, a_check, a_drawn_check
from tests.run_record.builders import a_record, a_test

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))),
    None,
)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start a browser, whose sandbox a container does not allow."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


def suite() -> Record:
    """Return a record with a failure of each kind, and checks that passed."""
    good = a_check(factor=2.0)
    passed = [a_test(f"test_b.py::test_good[{k}]", {**good, "seconds": k}) for k in range(600)]
    unsure = {**a_drawn_check("y"), "verdict": "inconclusive"}
    return a_record(
        a_test("test_a.py::test_wrong", a_drawn_check(size=6), outcome="failed"),
        a_test("test_a.py::test_unsure", unsure, outcome="failed"),
        *passed,
    )


class Opened:
    """A page in a browser, and what it wrote to the console."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.messages: list[str] = []
        self.requests: list[str] = []
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.messages.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))

    def _note(self, message: ConsoleMessage) -> None:
        self.messages.append(message.text)

    def visible(self, selector: str) -> int:
        """Return how many elements are shown."""
        return self.page.locator(f"{selector}:visible").count()


@pytest.fixture
def opened(browser: Browser, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Opened]:
    """Open the page of a record with the settings that the test has as its parameter."""
    settings = dict(getattr(request, "param", {}))
    record = settings.pop("record", suite)
    path = tmp_path / "page.html"
    path.write_text(render_html(record()), encoding="utf-8")
    context = browser.new_context(**settings)
    found = Opened(context.new_page())
    found.page.goto(path.as_uri())
    yield found
    context.close()


def test_a_page_opens_without_a_fault_or_a_request(opened: Opened) -> None:
    """Its policy forbids nothing that it needs."""
    assert opened.messages == []
    assert [url for url in opened.requests if not url.startswith(("file:", "data:"))] == []
    assert opened.page.title() == "2 of 602 gradient checks failed"


@pytest.mark.parametrize("opened", [{"java_script_enabled": False}], indirect=True)
def test_everything_is_there_without_scripts(opened: Opened) -> None:
    """Only the controls are missing that need one."""
    assert opened.visible("article") == 2
    assert opened.page.locator("table.checks tbody tr").count() == 602
    assert opened.visible("#filter") == 0
    opened.page.locator("summary").first.click()
    assert "run again: pytest x" in opened.page.locator("details pre").first.inner_text()


def test_the_page_ends_below_its_last_line(opened: Opened) -> None:
    """No room is kept for lines that there are not."""
    page = opened.page
    last = page.locator("table.checks tbody tr").last
    last.scroll_into_view_if_needed()
    row, footer = last.bounding_box(), page.locator("footer").bounding_box()
    assert row is not None
    assert footer is not None
    assert footer["y"] - (row["y"] + row["height"]) < 100


def test_search_and_filter(opened: Opened) -> None:
    """They hide lines and failures, and say how many are left."""
    page = opened.page
    page.get_by_label("Search").fill("TEST_B [17]")
    assert page.locator("#shown").inner_text() == "1 of 602 checks"
    assert opened.visible("article") == 0
    page.get_by_label("Search").fill("")
    page.get_by_label("Verdict").select_option("inconclusive")
    assert page.locator("#shown").inner_text() == "1 of 602 checks"
    assert opened.visible("article") == 1
    page.get_by_label("Verdict").select_option("")
    assert opened.visible("article") == 2


def test_sorting_is_across_all_parts(opened: Opened) -> None:
    """By a click or the keyboard; once more turns the order round."""
    page = opened.page
    first = page.locator("table.checks tbody tr").first
    page.get_by_role("button", name="Seconds").click()
    assert "test_good[599]" in first.inner_text()
    page.get_by_role("button", name="Seconds").press("Enter")
    assert page.locator("th[aria-sort=ascending]").inner_text() == "Seconds"
    page.get_by_role("button", name="Verdict").click()
    assert "test_wrong" in first.inner_text()
    assert page.locator("table.checks tbody tr").count() == 602


@pytest.mark.parametrize("opened", [{"viewport": {"width": 390, "height": 844}}], indirect=True)
def test_a_phone_needs_no_scrolling_to_the_side(opened: Opened) -> None:
    """Wide tables scroll in their own frame, which the keyboard reaches."""
    assert opened.page.evaluate("document.documentElement.scrollWidth") == 390
    pictures = opened.page.locator("img, svg.curve")
    assert pictures.count() == 4
    for picture in pictures.all():
        box = picture.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 390
    assert opened.page.locator(".scroll:not([tabindex])").count() == 0


@pytest.mark.parametrize(
    ("opened", "is_dark"),
    [({"color_scheme": "light"}, False), ({"color_scheme": "dark"}, True)],
    indirect=["opened"],
)
def test_pages_follow_the_theme(opened: Opened, is_dark: bool) -> None:
    """So do their pictures."""
    page = opened.page
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, colour.strip("rgb()").split(","))) < 150) == is_dark
    shown = page.evaluate("document.querySelector('img').currentSrc")
    image, source = page.locator("img").first, page.locator("picture source").first
    assert shown == (source.get_attribute("srcset") if is_dark else image.get_attribute("src"))


def forged() -> Record:
    """Return a record whose names are hostile, and not escaped."""
    names = [*HOSTILE, "</script><script>alert(1)</script>", "--><svg onload=alert(1)>"]
    tests = []
    for k, name in enumerate(names):
        check = a_drawn_check("x") | {"forward": name, "backward": name, "rerun": name}
        check["step_curves"][0]["entry"]["parameter"] = name
        for part in (*check["worst"], *check["parameters"][0]["worst"]):
            part["parameter"] = name
        check["parameters"][0]["name"] = name
        tests.append(a_test(f"{name}{k}", check, outcome="failed", message=name))
    return a_record(*tests)


@pytest.mark.parametrize("opened", [{"record": forged}], indirect=True)
def test_a_forged_record_runs_nothing(opened: Opened) -> None:
    """There is no dialog, no request and no element that the page does not have."""
    assert opened.messages == []
    assert [url for url in opened.requests if not url.startswith(("file:", "data:"))] == []
    assert opened.visible("article") == len(HOSTILE) + 2
    assert opened.page.locator("script").count() == 1


def many() -> Record:
    """Return a record of ten thousand checks that passed."""
    good = a_check(factor=2.0)
    return a_record(*(a_test(f"test_b.py::test_good[{k}]", good) for k in range(10_000)))


@pytest.mark.parametrize("opened", [{"record": many}], indirect=True)
def test_of_very_many_checks_only_those_that_are_seen_are_laid_out(opened: Opened) -> None:
    """Otherwise a browser takes seconds; what is not seen yet can be found all the same."""
    session = opened.page.context.new_cdp_session(opened.page)
    session.send("Performance.enable")
    metrics = session.send("Performance.getMetrics")["metrics"]
    objects = {metric["name"]: metric["value"] for metric in metrics}["LayoutObjects"]
    assert objects < 20_000
    assert opened.page.locator("table.checks tbody tr").count() == 10_000
