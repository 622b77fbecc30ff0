"""Gradients of the corpus against derivatives in sixty digits."""

import numpy as np
import pytest

from tests.corpus.exact import exact_gradient
from tests.corpus.families.length_scales import LENGTH_SCALES
from tests.corpus.family import Case, Family
from tests.corpus.mutants import is_visible

SEEDS = range(5)


def in_words(family: Family) -> str:
    """Name a family in a test's name."""
    return family.name


@pytest.mark.parametrize("family", LENGTH_SCALES.families, ids=in_words)
def test_the_gradient_is_that_of_forward(family: Family) -> None:
    """A gradient is known as well as the case says, judged as a measurement is."""
    for seed in SEEDS:
        case = family.case(seed)
        with np.errstate(all="ignore"):
            exact, claim = exact_gradient(case), case.gradient(case.point.copy())
        size = np.abs(exact) + 1e-4 * np.abs(exact).max()
        assert claim.shape == case.point.shape
        np.testing.assert_array_less(np.abs(claim - exact), case.precision * size + 1e-300)


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
    assert not is_visible(case, claim, np.cos(x), np.cos(x))
    assert is_visible(case, claim + 1e-3, np.cos(x), np.cos(x))
