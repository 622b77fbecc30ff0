"""Quantization steps and plateaus along a line."""

from collections.abc import Callable

import numpy as np
import pytest

from pytest_gradcheck.numerics.line_restriction import CoordinateLine
from pytest_gradcheck.numerics.quantization import find_plateau, find_quantization_steps
from tests.numerics.functions import Counted

STEPS = 0.3 * 4.0 ** -np.arange(20.0)


def heights(counted: Counted, x: float) -> np.ndarray:
    """Find the quantization step of a function of one coordinate."""
    point = np.array([x])
    line = CoordinateLine(counted, point, 0, 1.0)
    _, right = line.at(STEPS)
    _, left = line.at(-STEPS)
    base = counted.at(point)
    return find_quantization_steps(
        line, base, np.array([1e-16]), right=right, left=left, steps=STEPS
    )


@pytest.mark.parametrize("grid", [1e-2, 1e-5, 1e-8])
def test_height_of_rounded_values_is_their_grid(grid: float) -> None:
    """A function rounded to a grid changes by one grid step at a time."""
    counted = Counted(lambda p: np.round(np.sin(p[0]) / grid) * grid)
    assert heights(counted, 1.3)[0] == pytest.approx(grid, rel=1e-3)


def test_plateau_of_a_continuous_function_has_no_quantization_step() -> None:
    """A rectifier below its threshold sets out continuously, without a jump."""
    counted = Counted(lambda p: max(float(p[0]), 0.0))
    assert heights(counted, -0.1)[0] < 1e-7


def test_smooth_function_costs_nothing() -> None:
    """Where every step changes the value, nothing more is evaluated."""
    counted = Counted(lambda p: np.sin(p[0]))
    assert heights(counted, 1.3)[0] == 0
    assert counted.calls == 41


def plateau_of(function: Callable[[float], float], x: float) -> tuple[float, float]:
    """Return the half-width of the plateau around `x`, and the height of the jump at its end."""
    counted, point = Counted(lambda p: function(float(p[0]))), np.array([x])
    line = CoordinateLine(counted, point, 0, 1.0)
    (_, right), (_, left), base = line.at(STEPS), line.at(-STEPS), counted.at(point)
    quanta = find_quantization_steps(
        line, base, np.array([1e-16]), right=right, left=left, steps=STEPS
    )
    plateau = find_plateau(base, right=right, left=left, steps=STEPS)
    jumping = plateau.without_continuous_changes(quanta, np.array([1e-16]))
    return float(jumping.half_width[0]), float(jumping.jump[0])


def test_plateau_ends_in_a_jump_or_continuously() -> None:
    """A floor jumps by one at the end of its plateau; a rectifier does not jump."""
    assert plateau_of(np.floor, 3.05) == (STEPS[2], 1.0)
    assert plateau_of(lambda x: max(x, 0.0), -0.05) == (STEPS[2], 0.0)


def test_plateau_of_a_constant_is_as_wide_as_the_largest_step() -> None:
    """A function that changes at once has none; nor has one that is undefined nearby."""
    assert plateau_of(lambda x: 2.0, 1.0) == (STEPS[0], 0.0)
    assert plateau_of(np.exp, 1.0)[0] == 0.0
    assert plateau_of(lambda x: 2.0 if x >= 1 else np.nan, 1.0)[0] == 0.0
