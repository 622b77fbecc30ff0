"""The record of a run, and its summary."""

import re
from typing import Any

import pytest

from tests.pytest_integration.records import outcomes, read, recorded
from tests.pytest_integration.suites import run
from tests.renderings.test_ctrf import rendered as ctrf
from tests.renderings.test_sarif import rendered as sarif

SUITE = """
@pytest.mark.parametrize("k", range(20))
def test_many(gradcheck, k):
    gradcheck(f, bad if k % 10 == 3 else good, X + k)
    check(f, good, X - k)

@pytest.fixture
def checked(gradcheck):
    gradcheck(f, good, X)
    yield gradcheck
    gradcheck(f, bad, X)

def test_fixture(checked): pass

@pytest.mark.gradcheck(backward=good)
@pytest.mark.parametrize("x", [X])
def test_marked(x): return f(x)

def test_fast(gradcheck):
    gradcheck(f, good, np.arange(200.0), mode="fast")

def test_usage(gradcheck): gradcheck(f, good, X, rtool=1)

@pytest.mark.skip(reason="later")
def test_skipped(gradcheck): gradcheck(f, good, X)

@pytest.mark.xfail(reason="known")
def test_xfailed(gradcheck): gradcheck(f, bad, X)

def test_unchecked(gradcheck): pass
def test_other(): pass
"""


def comparable(record: Any) -> Any:
    """Return the tests of a record without times and names of workers."""
    for test in record["tests"]:
        del test["seconds"], test["worker"]
        for check in test["checks"]:
            del check["seconds"]
    return record["tests"]


def test_record_has_every_check_and_every_test(pytester: pytest.Pytester) -> None:
    """Checks in fixtures, functions and marked tests; tests that checked nothing."""
    record = recorded(pytester, SUITE)
    names = {name: outcome for name, outcome in outcomes(record).items() if "many" not in name}
    assert names == {
        "test_fixture": "error",
        "test_marked[x0]": "passed",
        "test_fast": "passed",
        "test_skipped": "skipped",
        "test_unchecked": "passed",
        "test_usage": "failed",
        "test_xfailed": "xfailed",
    }
    by_name = {test["nodeid"].partition("::")[2]: test for test in record["tests"]}
    assert [c["verdict"] for c in by_name["test_fixture"]["checks"]] == ["correct", "wrong"]
    assert [c["backward"] for c in by_name["test_many[3]"]["checks"]] == ["bad"]
    assert len(by_name["test_many[4]"]["checks"]) == 2
    assert by_name["test_usage"]["message"].startswith("gradcheck has no option 'rtool'")
    assert by_name["test_skipped"]["message"] == "Skipped: later"
    assert by_name["test_xfailed"]["message"] == "known"
    assert all(test["expected"] and test["attempts"] == 1 for test in record["tests"])
    (run_data,) = record["runs"]
    assert run_data["exit_status"] == 1
    assert {"python", "numpy", "pytest", "pytest-gradcheck"} <= run_data["versions"].keys()


def test_summary_is_the_last_line_but_that_of_pytest(pytester: pytest.Pytester) -> None:
    """It has the totals; what was checked nowhere is said, and where the record is."""
    result = run(pytester, SUITE, "--gradcheck-json=record.json")
    record = read(pytester.path / "record.json")
    unchecked, name, lost, line, written, _ = result.outlines[-6:]
    assert unchecked == (
        "gradcheck: 1 test has the gradcheck fixture and completed no check "
        "(an error under strict):"
    )
    assert name == "    test_suite.py::test_unchecked"
    assert lost == "gradcheck: 1 test ended without a completed check (1 failed)"
    evaluations = sum(c["evaluations"] for test in record["tests"] for c in test["checks"])
    assert re.sub(r"[\d.]+ s", "0.1 s", line) == (
        f"gradcheck: 43 checks, 39 correct, 4 wrong; {evaluations:,} evaluations, 0.1 s"
    )
    assert re.fullmatch(r"gradcheck: record written to .*record\.json", written)


def test_workers_give_the_same_record(pytester: pytest.Pytester) -> None:
    """It differs in times and names of workers only."""
    serial = comparable(recorded(pytester, SUITE))
    record = recorded(pytester, SUITE, "-n2")
    assert record["runs"][0]["workers"] == ["gw0", "gw1"]
    assert {test["worker"] for test in record["tests"]} == {"gw0", "gw1"}
    assert comparable(record) == serial


def test_stopping_early_leaves_tests_that_did_not_run(pytester: pytest.Pytester) -> None:
    """They are in the record, which says why."""
    body = """
def test_a(gradcheck): gradcheck(f, good, X)
def test_b(gradcheck): gradcheck(f, bad, X)
def test_c(gradcheck): gradcheck(f, good, X)
def test_deselected(gradcheck): gradcheck(f, good, X)
"""
    record = recorded(pytester, body, "-x", "-k", "not deselected")
    assert outcomes(record) == {"test_a": "passed", "test_b": "failed", "test_c": "not run"}
    assert record["runs"][0]["interrupted"] == "stopping after 1 failures"


def test_repeated_tests_are_recorded_once(pytester: pytest.Pytester) -> None:
    """The last run counts."""
    body = """
runs = []
def test_flaky(gradcheck):
    runs.append(1)
    gradcheck(f, good if len(runs) == 3 else bad, X)
"""
    record = recorded(pytester, body, "--reruns=5")
    (test,) = record["tests"]
    assert (test["outcome"], test["attempts"], len(test["checks"])) == ("passed", 3, 1)


@pytest.mark.skipif(pytest.version_tuple < (9,), reason="subtests came with pytest 9")
def test_subtests_are_part_of_their_test(pytester: pytest.Pytester) -> None:
    """Each check is there once."""
    body = """
def test_all(gradcheck, subtests):
    for k in range(3):
        with subtests.test(k=k):
            gradcheck(f, bad if k == 1 else good, X)
    gradcheck(f, good, X + 1)
"""
    record = recorded(pytester, body)
    (test,) = record["tests"]
    assert test["outcome"] == "failed"
    assert [c["verdict"] for c in test["checks"]] == ["correct", "wrong", "correct", "correct"]


def test_settings_of_the_suite_have_their_origin(pytester: pytest.Pytester) -> None:
    """The command line overrides the ini file."""
    pytester.makeini("[pytest]\ngradcheck_rtol = 1e-4\ngradcheck_mode = full\n")
    record = recorded(pytester, "def test_it(): pass", "--gradcheck-rtol=1e-5")
    assert record["tests"] == []
    assert record["runs"][0]["settings"] == {
        "mode": {"value": "full", "origin": "ini"},
        "rtol": {"value": "1e-5", "origin": "command line"},
    }


def test_modules_that_cannot_be_collected_are_named(pytester: pytest.Pytester) -> None:
    """Their checks are missing, and a reader should know."""
    pytester.makepyfile(test_broken="import nothing_of_that_name")
    record = recorded(pytester, "def test_it(gradcheck): gradcheck(f, good, X)", "-n1")
    assert record["runs"][0]["collection_errors"] == ["test_broken.py"]


def test_hook_adds_to_the_record(pytester: pytest.Pytester) -> None:
    """It is called once, also under pytest-xdist, and what it adds is written."""
    pytester.makeconftest("""
    def pytest_gradcheck_update_record(config, record):
        record.setdefault("extra", {"commit": "4f8"})["calls"] = 1
        record["runs"][0]["extra"] = {"runner": "a"}
        for test in record["tests"]:
            test["extra"] = {"owner": "numerics"}
    """)
    record = recorded(pytester, "def test_it(gradcheck): gradcheck(f, good, X)", "-n1")
    assert record["extra"] == {"commit": "4f8", "calls": 1}
    assert record["runs"][0]["extra"] == {"runner": "a"}
    assert record["tests"][0]["extra"] == {"owner": "numerics"}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            "raise KeyError('x')",
            "the hook pytest_gradcheck_update_record failed: KeyError: 'x'",
        ),
        (
            "record['extra'] = {'x': {1}}",
            "record could not be written to *record.json: extra['x'] is of the class set, which*",
        ),
    ],
)
def test_a_fault_of_the_hook_is_said(pytester: pytest.Pytester, body: str, text: str) -> None:
    """The run does not succeed without what was asked for."""
    pytester.makeconftest(f"def pytest_gradcheck_update_record(config, record):\n    {body}\n")
    test = "def test_it(gradcheck): gradcheck(f, good, X)"
    result = run(pytester, test, "--gradcheck-json=record.json")
    assert result.ret == pytest.ExitCode.INTERNAL_ERROR
    pattern = text.replace("[", "[[]")
    result.stdout.fnmatch_lines([f"gradcheck: *{pattern}"])


class TestSummaryTable:
    """The option --gradcheck-summary."""

    BODY = """
def test_a(gradcheck): gradcheck(f, good, X)
def test_b(gradcheck): gradcheck(f, bad, X)
"""

    def test_worst_first(self, pytester: pytest.Pytester) -> None:
        """The table is a section of its own."""
        result = run(pytester, self.BODY, "--gradcheck-summary")
        result.stdout.re_match_lines(
            [
                r"=+ gradient checks =+",
                r"test\s+backward  entries  difference  evaluations  seconds  verdict",
                r"test_suite.py::test_b  bad .* wrong",
                r"test_suite.py::test_a  good .* correct",
                r"=+ short test summary info =+",
            ],
            consecutive=True,
        )

    def test_not_without_the_option(self, pytester: pytest.Pytester) -> None:
        """Then there is the line only."""
        text = run(pytester, self.BODY).stdout.str()
        assert "gradient checks" not in text
        assert "gradcheck: 2 checks" in text


class TestUnchecked:
    """Tests that have the fixture and complete no check."""

    BODY = """
@pytest.fixture(scope="module")
def once(gradcheck):
    gradcheck(f, good, X)
    return gradcheck

@pytest.fixture
def wrapped(gradcheck): return gradcheck

def test_checks(gradcheck): gradcheck(f, good, X)
def test_once(once): pass
def test_once_more(once): pass
def test_wrapped(wrapped): pass
def test_unchecked(gradcheck): pass
"""

    def test_said(self, pytester: pytest.Pytester) -> None:
        """A fixture of a wider scope may have checked for several tests."""
        result = run(pytester, self.BODY)
        result.assert_outcomes(passed=5)
        result.stdout.fnmatch_lines(
            [
                "gradcheck: 2 tests have the gradcheck fixture and completed no check *",
                "    test_suite.py::test_unchecked",
                "    test_suite.py::test_wrapped",
            ],
            consecutive=True,
        )

    def test_fail_under_strict(self, pytester: pytest.Pytester) -> None:
        """The failure is at the ``def`` line and says what to do."""
        result = run(pytester, self.BODY, "--gradcheck-strict")
        result.assert_outcomes(passed=3, failed=2)
        result.stdout.fnmatch_lines(
            [
                ">   def test_unchecked(gradcheck): pass",
                "E   test_unchecked has the gradcheck fixture but completed no check, which fails",
                "E   under strict: call the fixture, or remove it from the arguments.",
            ]
        )

    def test_strict_in_a_mark(self, pytester: pytest.Pytester) -> None:
        """The options of the test decide."""
        body = "pytestmark = pytest.mark.gradcheck_options(strict=True)\n" + self.BODY
        run(pytester, body).assert_outcomes(passed=3, failed=2)


def test_no_summary_where_nothing_is_checked(pytester: pytest.Pytester) -> None:
    """A run without checks looks as it does without the plugin."""
    result = run(pytester, "def test_it(): pass\n")
    result.stdout.no_fnmatch_line("gradcheck*")


def test_record_of_another_directory(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relative path is relative to where pytest was started, though a test goes elsewhere."""
    body = """
def test_it(gradcheck, tmp_path, monkeypatch):
    import os
    os.chdir(tmp_path)
    gradcheck(f, good, X)
"""
    monkeypatch.chdir(pytester.path)
    run(pytester, body, "--gradcheck-json=a/b/record.json")
    assert outcomes(read(pytester.path / "a/b/record.json")) == {"test_it": "passed"}


def test_collecting_writes_no_record(pytester: pytest.Pytester) -> None:
    """The record of the last run stays."""
    (pytester.path / "record.json").write_text("before")
    body = "def test_it(gradcheck): gradcheck(f, good, X)"
    run(pytester, body, "--gradcheck-json=record.json", "--collect-only")
    assert (pytester.path / "record.json").read_text() == "before"


def test_outputs_of_many_checks(pytester: pytest.Pytester) -> None:
    """Every rendering is valid; each failing function is one result."""
    body = """
@pytest.mark.parametrize("k", range(40))
def test_it(gradcheck, k):
    gradcheck(f, bad if k % 10 == 3 else good, X + k)
"""
    record = recorded(pytester, body)
    assert sum(outcome == "failed" for outcome in outcomes(record).values()) == 4
    (result,) = sarif(record)["results"]
    assert result["occurrenceCount"] == 4
    assert ctrf(record)["summary"]["failed"] == 4
