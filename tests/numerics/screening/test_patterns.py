"""One share by which claims are off."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_gradcheck.numerics.screening.patterns import common_share
from tests.numerics.screening.builders import FEW

CLAIMED = np.array([[1.0, 2.0, -0.7], [3.0, -1.0, 0.4]])
BOUNDS = np.full(2, 1e-9)


@FEW
@given(st.floats(0.01, 3).flatmap(lambda x: st.sampled_from([x, -x])))
def test_share_of_everything_is_told(share: float) -> None:
    """Of all segments together, and how well it is known."""
    found = common_share(share * CLAIMED.sum(axis=1), BOUNDS, CLAIMED)
    assert found is not None
    assert found.segments == (0, 1, 2)
    assert found.share == pytest.approx(share)
    assert found.doubt == pytest.approx(1e-9 / 2.3)


@pytest.mark.parametrize("segment", [0, 1, 2])
def test_share_of_one_segment_is_told(segment: int) -> None:
    """The others are right."""
    found = common_share(-0.5 * CLAIMED[:, segment], BOUNDS, CLAIMED)
    assert found is not None
    assert found.segments == (segment,)
    assert found.share == pytest.approx(-0.5)


def test_what_one_direction_shows_must_be_true_of_the_other() -> None:
    """Any residual is some share of something."""
    assert common_share(np.array([0.5, 0.9]), BOUNDS, CLAIMED) is None


def test_share_within_the_bounds_of_both_directions_is_one() -> None:
    """What the first leaves uncertain the second need not confirm."""
    residuals = 0.5 * CLAIMED[:, 0]
    near, far = (residuals + np.array([1e-6, rest]) for rest in (5e-6, 7e-6))
    bounds = np.array([1e-6, 0.0])
    assert common_share(near, bounds, CLAIMED) is not None
    assert common_share(far, bounds, CLAIMED) is None


def test_share_that_noise_may_hide_is_none() -> None:
    """A prediction that is known to a tenth of itself is met by chance."""
    residuals = 0.5 * CLAIMED[:, 0]
    assert common_share(residuals, np.array([0.0, 0.1 * residuals[1]]), CLAIMED) is None
    assert common_share(residuals, np.array([0.0, 0.02 * residuals[1]]), CLAIMED) is not None


def test_segments_that_claim_nothing_are_passed_over() -> None:
    """And so is what is not finite."""
    claimed = np.array([[0.0, np.inf, 2.0], [1.0, 1.0, -1.0]])
    found = common_share(0.5 * claimed[:, 2], BOUNDS, claimed)
    assert found is not None
    assert found.segments == (2,)
