"""Which values of backward are derivatives by values of forward."""

from __future__ import annotations

import numpy as np

from pytest_gradcheck.fault_localization.adjoint_repair.forward_series import Item, Series
from pytest_gradcheck.fault_localization.adjoint_repair.known_values import KnownValues, is_same
from pytest_gradcheck.fault_localization.execution.recorded_values import Version
from pytest_gradcheck.fault_localization.execution.variables import Path

OWNER = Version(Path("x"), np.zeros(3), None, 1, 0)


def test_values_are_the_same_up_to_the_errors_of_differences() -> None:
    """Relative to the largest entry, and whatever their shapes."""
    one = np.array([1e3, 1.0, 0.0])
    assert is_same(one, one[:, np.newaxis] + 1e-3)
    assert not is_same(one, one + 1e-1)
    assert not is_same(one, one[:2])


def test_value_is_known_by_all_of_its_entries() -> None:
    """Those of other sizes are not compared."""
    items = Item(OWNER, np.array([1.0, 2.0, 3.0])), Item(None, np.zeros(3))
    known = KnownValues([Series("part", "x", items)])
    assert known.equal_to(np.array([[1.0, 2.0, 3.0]])) == [("part", OWNER)]
    assert not known.equal_to(np.array([1.0, 2.0, 4.0]))
    assert not known.equal_to(np.array([1.0, 2.0]))


def test_zero_is_nothing_that_is_known() -> None:
    """Everything is zero somewhere."""
    known = KnownValues([Series("total", "x", (Item(OWNER, np.zeros(3)),))])
    assert not known.equal_to(np.zeros(3))
