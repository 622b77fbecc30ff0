"""Executors of a whole suite, from a hook."""

import pytest

from tests.pytest_integration.suites import run

CONFTEST = """
from concurrent.futures import ThreadPoolExecutor

executor = ThreadPoolExecutor(2)

def pytest_gradcheck_executor(item):
    return executor if item.get_closest_marker("large") else None

def pytest_gradcheck_finish_check(item, report):
    option = report.options["executor"]
    print(item.name, type(option.value).__name__, option.origin)

def pytest_configure(config):
    config.addinivalue_line("markers", "large: takes long")
"""

SUITE = """
@pytest.mark.large
def test_hook(gradcheck):
    gradcheck(f, good, X)

def test_none(gradcheck):
    gradcheck(f, good, X)

@pytest.mark.large
@pytest.mark.gradcheck_options(executor=None)
def test_mark(gradcheck):
    gradcheck(f, good, X)
"""


def test_hook_provides_the_executor_that_no_option_gives(pytester: pytest.Pytester) -> None:
    """A mark overrides the hook, and a call overrides both; the report has the origin."""
    pytester.makeconftest(CONFTEST)
    result = run(pytester, SUITE, "-s")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(
        [
            "*test_hook ThreadPoolExecutor hook pytest_gradcheck_executor",
            "*test_none NoneType default",
            "*test_mark NoneType mark",
        ]
    )


def test_hook_that_returns_something_else_is_refused(pytester: pytest.Pytester) -> None:
    """The message says what an executor is."""
    pytester.makeconftest("def pytest_gradcheck_executor(item):\n    return 2\n")
    result = run(pytester, "def test_it(gradcheck):\n    gradcheck(f, good, X)\n")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *gradcheck option executor=2 (hook pytest_gradcheck_executor): executor must be a",
            "E *concurrent.futures.Executor (of a dask client: client.get_executor()), or None.",
        ]
    )
