"""Points at which a check says little."""

from typing import Any

import numpy as np
import pytest

from pytest_gradcheck.judgement.vacuity import (
    Slices,
    common_value,
    hides_transpose,
    whole_slices,
)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ([[1, 1, 1], [0, 0, 0]], Slices(0, (0,), 3)),
        ([[1, 0, 1], [1, 0, 1]], Slices(1, (0, 2), 4)),
        ([[1, 1, 1], [0, 1, 0]], Slices(0, (0,), 3)),
        ([[1, 0], [0, 1]], None),
        ([0, 1, 1], Slices(0, (1, 2), 2)),
        ([[0], [1], [1]], Slices(0, (1, 2), 2)),
        ([[[0, 1], [0, 1]], [[1, 1], [0, 1]]], Slices(2, (1,), 4)),
        (True, None),
    ],
)
def test_whole_slices(where: Any, expected: Slices | None) -> None:
    """The slices are along the axis on which they cover most entries."""
    assert whole_slices(np.array(where, dtype=bool)) == expected


@pytest.mark.parametrize(
    ("point", "expected"),
    [
        ([0.0, 0.0], 0.0),
        ([2.0, 2.0], 2.0),
        ([0.0], 0.0),
        ([2.0], None),
        ([2.0, 3.0], None),
        ([], None),
    ],
)
def test_common_value(point: list[float], expected: float | None) -> None:
    """All entries are equal; a single entry counts only if it is zero."""
    assert common_value(np.array(point)) == expected


@pytest.mark.parametrize(
    ("shape", "expected"), [((2, 2), True), ((4,), False), ((1, 4), False), ((2, 2, 1), False)]
)
def test_transpose_is_hidden_by_symmetric_matrices(shape: Any, expected: bool) -> None:
    """Only square matrices are their own transpose."""
    assert hides_transpose(np.array([1.0, 2.0, 2.0, 4.0]), shape) is expected
    assert not hides_transpose(np.array([1.0, 2.0, 3.0, 4.0]), shape)
