"""What failing tests have in common, from data like that of reports."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pytest_gradcheck import Diagnosis, SourceLocation, WrongLine
from pytest_gradcheck.renderings.failure_groups import CheckedTest, describe_groups
from tests.report.builders import correct, parameter, report

PASSING = report(correct()).to_dict()


def factor(cause: str = "a stray factor 2?") -> Diagnosis:
    """Make a diagnosis."""
    return Diagnosis("factor", f"consistent with something (to 9 digits): {cause}", {})


def at_line(line: int, source: str = "dW = X.T @ dZ") -> WrongLine:
    """Make a wrong line."""
    location = SourceLocation("nn.py", line, line, "backward", source)
    return WrongLine(location, ("dW",), (), ("W",))


def failed(
    name: str, *causes: Diagnosis, line: WrongLine | None = None, **values: Any
) -> CheckedTest:
    """Make a test that failed, after a check that passed."""
    failing = report(
        parameter(diagnosis=causes), wrong_lines=() if line is None else (line,)
    ).to_dict()
    return CheckedTest(f"test_nn.py::{name}", values, (PASSING, failing), passed=False)


def passed(name: str, **values: Any) -> CheckedTest:
    """Make a test that passed."""
    return CheckedTest(f"test_nn.py::{name}", values, (PASSING,), passed=True)


def test_nothing_in_common() -> None:
    """There are no lines about one failing test, or about tests that fail in different ways."""
    assert describe_groups([failed("test_a", factor()), passed("test_b")]) == []
    assert describe_groups([failed("test_a", factor()), failed("test_b", factor("b?"))]) == []
    assert describe_groups([failed("test_a"), failed("test_b")]) == []
    place = Diagnosis("place", "wrong only in W[0, :] (3 entries), right in the others", {})
    assert describe_groups([failed("test_a", place), failed("test_b", place)]) == []


def test_groups_by_line_and_by_cause() -> None:
    """The largest group is first; the line counts where it is known, else the cause."""
    tests = [
        failed("test_a", factor()),
        failed("test_b", factor()),
        *(failed(f"test_{name}", factor(), line=at_line(31)) for name in "cde"),
    ]
    assert describe_groups(tests) == [
        "goes wrong at nn.py:31: dW = X.T @ dZ (3 tests)",
        "    test_nn.py::test_c",
        "    test_nn.py::test_d",
        "    test_nn.py::test_e",
        "a stray factor 2? (2 tests)",
        "    test_nn.py::test_a",
        "    test_nn.py::test_b",
    ]


def test_groups_by_several_lines() -> None:
    """Tests that may go wrong at one of them are another group than those that do."""
    one, other = at_line(31), at_line(40, "dZ = dA")
    both = replace(one, alternatives=(other.location,))
    tests = [
        failed(f"test_{name}", line=line)
        for name, line in zip("abcd", (one, both) * 2, strict=True)
    ]
    assert describe_groups(tests) == [
        "goes wrong at nn.py:31: dW = X.T @ dZ (2 tests)",
        "    test_nn.py::test_a",
        "    test_nn.py::test_c",
        "goes wrong at nn.py:31: dW = X.T @ dZ or nn.py:40: dZ = dA (2 tests)",
        "    test_nn.py::test_b",
        "    test_nn.py::test_d",
    ]


def test_record_of_an_older_version() -> None:
    """Its wrong lines have no alternatives."""
    tests = [failed(f"test_{name}", line=at_line(31)) for name in "ab"]
    for test in tests:
        for wrong_line in test.failing[0]["wrong_lines"]:
            del wrong_line["alternatives"], wrong_line["repair"]
    assert describe_groups(tests)[0] == "goes wrong at nn.py:31: dW = X.T @ dZ (2 tests)"


def test_causes_that_differ_by_a_number_are_one() -> None:
    """A mean that is missing is another factor for each length."""
    tests = [failed(f"test_mean[{n}]", factor(f"a factor {n}?"), n=n) for n in (2, 3, 5, 8)]
    assert describe_groups(tests) == [
        "a factor 2, 3, 5, ...? (4 tests)",
        "    test_nn.py::test_mean: 4 of 4 tests",
    ]


def test_causes_of_the_same_tests_are_one_group() -> None:
    """Two parameters may be wrong for two reasons, in the same tests."""
    tests = [failed(f"test_{name}", factor(), factor("a sign?")) for name in "ab"]
    assert describe_groups(tests)[0] == "a stray factor 2?; a sign? (2 tests)"


def test_the_values_that_failing_tests_share() -> None:
    """They are said beneath the group of these tests; passing checks count as well."""
    tests = [
        failed(f"test_conv[{g}-{s}]", factor(), groups=g, stride=s)
        if g > 1 and s > 1
        else passed(f"test_conv[{g}-{s}]", groups=g, stride=s)
        for g in (1, 2, 4)
        for s in (1, 2, 3)
    ]
    assert describe_groups(tests) == [
        "a stray factor 2? (4 tests)",
        "    test_nn.py::test_conv fails exactly where groups > 1 and stride > 1: 4 of 13 checks",
    ]


def test_shared_values_without_a_known_cause() -> None:
    """They have a line of their own; two descriptions that fit are both said."""
    tests = [
        (failed if n > 4 else passed)(f"test_f[{n}]", n=n, size="small" if n < 5 else "large")
        for n in range(10)
    ]
    assert describe_groups(tests) == [
        "test_nn.py::test_f fails exactly where size == large, or where n > 4: 5 of 15 checks"
    ]


def test_a_part_of_the_failing_tests_of_a_function() -> None:
    """The shared values are those of all failing tests, so that they are said elsewhere."""
    tests = [
        failed(f"test_f[{n}]", factor() if n % 2 else factor("a sign?"), n=n)
        if n > 3
        else passed(f"test_f[{n}]", n=n)
        for n in range(8)
    ]
    assert describe_groups(tests) == [
        "a sign? (2 tests)",
        "    test_nn.py::test_f: 2 of 8 tests",
        "a stray factor 2? (2 tests)",
        "    test_nn.py::test_f: 2 of 8 tests",
        "test_nn.py::test_f fails exactly where n > 3: 4 of 12 checks",
    ]


def test_long_lists_are_cut() -> None:
    """The most common groups are shown, and of each the first functions."""
    tests = [
        failed(f"test_{name}", *(factor(f"cause {cause}?") for cause in "abcdefgh"[:k]))
        for k, name in enumerate("abcdefghi")
    ]
    lines = describe_groups(tests)
    assert lines[:6] == [
        "cause a? (8 tests)",
        "    test_nn.py::test_b",
        "    test_nn.py::test_c",
        "    test_nn.py::test_d",
        "    test_nn.py::test_e",
        "    ... and 4 more functions",
    ]
    assert lines[-1] == "... and 1 more group"
