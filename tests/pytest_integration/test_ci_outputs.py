"""Outputs where CI systems look: GitHub Actions, pytest-html and pytest-json-report."""

import json
import re

import pytest

from tests.pytest_integration.records import recorded
from tests.pytest_integration.suites import HEADER, QUIET, run

TWO = """
def test_good(gradcheck): gradcheck(f, good, X)
def test_bad(gradcheck): gradcheck(f, bad, X)
"""


class TestGithub:
    """The option --gradcheck-github."""

    @pytest.fixture(autouse=True)
    def job(self, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
        """Be a job of GitHub Actions."""
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
        monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(pytester.path / "summary.md"))

    def test_annotations_and_step_summary(self, pytester: pytest.Pytester) -> None:
        """What others wrote to the summary stays."""
        (pytester.path / "summary.md").write_text("others\n")
        result = run(pytester, TWO, "--gradcheck-github")
        (line,) = [line for line in result.outlines if line.startswith("::error")]
        assert line.startswith("::error file=test_suite.py,line=")
        text = (pytester.path / "summary.md").read_text("utf-8")
        assert text.startswith("others\n\n### gradcheck&#58; 2 checks, 1 correct, 1 wrong")

    def test_summary_of_a_step_stays_below_the_limit(self, pytester: pytest.Pytester) -> None:
        """Together with what others wrote."""
        path = pytester.path / "summary.md"
        path.write_text("x" * (1024 * 1024 - 1000))
        run(pytester, TWO, "--gradcheck-github")
        assert 1024 * 1024 - 1000 < path.stat().st_size <= 1024 * 1024

    def test_paths_are_those_of_the_repository(self, pytester: pytest.Pytester) -> None:
        """The root of the suite may be a directory in it."""
        (pytester.path / ".git").mkdir()
        inside = pytester.mkdir("python")
        (inside / "pytest.ini").write_text("[pytest]\n")
        (inside / "test_suite.py").write_text(HEADER + TWO)
        result = pytester.runpytest_inprocess(*QUIET, "--gradcheck-github", "python")
        result.stdout.fnmatch_lines(["::error file=python/test_suite.py,line=*"])

    def test_not_without_the_option(self, pytester: pytest.Pytester) -> None:
        """GitHub shows what the suite asks for."""
        result = run(pytester, TWO)
        result.stdout.no_fnmatch_line("::*")
        assert not (pytester.path / "summary.md").exists()

    def test_not_elsewhere(
        self, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The option may stand in the ini file."""
        monkeypatch.delenv("GITHUB_ACTIONS")
        result = run(pytester, TWO, "--gradcheck-github")
        result.stdout.no_fnmatch_line("::*")
        assert not (pytester.path / "summary.md").exists()

    def test_a_summary_that_cannot_be_written_is_said(
        self, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The run keeps its exit status if tests failed."""
        monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(pytester.path))
        result = run(pytester, TWO, "--gradcheck-github")
        assert result.ret == pytest.ExitCode.TESTS_FAILED
        result.stdout.fnmatch_lines(
            ["gradcheck: the step summary of GitHub could not be written: Is a directory"]
        )


@pytest.mark.parametrize("processes", ["0", "1"])
def test_pytest_html_lists_the_checks(pytester: pytest.Pytester, processes: str) -> None:
    """Their first lines, escaped."""
    pytest.importorskip("pytest_html")
    body = """
def test_names(gradcheck):
    gradcheck(lambda p: f(p["<b>"]), lambda p: {"<b>": bad(p["<b>"])}, {"<b>": X})
"""
    recorded(pytester, body, "-n", processes, "--html=report.html", "--self-contained-html")
    text = (pytester.path / "report.html").read_text("utf-8")
    assert re.search(r"backward 6\.0, numerical 4\.0", text)
    assert "<b>" not in text


@pytest.mark.parametrize("processes", ["0", "1"])
def test_pytest_json_report_has_the_reports(pytester: pytest.Pytester, processes: str) -> None:
    """They are metadata of the test, without NaN."""
    pytest.importorskip("pytest_jsonreport")
    options = ("--json-report", "--json-report-file=report.json")
    body = TWO + "def test_fast(gradcheck): gradcheck(f, good, np.ones(300), mode='fast')\n"
    recorded(pytester, body, "-n", processes, *options)
    text = (pytester.path / "report.json").read_text("utf-8")
    assert "NaN," not in text.replace('"NaN",', "")
    tests = {test["nodeid"].partition("::")[2]: test for test in json.loads(text)["tests"]}
    verdicts = {name: test["metadata"]["gradcheck"][0]["verdict"] for name, test in tests.items()}
    assert verdicts == {"test_good": "correct", "test_bad": "wrong", "test_fast": "correct"}
