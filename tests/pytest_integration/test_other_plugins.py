"""The plugin in a real suite: with other plugins, and in every style of test."""

import sys
import xml.etree.ElementTree as ET

import pytest

from tests.pytest_integration.suites import HEADER, HEADLINE, run, run_in_subprocess

TWO = """
def test_good(gradcheck):
    gradcheck(f, good, X)

def test_bad(gradcheck):
    gradcheck(f, bad, X)
"""


def test_classes_and_fixtures_of_every_scope(pytester: pytest.Pytester) -> None:
    """The session-scoped fixture belongs to the running test, wherever it is used."""
    body = """
@pytest.fixture(scope="module")
def module_check(gradcheck):
    gradcheck(f, good, X)
    return gradcheck

@pytest.fixture(scope="class")
def class_check(gradcheck):
    return gradcheck

class TestAll:
    def test_module(self, module_check): module_check(f, good, X)
    def test_class(self, class_check): class_check(f, bad, X)
"""
    result = run(pytester, body)
    result.assert_outcomes(passed=1, failed=1)
    assert "run again: pytest test_suite.py::TestAll::test_class" in result.stdout.str()


@pytest.mark.skipif(pytest.version_tuple < (9,), reason="subtests came with pytest 9")
def test_subtests(pytester: pytest.Pytester) -> None:
    """A wrong gradient fails its subtest; the others continue."""
    body = """
def test_subtests(gradcheck, subtests):
    for k in range(3):
        with subtests.test(k=k):
            gradcheck(f, bad if k == 1 else good, X)
"""
    result = run(pytester, body)
    assert "SUBFAILED(k=1)" in result.stdout.str()
    assert HEADLINE in result.stdout.str()


def test_unittest_uses_the_function(pytester: pytest.Pytester) -> None:
    """The function has the options and the seed of the running test."""
    body = """
import unittest

@pytest.mark.gradcheck_options(rtol=1e-3)
class TestIt(unittest.TestCase):
    def test_it(self):
        report = check(f, good, X)
        assert report.options["rtol"].origin == "mark"
        with self.assertRaises(AssertionError):
            check(f, bad, X)
"""
    run(pytester, body).assert_outcomes(passed=1)


def test_hypothesis(pytester: pytest.Pytester) -> None:
    """Fixture and marker work under @given; each example is a check."""
    body = """
from hypothesis import given, settings, strategies as st

@settings(max_examples=5, database=None)
@given(a=st.floats(1, 2))
def test_fixture(gradcheck, a): gradcheck(f, good, a * X)

@pytest.mark.gradcheck(backward=lambda a: 2 * a)
@settings(max_examples=5, database=None)
@given(a=st.floats(1, 2))
def test_marker(a): return a**2

@pytest.mark.gradcheck(backward=lambda a: 3 * a)
@settings(max_examples=1, database=None)
@given(a=st.just(1.0))
def test_marker_fails(a): return a**2

class TestMethod:
    @pytest.mark.gradcheck(backward=lambda a: 2 * a)
    @settings(max_examples=5, database=None)
    @given(a=st.floats(1, 2))
    def test_marker(self, a): return a**2
"""
    result = run_in_subprocess(pytester, body)
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["*a: backward 3.0, numerical 2.0 (*); 1 of 1 entry wrong"])


@pytest.mark.parametrize("plugin", ["asyncio", "anyio"])
def test_async_tests_use_the_fixture(pytester: pytest.Pytester, plugin: str) -> None:
    """They do so under pytest-asyncio and anyio, with or without a mark."""
    body = f"""
@pytest.fixture
def anyio_backend(): return "asyncio"

@pytest.mark.{plugin}
async def test_good(gradcheck): gradcheck(f, good, X)

@pytest.mark.{plugin}
@pytest.mark.gradcheck
async def test_marked(gradcheck): gradcheck(f, good, X)

@pytest.mark.{plugin}
@pytest.mark.gradcheck
async def test_unchecked(gradcheck): pass

@pytest.mark.{plugin}
async def test_function():
    assert check(f, good, X).options["seed"].origin == "node id"
"""
    run_in_subprocess(pytester, body).assert_outcomes(passed=3, failed=1)


def test_xdist(pytester: pytest.Pytester) -> None:
    """Reports are sent to the controller; seeds and messages are the same."""
    result = run_in_subprocess(pytester, TWO, "-n2")
    result.assert_outcomes(passed=1, failed=1)
    text = result.stdout.str()
    assert f"E       {HEADLINE}" in text
    assert "FAILED test_suite.py::test_bad - x[1]: backward 6.0, numerical 4.0" in text


def test_rerunfailures_replaces_properties(pytester: pytest.Pytester) -> None:
    """A repeated test has the properties of its last run only."""
    path = pytester.path / "junit.xml"
    result = run_in_subprocess(pytester, TWO, "--reruns=2", f"--junitxml={path}")
    assert result.parseoutcomes() == {"passed": 1, "failed": 1, "rerun": 2}
    for case in ET.parse(path).getroot().iter("testcase"):  # noqa: S314  # our own file
        names = [p.get("name") for p in case.iter("property")]
        assert names.count("gradcheck_checks") == 1


def test_run_parallel(pytester: pytest.Pytester) -> None:
    """The fixture works in many threads; marked tests run in one."""
    body = """
@pytest.fixture
def x(): return X

def test_fixture(gradcheck):
    def forward(x):
        factor = np.random.rand()
        return f(x) * factor, factor

    gradcheck(forward, lambda x, cache: 2 * x * cache, X)

@pytest.mark.gradcheck(backward=good)
def test_marker(x): return f(x)
"""
    result = run_in_subprocess(pytester, body, "--parallel-threads=4")
    result.assert_outcomes(passed=2)


def test_randomly_doctest_and_strict_warnings(pytester: pytest.Pytester) -> None:
    """Random order, doctests in modules and -W error have no effect."""
    pytester.makepyfile(
        module='''
def square(x):
    """
    >>> from pytest_gradcheck import gradcheck
    >>> bool(gradcheck(lambda x: x**2, lambda x: 2 * x, 1.5))
    True
    """
'''
    )
    body = "def test_good(gradcheck): gradcheck(f, good, X)"
    pytester.makepyfile(test_suite=HEADER + body)
    result = pytester.runpytest_subprocess(
        "-p", "no:asyncio", "--doctest-modules", "-W", "error", "-p", "randomly"
    )
    result.assert_outcomes(passed=2)


def test_stop_at_first_and_last_failed(pytester: pytest.Pytester) -> None:
    """The options -x and --lf work as usual."""
    body = TWO.replace("test_bad", "test_a_bad")
    pytester.makepyfile(test_suite=HEADER + body)
    arguments = ("-p", "no:randomly", "-p", "no:asyncio")
    pytester.runpytest_inprocess(*arguments, "-x").assert_outcomes(passed=1, failed=1)
    result = pytester.runpytest_inprocess(*arguments, "--lf")
    result.assert_outcomes(failed=1)


def test_xfail(pytester: pytest.Pytester) -> None:
    """A failing check is an AssertionError."""
    body = """
@pytest.mark.xfail(raises=AssertionError, strict=True)
def test_bad(gradcheck): gradcheck(f, bad, X)
"""
    run(pytester, body).assert_outcomes(xfailed=1)


def test_without_the_plugin(pytester: pytest.Pytester) -> None:
    """With -p no:gradcheck only the function remains."""
    body = "def test_it(): assert check(f, good, X).seed == 0\ndef test_no(gradcheck): pass"
    run_in_subprocess(pytester, body, "-p", "no:gradcheck").assert_outcomes(passed=1, errors=1)


def test_without_a_terminal(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plugin works with -p no:terminal."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(test_suite=HEADER + TWO)
    result = pytester.runpytest_subprocess("-p", "no:terminal", "-p", "gradcheck")
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_loaded_by_name_without_autoload(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With PYTEST_DISABLE_PLUGIN_AUTOLOAD it is loaded with -p gradcheck."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(test_suite=HEADER + TWO)
    result = pytester.runpytest_subprocess("-p", "gradcheck")
    result.assert_outcomes(passed=1, failed=1)


def test_junit(pytester: pytest.Pytester) -> None:
    """The XML has properties and a message of one line, without escape codes."""
    path = pytester.path / "junit.xml"
    run(pytester, TWO, f"--junitxml={path}", "--color=yes")
    root = ET.parse(path).getroot()  # noqa: S314  # our own file
    (failed,) = root.iter("failure")
    assert failed.get("message") == HEADLINE
    assert failed.text is not None
    assert "\x1b" not in failed.text
    assert {p.get("name") for p in root.iter("property")} == {
        "gradcheck_worst",
        "gradcheck_checks",
        "gradcheck_evaluations",
        "gradcheck_seed",
    }


def test_colour_on_a_terminal_only(pytester: pytest.Pytester) -> None:
    """Verdicts are coloured if the terminal has colours."""
    coloured = run(pytester, TWO, "--color=yes").stdout.str()
    assert "\x1b[31m\x1b[1mwrong\x1b[0m" in coloured
    plain = run(pytester, TWO, "--color=no").stdout.str()
    assert "\x1b" not in plain


def test_summary_has_one_line_on_ci(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where pytest does not truncate the summary, it has the first line of the message."""
    monkeypatch.setenv("CI", "true")
    result = run(pytester, TWO, "-vv")
    lines = result.outlines
    start = next(k for k, line in enumerate(lines) if "short test summary" in line)
    assert lines[start + 1] == f"FAILED test_suite.py::test_bad - {HEADLINE}"
    assert lines[start + 2].startswith("gradcheck: 2 checks, 1 correct, 1 wrong; ")
    assert lines[start + 3].startswith("=====")


def test_hook_receives_every_report(pytester: pytest.Pytester) -> None:
    """It is called for passing and failing checks, with the test."""
    pytester.makeconftest("""
    def pytest_gradcheck_finish_check(item, report):
        print("HOOK", item.name, report.verdict)
    """)
    result = run(pytester, TWO, "-s")
    found = [line.partition("HOOK ")[2].rstrip(".F") for line in result.outlines if "HOOK" in line]
    assert found == ["test_good correct", "test_bad wrong"]


@pytest.mark.skipif(sys.platform == "win32", reason="paths of other drives")
def test_usage_error_shows_only_the_users_line(pytester: pytest.Pytester) -> None:
    """A mistake in a call is shown at the call, wrapped, without frames of the package."""
    result = run(pytester, "def test_it(gradcheck):\n    gradcheck(f, good, X, rtool=1)\n")
    lines = [line for line in result.outlines if line.startswith((">", "E"))]
    assert lines[0].split() == [">", "gradcheck(f,", "good,", "X,", "rtool=1)"]
    assert [line[1:].strip() for line in lines[1:]] == [
        "gradcheck has no option 'rtool' (call). Did you mean 'rtol'? Options: mode,",
        "rtol, step, max_evaluations, seed, strict, kinks, empty, convention, max_rows,",
        "replay, tangent, project, bounds, executor, batched, points, also, reference.",
    ]
