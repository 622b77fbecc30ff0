"""What is known of a residual."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_gradcheck.numerics.screening.excess import Excess
from pytest_gradcheck.numerics.screening.places import whole
from pytest_gradcheck.numerics.screening.slabs import Slabs
from tests.numerics.screening.builders import FEW, segments_of

EVERYTHING = whole(segments_of([(8, 25), (3, 40), (7,)]))
SLABS = Slabs.of(EVERYTHING, 18)


def test_what_is_left_without_a_part_is_known_by_subtraction() -> None:
    """Residuals are differences; bounds add up in squares."""
    first, second = EVERYTHING[:1], EVERYTHING[1:]
    part = Excess(first, 1.0, 3.0, coded=1.5, slabs=SLABS)
    rest = Excess(EVERYTHING, 5.0, 4.0, coded=7.0, slabs=SLABS, depth=2).minus(second, part)
    assert (rest.region, rest.residual, rest.coded) == (second, 4.0, 5.5)
    assert rest.slabs is SLABS
    assert rest.bound == pytest.approx(5.0)
    assert rest.size == 127
    assert Excess(EVERYTHING, 5.0, 4.0).minus(second, part).coded is None


@FEW
@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_rounding_of_a_part_is_not_in_the_rest(noise: float, first: float, second: float) -> None:
    """It is the same in the part and in the whole; noise is not."""
    together = Excess(EVERYTHING, 5.0, noise, float(np.hypot(first, second)))
    rest = together.minus(EVERYTHING[1:], Excess(EVERYTHING[:1], 1.0, noise, first))
    assert rest.rounding == pytest.approx(second, abs=1e-7)
    assert rest.noise == pytest.approx(np.sqrt(2) * noise)


def test_residual_is_clear_in_units_of_its_bound() -> None:
    """Of either sign; without any bound everything is clear."""
    assert Excess(EVERYTHING, -6.0, 2.0).clear == 3.0
    assert Excess(EVERYTHING, -6.0, 1.0, 1.0).clear == 3.0
    assert Excess(EVERYTHING, 1.0, 0.0).clear == np.inf


def test_ratio_is_surer_where_rounding_is_what_hides() -> None:
    """Most of that is in both residuals; of nothing there is no ratio."""
    assert Excess(EVERYTHING, -6.0, 2.0).unsure == pytest.approx(0.5)
    assert Excess(EVERYTHING, -6.0, 0.0, 2.0).unsure == pytest.approx(0.25)
    assert Excess(EVERYTHING, 0.0, 1.0).unsure == np.inf


def test_rounding_outside_of_a_part_is_noise_to_it() -> None:
    """It is not in what is measured of the part."""
    within = Excess(EVERYTHING, 5.0, 12.0, 5.0).within(EVERYTHING[:1], 0.0)
    assert (within.region, within.residual) == (EVERYTHING[:1], 5.0)
    assert (within.noise, within.rounding) == (13.0, 0.0)


def test_part_that_all_is_due_to_keeps_what_is_known_of_the_whole() -> None:
    """Its digit, and how to cut it; not the region and the residual."""
    known = Excess(EVERYTHING, 5.0, 4.0, 3.0, 7.0, SLABS, mixed=True, depth=1, across=True)
    part = known.of(Excess(EVERYTHING[:1], 4.9, 2.0, 1.0))
    assert part == Excess(
        EVERYTHING[:1], 4.9, 2.0, 1.0, 7.0, SLABS, mixed=True, depth=1, across=True
    )
