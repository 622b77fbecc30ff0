"""Points around the user's own: how far they are, and that constraints hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pytest_gradcheck.binding.constrained_parameters.constraint_options import (
    ConstraintDeclarations,
    constrain,
)
from pytest_gradcheck.binding.displacement import Displacement
from pytest_gradcheck.binding.values.pytree import Leaf

ARRAYS = hnp.arrays(np.float64, hnp.array_shapes(), elements=st.floats(-1e6, 1e6))


@given(array=ARRAYS, seed=st.integers(0, 2**128 - 1))
def test_entries_keep_their_sign_and_their_size(array: np.ndarray, seed: int) -> None:
    """Changes are relative; a zero moves by a share of the others."""
    found = Displacement(seed, 1, 0.1).displaced([Leaf("x", array)], {})["x"]
    nonzero = array != 0
    assert np.all(np.abs(found - array)[nonzero] <= 0.1000001 * np.abs(array)[nonzero])
    usual = np.sqrt(np.mean(array**2)) or 1.0
    assert np.all(np.abs(found)[~nonzero] <= 0.1000001 * usual)
    assert (found.shape, found.dtype) == (array.shape, array.dtype)


def test_each_point_is_another_one() -> None:
    """And each parameter has a change of its own."""
    leaves = [Leaf("a", np.ones(2)), Leaf("b", np.ones(2))]
    first, second = (Displacement(0, k, 0.1).displaced(leaves, {}) for k in (1, 2))
    values = {tuple(array) for point in (first, second) for array in point.values()}
    assert len(values) == 4


@pytest.mark.parametrize("value", [2.5, [1.0, 2.0], np.float32(0.5), 1 + 2j])
def test_numbers_and_lists(value: object) -> None:
    """Their arrays are displaced."""
    leaf = Leaf("x", value)
    found = Displacement(0, 1, 0.1).displaced([leaf], {})["x"]
    assert (found.dtype, found.shape) == (leaf.array.dtype, leaf.array.shape)
    assert np.all(found != leaf.array)


def test_a_change_is_halved_until_it_is_admissible() -> None:
    """And left out where no part of it is."""
    for high, is_moved in ((1.001, True), (1.0, False)):
        leaf = Leaf("x", np.ones(4))
        constraints = constrain(ConstraintDeclarations(bounds=(1.0, high)), [leaf])
        point = Displacement(3, 1, 0.1).displaced([leaf], constraints)["x"]
        assert np.all((point >= 1.0) & (point <= high))
        assert not (is_moved and high == 1.0)
