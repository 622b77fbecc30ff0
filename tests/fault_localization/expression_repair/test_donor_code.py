"""What may be missing in an expression, or belong in its place."""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck.fault_localization.execution.statements import Statement
from pytest_gradcheck.fault_localization.execution.variables import Path
from pytest_gradcheck.fault_localization.expression_repair import donor_code
from pytest_gradcheck.fault_localization.expression_repair.donor_code import Donor, DonorCode
from pytest_gradcheck.fault_localization.expression_repair.probed_functions import Expression

A = np.array([[1.0, 2.0], [3.0, 4.0]])

SOURCE = """
def backward():
    d = h[k] * self.W + size(a)[0]
    e = prev

def other():
    y = z
"""

VALUES: Mapping[str, Any] = {
    "h[k]": A[0],
    "h": A,
    "k": 0,
    "self.W": A,
    "size(a)": A[0],
    "size(a)[0]": 1.0,
    "a": A[1],
    "prev": 3 * A,
    "z": 5 * A,
    "size": len,
}


class Code:
    """The expressions of `SOURCE`, and the donors for them."""

    def __init__(self, values: Mapping[str, Any], *variables: str) -> None:
        self.expressions, self._statements = list[Expression](), dict[ast.stmt, Statement]()
        for function in ast.parse(SOURCE).body:
            assert isinstance(function, ast.FunctionDef)
            for node in function.body:
                self._add(node, function.name)
        known = {k: values[s] for k, e in enumerate(self.expressions) if (s := text(e)) in values}
        paths = [(Path(name), (2, 2)) for name in variables]
        self.donors = DonorCode(
            self.expressions, known, lambda e: self._statements[e.statement], lambda _: paths
        )

    def _add(self, node: ast.stmt, function: str) -> None:
        line = node.lineno
        self._statements[node] = Statement(
            "file.py", line, line, function, (), (), frozenset(), {}, False, False
        )
        for parent in ast.walk(node):
            for child in ast.iter_child_nodes(parent):
                if isinstance(child, ast.expr) and isinstance(
                    getattr(child, "ctx", ast.Load()), ast.Load
                ):
                    self.expressions.append(Expression("file.py", node, child, parent, "part"))

    def for_(self, source: str) -> dict[str, Donor]:
        """Return the donors of an expression by their texts."""
        expression = next(e for e in self.expressions if text(e) == source)
        found = self.donors(expression)
        assert len({donor.text for donor in found}) == len(found)
        return {donor.text: donor for donor in found}


def text(expression: Expression) -> str:
    """Return an expression as it is written."""
    return ast.unparse(expression.node)


def test_names_attributes_and_subscripts_of_the_function_are_donors() -> None:
    """Calls are not, nor what is no array or number, nor what another function has."""
    assert set(Code(VALUES).for_("prev")) == {"h[k]", "h", "k", "self.W", "a"}
    assert set(Code(VALUES).for_("z")) == set()


def test_variables_in_scope_are_donors_too() -> None:
    """They are evaluated where the expression is."""
    mask = A > 2
    donors = Code(VALUES, "mask", "h").for_("prev")
    assert donors["mask"].evaluate(sys._getframe()) is mask
    assert donors["h"].low == 1.0  # it is written, which tells its range


def test_array_of_the_same_shape_takes_the_index_of_another() -> None:
    """In the statement that has the index, and of the same function."""
    prev, k = 3 * A, 1
    donors = Code(VALUES).for_("h[k]")
    np.testing.assert_array_equal(donors["prev[k]"].evaluate(sys._getframe()), prev[k])
    assert not {"a[k]", "z[k]"} & set(donors)
    assert "h[k]" in Code(VALUES).for_("prev")
    assert "prev[k]" not in Code(VALUES).for_("prev")


def test_expression_is_no_donor_for_itself() -> None:
    """It would change nothing."""
    code = Code(VALUES)
    assert "h[k]" not in code.for_("h[k]")
    assert "h[k]" in code.for_("self.W")


def test_what_is_inside_of_an_object_or_a_container_is_a_donor() -> None:
    """Though nothing in the function reads it."""
    prev, values = SimpleNamespace(grad=A, size=3), {**VALUES, "prev": SimpleNamespace(grad=A)}
    donors = Code({**values, "prev": prev}).for_("h[k]")
    assert {"prev.grad", "prev.size"} <= set(donors)
    assert donors["prev.grad"].evaluate(sys._getframe()) is A
    assert "prev['b']" in Code({**VALUES, "prev": {"b": A}}).for_("h[k]")


def test_number_that_is_computed_is_a_donor_in_parentheses() -> None:
    """A factor as a whole is more than a name, and is no name."""
    donor = Code({**VALUES, "h[k] * self.W + size(a)[0]": 2.0}).for_("prev")
    assert "(h[k] * self.W + size(a)[0])" not in donor  # it calls something
    donor = Code({**VALUES, "h[k] * self.W": 2.0}).for_("prev")
    assert not donor["(h[k] * self.W)"].is_name


def test_donors_have_the_shape_and_range_of_their_values() -> None:
    """What they may be tried for depends on that."""
    donor = Code(VALUES).for_("prev")["self.W"]
    assert (donor.shape, donor.low, donor.high) == ((2, 2), 1.0, 4.0)


def test_donors_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long functions have very many."""
    monkeypatch.setattr(donor_code, "MOST_DONORS", 3)
    assert len(Code(VALUES).for_("prev")) == 3


def test_name_with_several_shapes_is_a_donor_for_each() -> None:
    """A variable may be reshaped, or be a number at first."""
    code = Code({**VALUES, "k": 0}, "k")
    (expression,) = (e for e in code.expressions if text(e) == "prev")
    shapes = [donor.shape for donor in code.donors(expression) if donor.text == "k"]
    assert sorted(shapes) == [(), (2, 2)]
