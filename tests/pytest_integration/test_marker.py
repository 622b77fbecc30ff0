"""Marks: their meaning, their validation, and the tests that they select."""

import pytest

from tests.pytest_integration.suites import QUIET, run


def summary(result: pytest.RunResult) -> list[str]:
    """Return the lines of the short summary."""
    return [line for line in result.outlines if line.startswith(("FAILED", "ERROR"))]


def message(result: pytest.RunResult) -> str:
    """Return the lines of the failure as one text."""
    lines = [line[1:].strip() for line in result.outlines if line.startswith("E  ")]
    return " ".join(lines)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            "@pytest.mark.gradcheck(f, wrt='x')\ndef test_it(x=X): return f(x)\n",
            "pytest.mark.gradcheck takes keywords only, and test_it gives it f: write",
        ),
        (
            "@pytest.mark.gradcheck(backwards=good)\ndef test_it(): return f(X)\n",
            "gradcheck has no option 'backwards' (mark). Did you mean 'backward'? Options: mode, "
            "rtol, step, max_evaluations, seed, strict, kinks, empty, convention, max_rows, "
            "replay, tangent, project, bounds, executor, batched, points, also, reference.",
        ),
        (
            "@pytest.mark.gradcheck(rtol=-1)\ndef test_it(): return f(X)\n",
            "gradcheck option rtol=-1 (mark): rtol must be a float, at least 0 and less than 1.",
        ),
        (
            "@pytest.mark.gradcheck(kwargs={'x': 1})\ndef test_it(): return f(X)\n",
            "kwargs= in a mark (test_it): arguments of a marked test come from fixtures and "
            "parametrize.",
        ),
        (
            "@pytest.mark.gradcheck(backward='good')\ndef test_it(): return f(X)\n",
            "backward='good' in the mark of test_it: it must be a function, or left out where the "
            "test returns (value, gradients).",
        ),
        (
            "@pytest.mark.gradcheck_options(wrt='x')\n@pytest.mark.gradcheck\n"
            "def test_it(): return f(X)\n",
            "wrt= in gradcheck_options (test_it): it holds options only; write it in "
            "pytest.mark.gradcheck.",
        ),
        (
            "import unittest\nclass TestIt(unittest.TestCase):\n"
            "    @pytest.mark.gradcheck\n    def test_it(self): pass\n",
            "test_it is a method of a unittest.TestCase, which cannot be a forward function. "
            "Leave out the mark and use the function: from pytest_gradcheck import gradcheck, and "
            "gradcheck(forward, backward, ...).",
        ),
        (
            "@pytest.mark.gradcheck\nasync def test_it(): return 1.0\n",
            "test_it is a coroutine, which cannot be a forward function. Use the fixture: async "
            "def test_it(gradcheck): gradcheck(forward, backward, ...).",
        ),
        (
            "@pytest.mark.gradcheck(backward=good)\ndef test_it(gradcheck): pass\n",
            "test_it asks for the gradcheck fixture, so its mark holds options only: write "
            "backward=, wrt= and the like in the call of the fixture.",
        ),
    ],
)
def test_invalid_marks(pytester: pytest.Pytester, body: str, text: str) -> None:
    """Each is an error at setup, at the def line of the test, that says what to write."""
    result = run(pytester, body)
    result.assert_outcomes(errors=1)
    assert message(result).startswith(text)
    assert "pytest_gradcheck/" not in result.stdout.str()


def test_mark_on_a_helper_is_a_collection_error(pytester: pytest.Pytester) -> None:
    """`pytest.mark.gradcheck(f)` marks f itself, and the test would not be a check."""
    body = """
@pytest.mark.gradcheck(good)
def test_it(x):
    return f(x)
"""
    pytester.makepyfile(test_suite="import numpy as np, pytest\ndef good(x): return 2.0\n" + body)
    result = pytester.runpytest_inprocess(*QUIET)
    result.assert_outcomes(errors=1)
    assert "marks good itself: write @pytest.mark.gradcheck(backward=good)." in (
        result.stdout.str()
    )


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            "@pytest.mark.gradcheck\ndef test_it(gradcheck): pass\n",
            "test_it is marked gradcheck but completed no check: call the gradcheck fixture in "
            "it, or mark with gradcheck_options what only needs options.",
        ),
        (
            "@pytest.fixture\ndef x(): return X\n"
            "@pytest.mark.gradcheck(backward=good)\ndef test_it(x): f(x)\n",
            "test_it returned None; a derivative needs a number or a floating array. Return the "
            "value whose derivative backward computes.",
        ),
        (
            "@pytest.fixture\ndef x(): return X\n@pytest.mark.gradcheck\ndef test_it(x): f(x)\n",
            "test_it returned None. Without a backward function it must return (value, "
            "gradients); else pass backward=.",
        ),
    ],
)
def test_marked_test_that_checks_nothing_fails(
    pytester: pytest.Pytester, body: str, text: str
) -> None:
    """A marked test that completes no check fails."""
    result = run(pytester, body)
    result.assert_outcomes(failed=1)
    assert message(result) == text


def test_later_marks_override_earlier_ones(pytester: pytest.Pytester) -> None:
    """The order is module, base classes, class, function and parameters."""
    body = """
pytestmark = pytest.mark.gradcheck_options(rtol=1e-2, seed=1)

@pytest.mark.gradcheck_options(rtol=1e-3)
class Base:
    def options(self, report):
        return [(report.options[name].value, report.options[name].origin)
                for name in ("rtol", "seed", "strict")]

@pytest.mark.gradcheck_options(seed=2)
class TestDerived(Base):
    def test_class(self, gradcheck):
        assert self.options(gradcheck(f, good, X)) == [
            (1e-3, "mark"), (2, "mark"), (False, "default")]

    @pytest.mark.gradcheck_options(strict=True)
    def test_function(self, gradcheck):
        assert self.options(gradcheck(f, good, X)) == [
            (1e-3, "mark"), (2, "mark"), (True, "mark")]

    @pytest.mark.gradcheck_options(seed=3)
    @pytest.mark.parametrize("k", [pytest.param(0, marks=pytest.mark.gradcheck_options(seed=4))])
    def test_parameter(self, gradcheck, k):
        assert self.options(gradcheck(f, good, X)) == [
            (1e-3, "mark"), (4, "mark"), (False, "default")]

    def test_call(self, gradcheck):
        assert self.options(gradcheck(f, good, X, rtol=1e-5)) == [
            (1e-5, "call"), (2, "mark"), (False, "default")]
"""
    run(pytester, body).assert_outcomes(passed=4)


SELECTION = """
@pytest.fixture
def x():
    return X

@pytest.fixture
def helper(gradcheck):
    return lambda x: gradcheck(f, good, x)

def test_plain(): pass
def test_fixture(gradcheck): gradcheck(f, good, X)
def test_indirect(helper): helper(X)
@pytest.mark.usefixtures("gradcheck")
def test_usefixtures(): pass
@pytest.mark.gradcheck(backward=good)
def test_marked(x): return f(x)
@pytest.mark.gradcheck_options(seed=1)
def test_options(): pass
"""


def test_selection(pytester: pytest.Pytester) -> None:
    """`-m gradcheck` selects marked tests and tests that use the fixture."""
    result = run(pytester, SELECTION, "-m", "gradcheck", "-v")
    result.assert_outcomes(passed=4, deselected=2)
    assert not any("test_plain" in line for line in result.outlines)
    run(pytester, SELECTION, "-m", "not gradcheck").assert_outcomes(passed=2, deselected=4)


def test_namesake_and_autouse_are_not_selected(pytester: pytest.Pytester) -> None:
    """A fixture of that name in the suite, or autouse of the fixture, selects no test."""
    body = """
@pytest.fixture(autouse=True)
def always(gradcheck): pass

def test_plain(): pass

class TestOwn:
    @pytest.fixture
    def gradcheck(self): return 1

    def test_namesake(self, gradcheck): assert gradcheck == 1
"""
    run(pytester, body, "-m", "gradcheck").assert_outcomes(deselected=2)


def test_markers_are_documented(pytester: pytest.Pytester) -> None:
    """`pytest --markers` describes both, and strict markers accept them."""
    result = run(pytester, "def test_it(): pass", "--markers")
    text = result.stdout.str()
    assert "@pytest.mark.gradcheck(*, backward=None, wrt=None, backward_args=None" in text
    assert "@pytest.mark.gradcheck_options(**options): options of the gradient checks" in text
