"""Gradients of the corpus, compared with reference gradients in 60 digits."""

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

#: Families whose forward works in float64 only: it calls a library, or casts to a Python float.
FLOAT64_ONLY = {
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
EXACT = [family for family in FAMILIES if family.name not in FLOAT64_ONLY]
INEXACT = [family for family in FAMILIES if family.name in FLOAT64_ONLY]
STEPS = 10.0 ** -np.arange(1, 7)


def family_name(family: Family) -> str:
    """Return the id of a family in the name of a test."""
    return family.name


@pytest.mark.parametrize("family", EXACT, ids=family_name)
def test_the_gradient_is_that_of_forward(family: Family) -> None:
    """The gradient agrees with the reference to the precision that the case states.

    At a kink the central difference lies between the slopes, and the claim is a valid one.
    """
    for seed in SEEDS:
        case = family.case(seed)
        with np.errstate(all="ignore"):
            exact, claim = exact_gradient(case), case.gradient(case.point.copy())
            claimed, true = case.subgradient_range(), case.derivative()
        known = case.precision * (np.abs(exact) + 1e-4 * np.abs(exact).max()) + 1e-320
        assert claim.shape == case.point.shape
        assert largest_relative_error(claim, case.valid_intervals()) <= case.precision
        np.testing.assert_array_less(outside(exact, *claimed), known + case.rounding)
        np.testing.assert_array_less(outside(exact, *true), known + case.rounding)


def outside(exact: Array, low: Array, high: Array) -> Array:
    """Return the distance of a derivative to an interval."""
    return np.array(np.maximum(np.maximum(low - exact, exact - high), 0))


@pytest.mark.parametrize("family", INEXACT, ids=family_name)
def test_the_gradient_is_that_of_differences(family: Family) -> None:
    """Where forward works in float64 only, one of the steps agrees with the gradient to 1%."""
    for seed in SEEDS:
        case = family.case(seed)
        claim = case.gradient(case.point.copy())
        errors = [np.abs(slope - claim) for slope in map(partial(differences, case), STEPS)]
        allowed = 1e-2 * np.max(np.abs(claim)) + case.rounding
        assert np.all(np.nanmin(errors, axis=0) < allowed)


def differences(case: Case, step: float) -> Array:
    """Return the central differences with a step relative to each entry."""
    slopes = []
    for i, number in enumerate(case.point.flat):
        moved = np.array([case.point, case.point])
        size = step * abs(number)
        moved.reshape(2, -1)[:, i] += [size, -size]
        slopes.append((value_of(case, moved[0]) - value_of(case, moved[1])) / (2 * size))
    return np.reshape(slopes, case.point.shape)


def value_of(case: Case, point: Array) -> float:
    """Return the value of forward, or NaN if it raises."""
    try:
        return float(case.forward(point))
    except (RuntimeError, np.linalg.LinAlgError):
        return np.nan


def test_derivatives_are_exact_beside_large_numbers() -> None:
    """The number of digits grows with the decades that the point spans."""
    case = Case(lambda x: x[0] + np.sum(np.sqrt(x[1:])), np.ones_like, np.array([1e9, 1e-200]))
    np.testing.assert_allclose(exact_gradient(case), [1, 5e99], rtol=1e-14)


def test_casts_are_ignored() -> None:
    """The reference of a forward in float32 is its gradient without the rounding of the cast."""
    case = Case(lambda x: np.sum(x.astype(np.float32) ** 2), np.ones_like, np.array([0.1]))
    np.testing.assert_allclose(exact_gradient(case), [0.2], rtol=1e-14)


@pytest.mark.parametrize("family", LENGTH_SCALES.families, ids=family_name)
def test_lengths_lie_far_below_magnitudes(family: Family) -> None:
    """Every case has an entry far above its length scale, up to 1e9 times."""
    for seed in SEEDS:
        case = family.case(seed)
        assert case.length is not None
        magnitude = np.abs(case.point)
        assert np.max(magnitude) / np.min(case.length) > 99
        assert np.max(magnitude / case.length) < 1.01e9


def test_the_reference_does_not_depend_on_the_claim() -> None:
    """A case that claims a wrong gradient has the right reference."""
    case = Case(lambda x: np.sum(np.sin(x) / x), np.cos, np.array([0.5, 1e6]))
    x = case.point
    np.testing.assert_allclose(
        exact_gradient(case), np.cos(x) / x - np.sin(x) / x**2, rtol=1e-14, atol=0
    )


def test_visibility_of_an_error_depends_on_the_length_scale() -> None:
    """At a large entry, an error that changes forward by less than a rounding is invisible."""
    x, claim = np.array([1e9]), np.array([np.cos(1e9) + 1e-6])
    case = Case(lambda x: np.sum(np.sin(x)), np.cos, x, length=1.0)
    assert not visible_entries(case, claim, case.valid_intervals())
    assert visible_entries(case, claim + 1e-3, case.valid_intervals())
