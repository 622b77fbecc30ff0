"""Changes of values in frames."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from pytest_gradcheck.fault_localization.execution.frame_events import CAN_REBIND
from pytest_gradcheck.fault_localization.execution.perturbation import Perturbation
from pytest_gradcheck.fault_localization.execution.recorded_values import Version
from pytest_gradcheck.fault_localization.execution.variables import Path


def perturbation(value: object) -> Perturbation:
    """Return a change of a value by one."""
    recorded = Version(Path("x"), np.array(value), None, 1, 0)
    return Perturbation(recorded, lambda found: found + 1)


def test_array_is_changed_in_place_and_put_back() -> None:
    """Everything that refers to it sees the change."""
    x = np.array([1.0, 2.0])
    change = perturbation(x)
    with change.undone():
        change.make(sys._getframe(), Path("x"))
        assert change.is_made
        assert np.array_equal(x, [2.0, 3.0])
    assert np.array_equal(x, [1.0, 2.0])


def test_value_that_was_not_recorded_is_left_alone() -> None:
    """An execution may take another way."""
    x = np.array([1.0, 2.0])
    change = perturbation([5.0, 6.0])
    change.make(sys._getframe(), Path("x"))
    assert not change.is_made
    assert np.array_equal(x, [1.0, 2.0])


@pytest.mark.skipif(not CAN_REBIND or sys.version_info < (3, 13), reason="needs PEP 667")
def test_view_is_bound_to_a_changed_copy() -> None:
    """Its memory belongs to another array."""
    whole = np.array([1.0, 2.0])
    x = whole[:1]
    change = perturbation(x)
    change.make(sys._getframe(), Path("x"))
    assert np.array_equal(whole, [1.0, 2.0])
    assert np.array_equal(x, [2.0])


def test_view_is_changed_in_place_on_request() -> None:
    """What it is a view of changes as well."""
    whole = np.array([1.0, 2.0])
    x = whole[:1]
    change = perturbation(x)
    with change.undone():
        change.make_in_place(sys._getframe(), Path("x"))
        assert np.array_equal(whole, [2.0, 2.0])
    assert np.array_equal(whole, [1.0, 2.0])
