"""Which values of backward are derivatives by values of forward."""

from __future__ import annotations

import numpy as np

from pytest_gradcheck.fault_localization.adjoint_repair.forward_series import Item, Series
from pytest_gradcheck.fault_localization.adjoint_repair.known_values import KnownValues
from pytest_gradcheck.fault_localization.execution.recorded_values import Version
from pytest_gradcheck.fault_localization.execution.variables import Path

OWNER = Version(Path("x"), np.zeros(3), None, 1, 0)


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
