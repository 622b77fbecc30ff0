"""Factors and terms of two values that are missing in an expression."""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pytest_gradcheck.fault_localization.expression_repair import compound_changes as module
from pytest_gradcheck.fault_localization.expression_repair.compound_changes import (
    CompoundChange,
    compound_changes,
)
from pytest_gradcheck.fault_localization.expression_repair.donor_code import Donor, evaluation
from pytest_gradcheck.fault_localization.expression_repair.probed_functions import (
    Change,
    Expression,
    Role,
)

RNG = np.random.default_rng(8)
MATRIX = RNG.normal(size=(6, 5))
A, B, X = RNG.normal(size=(3, 5))
ROWS = RNG.normal(size=(5, 3))
KEPT = {"k1": RNG.normal(size=5)}
DONORS = ("A", "ROWS", "KEPT[f'k{1}']")


class Backward:
    """A statement that assigns `d`, and a gradient that is a matrix times `d`."""

    def __init__(self, source: str) -> None:
        (statement,) = ast.parse(f"d = {source}").body
        assert isinstance(statement, ast.Assign)
        self.expressions, pending = list[Expression](), [statement.value]
        while pending:
            node = pending.pop()
            role: Role = "part" if self.expressions else "whole"
            self.expressions.append(Expression("nn.py", statement, node, statement, role))
            pending += [n for n in ast.iter_child_nodes(node) if isinstance(n, ast.expr)]
        self.runs = 0

    def run(self, changes: Mapping[int, Change]) -> NDArray[np.float64]:
        """Return the gradient with some changes; only the whole is changed to something else."""
        self.runs += 1
        value: Any = None
        for number in reversed(range(len(self.expressions))):
            value = _value_of(self.expressions[number].node)
            if number in changes:
                value = changes[number](value, sys._getframe())
        return np.asarray(MATRIX @ value)

    def changes(self, wanted: NDArray[np.float64]) -> list[CompoundChange] | None:
        """Return what makes the gradient what is wanted."""
        donors = [Donor(n, (), evaluation(ast.parse(n, mode="eval").body)) for n in DONORS]
        return compound_changes(0, self.expressions, donors, self.run, wanted)

    def said(self, wanted: NDArray[np.float64]) -> str:
        """Return the first change in words, once it is seen that it does what it says."""
        first = (self.changes(wanted) or [])[0]
        changed = self.run({0: first.change.change(first.number)})
        np.testing.assert_allclose(changed, wanted, rtol=1e-8, atol=1e-10)
        return first.change.said_of(self.expressions[first.part], first.number)


def _value_of(node: ast.expr) -> Any:
    return eval(ast.unparse(node), globals())  # noqa: S307  # of this file


@pytest.mark.parametrize(
    ("source", "wanted", "said"),
    [
        ("X", X * A * ROWS[:, 0], None),
        ("X", X * A**2, "`X * A**2` instead of `X`"),
        ("X", X / A, "`X * (1 / A)` instead of `X`"),
        ("X", X * (1 - A), "`X * (1 - A)` instead of `X`"),
        ("X", X * (A - ROWS.sum(axis=1)), "`X * (A - ROWS.sum(axis=1))` instead of `X`"),
        ("X", X + 3 * A * A, "`X + 3 * A**2` instead of `X`"),
        ("X", X + ROWS.sum(axis=1), "`X + ROWS.sum(axis=1)` instead of `X`"),
        ("B + X", B + X * A**2, "`X * A**2` instead of `X`"),
        ("B - X", B - X * A**2, "`X * A**2` instead of `X`"),
        ("2 * (B - X) / 3", 2 * (B * A**2 - X) / 3, "`B * A**2` instead of `B`"),
        ("X", X * KEPT["k1"], "`X * KEPT[f'k{1}']` instead of `X`"),
        ("X", X + KEPT["k1"], "`X + KEPT[f'k{1}']` instead of `X`"),
        ("-(B + X)", -(B + 0.37 * X * A**2), "`0.37 * X * A**2` instead of `X`"),
    ],
)
def test_compound_is_found_where_it_is_missing(
    source: str, wanted: NDArray[np.float64], said: str | None
) -> None:
    """Products, quotients, sums and differences; nothing of what is no donor."""
    if said is None:
        assert Backward(source).changes(MATRIX @ wanted) == []
    else:
        assert Backward(source).said(MATRIX @ wanted) == said


def test_backward_is_executed_once_for_each_entry() -> None:
    """And twice more: as it is, and to see what values there are."""
    backward = Backward("B + X")
    backward.changes(MATRIX @ (B + X * A**2))
    assert backward.runs == X.size + 2


def test_few_responses_tell_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any compound has some multiple that makes one number right."""
    monkeypatch.setattr(f"{__name__}.MATRIX", np.outer([1.0, 2.0, 3.0], B))
    wanted = np.array([1.0, 2.0, 3.0])
    assert Backward("X").changes(wanted) is None


def test_large_expressions_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of their entries would cost an execution."""
    monkeypatch.setattr(module, "MOST_ENTRIES", X.size - 1)
    backward = Backward("X")
    assert backward.changes(MATRIX @ (X * A**2)) is None
    assert backward.runs == 2


def test_objects_without_an_end_are_no_values() -> None:
    """Numpy takes `np.r_` for a sequence, and would never come to its end."""
    backward = Backward("A * np.r_[X]")
    found = backward.changes(MATRIX @ (A * X * A))
    assert found
    assert found[0].change.instead == "{0} * A"
