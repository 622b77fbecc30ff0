"""Gradients of the corpus against derivatives in sixty digits."""

from functools import partial

import numpy as np
import pytest

from tests.corpus.exact_gradient import exact_gradient
from tests.corpus.families.extremes import EXTREMES
from tests.corpus.families.guarded import GUARDED
from tests.corpus.families.jumps import JUMPS
from tests.corpus.families.length_scales import LENGTH_SCALES
from tests.corpus.families.lowered import LOWERED
from tests.corpus.families.scales import SCALES
from tests.corpus.families.smooth import SMOOTH
from tests.corpus.families.solvers import SOLVERS
from tests.corpus.families.vanishing import VANISHING
from tests.corpus.family import Array, Case, Family
from tests.corpus.mutants import largest_relative_error, visible_entries

SEEDS = range(5)

#: Forward calls what knows float64 alone: a library, or a cast of Python.
IN_FLOAT64 = {
    "beta_likelihood",
    "cholesky_nearby",
    "convolution_by_float32",
    "decay_by_solve_ivp",
    "fourier_in_float32",
    "integral_by_quad",
    "logistic_growth_adaptive",
    "mixture_likelihood",
    "option_price",
    "oscillator_adaptive",
    "predators_by_adjoint",
    "spectrum_in_float32",
    "turns_complex",
}
VERIFIED = (SMOOTH, SCALES, LENGTH_SCALES, EXTREMES, VANISHING, JUMPS, GUARDED, SOLVERS, LOWERED)
FAMILIES = [family for collection in VERIFIED for family in collection.families]
EXACT = [family for family in FAMILIES if family.name not in IN_FLOAT64]
INEXACT = [family for family in FAMILIES if family.name in IN_FLOAT64]
STEPS = 10.0 ** -np.arange(1, 7)


def in_words(family: Family) -> str:
    """Name a family in a test's name."""
    return family.name


@pytest.mark.parametrize("family", EXACT, ids=in_words)
def test_the_gradient_is_that_of_forward(family: Family) -> None:
    """A gradient is known as well as the case says, judged as a measurement is.

    At a kink the difference lies between the slopes, and the claim is a valid one.
    """
    for seed in SEEDS:
        case = family.case(seed)
        with np.errstate(all="ignore"):
            exact, claim = exact_gradient(case), case.gradient(case.point.copy())
            claimed, true = case.slopes(), case.derivative()
        known = case.precision * (np.abs(exact) + 1e-4 * np.abs(exact).max()) + 1e-320
        assert claim.shape == case.point.shape
        assert largest_relative_error(claim, case.valid()) <= case.precision
        np.testing.assert_array_less(outside(exact, *claimed), known + case.rounding)
        np.testing.assert_array_less(outside(exact, *true), known + case.rounding)


def outside(exact: Array, low: Array, high: Array) -> Array:
    """Return how far a derivative lies outside of an interval."""
    return np.array(np.maximum(np.maximum(low - exact, exact - high), 0))


@pytest.mark.parametrize("family", INEXACT, ids=in_words)
def test_the_gradient_is_that_of_differences(family: Family) -> None:
    """Where forward has to compute in float64, a step agrees with the gradient to 1%."""
    for seed in SEEDS:
        case = family.case(seed)
        claim = case.gradient(case.point.copy())
        off = [np.abs(found - claim) for found in map(partial(differences, case), STEPS)]
        allowed = 1e-2 * np.max(np.abs(claim)) + case.rounding
        assert np.all(np.nanmin(off, axis=0) < allowed)


def differences(case: Case, step: float) -> Array:
    """Return the central difference of each entry over a share of it."""
    slopes = []
    for i, number in enumerate(case.point.flat):
        beside = np.array([case.point, case.point])
        size = step * abs(number)
        beside.reshape(2, -1)[:, i] += [size, -size]
        slopes.append((value_of(case, beside[0]) - value_of(case, beside[1])) / (2 * size))
    return np.reshape(slopes, case.point.shape)


def value_of(case: Case, point: Array) -> float:
    """Return the value of forward, or NaN where it raises."""
    try:
        return float(case.forward(point))
    except (RuntimeError, np.linalg.LinAlgError):
        return np.nan


def test_derivatives_are_exact_beside_large_numbers() -> None:
    """Digits are as many as the decades of the point need."""
    case = Case(lambda x: x[0] + np.sum(np.sqrt(x[1:])), np.ones_like, np.array([1e9, 1e-200]))
    np.testing.assert_allclose(exact_gradient(case), [1, 5e99], rtol=1e-14)


def test_what_a_cast_rounds_away_is_not_meant() -> None:
    """A forward in float32 is held against what it means."""
    case = Case(lambda x: np.sum(x.astype(np.float32) ** 2), np.ones_like, np.array([0.1]))
    np.testing.assert_allclose(exact_gradient(case), [0.2], rtol=1e-14)


@pytest.mark.parametrize("family", LENGTH_SCALES.families, ids=in_words)
def test_lengths_lie_far_below_magnitudes(family: Family) -> None:
    """Every case holds a number far above a length, up to 1e9 times its own."""
    for seed in SEEDS:
        case = family.case(seed)
        assert case.length is not None
        magnitude = np.abs(case.point)
        assert np.max(magnitude) / np.min(case.length) > 99
        assert np.max(magnitude / case.length) < 1.01e9


def test_a_wrong_gradient_is_told_from_the_exact_one() -> None:
    """The reference does not follow the claim."""
    case = Case(lambda x: np.sum(np.sin(x) / x), np.cos, np.array([0.5, 1e6]))
    x = case.point
    np.testing.assert_allclose(
        exact_gradient(case), np.cos(x) / x - np.sin(x) / x**2, rtol=1e-14, atol=0
    )


def test_an_error_is_followed_over_the_length_only() -> None:
    """Far out an error that hardly moves forward within its length is within its rounding."""
    x, claim = np.array([1e9]), np.array([np.cos(1e9) + 1e-6])
    case = Case(lambda x: np.sum(np.sin(x)), np.cos, x, length=1.0)
    assert not visible_entries(case, claim, case.valid())
    assert visible_entries(case, claim + 1e-3, case.valid())
