"""Lines through a point: outputs at steps, and the point restored."""

import numpy as np
import pytest

from pytest_gradcheck.numerics.line_restriction import CoordinateLine, DirectionLine
from tests.numerics.functions import Counted


def test_coordinate_line_changes_one_coordinate_and_restores_it() -> None:
    """The point is changed in place for the evaluations and restored bit for bit."""
    point = np.array([1.0, 0.1, 3.0])
    line = CoordinateLine(Counted(np.copy), point, 1, 0.1)
    steps, outputs = line.at(np.array([1e-3, -1e-3]))
    assert outputs.tolist() == [[1.0, 0.1 + 1e-4, 3.0], [1.0, 0.1 - 1e-4, 3.0]]
    assert point.tolist() == [1.0, 0.1, 3.0]
    assert steps.tolist() == [(0.1 + 1e-4) - 0.1, (0.1 - 1e-4) - 0.1]


def test_coordinate_line_restores_the_point_when_the_function_raises() -> None:
    """An exception, too, leaves the point as it was."""
    point = np.array([1.0])

    def fails(p: np.ndarray) -> np.ndarray:
        raise KeyError(float(p[0]))

    with pytest.raises(KeyError):
        CoordinateLine(Counted(fails), point, 0, 1.0).at(np.array([0.5]))
    assert point.tolist() == [1.0]


def test_direction_line_goes_along_the_direction() -> None:
    """A step of 1 is the whole direction."""
    line = DirectionLine(Counted(np.copy), np.array([1.0, 2.0]), np.array([10.0, -1.0]))
    assert line.unit == 1.0
    steps, outputs = line.at(np.array([0.5]))
    assert steps.tolist() == [0.5]
    assert outputs.tolist() == [[6.0, 1.5]]
