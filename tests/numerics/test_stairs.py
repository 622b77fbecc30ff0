"""A claim that differs from small steps, and stairs wider than these."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import check_gradient
from pytest_gradcheck.numerics.ladder import LineMeasurement, climb
from pytest_gradcheck.numerics.lines import CoordinateLine
from pytest_gradcheck.numerics.stairs import climb_past_stairs
from tests.corpus.running import choose_families
from tests.numerics.functions import Counted


def climbed(
    function: Callable[[Any], Any], at: float, slope: float
) -> tuple[LineMeasurement, LineMeasurement, int]:
    """Climb along a function, then past stairs for a claim; return both, and what that costs."""
    counted = Counted(function)
    line = CoordinateLine(counted, np.array([at]), 0, abs(at))
    base = counted.at(np.array([at]))
    noise, claim = 2e-16 * np.abs(base), np.array([slope])
    with np.errstate(all="ignore"):
        small = climb(line, base, noise)
    before = counted.calls
    wide = climb_past_stairs(line, base, noise, small, claim=claim, agreement=1e-6)
    return small, wide, counted.calls - before


def gelu(x: Any) -> Any:
    """Return it as it is written, of which few stairs are left far below zero."""
    return 0.5 * x[0] * (1 + math.erf(x[0] / math.sqrt(2)))


def gelu_slope(x: float) -> float:
    """Return what it means."""
    density = math.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    return 0.5 * math.erfc(-x / math.sqrt(2)) + x * density


@pytest.mark.parametrize("at", [-7.7, -7.844, -7.98, -8.12, -8.257])
def test_stairs_inside_are_noise_of_wide_steps(at: float) -> None:
    """One plus the error function stands still between them; the factor alone shows."""
    claim = gelu_slope(at)
    small, wide, _ = climbed(gelu, at, claim)
    assert abs(wide.value[0] - claim) <= 2 * wide.bound[0]
    assert wide.bound[0] >= small.bound[0]


def test_hidden_term_is_found_where_the_rest_curves() -> None:
    """Logarithms of one plus little move in stairs, beside a term twenty times as steep."""

    def entropy(x: Any) -> Any:
        e = np.exp(x[0] - 31.0)
        total = 1 + e
        return e / total * (31.0 - x[0]) + np.log(total)

    claim = math.exp(-30.0) * 30
    small, wide, _ = climbed(entropy, 1.0, claim)
    assert abs(small.value[0] - claim) > 0.01 * claim > 2 * small.bound[0]
    assert abs(wide.value[0] - claim) <= 2 * wide.bound[0]


@pytest.mark.parametrize(
    ("function", "at", "claim"),
    [
        (lambda x: np.exp(x[0]), 0.7, 1.01 * math.exp(0.7)),
        (lambda x: np.exp(x[0]), 0.7, 1.001 * math.exp(0.7)),
        (lambda x: np.mod(x[0], 1.0), 5.3, 0.0),
        (lambda x: x[0] + 1e-3 * np.sin(100 * x[0]), 1.3, 1.0),
        (lambda x: x[0] + 1e-2 * np.tanh(50 * (x[0] - 1.25)), 1.3, 1.0),
        (lambda x: np.sin(x[0]) + 0.1 * np.abs(x[0] - 1.2), 1.3, math.cos(1.3)),
    ],
)
def test_what_the_function_does_is_no_excuse(
    function: Callable[[Any], Any], at: float, claim: float
) -> None:
    """Curvature, large jumps, ripples, a steep part and a kink nearby are not stairs."""
    small, wide, calls = climbed(function, at, claim)
    assert (wide.value[0], wide.bound[0]) == (small.value[0], small.bound[0])
    assert abs(wide.value[0] - claim) > 2 * wide.bound[0]
    assert calls <= 12 * 12 + 42


def test_no_look_is_taken_where_nothing_differs_or_slopes_are_all_alike() -> None:
    """A claim that agrees; one that is far off about a line."""
    assert climbed(lambda x: 3 * x[0], 0.7, 3.0)[2] == 0
    assert climbed(lambda x: 3 * x[0], 0.7, 3.3)[2] == 0


@pytest.mark.parametrize("seed", [18, 22, 23])
def test_treads_of_a_point_beside_a_jump_accuse_nothing(seed: int) -> None:
    """Small steps stay between two jumps of ``1 - cos x``, divided by a square that does not."""
    (family,) = choose_families("all", ["cancellation"], [])
    case = family.case(seed)
    assert check_gradient(case.forward, case.gradient, case.point, seed=seed).wrong == 0
