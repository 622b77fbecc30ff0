"""What a screen found, as data."""

import numpy as np
import pytest

from pytest_gradcheck.numerics.scale import Scales
from pytest_gradcheck.numerics.screening.screened import Screened, reference
from tests.numerics.functions import Floats


def screened(visible: Floats, typical: Floats) -> Screened:
    """Return a screen of two segments that saw so much."""
    return Screened(
        sights=(),
        visible=visible,
        typical=typical,
        swept={},
        findings=(),
        unexplained=np.zeros(visible.shape, dtype=bool),
        sizes=np.array([6.0, 1e300]),
        scales=Scales.of(np.array([2.0, -3.0, 0.0, 1e-200]), [(0, 2), (2, 4)]),
    )


def test_errors_are_large_against_typical_claims_of_their_segment() -> None:
    """Where all of them vanish, against the largest of the others."""
    typical = np.array([[2.0, 0.0], [0.0, 0.0], [5.0, 0.0]])
    assert reference(typical).tolist() == [[2.0, 0.0], [5.0, 0.0], [5.0, 0.0]]


def test_share_is_what_is_visible_of_a_typical_claim() -> None:
    """Infinite where nothing is visible, and where nothing is claimed at all."""
    visible = np.array([[0.1, 1e-9], [0.5, 1e-9], [np.inf, 0.0]])
    share = screened(visible, np.array([[2.0, 0.0], [0.0, 0.0], [5.0, 0.0]])).share
    assert share[:2, 0] == pytest.approx([0.05, 0.1])
    assert np.isinf(share[2, 0])
    assert np.isinf(share[:, 1]).all()


def test_natural_derivatives_are_outputs_over_scales() -> None:
    """Of the coordinates asked for; what people mean by zero has no scale of its own."""
    found = screened(np.zeros((2, 2)), np.ones((2, 2))).natural(np.array([1, 0, 3]))
    assert found[:, 0] == pytest.approx([2.0, 3.0, 6.0])
    assert found[:, 1] == pytest.approx([1e300 / 3, 5e299, 1e300])
