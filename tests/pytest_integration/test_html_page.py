"""The option --gradcheck-html."""

import sys

import pytest

from pytest_gradcheck.renderings.html_page import page
from tests.pytest_integration.suites import HEADER, QUIET, run

TWO = """
def test_good(gradcheck): gradcheck(f, good, X)
def test_bad(gradcheck): gradcheck(f, bad, X)
"""


def test_a_run_writes_its_page(pytester: pytest.Pytester) -> None:
    """With a curve, which is measured for it; every warning is an error here."""
    result = run(pytester, TWO, "--gradcheck-html=out/page.html", "-W", "error")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["gradcheck: page written to *page.html"])
    text = (pytester.path / "out/page.html").read_text("utf-8")
    assert "<title>1 of 2 gradient checks failed</title>" in text
    assert 'class="curve"' in text


def test_workers_send_what_is_drawn(pytester: pytest.Pytester) -> None:
    """The page is written by the controller of pytest-xdist."""
    pytester.makepyfile(test_suite=HEADER + TWO)
    quiet = [*QUIET[: QUIET.index("no:xdist") - 1], "-n1"]
    pytester.runpytest_subprocess(*quiet, "--gradcheck-html=page.html")
    assert 'class="curve"' in (pytester.path / "page.html").read_text("utf-8")


def test_a_missing_package_stops_the_run_at_once(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said what to install, before the first test."""
    monkeypatch.setattr(page, "find_spec", lambda name: None)
    result = run(pytester, TWO, "--gradcheck-html=page.html")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([
        "ERROR: --gradcheck-html: an HTML page needs jinja2 and matplotlib and pillow: "
        "pip install 'pytest-gradcheck[html]'"
    ])  # fmt: skip
    assert not (pytester.path / "page.html").exists()


def test_other_outputs_load_nothing_for_it(pytester: pytest.Pytester) -> None:
    """A run that writes a record has no matplotlib."""
    pytester.makeconftest("""
        import sys
        def pytest_unconfigure():
            found = {'jinja2', 'matplotlib', 'PIL'} & sys.modules.keys()
            sys.stderr.write(f"LOADED {sorted(found)}")
    """)
    pytester.makepyfile(test_suite=HEADER + TWO)
    result = pytester.run(sys.executable, "-m", "pytest", *QUIET, "--gradcheck-json=a.json")
    result.stderr.fnmatch_lines(["LOADED []"])
