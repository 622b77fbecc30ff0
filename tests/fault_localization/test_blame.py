"""Blame on graphs of values that are written down."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pytest

from pytest_gradcheck.fault_localization.blame import Evidence, suspicions, wrong_through
from pytest_gradcheck.fault_localization.execution.execution_steps import Step
from pytest_gradcheck.fault_localization.execution.recorded_values import Version
from pytest_gradcheck.fault_localization.execution.statements import Statement
from pytest_gradcheck.fault_localization.execution.variables import Path


def statement(line: int) -> Statement:
    """Return a statement on a line."""
    return Statement("f.py", line, line, "f", (), (), frozenset(), {}, False, False)


def made(
    by: Statement, *read: Version, occurrence: int = 0, value: float = 1.0, number: int = 0
) -> Version:
    """Return a value that a statement made from others."""
    step = Step(by, occurrence)
    return Version(Path("v"), np.full(2, value), step, 2, number, direct=list(read))


def evidence(
    wrong: dict[str, Version],
    right: Collection[Version] = (),
    multiples: Collection[Version] = (),
    follows: Collection[Version] = (),
) -> Evidence:
    """Return what is known."""
    return Evidence(set(right), set(right), set(multiples), wrong, set(follows).__contains__)


def lines(found: Evidence) -> list[list[int]]:
    """Return the lines that are suspected together."""
    return [[s.first_line for s in suspicion.statements] for suspicion in suspicions(found)]


def test_first_statement_that_is_wrong_is_suspected() -> None:
    """What it reads is right, and what reads it follows from it."""
    right = made(statement(1))
    first = made(statement(2), right)
    claim = made(statement(3), first)
    assert lines(evidence({"w": claim}, right=[right], follows=[claim])) == [[2]]


def test_all_are_suspected_that_are_not_verified() -> None:
    """Any of them may be to blame."""
    first = made(statement(2))
    claim = made(statement(3), first)
    assert lines(evidence({"w": claim})) == [[2, 3]]


def test_one_origin_of_two_wrong_gradients_is_preferred() -> None:
    """Not a mistake for each of them."""
    common = made(statement(1))
    claims = {"w": made(statement(2), common), "b": made(statement(3), common)}
    assert lines(evidence(claims)) == [[1]]


def test_gradients_without_a_common_origin_have_suspicions_of_their_own() -> None:
    """They are two mistakes."""
    claims = {"w": made(statement(2)), "b": made(statement(3))}
    assert lines(evidence(claims)) == [[2], [3]]


def test_statement_that_made_another_value_right_is_innocent() -> None:
    """It is executed for each layer."""
    shared = statement(1)
    right = made(shared, made(statement(9)), occurrence=1)
    wrong = made(statement(2), made(shared, occurrence=0))
    assert lines(evidence({"w": wrong}, right=[right])) == [[2]]


@pytest.mark.parametrize("value", [0.0, 1.0], ids=["zero", "multiple"])
def test_statement_that_made_a_value_right_of_wrong_ones_is_not_innocent(value: float) -> None:
    """Nor one that made it of zeros: an error shows in neither."""
    shared, read = statement(1), made(statement(9), value=value)
    right = made(shared, read, occurrence=1)
    wrong = made(statement(2), made(shared, occurrence=2))
    found = lines(evidence({"w": wrong}, right=[right], multiples=[read]))
    assert found == [[1, 2]]


def test_first_execution_of_a_loop_shows_nothing_of_later_ones() -> None:
    """There is nothing to carry on yet."""
    loop = statement(1)
    right = made(loop, made(statement(9)), occurrence=0)
    claim = made(statement(2), made(loop, right, occurrence=1))
    assert lines(evidence({"w": claim}, right=[right])) == [[1, 2]]


def test_one_execution_that_follows_shows_that_the_statement_is_right() -> None:
    """It need not be tested for all others."""
    loop = statement(1)
    source = made(statement(9))
    steps = [source]
    for k in range(4):
        steps.append(made(loop, steps[-1], occurrence=k, number=k + 1))
    assert lines(evidence({"w": steps[-1]}, right=[source], follows=[steps[2]])) == [[]]


def test_gradients_are_wrong_through_what_is_read_on_the_way() -> None:
    """Others are not."""
    common = made(statement(1))
    claims = {"w": made(statement(2), made(statement(4), common)), "b": made(statement(3))}
    assert wrong_through(evidence(claims), {common}) == {"w"}
