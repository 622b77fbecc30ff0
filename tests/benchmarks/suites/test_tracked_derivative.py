"""A numerical derivative notices what it is compared with, and which of its entries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.benchmarks.suites.tracked_derivative import track_comparisons

Seen = list[tuple[list[int], list[float]]]


def derivative() -> tuple[Any, Seen]:
    """Return a derivative of 2 by 3, and where its comparisons go."""
    seen: Seen = []

    def compared(entries: Any, claim: Any) -> None:
        seen.append((entries.ravel().tolist(), claim.ravel().tolist()))

    values = np.arange(6.0).reshape(2, 3)
    return track_comparisons(values, np.arange(6).reshape(2, 3), compared), seen


CLAIM = np.arange(10.0, 16.0).reshape(2, 3)


@pytest.mark.parametrize(
    "compare",
    [
        lambda own: own - CLAIM,
        lambda own: np.linalg.norm(CLAIM - own),
        lambda own: np.allclose(own, CLAIM),
        lambda own: np.testing.assert_allclose(CLAIM, own, atol=10),
        lambda own: np.testing.assert_allclose(own.T, CLAIM.T, atol=10),
        lambda own: np.testing.assert_almost_equal(own.ravel(), CLAIM.ravel(), decimal=-2),
        lambda own: np.testing.assert_array_almost_equal(own, CLAIM, decimal=-2),
        lambda own: np.max(np.abs(np.squeeze(own) - CLAIM)),
    ],
)
def test_comparison_is_noticed(compare: Callable[[Any], object]) -> None:
    """By whichever function, on whichever side, reshaped or not."""
    own, seen = derivative()
    compare(own)
    assert len(seen) >= 1
    for entries, claim in seen:
        assert dict(zip(entries, claim, strict=True)) == {i: 10.0 + i for i in range(6)}


def test_part_of_a_derivative_knows_which_part_it_is() -> None:
    """A column compared is a claim about these entries."""
    own, seen = derivative()
    np.testing.assert_allclose(own[:, 1], CLAIM[:, 1], atol=10)
    assert seen[0] == ([1, 4], [11.0, 14.0])


def test_two_derivatives_claim_nothing() -> None:
    """Nor does what was computed from them."""
    own, seen = derivative()
    other, _ = derivative()
    assert np.allclose(own, other)
    np.testing.assert_allclose((4 * own - other) / 3, own)
    assert np.allclose(2 * own, CLAIM, atol=1) is False
    assert seen == []


def test_a_number_is_claimed_of_every_entry() -> None:
    """And an array of another size of none."""
    own, seen = derivative()
    np.isclose(own, 0.0)
    _ = own - CLAIM[0]
    assert seen == [([0, 1, 2, 3, 4, 5], [0.0] * 6)]
