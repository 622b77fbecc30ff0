"""The values of parameters that all failing cases share, and no passing one has.

The simplest condition that separates the two exactly is found by trying all: a comparison of one
parameter (``groups > 1``), a choice of its values, or two comparisons together. Conditions as
simple must be unlikely to separate as many cases by chance, as in Fisher's exact test: of all
ways in which as many cases could fail, they describe but few. This module does not know what a
case is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb, isfinite
from operator import gt, lt
from typing import Any

__all__ = ["Condition", "Conjunction", "Value", "separating_conditions"]

#: A value of a parameter. What is no number, text or None is represented by text.
Value = bool | int | float | str | None

#: Parameters by name.
Case = Mapping[str, Value]

#: Relations, the simplest first.
RELATIONS = ("==", ">", "<", "!=", "in")

#: Those between numbers.
ORDERINGS: Mapping[str, Callable[[Any, Any], bool]] = {">": gt, "<": lt}

#: The largest probability with which some condition separates the cases by chance.
LARGEST_CHANCE = 0.2

#: The most values of a parameter that is compared. With more, each case has a value of its own.
MOST_VALUES = 200

#: The most values in a choice of values, and of a parameter whose values are chosen from.
MOST_CHOICES = 3
MOST_TO_CHOOSE_FROM = 40

#: The most conditions that separate equally well, of which all are returned.
MOST_ALTERNATIVES = 2

#: The most conjunctions that are tried.
MOST_CONJUNCTIONS = 100_000


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on one parameter.

    Attributes
    ----------
    parameter : str
        Its name.
    relation : {"==", ">", "<", "!=", "in"}
        The relation, in order of simplicity.
    values : tuple
        The value that it is compared with; several for ``"in"``.
    """

    parameter: str
    relation: str
    values: tuple[Value, ...]

    def holds(self, case: Case) -> bool:
        """Return whether a case fulfils the condition."""
        value: Any = case[self.parameter]
        if self.relation in ORDERINGS:
            return bool(ORDERINGS[self.relation](value, self.values[0]))
        return (_key(value) in map(_key, self.values)) != (self.relation == "!=")

    def __str__(self) -> str:
        text = ", ".join(map(str, self.values))
        return f"{self.parameter} {self.relation} {f'({text})' if self.relation == 'in' else text}"


#: Comparisons that hold together.
Conjunction = tuple[Condition, ...]

#: The cases that fulfil a condition, as the bits of a number, and the condition.
Candidate = tuple[int, Conjunction]

#: A value of a parameter, and the cases that have it, as the bits of a number.
ValueCases = tuple[Value, int]


def separating_conditions(
    failing: Sequence[Case], passing: Sequence[Case]
) -> tuple[Conjunction, ...]:
    """Return the simplest conditions that all failing cases fulfil, and no passing one.

    Parameters
    ----------
    failing, passing : sequence of mapping
        The parameters of each case; all cases have the same names.

    Returns
    -------
    tuple of tuple of Condition
        Conditions that describe the failing cases equally well, at most two, each of one or two
        comparisons; empty if none does, or if one might by chance.

    Examples
    --------
    >>> cases = [{"groups": g, "stride": s} for g in (1, 2, 4) for s in (1, 2, 3)]
    >>> failing = [case for case in cases if case["groups"] > 1 and case["stride"] > 1]
    >>> passing = [case for case in cases if case not in failing]
    >>> [" and ".join(map(str, both)) for both in separating_conditions(failing, passing)]
    ['groups > 1 and stride > 1']
    """
    if len(failing) < 2 or not passing:
        return ()
    cases = [*failing, *passing]
    wanted = (1 << len(failing)) - 1
    all_values = ((name, _cases_by_value(name, cases)) for name in failing[0])
    parameters = {name: values for name, values in all_values if len(values) <= MOST_VALUES}
    simple = [each for item in parameters.items() for each in _comparisons(*item)]
    choices = [each for item in parameters.items() for each in _choices(*item)]
    tried = set[int]()
    for candidates in (simple, choices, _conjunctions(simple, len(failing))):
        as_many = [each for each in candidates if each[0].bit_count() == len(failing)]
        tried.update(members for members, _ in as_many)
        found = [condition for members, condition in as_many if members == wanted]
        if found:
            # The number of ways may be beyond the range of a float.
            is_chance = len(tried) / LARGEST_CHANCE > comb(len(cases), len(failing))
            return () if is_chance else _simplest(found)
    return ()


def _simplest(conditions: Sequence[Conjunction]) -> tuple[Conjunction, ...]:
    """Return for each choice of parameters the simplest condition, if few choices are possible."""
    best = dict[tuple[str, ...], Conjunction]()
    for condition in sorted(conditions, key=_complexity):
        best.setdefault(tuple(each.parameter for each in condition), condition)
    return tuple(best.values()) if len(best) <= MOST_ALTERNATIVES else ()


def _complexity(condition: Conjunction) -> int:
    return sum(RELATIONS.index(each.relation) for each in condition)


def _comparisons(parameter: str, values: Sequence[ValueCases]) -> Iterator[Candidate]:
    """Yield all comparisons of a parameter with one of its values."""
    every = sum(members for _, members in values)
    for value, members in values:
        yield members, (Condition(parameter, "==", (value,)),)
        yield every ^ members, (Condition(parameter, "!=", (value,)),)
    if all(_is_ordered(value) for value, _ in values):
        for limit, _ in values:
            for relation, compare in ORDERINGS.items():
                passing = sum(members for value, members in values if compare(value, limit))
                yield passing, (Condition(parameter, relation, (limit,)),)


def _choices(parameter: str, values: Sequence[ValueCases]) -> Iterator[Candidate]:
    """Yield all choices of a few values of a parameter that does not have many."""
    if len(values) > MOST_TO_CHOOSE_FROM:
        return
    for count in range(2, min(MOST_CHOICES, len(values) - 1) + 1):
        for chosen in combinations(values, count):
            comparison = Condition(parameter, "in", tuple(value for value, _ in chosen))
            yield sum(members for _, members in chosen), (comparison,)


def _conjunctions(simple: Sequence[Candidate], count: int) -> Iterator[Candidate]:
    """Yield all conjunctions of two comparisons, each of which more than `count` cases fulfil."""
    candidates = [each for each in simple if each[0].bit_count() > count]
    if len(candidates) ** 2 > 2 * MOST_CONJUNCTIONS:
        return
    for (members, condition), (others, other) in combinations(candidates, 2):
        if condition[0].parameter != other[0].parameter:
            yield members & others, condition + other


def _cases_by_value(parameter: str, cases: Sequence[Case]) -> list[ValueCases]:
    """Return the distinct values of a parameter, each with the cases that have it."""
    found = dict[tuple[type, str], ValueCases]()
    for k, case in enumerate(cases):
        value = case[parameter]
        _, members = found.get(_key(value), (value, 0))
        found[_key(value)] = value, members | 1 << k
    return list(found.values())


def _key(value: Value) -> tuple[type, str]:
    """Return what is equal for equal values: 1, 1.0 and True are not, and NaN is."""
    return type(value), repr(value)


def _is_ordered(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
