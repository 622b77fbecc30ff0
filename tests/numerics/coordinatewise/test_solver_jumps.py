"""Jumps and kinks near the point, and functions that are analytic there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck.numerics.coordinatewise.solver_jumps import (
    Discontinuities,
    are_analytic,
    branch_slope_errors,
    find_discontinuities,
)
from tests.numerics.functions import Counted, Floats, function_at, jitter

ANALYTIC_POINT = np.random.default_rng(4).normal(size=20)

#: The normal of the planes in which functions jump.
NORMAL = np.cos(np.arange(20.0))


def examined(function: Callable[[Floats], Any]) -> tuple[list[bool], int]:
    """Return which outputs are analytic, and the number of calls."""
    counted = Counted(function)
    at_point = function_at(counted, ANALYTIC_POINT.copy())
    counted.calls = 0
    return are_analytic(at_point, np.random.default_rng(0)).tolist(), counted.calls


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.sum(np.exp(np.sin(x)) + x**2),
        lambda x: np.sqrt(1 + x @ x),
        lambda x: 1e6 + np.sin(x).sum(),
    ],
)
def test_smooth_functions_cost_two_polynomials(function: Callable[[Floats], Any]) -> None:
    """A few dozen values determine those in between, to the last digit."""
    found, calls = examined(function)
    assert found == [True]
    assert calls <= 130


@pytest.mark.parametrize("height", [1e-2, 1e-6, 1e-10])
def test_jumps_are_not_analytic(height: float) -> None:
    """Not even by a ten billionth of the variation of the function."""
    found, calls = examined(
        lambda x: np.sin(x).sum() + height * np.floor(3 * NORMAL @ (x - ANALYTIC_POINT) + 0.5)
    )
    assert found == [False]
    assert calls <= 130


def test_singularity_nearby_takes_a_higher_degree() -> None:
    """Each entry of a softplus has one in the complex plane."""
    found, calls = examined(lambda x: np.logaddexp(0, 3 * x).mean())
    assert found == [True]
    assert 66 < calls <= 258


def test_kinks_are_not_analytic() -> None:
    """Not even if the slopes on both sides differ by a millionth."""
    found, _ = examined(
        lambda x: np.sin(x).sum() + 1e-6 * abs(NORMAL @ (x - ANALYTIC_POINT) - 0.1)
    )
    assert found == [False]


def test_edges_of_the_domain_are_not_analytic() -> None:
    """Nothing is known beyond them."""
    found, calls = examined(lambda x: np.sqrt(x + 0.5 * np.abs(ANALYTIC_POINT)).sum())
    assert found == [False]
    assert calls == 33


def test_outputs_are_examined_one_by_one() -> None:
    """One jumps, one does not."""
    found, _ = examined(
        lambda x: [np.sin(x).sum(), np.floor(3 * NORMAL @ (x - ANALYTIC_POINT) + 0.5)]
    )
    assert found == [True, False]


POINT = np.array([0.8, -0.5])


def slopes(counted: Counted, limit: float = np.inf) -> float:
    """Bound the error of a branch's slope around the point."""
    function = function_at(counted, POINT.copy())
    return float(branch_slope_errors(function, np.array([limit]), np.random.default_rng(0))[0])


def square_root(x: float, tolerance: float) -> float:
    """Take a root by Heron's method, stopped at a tolerance."""
    root = x
    while abs(root * root - x) > tolerance:
        root = (root + x / root) / 2
    return root


@pytest.mark.parametrize("tolerance", [1e-3, 1e-6])
def test_stopped_iteration_is_found(tolerance: float) -> None:
    """A result with an error of the tolerance has slopes with an error of a multiple of it."""
    found = slopes(Counted(lambda x: square_root(9 + 4 * x.sum(), tolerance)))
    assert 0.1 * tolerance < found < 300 * tolerance


@pytest.mark.parametrize(
    "function",
    [
        pytest.param(lambda x: np.sin(300 * x).sum(), id="oscillation"),
        pytest.param(lambda x: np.exp(30 * x).sum(), id="steep"),
        pytest.param(lambda x: np.abs(x - 0.9).sum(), id="kink"),
        pytest.param(lambda x: np.sin(x).sum() + jitter(x.sum(), 1e-9), id="noise"),
        pytest.param(lambda x: np.sqrt(np.maximum(x - 0.7, 0)).sum(), id="root"),
    ],
)
def test_functions_without_jumps_have_no_branches(function: object) -> None:
    """What is rough in differences but vanishes under magnification is not a jump."""
    assert slopes(Counted(function)) == 0  # type: ignore[arg-type]  # the list's lambdas differ


def test_jumps_that_no_tolerance_leaves_do_not_count() -> None:
    """A threshold is no evidence of an error of the slope beside it."""
    threshold = Counted(lambda x: np.sin(x).sum() + float(x.sum() > 0.5))
    assert slopes(threshold) > 0.1
    assert slopes(threshold, limit=1e-3) == 0


@pytest.mark.parametrize("height", [1e-8, 1e-5])
def test_tiny_jumps_nearby_are_found(height: float) -> None:
    """A step more or less of a solver is found, by however little it changes the result."""
    function = function_at(
        Counted(lambda x: np.sin(x).sum() + height * np.floor(20 * x.sum())), POINT.copy()
    )
    assert find_discontinuities(function, np.random.default_rng(0)).found.all()


@pytest.mark.parametrize(
    "function",
    [
        pytest.param(lambda x: np.sin(300 * x).sum(), id="oscillation"),
        pytest.param(lambda x: np.tanh(1e6 * (x - 0.81)).sum(), id="a narrow step"),
        pytest.param(lambda x: np.abs(x - 0.81).sum(), id="kink"),
        pytest.param(lambda x: np.sin(x).sum() + jitter(x.sum(), 1e-9), id="noise"),
        pytest.param(lambda x: np.sqrt(np.maximum(x - 0.7, 0)).sum(), id="root"),
    ],
)
def test_continuous_functions_have_no_discontinuity(function: Any) -> None:
    """Between the two sides there are values that belong to neither."""
    at_point = function_at(Counted(function), POINT.copy())
    assert not find_discontinuities(at_point, np.random.default_rng(0)).found.any()


def test_curves_through_several_kinks_meet_at_no_discontinuity() -> None:
    """With a hundred rectifiers, claims are evaluated at kinks, not where curves meet."""
    rng = np.random.default_rng(0)
    point, kinks = rng.uniform(-1, 1, (2, 100))

    def claimed(there: np.ndarray, direction: np.ndarray) -> np.ndarray:
        return np.array([(there > kinks) @ direction])

    function = function_at(Counted(lambda x: np.maximum(x - kinks, 0).sum()), point)
    assert not find_discontinuities(replace(function, claimed_slopes=claimed), rng).found.any()


def test_bends_are_differences_of_the_slopes_of_branches() -> None:
    """A derivative may have an error of this size."""
    bent = function_at(
        Counted(lambda x: np.sin(x).sum() + 1e-4 * np.abs(x.sum() % 0.05 - 0.02)), POINT.copy()
    )
    found = find_discontinuities(bent, np.random.default_rng(0))
    assert found.found.all()
    assert 1e-5 < found.bends[0] < 1e-3


def test_jumps_without_a_smooth_curve_between_them_are_found() -> None:
    """A difference that keeps its height under bisection is a jump."""
    dense = function_at(
        Counted(lambda x: np.sin(x).sum() + 1e-5 * (7919 * x.sum() % 1.0) ** 2), POINT.copy()
    )
    assert find_discontinuities(dense, np.random.default_rng(0)).found.all()


@pytest.mark.parametrize(
    ("bends", "error", "explained"), [(1e-3, 1e-2, True), (1e-6, 1e-2, False), (1.0, 0.5, False)]
)
def test_errors_are_explained_by_bends_within_limits(
    bends: float, error: float, explained: bool
) -> None:
    """The error of a solver is not far larger than bends, and far below the largest derivative."""
    breaks = Discontinuities(np.array([True]), np.array([bends]))
    assert breaks.explain(np.array([error]), np.array([1.0])).tolist() == [explained]
