"""What hypotheses are made from."""

from __future__ import annotations

import pytest

from pytest_gradcheck.diagnosis.gradient import MOST_OTHERS, CheckedCall
from tests.diagnosis.comparisons import TRUE, compare


@pytest.mark.parametrize("place", [0, 200, 399])
def test_nearest_of_very_many_gradients_are_compared(place: int) -> None:
    """So the work grows with the number of parameters, not with that of pairs of them."""
    gradients = tuple(compare(TRUE, name=f"p{number}").gradient for number in range(400))
    others = CheckedCall(gradients).others(gradients[place])
    assert len(others) <= MOST_OTHERS
    assert gradients[place] not in others
    assert gradients[place - 1 if place else 1] in others
