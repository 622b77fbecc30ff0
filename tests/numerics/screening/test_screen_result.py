"""The result of a screen."""

import numpy as np
import pytest

from pytest_gradcheck.numerics.coordinate_scales import Scales
from pytest_gradcheck.numerics.screening.screen_result import ScreenResult, reference_magnitude
from tests.numerics.functions import Floats
from tests.numerics.screening.builders import derivative_with

SCALES = Scales.of(np.array([2.0, -3.0, 0.0, 1e-200]), [(0, 2), (2, 4)])


def result_of(detection_limit: Floats, typical: Floats) -> ScreenResult:
    """Return the result of a screen of two segments with these detection limits."""
    return ScreenResult(
        directional_derivatives=(derivative_with(0.0, 1.0, outputs=2),),
        detection_limit=detection_limit,
        typical_claim=typical,
        swept={},
        findings=(),
        unexplained=np.zeros(detection_limit.shape, dtype=bool),
        sizes=np.array([6.0, 1e300]),
        scales=SCALES,
        fixed=np.zeros(0, dtype=np.intp),
        smallest_scale=SCALES.least(),
    )


def test_reference_is_the_typical_claim_of_the_segment() -> None:
    """Where all claims of the segment vanish, it is the largest typical claim of the others."""
    typical = np.array([[2.0, 0.0], [0.0, 0.0], [5.0, 0.0]])
    reference = reference_magnitude(typical, np.array([7.0, 0.3]), np.ones(2))
    assert reference.tolist() == [[2.0, 0.3], [5.0, 0.3], [5.0, 0.3]]


def test_reference_is_a_share_of_the_output_where_nothing_is_claimed() -> None:
    """It is a ten-thousandth of the size of the output."""
    reference = reference_magnitude(np.zeros((1, 1)), np.zeros(1), np.array([3.0]))
    assert reference.tolist() == [[pytest.approx(3e-4)]]


def test_detection_limit_is_relative_to_a_typical_claim() -> None:
    """It is infinite where nothing is detected, and relative to outputs without any claim."""
    limits = np.array([[0.1, 1e-9], [0.5, 1e-9], [np.inf, 0.0]])
    typical = np.array([[2.0, 0.0], [0.0, 0.0], [5.0, 0.0]])
    relative = result_of(limits, typical).relative_detection_limit
    assert relative[:2, 0] == pytest.approx([0.05, 0.1])
    assert np.isinf(relative[2, 0])
    assert relative[0, 1] == pytest.approx(1e-9 / 1e296)


def test_natural_slopes_are_sizes_over_scales() -> None:
    """A coordinate that is as good as zero has the scale of its segment."""
    found = result_of(np.zeros((2, 2)), np.ones((2, 2))).natural_slopes(np.array([1, 0, 3]))
    assert found[:, 0] == pytest.approx([2.0, 3.0, 6.0])
    assert found[:, 1] == pytest.approx([1e300 / 3, 5e299, 1e300])
