"""What a statement has to make at one of its executions."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck.fault_localization.execution.statements import statements_of
from pytest_gradcheck.fault_localization.execution.variables import Path
from pytest_gradcheck.fault_localization.required_value import RequiredValue
from tests.fault_localization.functions import line_of


def example(f: Any, d: Any, g: Any) -> Any:
    """Assign in several ways."""
    d = 2 * g
    d += g
    d -= g
    d *= g
    g, d = f(g)
    d[0] = g
    return d


def required(text: str, path: Path | None = None) -> RequiredValue:
    """Return what the statement of the example with some text has to make."""
    statement = statements_of(__file__)[line_of(example, text)]
    return RequiredValue(statement, 0, path or Path("d"), np.array([1.0, 2.0]))


@pytest.mark.parametrize(
    ("text", "assigned", "expected"),
    [
        ("d = 2", 3.0, 3.0),
        ("d += g", 3.0, 8.0),
        ("d -= g", 3.0, 2.0),
        ("g, d = f(g)", (1.0, 4.0), 4.0),
    ],
)
def test_variable_is_observed_before_it_is_assigned(
    text: str, assigned: Any, expected: float
) -> None:
    """What is added is added to what is there."""
    d = 5.0
    observe = required(text).observe
    assert observe is not None
    assert observe(assigned, sys._getframe()) == expected
    assert d == 5.0


@pytest.mark.parametrize("text", ["d *= g", "d[0] = g"])
def test_other_statements_are_not_observed(text: str) -> None:
    """Those that change a part of an array, or multiply it."""
    assert required(text).observe is None


def test_item_of_a_container_is_not_observed() -> None:
    """It may have been assigned by another name."""
    assert required("d = 2", Path("d").item("W")).observe is None


def test_value_of_another_shape_has_no_entries() -> None:
    """It cannot be compared."""
    one = required("d = 2")
    entries = one.entries([1.0, 2.0])
    assert entries is None
    assert one.entries(np.ones((2, 1))) is None
    found = one.entries(np.array([1, 2]))
    assert found is not None
    assert found.tolist() == [1.0, 2.0]
