"""Conditions that all failing cases fulfil, and no passing one."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from itertools import product

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pytest_gradcheck.renderings.separating_condition import (
    Condition,
    Conjunction,
    Value,
    separating_conditions,
)

Case = dict[str, Value]

VALUES: dict[str, Sequence[Value]] = {
    "groups": (1, 2, 4),
    "stride": (1, 2, 3),
    "dtype": ("float32", "float64"),
    "bias": (True, False, None),
}

CONVOLUTION: list[Case] = [
    dict(zip(VALUES, values, strict=True)) for values in product(*VALUES.values())
]


def texts(found: Sequence[Conjunction]) -> list[str]:
    """Return conditions as they are shown."""
    return [" and ".join(map(str, condition)) for condition in found]


def explained(cases: Sequence[Case], fails: Callable[[Case], bool]) -> list[str]:
    """Return the conditions for cases of which some fail."""
    passing = [case for case in cases if not fails(case)]
    return texts(separating_conditions([case for case in cases if fails(case)], passing))


@pytest.mark.parametrize(
    "condition",
    [
        "groups == 2",
        "groups > 1",
        "stride < 3",
        "dtype == float32",
        "bias == None",
        "bias != None",
        "groups > 1 and stride > 1",
        "stride == 2 and bias == True",
        "stride != 2 and dtype == float64",
    ],
)
def test_the_simplest_condition_is_found(condition: str) -> None:
    """It is a comparison of one parameter, or two comparisons."""
    names = {"float32": "float32", "float64": "float64"}
    fails = eval(f"lambda {', '.join(VALUES)}: {condition}", names)  # noqa: S307  # written above
    assert explained(CONVOLUTION, lambda case: fails(**case)) == [condition]


def test_a_choice_of_values() -> None:
    """Values that have no order may be listed."""
    cases: list[Case] = [{"kind": kind, "n": n} for kind in "abcde" for n in range(3)]
    assert explained(cases, lambda case: case["kind"] in {"b", "d"}) == ["kind in (b, d)"]


def test_alternatives_are_all_returned() -> None:
    """Two parameters with the same values in all cases explain as much."""
    cases: list[Case] = [{"a": k % 2, "b": "xy"[k % 2], "n": k} for k in range(10)]
    assert explained(cases, lambda case: case["a"] == 1) == ["a == 1", "b == y"]


@pytest.mark.parametrize(
    "fails",
    [
        lambda case: case["groups"] != case["stride"],
        lambda case: case["groups"] > 1 and case["stride"] > 1 and case["bias"] is None,
        lambda case: case is CONVOLUTION[0],
        lambda case: False,
        lambda case: True,
    ],
    ids=["no condition", "three conditions", "one fails", "none fails", "all fail"],
)
def test_nothing_is_said_without_a_condition(fails: Callable[[Case], bool]) -> None:
    """A single failing case, or all cases, have no condition."""
    assert explained(CONVOLUTION, fails) == []


def test_nothing_is_said_about_few_cases() -> None:
    """Of four cases any two fulfil some condition."""
    few: list[Case] = [{"n": n, "dtype": dtype} for n in (1, 2) for dtype in "fd"]
    assert explained(few, lambda case: case["dtype"] == "f") == []
    more: list[Case] = [{"n": n, "dtype": dtype} for n in range(4) for dtype in "fd"]
    assert explained(more, lambda case: case["dtype"] == "f") == ["dtype == f"]


numbers = st.one_of(st.booleans(), st.integers(-2, 2), st.floats())
values = st.one_of(st.none(), numbers, st.text("ab", max_size=1))
suites = st.sets(st.sampled_from("abc"), min_size=1).flatmap(
    lambda names: st.lists(
        st.fixed_dictionaries(dict.fromkeys(names, values)), min_size=2, max_size=40
    )
)


@given(suites, st.integers(0, 2**40))
def test_a_condition_separates_exactly(cases: list[Case], which: int) -> None:
    """Every condition holds for all failing cases and for no passing one."""
    failing = [case for k, case in enumerate(cases) if which >> k & 1]
    passing = [case for k, case in enumerate(cases) if not which >> k & 1]
    for condition in separating_conditions(failing, passing):
        assert all(comparison.holds(case) for comparison in condition for case in failing)
        assert not any(all(each.holds(case) for each in condition) for case in passing)


@given(
    st.sampled_from(sorted(VALUES)).flatmap(
        lambda name: st.tuples(st.just(name), st.sampled_from(list(VALUES[name])))
    ),
    st.sampled_from(["==", "!=", ">", "<"]),
)
def test_planted_conditions_are_found(pair: tuple[str, Value], relation: str) -> None:
    """One that is true of several cases, and false of others, has one or an equal one found."""
    parameter, value = pair
    assume(relation in {"==", "!="} or type(value) is int)
    planted = Condition(parameter, relation, (value,))
    failing = [case for case in CONVOLUTION if planted.holds(case)]
    assume(0 < len(failing) < len(CONVOLUTION))
    passing = [case for case in CONVOLUTION if case not in failing]
    ((found,),) = separating_conditions(failing, passing)
    assert found.parameter == parameter


@given(st.sets(st.integers(0, len(CONVOLUTION) - 1), min_size=5, max_size=len(CONVOLUTION) - 5))
def test_failures_at_random_have_no_condition(which: set[int]) -> None:
    """Only sets that a person would describe as well are described."""
    failing = [CONVOLUTION[k] for k in which]
    passing = [case for k, case in enumerate(CONVOLUTION) if k not in which]
    found = separating_conditions(failing, passing)
    values = [{case[name] for case in failing} for name in VALUES]
    is_regular = len(failing) == math.prod(map(len, values))
    assert is_regular or not found


def test_numbers_of_other_types_are_other_values() -> None:
    """1, 1.0 and True are told apart, and NaN is equal to itself."""
    cases: list[Case] = [{"x": x} for x in (1, 1.0, True, math.nan) for _ in range(3)]
    assert explained(cases, lambda case: case["x"] is True) == ["x == True"]
    assert explained(cases, lambda case: case["x"] != case["x"]) == ["x == nan"]


def test_many_values_take_little_time_and_memory() -> None:
    """A suite may have thousands of cases, each with a value of its own."""
    cases = [{"k": k, "even": k % 2 == 0, "third": k % 150} for k in range(10_000)]
    failing = [case for case in cases if case["even"]]
    passing = [case for case in cases if not case["even"]]
    started = time.process_time()
    found = separating_conditions(failing, passing)
    assert [str(comparison) for (comparison,) in found] == ["even == True"]
    scattered = [case for case in cases if case["k"] % 20 == 3]
    assert separating_conditions(scattered, [c for c in cases if c not in scattered]) == ()
    assert time.process_time() - started < 10
