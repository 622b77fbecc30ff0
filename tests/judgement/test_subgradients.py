"""Subgradients: which values between the slopes at a kink are accepted."""

import numpy as np
import pytest

from pytest_gradcheck.judgement.subgradients import (
    SubgradientChoice,
    are_one_sided_slopes,
    classify_subgradient,
    explained_by_several_kinks,
)

SLOPES = (-0.3, 0.7)
ALLOWED = 1e-9


@pytest.mark.parametrize(
    ("claim", "choice"),
    [
        pytest.param(-0.3, SubgradientChoice.SLOPE, id="the smaller slope"),
        pytest.param(0.7, SubgradientChoice.SLOPE, id="the larger slope"),
        pytest.param(0.7 + 1.5 * ALLOWED, SubgradientChoice.SLOPE, id="a slope, rounded"),
        pytest.param(0.0, SubgradientChoice.ZERO, id="zero"),
        pytest.param(0.2, SubgradientChoice.MEAN, id="the mean"),
        pytest.param(0.4, SubgradientChoice.SUM, id="the sum"),
        pytest.param(0.693, None, id="a slope wrong by a percent"),
        pytest.param(0.5, None, id="any other value between"),
        pytest.param(0.8, None, id="beyond the larger slope"),
        pytest.param(-0.4, None, id="beyond the smaller slope"),
    ],
)
def test_choices_that_people_make_are_accepted(
    claim: float, choice: SubgradientChoice | None
) -> None:
    """And nothing else, though any value between the slopes is a subgradient."""
    found = classify_subgradient(claim, SLOPES, mean=0.2, allowed=ALLOWED)
    assert found is choice


def test_zero_outside_of_the_slopes_is_no_choice() -> None:
    """Both slopes are positive: zero is no subgradient."""
    assert classify_subgradient(0.0, (0.3, 0.7), mean=0.5, allowed=ALLOWED) is None


@pytest.mark.parametrize(
    ("sides", "equal"),
    [((-0.3, 0.7), True), ((0.7, -0.3), True), ((-0.3, 0.69), False), ((0.7, 0.7), False)],
)
def test_claims_on_both_sides_are_compared_with_both_slopes(
    sides: tuple[float, float], equal: bool
) -> None:
    """Whichever side has the larger one."""
    assert are_one_sided_slopes(sides, SLOPES, allowed=ALLOWED) is equal


@pytest.mark.parametrize(
    ("around", "claim", "explained"),
    [
        pytest.param([-0.3, 0.1, 0.7], 0.5, True, id="the kinks separate"),
        pytest.param([-0.3, 0.7, 0.7], 0.5, False, id="one kink"),
        pytest.param([], 0.5, False, id="backward was not called around it"),
        pytest.param([-0.3, 0.1, 0.7], 3.1, True, id="outside of both slopes"),
        pytest.param([-0.3, 0.1, 0.7], 3.3, False, id="too far outside"),
    ],
)
def test_several_kinks_explain_a_claim_if_they_separate(
    around: list[float], claim: float, explained: bool
) -> None:
    """Up to three times as far from the mean as the slopes and the claims around are."""
    found = explained_by_several_kinks(np.array(around), SLOPES, claim=claim, allowed=ALLOWED)
    assert found is explained
