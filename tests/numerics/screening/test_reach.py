"""How far claims make sense."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_gradcheck.binding.claimed import DenseClaim
from pytest_gradcheck.numerics.measurement import EPS
from pytest_gradcheck.numerics.screening.reach import extents, grain, reaches
from tests.numerics.screening.builders import FEW


def test_output_extends_over_its_magnitude_or_less() -> None:
    """An offset is no extent; what it varies by is."""
    away = np.array([[1.5, 1e6 + 0.2, 50.0], [0.8, 1e6 - 0.3, 40.0]])
    found = extents(away, np.array([1.0, 1e6, -2.0]))
    assert found == pytest.approx([0.5, 0.3, 2.0])


def test_output_that_is_zero_by_chance_extends_over_a_share_of_what_it_varies_by() -> None:
    """Nothing could be moved otherwise."""
    assert extents(np.array([[1.0]]), np.zeros(1)) == pytest.approx([1.5e-8], rel=0.01)


def test_output_that_is_not_seen_to_vary_extends_over_its_magnitude() -> None:
    """Nor where all that is seen is rounding, or nothing."""
    away = np.array([[3.0, 3.0 + 8 * EPS, np.nan], [3.0, 3.0, np.inf]])
    assert extents(away, np.full(3, 3.0)).tolist() == [3.0, 3.0, 3.0]


@FEW
@given(st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
def test_claim_reaches_as_far_as_ten_times_the_extent(claim: float, extent: float) -> None:
    """Of either sign."""
    claims = DenseClaim(np.array([[claim], [-claim]]))
    found = reaches(claims, np.zeros(2), np.array([extent]))
    assert found == pytest.approx([10 * extent / claim] * 2)


def test_claims_of_zero_reach_anywhere() -> None:
    """They say nothing, nor do those about an output that extends over nothing."""
    claims = DenseClaim(np.array([[0.0, 0.0], [0.0, 5.0]]))
    assert np.isinf(reaches(claims, np.ones(2), np.array([1.0, 0.0]))).all()


def test_reach_is_that_of_the_median_output() -> None:
    """Of those that claims are about: one that is zero by chance has no say among many."""
    claims = DenseClaim(np.array([[1.0, 2.0, 4.0, 0.0], [0.0, 0.0, 8.0, 0.0]]))
    assert reaches(claims, np.zeros(2), np.ones(4)).tolist() == [5.0, 1.25]


def test_no_reach_is_so_short_that_no_numbers_lie_in_it() -> None:
    """Steps of a claim that is far too large would lead nowhere."""
    claims = DenseClaim(np.array([[1e30], [1e30]]))
    found = reaches(claims, np.array([-1e6, 0.0]), np.ones(1))
    assert found == pytest.approx([0.1, 1e-29])


def test_grain_is_the_rounding_of_the_coordinate_that_is_moved_least() -> None:
    """In units of how far it is moved; of others it is that of a number."""
    point = np.array([1.0, 1e6])
    assert grain(point, None) == EPS
    assert grain(point, np.array([np.inf, np.inf])) == EPS
    assert grain(point, np.array([0.5, 10.0])) == pytest.approx(1e5 * EPS)
