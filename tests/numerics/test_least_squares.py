"""Slopes of noisy values, and claims that only many far values can verify."""

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


def rough(places: Floats, rng: np.random.Generator) -> Floats:
    """Return values with independent noise."""
    return np.asarray(np.sin(places + 1) + rng.normal(scale=1e-4, size=places.shape))


def stairs(places: Floats, rng: np.random.Generator) -> Floats:
    """Return values rounded to a thousandth, somewhere."""
    offset = rng.uniform()
    return np.asarray(np.round(np.sin(places + 1) + offset, 3) - offset)


def half(places: Floats, rng: np.random.Generator) -> Floats:
    """Round the argument and the value to half precision."""
    there = (places + 1).astype(np.float16)
    return np.asarray(np.sin(there).astype(float))


def single(places: Floats, rng: np.random.Generator) -> Floats:
    """Round the argument and the value to single precision, over an offset."""
    there = (places + 1).astype(np.float32)
    return np.asarray((np.sin(there) + np.float32(rng.uniform(10, 100))).astype(float))


def wandering(places: Floats, rng: np.random.Generator) -> Floats:
    """Return noise that neighbours have in common."""
    phases = rng.uniform(0, 2 * np.pi, size=40)
    waves = np.sin(np.outer(places, rng.uniform(0, 60, size=40)) + phases)
    return np.asarray(np.sin(places + 1) + 1e-4 * waves.sum(axis=1))


@pytest.mark.parametrize("noisy", [rough, stairs, half, single, wandering])
def test_slopes_err_by_no_more_than_twice_their_bounds(noisy: Noisy) -> None:
    """Whatever the noise, for a thousand draws of it: twice the bound is what accuses."""
    beyond = 0
    for seed in range(1000):
        rng = np.random.default_rng(seed)
        places = 0.3 * scattered_points(rng, 4)
        fit = fit_slopes(places, noisy(places, rng)[:, None])
        beyond += int((np.abs(fit.slope - np.cos(1.0)) > 2 * fit.bound).any())
    assert beyond <= 5


def test_a_fit_that_leaves_more_than_noise_bounds_nothing() -> None:
    """Values that oscillate between the places, or jump, are no polynomial."""
    places = scattered_points(np.random.default_rng(0), 6)
    for values in (np.sin(30 * places), np.where(places > 0.3, 1.0, 0.0) + places):
        fit = fit_slopes(places, values[:, None])
        assert not fit.is_noise.any()
        assert not fit.bound < 0.1 * np.abs(fit.slope)


def test_values_that_are_undefined_bound_nothing() -> None:
    """One is enough; other outputs are fitted."""
    places = scattered_points(np.random.default_rng(0), 6)
    noisy = np.round(places, 3)
    fit = fit_slopes(places, np.stack([np.where(places > 1, np.nan, noisy), noisy], axis=1))
    assert np.isfinite(fit.bound).tolist() == [False, True]


def verified(function: Function, claim: Floats, seed: int) -> tuple[Floats, Floats]:
    """Verify claims about the first coordinates."""
    rng, first = np.random.default_rng(seed), slice(0, len(claim))
    return verify_by_regression(function, first, claim, agreement=1e-6, rng=rng)


def _trillion(x: Floats) -> Floats:
    return np.asarray(1e12 + np.sum(np.sin(x)))


POINT = np.array([0.3, -0.8, 1.1, 0.01])


def test_claims_beside_a_huge_offset_are_verified() -> None:
    """Four digits are left of what they change: three hundred values show three of them."""
    counted = Counted(_trillion)
    function = function_at(counted, POINT.copy())
    counted.calls = 0
    claim = np.cos(POINT)[:, None]
    value, bound = verified(function, claim, 0)
    assert counted.calls < 2500
    assert (bound <= RESOLVED * claim).any()
    assert (np.abs(value - claim) <= bound).all()
    assert (function.point == POINT).all()


def test_a_claim_that_is_off_verifies_none_beside_it() -> None:
    """For a hundred seeds, whichever of them is off by 1%."""
    function = function_at(Counted(_trillion), POINT.copy())
    for seed in range(100):
        rng = np.random.default_rng(seed)
        claim = np.cos(POINT)[:, None]
        claim[rng.integers(4)] *= 1.01
        _, bound = verified(function, claim, seed)
        assert not (bound <= RESOLVED * claim).any()


def test_errors_that_are_equal_and_opposite_do_not_cancel() -> None:
    """For a hundred seeds."""
    function = function_at(Counted(_trillion), POINT.copy())
    for seed in range(100):
        claim = np.cos(POINT)[:, None]
        claim[[0, 1]] += [[0.02], [-0.02]]
        _, bound = verified(function, claim, seed)
        assert not (bound <= RESOLVED * claim).any()


def test_small_coordinates_are_moved_far_where_their_own_size_shows_nothing() -> None:
    """The noise of ``(1 - cos x) / x**2`` is all there is to see within a point of 1e-5."""
    point = np.array([1e-5, -3e-5, 2e-3])
    function = function_at(Counted(lambda x: np.sum((1 - np.cos(x)) / x**2)), point)
    claim = (-point / 12)[:, None]
    _, bound = verified(function, claim, 0)
    assert (bound <= RESOLVED * np.abs(claim)).any()


def test_coordinates_of_other_arrays_stay_where_they_are() -> None:
    """Their claims are none of the array's."""
    function = function_at(
        Counted(lambda x: 1e12 + np.sin(x[0]) + 1e3 * x[1]), np.array([0.5, 1.0])
    )
    claim = np.cos([[0.5]])
    value, bound = verified(function, claim, 1)
    assert (bound <= RESOLVED * value).all()
