"""Exceptions of the user's functions: as they were raised, with how the function was called."""

import re

import pytest

from tests.pytest_integration.suites import run

FUNCTIONS = """
def helper():
    raise KeyError("gone")

def raises(x, *, n=3):
    return helper()

def raises_backward(x):
    return helper()

def raises_nearby(x):
    return np.sum(x**2) if (x == X).all() else helper()

def stops(x):
    return next(iter(()))

def fails(x):
    pytest.fail("enough")
"""

CALLS = {
    "fixture": "def test_it(gradcheck):\n    gradcheck({})",
    "function": "def test_it():\n    check({})",
    "check_gradient": "def test_it():\n    check_gradient({})",
}


def shown(pytester: pytest.Pytester, body: str) -> tuple[list[str], list[str]]:
    """Return the functions in the traceback of a failing test, and the lines of its error."""
    result = run(pytester, FUNCTIONS + body, "--tb=short")
    result.assert_outcomes(failed=1)
    assert "pytest_gradcheck/" not in result.stdout.str().partition("short test summary")[0]
    lines = result.outlines
    functions = [m[1] for line in lines if (m := re.match(r"\S+:\d+: in (\w+)$", line))]
    return functions, [line[1:].strip() for line in lines if line.startswith("E ")]


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(
    ("arguments", "functions", "error"),
    [
        (
            "raises, good, X, kwargs={'n': 4}",
            ["raises", "helper"],
            [
                "KeyError: 'gone'",
                "gradcheck called forward as raises(<float64 array of shape (2,)>, n=<int>)",
            ],
        ),
        (
            "raises, good, X.astype(np.float32)",
            ["raises", "helper"],
            [
                "KeyError: 'gone'",
                "gradcheck called forward as raises(<float32 array of shape (2,)>)",
            ],
        ),
        (
            "f, raises_backward, X",
            ["raises_backward", "helper"],
            [
                "KeyError: 'gone'",
                "gradcheck called backward as raises_backward(x=<float64 array of shape (2,)>)",
            ],
        ),
        (
            "raises_nearby, good, X",
            ["raises_nearby", "helper"],
            ["KeyError: 'gone'", "while gradcheck perturbed x[0] by 1e-12"],
        ),
        (
            "raises_nearby, good, X, mode='fast'",
            ["raises_nearby", "helper"],
            ["KeyError: 'gone'", "while gradcheck perturbed x[0] by 1e-12"],
        ),
        (
            "stops, good, X",
            ["stops"],
            [
                "StopIteration",
                "gradcheck called forward as stops(<float64 array of shape (2,)>)",
            ],
        ),
        (
            "f, stops, X",
            ["stops"],
            [
                "StopIteration",
                "gradcheck called backward as stops(x=<float64 array of shape (2,)>)",
            ],
        ),
        (
            "f, good, X, project=raises_backward",
            ["raises_backward", "helper"],
            ["KeyError: 'gone'"],
        ),
        ("fails, good, X", ["fails"], ["Failed: enough"]),
    ],
)
def test_traceback_holds_the_users_frames_only(
    pytester: pytest.Pytester, call: str, arguments: str, functions: list[str], error: list[str]
) -> None:
    """It goes from the line of the test to the line that raised, and the note says the call."""
    assert shown(pytester, call.format(arguments)) == (["test_it", *functions], error)


def test_marked_test(pytester: pytest.Pytester) -> None:
    """The body of a marked test is forward."""
    marked = (
        "@pytest.mark.gradcheck(backward={})\n@pytest.mark.parametrize('x', [X])\n"
        "def test_it(x):\n    return {}(x)"
    )
    _, error = shown(pytester, marked.format("good", "raises"))
    assert error[-1] == "gradcheck called forward as test_it(<float64 array of shape (2,)>)"
    functions, _ = shown(pytester, marked.format("raises_backward", "f"))
    assert functions == ["test_it", "raises_backward", "helper"]


def test_many_arguments_are_cut_short(pytester: pytest.Pytester) -> None:
    """The note names the first few."""
    body = "def g(*xs):\n    helper()\ndef test_it():\n    check(g, lambda *xs: xs, *[1.0] * 100)"
    _, error = shown(pytester, body)
    assert error[-1] == f"gradcheck called forward as g({'<float>, ' * 8}...)"


def test_bug_in_this_package_keeps_its_traceback(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frames are hidden only where the exception is the user's."""
    monkeypatch.setattr("pytest_gradcheck.check.run_check.choose_mode", None)
    result = run(pytester, "def test_it(gradcheck):\n    gradcheck(f, good, X)", "--tb=short")
    result.stdout.fnmatch_lines(["*run_check.py:*: in _check_once"])
