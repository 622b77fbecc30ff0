"""Points in batches."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pytest_gradcheck.binding.evaluating.batches import batches, fitting


@given(st.integers(0, 20), st.integers(1, 7))
def test_batches_hold_every_point_in_order(count: int, length: int) -> None:
    """However many there are; none is longer than asked for, and only the last is shorter."""
    points = np.arange(2.0 * count).reshape(count, 2)
    found = list(batches(points, length))
    assert [row.tolist() for batch in found for row in batch] == points.tolist()
    assert all(len(batch) == length for batch in found[:-1])


def test_batches_are_copies() -> None:
    """A point that is moved on, in place, is kept where it was."""
    point = np.zeros(1)

    def moving() -> object:
        for k in range(3):
            point[0] = k
            yield point

    (batch,) = batches(moving(), 5)  # type: ignore[arg-type]  # a generator of arrays
    assert batch.tolist() == [[0.0], [1.0], [2.0]]


def test_at_least_one_point_fits() -> None:
    """However large it is, and however small."""
    assert fitting(10, 800) == 10
    assert fitting(10**9, 800) == 1
    assert fitting(0, 800) == 100
