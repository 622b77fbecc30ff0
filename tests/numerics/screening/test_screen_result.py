"""What a screen found, as data."""

import numpy as np
import pytest

from pytest_gradcheck.numerics.screening.screen_result import ScreenResult, reference_magnitude
from pytest_gradcheck.numerics.step_size import Scales
from tests.numerics.functions import Floats
from tests.numerics.screening.builders import sight_of

SCALES = Scales.of(np.array([2.0, -3.0, 0.0, 1e-200]), [(0, 2), (2, 4)])


def screened(visible: Floats, typical: Floats) -> ScreenResult:
    """Return a screen of two segments that saw so much."""
    return ScreenResult(
        directional_derivatives=(sight_of(0.0, 1.0, outputs=2),),
        detection_limit=visible,
        typical_claim=typical,
        swept={},
        findings=(),
        unexplained=np.zeros(visible.shape, dtype=bool),
        sizes=np.array([6.0, 1e300]),
        scales=SCALES,
        fixed=np.zeros(0, dtype=np.intp),
        smallest_scale=SCALES.least(),
    )


def test_errors_are_large_against_typical_claims_of_their_segment() -> None:
    """Where all of them vanish, against the largest of the others."""
    typical = np.array([[2.0, 0.0], [0.0, 0.0], [5.0, 0.0]])
    against = reference_magnitude(typical, np.array([7.0, 0.3]), np.ones(2))
    assert against.tolist() == [[2.0, 0.3], [5.0, 0.3], [5.0, 0.3]]


def test_where_nothing_is_claimed_errors_are_large_against_outputs() -> None:
    """A ten-thousandth of their size."""
    assert reference_magnitude(np.zeros((1, 1)), np.zeros(1), np.array([3.0])).tolist() == [
        [pytest.approx(3e-4)]
    ]


def test_share_is_what_is_visible_of_a_typical_claim() -> None:
    """Infinite where nothing is visible; where nothing is claimed, of a share of outputs."""
    visible = np.array([[0.1, 1e-9], [0.5, 1e-9], [np.inf, 0.0]])
    share = screened(
        visible, np.array([[2.0, 0.0], [0.0, 0.0], [5.0, 0.0]])
    ).relative_detection_limit
    assert share[:2, 0] == pytest.approx([0.05, 0.1])
    assert np.isinf(share[2, 0])
    assert share[0, 1] == pytest.approx(1e-9 / 1e296)


def test_natural_derivatives_are_outputs_over_scales() -> None:
    """Of the coordinates asked for; what people mean by zero has no scale of its own."""
    found = screened(np.zeros((2, 2)), np.ones((2, 2))).natural_slopes(np.array([1, 0, 3]))
    assert found[:, 0] == pytest.approx([2.0, 3.0, 6.0])
    assert found[:, 1] == pytest.approx([1e300 / 3, 5e299, 1e300])
