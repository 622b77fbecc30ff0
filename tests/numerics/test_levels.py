"""Outputs that are constant around the point, told from those that are merely rounded."""

from typing import Any

import numpy as np
import pytest

from pytest_gradcheck.numerics.levels import Levels
from pytest_gradcheck.numerics.lines import CoordinateLine
from pytest_gradcheck.numerics.measurement import Status
from pytest_gradcheck.numerics.steps import find_level
from pytest_gradcheck.numerics.sweep import Sweep
from tests.numerics.functions import Counted, function_at

STEPS = 0.3 * 4.0 ** -np.arange(20.0)

POINT = np.array([3.3, 1.7])


def level_by_first(function: Any, claim: list[float]) -> tuple[bool, int]:
    """Tell whether a function is constant by its first coordinate, and at what cost."""
    counted, point = Counted(function), POINT.copy()
    inner, claims = function_at(counted, point), np.array(claim)[:, None]
    line = CoordinateLine(counted, point, 0, 1.0)
    _, right = line.at(STEPS)
    _, left = line.at(-STEPS)
    level = find_level(inner.base, right=right, left=left, steps=STEPS)
    levels, before = (
        Levels(inner, lambda a, b: claims[a:b], np.random.default_rng(0)),
        counted.calls,
    )
    first = levels.found(claims[0], level)
    assert levels.found(claims[0], level).tolist() == first.tolist()
    assert (point == POINT).all()
    return bool(first[0]), counted.calls - before


@pytest.mark.parametrize(
    ("function", "claim", "expected"),
    [
        (lambda x: np.floor(4 * x[0]), [0.0, 0.0], True),
        (lambda x: np.round(x[0] / 1e-3) * 1e-3, [0.0, 0.0], True),
        (lambda x: np.floor(4 * x[0]) * np.sin(x[1]), [0.0, 1.0], True),
        (lambda x: np.float32(x[0] + 50), [0.0, 0.0], False),
        (lambda x: np.float32(x[0] * 1e-3 + x[1]), [0.0, 1.0], False),
        (lambda x: np.round((x[0] + x[1]) / 1e-3) * 1e-3, [0.0, 1.0], False),
    ],
)
def test_level_ground(function: Any, claim: list[float], expected: bool) -> None:
    """A floor is; what other coordinates find rounded, or is rounded finely, is not."""
    assert level_by_first(function, claim) == (expected, 6)


@pytest.mark.parametrize(
    ("function", "claim"),
    [
        (lambda x: np.floor(4 * x[0]), [1.0, 0.0]),
        (lambda x: np.sin(x[0]), [0.0, 0.0]),
        (lambda x: np.sin(x[1]), [0.0, 1.0]),
        (lambda x: np.round(x[0] / 1e-9) * 1e-9, [0.0, 0.0]),
    ],
)
def test_no_ground_for_it(function: Any, claim: list[float]) -> None:
    """A claim that is not zero, an output that moves at once or never; no evaluation."""
    assert level_by_first(function, claim) == (False, 0)


def test_rounding_of_a_term_that_is_small_is_no_level_ground() -> None:
    """Float64 is rounded, too."""
    assert not level_by_first(lambda x: 1e-9 * x[0] + 100 * np.exp(x[1]), [0.0, 1.0])[0]


def test_rounded_output_that_happens_to_jump_nearby_is_no_smooth_one() -> None:
    """Of few places close together two values are not enough; a missing term stays one."""
    for shift in np.linspace(-3e-8, 3e-8, 13):

        def rounded(x: Any, edge: float = POINT.sum() + shift) -> Any:
            return np.round((x.sum() - edge) / 1e-4 + 0.5) * 1e-4 + 5

        assert not level_by_first(rounded, [0.0, 1.0])[0]


def test_sweep_finds_that_a_floor_is_level_and_what_is_beside_it() -> None:
    """Its derivative is zero to rounding, however large the jump beyond."""
    counted = Counted(lambda x: np.floor(4 * x[0]) * np.sin(x[1]))
    claim = np.array([[0.0], [13 * np.cos(1.7)]])
    function = function_at(counted, POINT.copy())
    found = Sweep(function, lambda a, b: claim[a:b], 1e-6, np.random.default_rng(0)).measure()
    assert found.status[0] == Status.LEVEL
    assert (found.value[0], found.bound[0] < 1e-12) == (0.0, True)
