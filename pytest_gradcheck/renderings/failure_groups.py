"""The failing checks of a suite in groups: those that go wrong at one line, or for one cause.

For tests that run with many values, it is said which values the failing ones share. This module
reads reports as data, as they arrive from other processes. It does not know pytest.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from pytest_gradcheck.renderings.separating_condition import (
    Value,
    separating_conditions,
)
from pytest_gradcheck.report.report_data import Diagnosis, SourceLocation
from pytest_gradcheck.run_record.record import FAILED, Record

__all__ = ["CheckedTest", "checked_tests", "describe_groups"]

#: The most groups that are shown, and the most test functions of each.
SHOWN_GROUPS = 6
SHOWN_FUNCTIONS = 4

#: The most numbers of a cause that is the same but for its number.
SHOWN_NUMBERS = 3

INDENT = "    "

_NUMBER = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class CheckedTest:
    """A test that passed, or that failed by a gradient check.

    Attributes
    ----------
    nodeid : str
        Its node id.
    parameters : mapping of str to value
        The values that it was parametrized with.
    checks : tuple of mapping
        The reports of its checks, from `Report.to_dict`.
    passed : bool
        Whether it passed.
    """

    nodeid: str
    parameters: Mapping[str, Value]
    checks: tuple[Mapping[str, Any], ...]
    passed: bool

    @property
    def function(self) -> str:
        """The node id without the parameters."""
        return self.nodeid.partition("[")[0]

    @property
    def failing(self) -> tuple[Mapping[str, Any], ...]:
        """The checks that failed; none of a test that passed."""
        return () if self.passed else tuple(check for check in self.checks if check["failures"])


def checked_tests(record: Record) -> Iterator[CheckedTest]:
    """Yield the tests of a record that passed, or that failed by a check."""
    for test in record["tests"]:
        checked = CheckedTest(
            nodeid=test["nodeid"],
            parameters=test["parametrization"],
            checks=tuple(test["checks"]),
            passed=test["outcome"] == "passed",
        )
        is_failure = test["outcome"] in FAILED and checked.failing
        if is_failure or (checked.passed and checked.checks):
            yield checked


def describe_groups(tests: Iterable[CheckedTest]) -> list[str]:
    """Return what failing tests have in common, the most common first.

    Parameters
    ----------
    tests : iterable of CheckedTest
        Tests that passed, and tests that failed by a check.

    Returns
    -------
    list of str
        Lines; empty if fewer than two tests failed, or if they have nothing in common.
    """
    functions: dict[str, list[CheckedTest]] = {}
    for test in tests:
        functions.setdefault(test.function, []).append(test)
    conditions = {name: _condition(same) for name, same in functions.items()}
    groups = _groups([test for same in functions.values() for test in same if test.failing])
    lines = list[str]()
    for origin, members in groups[:SHOWN_GROUPS]:
        lines += [f"{origin} ({len(members)} tests)", *_members(members, functions, conditions)]
    if more := len(groups[SHOWN_GROUPS:]):
        lines.append(f"... and {more} more group{'s' if more > 1 else ''}")
    said = set(lines)
    return lines + [text for text in conditions.values() if text and INDENT + text not in said]


def _condition(tests: Sequence[CheckedTest]) -> str:
    """Return in words where one function fails; empty if its parameters do not tell."""
    if len({tuple(test.parameters) for test in tests}) > 1:
        return ""
    found = separating_conditions(
        [test.parameters for test in tests if test.failing],
        [test.parameters for test in tests if not test.failing],
    )
    if not found:
        return ""
    where = ", or where ".join(" and ".join(map(str, condition)) for condition in found)
    wrong = sum(len(test.failing) for test in tests)
    checked = sum(len(test.checks) for test in tests)
    return f"{tests[0].function} fails exactly where {where}: {wrong} of {checked} checks"


def _groups(failing: Sequence[CheckedTest]) -> list[tuple[str, Sequence[CheckedTest]]]:
    """Return groups of at least two tests with the same origins, the largest first."""
    tests_of: dict[str, list[CheckedTest]] = {}
    texts: dict[str, dict[str, None]] = {}  # in order, each once
    for test in failing:
        origins = [origin for check in test.failing for origin in _origins(check)]
        for key, text in origins:
            texts.setdefault(key, {})[text] = None
        for key in dict(origins):
            tests_of.setdefault(key, []).append(test)
    together: dict[tuple[str, ...], list[str]] = {}
    for key, tests in tests_of.items():
        if len(tests) > 1:
            together.setdefault(tuple(test.nodeid for test in tests), []).append(key)
    groups = [
        ("; ".join(_in_common(list(texts[key])) for key in keys), tests_of[keys[0]])
        for keys in together.values()
    ]
    return sorted(groups, key=lambda group: -len(group[1]))


def _origins(check: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield where a check goes wrong, or else why: what is equal for equal origins, and words.

    Causes whose numbers differ are equal: a missing mean is another factor in each test.
    """
    for wrong_line in check["wrong_lines"]:
        places = wrong_line["location"], *wrong_line.get("alternatives", ())
        locations = [SourceLocation(**place) for place in places]
        key = " or ".join(location.place for location in locations)
        yield key, f"goes wrong at {' or '.join(map(str, locations))}"
    if not check["wrong_lines"]:
        for data in chain(check["diagnosis"], *(p["diagnosis"] for p in check["parameters"])):
            cause = Diagnosis(**data).cause
            if cause.endswith("?"):  # not only where a gradient is wrong, or that it is
                yield _NUMBER.sub("#", cause), cause


def _in_common(texts: Sequence[str]) -> str:
    """Return texts that differ by their numbers as one, with the first few numbers.

    Examples
    --------
    >>> _in_common(["a stray factor 2?", "a stray factor 3?"])
    'a stray factor 2, 3?'
    """
    numbers = [_NUMBER.findall(text) for text in texts]
    if any(len(each) != 1 for each in numbers):
        return texts[0] if len(texts) == 1 else f"{texts[0]} and the like"
    listed = [number for (number,) in numbers]
    more = ", ..." if len(listed) > SHOWN_NUMBERS else ""
    return _NUMBER.sub(", ".join(listed[:SHOWN_NUMBERS]) + more, texts[0])


def _members(
    members: Sequence[CheckedTest],
    functions: Mapping[str, Sequence[CheckedTest]],
    conditions: Mapping[str, str],
) -> Iterator[str]:
    """Yield a line about each function with tests in a group."""
    counts = Counter(test.function for test in members)
    for name, count in islice(counts.items(), SHOWN_FUNCTIONS):
        failing = sum(bool(test.failing) for test in functions[name])
        if conditions[name] and count == failing:
            yield f"{INDENT}{conditions[name]}"
        elif count > 1:
            yield f"{INDENT}{name}: {count} of {len(functions[name])} tests"
        else:
            yield f"{INDENT}{next(test.nodeid for test in members if test.function == name)}"
    if (more := len(counts) - SHOWN_FUNCTIONS) > 0:
        yield f"{INDENT}... and {more} more function{'s' if more > 1 else ''}"
