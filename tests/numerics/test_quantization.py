"""Functions that move in steps."""

from collections.abc import Callable

import numpy as np
import pytest

from pytest_gradcheck.numerics.line_restriction import CoordinateLine
from pytest_gradcheck.numerics.quantization import find_plateau, find_quantization_steps
from tests.numerics.functions import Counted

STEPS = 0.3 * 4.0 ** -np.arange(20.0)


def heights(counted: Counted, x: float) -> np.ndarray:
    """Find the steps of a function of one coordinate."""
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
    """A function rounded to a grid moves by one grid step at a time."""
    counted = Counted(lambda p: np.round(np.sin(p[0]) / grid) * grid)
    assert heights(counted, 1.3)[0] == pytest.approx(grid, rel=1e-3)


def test_flat_stretch_of_a_continuous_function_has_no_steps() -> None:
    """A rectifier that is off starts to move gently, not in a step."""
    counted = Counted(lambda p: max(float(p[0]), 0.0))
    assert heights(counted, -0.1)[0] < 1e-7


def test_smooth_function_costs_nothing() -> None:
    """Where every step moves the value, nothing more is evaluated."""
    counted = Counted(lambda p: np.sin(p[0]))
    assert heights(counted, 1.3)[0] == 0
    assert counted.calls == 41


def level_of(function: Callable[[float], float], x: float) -> tuple[float, float]:
    """Return how far a function keeps its value, and by how much it jumps then."""
    counted, point = Counted(lambda p: function(float(p[0]))), np.array([x])
    line = CoordinateLine(counted, point, 0, 1.0)
    (_, right), (_, left), base = line.at(STEPS), line.at(-STEPS), counted.at(point)
    steps = find_quantization_steps(
        line, base, np.array([1e-16]), right=right, left=left, steps=STEPS
    )
    level = find_plateau(base, right=right, left=left, steps=STEPS)
    jumping = level.jumping(steps, np.array([1e-16]))
    return float(jumping.reach[0]), float(jumping.move[0])


def test_level_ends_at_a_jump_and_not_where_a_function_sets_out_gently() -> None:
    """A floor jumps by one beyond the last step that does not move it; a rectifier does not."""
    assert level_of(np.floor, 3.05) == (STEPS[2], 1.0)
    assert level_of(lambda x: max(x, 0.0), -0.05) == (STEPS[2], 0.0)


def test_function_that_never_moves_keeps_its_value_as_far_as_one_looks() -> None:
    """And one that moves at once keeps it nowhere; so does one that is undefined nearby."""
    assert level_of(lambda x: 2.0, 1.0) == (STEPS[0], 0.0)
    assert level_of(np.exp, 1.0)[0] == 0.0
    assert level_of(lambda x: 2.0 if x >= 1 else np.nan, 1.0)[0] == 0.0
