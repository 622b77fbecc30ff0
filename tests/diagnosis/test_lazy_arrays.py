"""Arrays that are computed where they are compared."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_gradcheck.diagnosis.lazy_arrays import Elementwise, LazyArray, Rearranged, as_lazy

CLAIM = np.arange(24.0).reshape(3, 4, 2)
ROW = np.array([1.0, 2.0, 4.0, 8.0])[:, None]
SOME = (np.array([0, 2, 2]), np.array([3, 0, 1]))


@pytest.mark.parametrize(
    "array",
    [
        Elementwise(np.multiply, (CLAIM, ROW)),
        Elementwise(np.negative, (ROW,)),
        Rearranged(CLAIM, lambda index: ((index[0] + 1) % 3, index[1])),
        as_lazy(ROW),
        as_lazy(0.5),
    ],
)
def test_some_entries_are_those_of_all(array: LazyArray) -> None:
    """Also where an array broadcasts to the claims."""
    every = array.everywhere(CLAIM.shape)
    assert every.shape == CLAIM.shape
    assert np.array_equal(array.at(SOME, CLAIM.shape), every[SOME])


def test_rearranged_entries_come_from_their_source() -> None:
    """Those of the next row."""
    rolled = Rearranged(CLAIM, lambda index: ((index[0] + 1) % 3, index[1]))
    assert np.array_equal(rolled.everywhere(CLAIM.shape), np.roll(CLAIM, -1, axis=0))
