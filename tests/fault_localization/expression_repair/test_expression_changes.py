"""What may be in the place of an expression."""

from __future__ import annotations

import ast
import sys
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck.fault_localization.expression_repair.donor_code import Donor, evaluation
from pytest_gradcheck.fault_localization.expression_repair.expression_changes import (
    FACTOR,
    NO_FACTOR,
    ExpressionChange,
    KindOfChange,
    changes,
    changes_by_donors,
    changes_of_names,
)
from pytest_gradcheck.fault_localization.expression_repair.probed_functions import (
    Expression,
    Role,
)

A = np.array([[1.0, 2.0], [3.0, 4.0]])


def expression(statement: str, source: str, role: Role = "part") -> Expression:
    """Return the first expression of a statement with some source."""
    (node,) = ast.parse(statement).body
    for parent in ast.walk(node):
        for child in ast.iter_child_nodes(parent):
            if isinstance(child, ast.expr) and ast.unparse(child) == source:
                return Expression("file.py", node, child, parent, role)
    raise AssertionError(source)


def donors(_: Expression) -> list[Donor]:
    """Return a variable, and a row."""
    return [
        Donor(name, shape, evaluation(ast.parse(name, mode="eval").body), 0.0, high)
        for name, shape, high in (("B", (2, 2), 1.0), ("row", (2,), 7.0))
    ]


def found(kind: KindOfChange, one: Expression, value: Any) -> dict[str, ExpressionChange]:
    """Return the changes of one kind by their names; of equal names the first."""
    every: dict[str, ExpressionChange] = {}
    for change in kind(one, value, donors):
        every.setdefault(change.instead, change)
    return every


@pytest.mark.parametrize(
    ("statement", "source", "takes_factor"),
    [
        ("d = x @ A", "A", False),  # it is a factor of the product
        ("d = x + A", "A", True),
        ("d = A * x - y", "A * x", True),
        ("d = np.sum(A, axis=0)", "A", False),
        ("d = np.tanh(A)", "A", True),
        ("d = -A", "A", False),
        ("d = A.T", "A", False),
        ("d = x / A", "A", False),
    ],
)
def test_factor_is_tried_where_it_is_no_factor_of_more(
    statement: str, source: str, *, takes_factor: bool
) -> None:
    """A product, a sum and a transpose have the factors of what they consist of."""
    every = found(changes, expression(statement, source), A)
    assert (FACTOR in every) == takes_factor
    if takes_factor:
        change = every[FACTOR].change(3.0)
        np.testing.assert_array_equal(change(A, sys._getframe()), 3 * A)


def test_matrix_may_be_transposed_a_power_or_left_out() -> None:
    """Roots are tried only where no entry is negative."""
    one = expression("d = x * A", "A")
    assert set(found(changes, one, A)) == {"{0}.T", "1", "{0}**2", "{0}**3", "{0}**0.5"}
    powers = [c.change(0)(A, sys._getframe()) for c in changes(one, A, donors)]
    assert any(np.array_equal(power, np.sqrt(A)) for power in powers)
    powers = [c.change(0)(-A, sys._getframe()) for c in changes(one, -A, donors)]
    assert all(np.isfinite(power).all() for power in powers)


def test_index_and_number_may_be_off_by_one() -> None:
    """An index by two as well, as where its sign is wrong."""
    index = expression("d = h[k - 1]", "k - 1", "index")
    shifted = [c.change(0)(3, sys._getframe()) for c in changes(index, 3, donors)]
    assert shifted == [4, 2, 5, 1]
    number = expression("d = x ** 2", "2")
    shifted = [c.change(0)(2, sys._getframe()) for c in changes(number, 2, donors)]
    assert shifted == [3, 1]


def test_indices_of_an_array_may_be_off_by_one() -> None:
    """All of them."""
    index = expression("d = h[rows]", "rows", "index")
    first = next(changes(index, np.array([0, 2]), donors)).change(0)
    np.testing.assert_array_equal(first(np.array([0, 2]), sys._getframe()), [1, 3])


def test_other_whole_number_may_be_the_index_or_missing_in_it() -> None:
    """An array of them is none."""
    k = 4
    whole = Donor("k", (), evaluation(ast.parse("k", mode="eval").body), is_whole=True)
    index, frame = expression("d = h[n]", "n", "index"), sys._getframe()
    every = {}
    for change in changes_of_names(index, 1, lambda one: [whole, *donors(one)]):
        every[change.instead] = change.change(0)(1, frame)
    assert every == {"k": k, "{0} + k": 1 + k}


def test_number_that_is_written_may_have_to_go_as_a_factor() -> None:
    """Not as a term, and one is no factor."""
    (removed,) = (c for c in changes(expression("d = 0.5 * x", "0.5"), 0.5, donors))
    assert (removed.instead, removed.change(0)(0.5, sys._getframe())) == (NO_FACTOR, 1)
    assert NO_FACTOR not in found(changes, expression("d = 0.5 + x", "0.5"), 0.5)
    assert NO_FACTOR not in found(changes, expression("d = 1.0 * x", "1.0"), 1.0)


def test_sum_may_be_missing_of_which_one_element_is_taken() -> None:
    """The array keeps its axes, so that the index still fits."""
    every = found(changes_by_donors, expression("d = A[0]", "A"), A)
    changed = every["{0}.sum(axis=0, keepdims=True)"].change(0)(A, sys._getframe())
    np.testing.assert_array_equal(changed[0], A.sum(axis=0))


def test_what_is_assigned_may_have_to_be_added() -> None:
    """And the other way round."""
    d = A.copy()
    added = found(changes, expression("d = x", "x", "whole"), A)["+= {0}"]
    assigned = found(changes, expression("d += x", "x", "whole"), A)["= {0}"]
    np.testing.assert_array_equal(added.change(0)(A, sys._getframe()), A + d)
    np.testing.assert_array_equal(assigned.change(0)(A, sys._getframe()), A - d)


def test_mask_may_be_inverted() -> None:
    """It is no number, so it takes no factor."""
    every = found(changes, expression("d = x * mask", "mask"), A > 2)
    assert list(every) == ["~{0}"]


def test_other_variable_is_read_where_the_expression_is() -> None:
    """It is copied, since what is computed in place must not change it."""
    B = 2 * A
    change = found(changes_of_names, expression("d = A", "A"), A)["B"].change(0)
    value = change(A, sys._getframe())
    np.testing.assert_array_equal(value, B)
    assert value is not B


def test_factor_term_and_derivative_of_an_activation_may_be_missing() -> None:
    """One that is broadcast as well; a sum over an axis; and what makes an array grow."""
    B, row = np.tanh(A), np.array([5.0, 7.0])
    one = expression("d = x + A", "A")
    every = found(changes_by_donors, one, A)
    frame, expected = (
        sys._getframe(),
        {
            "{0} * B": A * B,
            "{0} / B": A / B,
            "{0} * (1 - B**2)": A * (1 - B**2),
            "{0} * row": A * row,
            "{0} + {1} * B": A + 2 * B,
            "{0} + {1} * row": A + 2 * row,
            "{0}.sum(axis=1, keepdims=True)": A.sum(axis=1, keepdims=True),
            "{0}.sum(axis=0)": A.sum(axis=0),
        },
    )
    for instead, right in expected.items():
        np.testing.assert_array_equal(every[instead].change(2.0)(A, frame), right)
    grown = found(changes_by_donors, expression("d = x + row", "row"), row)["{0} * B"].change(0)
    np.testing.assert_array_equal(grown(row, frame), row * B)


def test_term_may_be_missing_in_a_factor() -> None:
    """No change of the product is that of its factor."""
    B = 2 * A
    every = found(changes_by_donors, expression("d = x * A", "A"), A)
    missing = every["{0} + {1} * B"].change(3.0)
    np.testing.assert_array_equal(missing(A, sys._getframe()), A + 3 * B)


def test_change_is_said_as_code() -> None:
    """A sign, and a quotient, as one writes them; what is more than a name in parentheses."""
    one = expression("d = x @ (a - b)", "a - b")
    multiple = ExpressionChange(FACTOR, lambda number: lambda value, _: value * number)
    assert multiple.said_of(one, 0.125) == "`(a - b) / 8` instead of `a - b`"
    assert multiple.said_of(one, 2.5) == "`2.5 * (a - b)` instead of `a - b`"
    named = expression("d = x + a", "a")
    assert multiple.said_of(named, -1.0) == "`-a` instead of `a`"
    index = ExpressionChange.without_number("{0}['k']", lambda value, _: value)
    assert index.said_of(named, 0.0) == "`a['k']` instead of `a`"


def test_neighbours_in_a_tuple_may_be_exchanged() -> None:
    """They must be arrays of one shape."""
    one = expression("a, b, c, d = cache", "cache", "whole")
    cache = (A, 2 * A, np.ones(3), 4.0)
    (change,) = changes(one, cache, donors)
    assert change.said_of(one, 0) == "`cache with two values exchanged` instead of `cache`"
    exchanged = change.change(0)(cache, sys._getframe())
    assert exchanged[3] == 4.0
    np.testing.assert_array_equal(exchanged[0], 2 * A)
    np.testing.assert_array_equal(exchanged[1], A)
