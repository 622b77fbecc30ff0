"""Slopes of noisy values, and verification of noise-dominated claims by regression."""

from collections.abc import Callable

import numpy as np
import pytest

from pytest_gradcheck.numerics.function import Function
from pytest_gradcheck.numerics.least_squares import (
    fit_slopes,
    scattered_points,
    verified_tolerance,
    verify_by_regression,
)
from tests.numerics.functions import Counted, Floats, function_at

RESOLVED = verified_tolerance(1e-6)

Noisy = Callable[[Floats, np.random.Generator], Floats]


def rough(points: Floats, rng: np.random.Generator) -> Floats:
    """Return values with independent noise."""
    return np.asarray(np.sin(points + 1) + rng.normal(scale=1e-4, size=points.shape))


def rounded(points: Floats, rng: np.random.Generator) -> Floats:
    """Return values rounded to a thousandth, at a random offset."""
    offset = rng.uniform()
    return np.asarray(np.round(np.sin(points + 1) + offset, 3) - offset)


def half(points: Floats, rng: np.random.Generator) -> Floats:
    """Round the argument and the value to half precision."""
    there = (points + 1).astype(np.float16)
    return np.asarray(np.sin(there).astype(float))


def single(points: Floats, rng: np.random.Generator) -> Floats:
    """Round the argument and the value to single precision, over an offset."""
    there = (points + 1).astype(np.float32)
    return np.asarray((np.sin(there) + np.float32(rng.uniform(10, 100))).astype(float))


def correlated(points: Floats, rng: np.random.Generator) -> Floats:
    """Return values with correlated noise."""
    phases = rng.uniform(0, 2 * np.pi, size=40)
    waves = np.sin(np.outer(points, rng.uniform(0, 60, size=40)) + phases)
    return np.asarray(np.sin(points + 1) + 1e-4 * waves.sum(axis=1))


@pytest.mark.parametrize("noisy", [rough, rounded, half, single, correlated])
def test_slopes_err_by_at_most_twice_their_bounds(noisy: Noisy) -> None:
    """Whatever the noise, for a thousand draws: a claim is wrong beyond twice the bound."""
    violations = 0
    for seed in range(1000):
        rng = np.random.default_rng(seed)
        points = 0.3 * scattered_points(rng, 4)
        fit = fit_slopes(points, noisy(points, rng)[:, None])
        violations += int((np.abs(fit.slope - np.cos(1.0)) > 2 * fit.bound).any())
    assert violations <= 5


def test_fit_with_residuals_that_are_not_noise_has_no_bound() -> None:
    """No polynomial fits values that oscillate between the points, or jump."""
    points = scattered_points(np.random.default_rng(0), 6)
    for values in (np.sin(30 * points), np.where(points > 0.3, 1.0, 0.0) + points):
        fit = fit_slopes(points, values[:, None])
        assert not fit.is_noise.any()
        assert not fit.bound < 0.1 * np.abs(fit.slope)


def test_undefined_values_give_no_bound() -> None:
    """A single one is enough; other outputs are fitted."""
    points = scattered_points(np.random.default_rng(0), 6)
    noisy = np.round(points, 3)
    fit = fit_slopes(points, np.stack([np.where(points > 1, np.nan, noisy), noisy], axis=1))
    assert np.isfinite(fit.bound).tolist() == [False, True]


def verified(function: Function, claim: Floats, seed: int) -> tuple[Floats, Floats]:
    """Verify claims about the first coordinates."""
    rng, first = np.random.default_rng(seed), slice(0, len(claim))
    return verify_by_regression(function, first, claim, agreement=1e-6, rng=rng)


def _trillion(x: Floats) -> Floats:
    return np.asarray(1e12 + np.sum(np.sin(x)))


POINT = np.array([0.3, -0.8, 1.1, 0.01])


def test_claims_beside_a_huge_offset_are_verified() -> None:
    """Four digits of the change are left: some hundred values determine three of them."""
    counted = Counted(_trillion)
    function = function_at(counted, POINT.copy())
    counted.calls = 0
    claim = np.cos(POINT)[:, None]
    value, bound = verified(function, claim, 0)
    assert counted.calls < 2500
    assert (bound <= RESOLVED * claim).any()
    assert (np.abs(value - claim) <= bound).all()
    assert (function.point == POINT).all()


def test_wrong_claim_leaves_its_whole_array_unverified() -> None:
    """For a hundred seeds, whichever claim is wrong by 1%."""
    function = function_at(Counted(_trillion), POINT.copy())
    for seed in range(100):
        rng = np.random.default_rng(seed)
        claim = np.cos(POINT)[:, None]
        claim[rng.integers(4)] *= 1.01
        _, bound = verified(function, claim, seed)
        assert not (bound <= RESOLVED * claim).any()


def test_equal_and_opposite_errors_do_not_cancel() -> None:
    """For a hundred seeds."""
    function = function_at(Counted(_trillion), POINT.copy())
    for seed in range(100):
        claim = np.cos(POINT)[:, None]
        claim[[0, 1]] += [[0.02], [-0.02]]
        _, bound = verified(function, claim, seed)
        assert not (bound <= RESOLVED * claim).any()


def test_small_coordinates_are_moved_far_where_their_scale_is_too_small() -> None:
    """Within the scale of a point at 1e-5, ``(1 - cos x) / x**2`` is nothing but noise."""
    point = np.array([1e-5, -3e-5, 2e-3])
    function = function_at(Counted(lambda x: np.sum((1 - np.cos(x)) / x**2)), point)
    claim = (-point / 12)[:, None]
    _, bound = verified(function, claim, 0)
    assert (bound <= RESOLVED * np.abs(claim)).any()


def test_coordinates_of_other_arrays_are_fixed() -> None:
    """Their claims do not matter."""
    function = function_at(
        Counted(lambda x: 1e12 + np.sin(x[0]) + 1e3 * x[1]), np.array([0.5, 1.0])
    )
    claim = np.cos([[0.5]])
    value, bound = verified(function, claim, 1)
    assert (bound <= RESOLVED * value).all()
