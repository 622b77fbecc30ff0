"""Suites that tests of the plugin run, and helpers to compare their output.

All modules of the package are imported here, once: a run in this process unloads those that it
imported, and the next one would have other classes.
"""

import pkgutil
import re
from importlib import import_module

import pytest

import pytest_gradcheck

for module in pkgutil.walk_packages(pytest_gradcheck.__path__, "pytest_gradcheck."):
    import_module(module.name)

#: Imports and functions of every suite below.
HEADER = """
import numpy as np
import pytest
from pytest_gradcheck import check_gradient, gradcheck as check

def f(x):
    return np.sum(x**2)

def good(x):
    return 2 * x

def bad(x):
    return 3 * x

X = np.array([1.0, 2.0])
"""

#: The first line of the failure of `bad`.
HEADLINE = "x[1]: backward 6.0, numerical 4.0 (a stray factor 3/2?); 2 of 2 entries wrong"


def without(*plugins: str) -> tuple[str, ...]:
    """Return the arguments of a run without some plugins."""
    return tuple(part for plugin in plugins for part in ("-p", f"no:{plugin}"))


#: No plugin that changes the order or the number of tests, or leaves files behind.
STEADY = without(
    "randomly", "run-parallel", "asyncio", "anyio", "hypothesispytest", "cacheprovider"
)

#: Nor one that repeats or distributes them, or adds output.
QUIET = (*STEADY, *without("rerunfailures", "xdist", "metadata", "html", "pytest_jsonreport"))


def run(
    pytester: pytest.Pytester, body: str, *args: str, name: str = "test_suite"
) -> pytest.RunResult:
    """Run a suite of `body` in this process, without plugins that are not under test."""
    pytester.makepyfile(**{name: HEADER + body})
    return pytester.runpytest_inprocess(*QUIET, *args)


def run_suite(pytester: pytest.Pytester, *args: str) -> pytest.RunResult:
    """Run the files that are there: in this process, unless workers are asked for."""
    is_distributed = any(argument.startswith(("-n", "--dist")) for argument in args)
    runpytest = pytester.runpytest_subprocess if is_distributed else pytester.runpytest_inprocess
    return runpytest(*STEADY, *args)


def run_in_subprocess(pytester: pytest.Pytester, body: str, *args: str) -> pytest.RunResult:
    """Run a suite of `body` in a subprocess, with all installed plugins."""
    pytester.makepyfile(test_suite=HEADER + body)
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    return pytester.runpytest_subprocess(*without("randomly"), *args)


def failure(result: pytest.RunResult) -> str:
    """Return the lines of a failing run from the first traceback on, seconds replaced."""
    lines = [line.rstrip() for line in result.outlines]
    start = next(k for k, line in enumerate(lines) if line.startswith("____"))
    text = "\n".join(lines[start:])
    text = re.sub(r"calls; [\d.e-]+ s\b", "calls; 0.01 s", re.sub(r"seed \d+", "seed 7", text))
    text = re.sub(r"evaluations, [\d.e-]+ s", "evaluations, 0.01 s", text)
    return re.sub(r"in [\d.]+s", "in 0.01s", text)
