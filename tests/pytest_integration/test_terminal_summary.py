"""The end of the output of a run in which gradient checks fail."""

from __future__ import annotations

import re

import pytest

from tests.pytest_integration.suites import run, run_in_subprocess

CONVOLUTION = """
def claim(x, groups, stride):
    return 2 * x * (groups if groups > 1 and stride > 1 else 1)

@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("stride", [np.int64(1), np.int64(2), np.int64(3)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_convolution(gradcheck, groups, stride, dtype):
    gradcheck(lambda x, groups, stride: f(x), claim, X, groups, stride, wrt="x")
"""

SECTION = [
    "*= gradient checks that fail alike =*",
    "goes wrong at test_suite.py:17: return 2 [*] x [*] (groups if groups > 1 and stride",
    "  > 1 else 1) (8 tests)",
    "    test_suite.py::test_convolution fails exactly where groups > 1 and stride >",
    "      1: 8 of 18 checks",
    "*= short test summary info =*",
]


def test_failing_checks_are_grouped(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The section is before the short summary, and no wider than the terminal."""
    monkeypatch.setenv("COLUMNS", "80")
    result = run(pytester, CONVOLUTION)
    result.assert_outcomes(passed=10, failed=8)
    result.stdout.fnmatch_lines(SECTION, consecutive=True)


def test_failing_checks_are_grouped_under_xdist(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The data travel from the workers with the reports of tests."""
    monkeypatch.setenv("COLUMNS", "80")
    result = run_in_subprocess(pytester, CONVOLUTION, "-n", "1")
    result.assert_outcomes(passed=10, failed=8)
    result.stdout.fnmatch_lines(SECTION, consecutive=True)


def test_no_section_without_something_in_common(pytester: pytest.Pytester) -> None:
    """One failing check, and other failures, are as without the plugin."""
    body = """
def test_good(gradcheck):
    gradcheck(f, good, X)

def test_bad(gradcheck):
    gradcheck(f, bad, X)

def test_else(gradcheck):
    gradcheck(f, good, X)
    assert 1 == 2
"""
    result = run(pytester, body)
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.no_fnmatch_line("*fail alike*")


def test_expected_failures_are_not_grouped(pytester: pytest.Pytester) -> None:
    """A test that passes though a check in it failed has not failed."""
    body = """
@pytest.mark.parametrize("k", range(4))
def test_raises(gradcheck, k):
    with pytest.raises(AssertionError):
        gradcheck(f, bad, X)

@pytest.mark.parametrize("k", range(4))
@pytest.mark.xfail(strict=True)
def test_expected(gradcheck, k):
    gradcheck(f, bad, X)
"""
    result = run(pytester, body)
    result.assert_outcomes(passed=4, xfailed=4)
    result.stdout.no_fnmatch_line("*fail alike*")


NAMES = """
@pytest.mark.parametrize("name", ["a", "a_longer_name", "n" * 30, "n" * 32, "n" * 40, "n" * 80])
def test_it(gradcheck, name):
    gradcheck(f, lambda x: 3 * x, np.arange(12.0).reshape(3, 4))
"""


@pytest.mark.parametrize("colour", ["no", "yes"])
@pytest.mark.parametrize("columns", ["60", "80", "120"])
def test_first_lines_are_cut_between_words(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, columns: str, colour: str
) -> None:
    """What the short summary shows are whole words, as many as fit."""
    monkeypatch.setenv("COLUMNS", columns)
    result = run(pytester, NAMES, f"--color={colour}")
    words = re.findall(r"x\[2, 3\]: .* wrong", result.stdout.str())[0].split()
    lines = [line for line in result.outlines if line.startswith(("FAILED", "\x1b[31mFAILED"))]
    assert len(lines) == 6
    for line in lines:
        shown = line.partition(" - ")[2].removesuffix("...").split()
        assert [word.rstrip(",;:") for word in shown] == [
            word.rstrip(",;:") for word in words[: len(shown)]
        ]
        if colour == "no":
            assert len(line) <= max(int(columns), len(line.partition(" - ")[0]))
    assert "x[2, 3]: backward" in lines[0]


def test_usage_errors_are_cut_between_words(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first line of every failure of a check is."""
    monkeypatch.setenv("COLUMNS", "80")
    result = run(pytester, "def test_it(gradcheck):\n    gradcheck(f, good, X, wrt='nothing')\n")
    (line,) = [line for line in result.outlines if line.startswith("FAILED")]
    assert line.startswith("FAILED test_suite.py::test_it - wrt='nothing'")
    assert line.endswith(" ...")


ODD = """
class Odd:
    def __repr__(self):
        raise RuntimeError("called")
    __str__ = __eq__ = __hash__ = __repr__

VALUES = [10**6000, "x" * 10**6, "\\x1b[31m", Odd(), np.float32(1.5), np.longdouble(2),
          float("nan"), np.ones(3), {"a": Odd()}]

@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
@pytest.mark.parametrize("claim", [good, bad])
def test_it(gradcheck, value, claim):
    gradcheck(f, claim, X)
"""


@pytest.mark.parametrize("processes", ["0", "1"])
def test_values_of_every_kind_travel_with_reports(
    pytester: pytest.Pytester, processes: str
) -> None:
    """They are short numbers and text, so that no worker and no record fails."""
    result = run_in_subprocess(pytester, ODD, "-n", processes, "--gradcheck-json=out.json")
    result.assert_outcomes(passed=9, failed=9)
    result.stdout.fnmatch_lines(["*test_it fails exactly where claim == bad: 9 of 18 checks"])
    assert (pytester.path / "out.json").stat().st_size < 200_000
