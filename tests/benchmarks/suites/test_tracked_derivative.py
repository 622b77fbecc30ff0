"""Tracked derivatives record what is compared with which of their entries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.benchmarks.suites.tracked_derivative import track_comparisons

Comparisons = list[tuple[list[int], list[float]]]


def derivative() -> tuple[Any, Comparisons]:
    """Return a tracked derivative of shape (2, 3), and the list of its comparisons."""
    comparisons: Comparisons = []

    def record(entries: Any, claim: Any) -> None:
        comparisons.append((entries.ravel().tolist(), claim.ravel().tolist()))

    values = np.arange(6.0).reshape(2, 3)
    return track_comparisons(values, np.arange(6).reshape(2, 3), record), comparisons


CLAIM = np.arange(10.0, 16.0).reshape(2, 3)


@pytest.mark.parametrize(
    "compare",
    [
        lambda tracked: tracked - CLAIM,
        lambda tracked: np.linalg.norm(CLAIM - tracked),
        lambda tracked: np.allclose(tracked, CLAIM),
        lambda tracked: np.testing.assert_allclose(CLAIM, tracked, atol=10),
        lambda tracked: np.testing.assert_allclose(tracked.T, CLAIM.T, atol=10),
        lambda tracked: np.testing.assert_almost_equal(tracked.ravel(), CLAIM.ravel(), decimal=-2),
        lambda tracked: np.testing.assert_array_almost_equal(tracked, CLAIM, decimal=-2),
        lambda tracked: np.max(np.abs(np.squeeze(tracked) - CLAIM)),
    ],
)
def test_comparison_is_recorded(compare: Callable[[Any], object]) -> None:
    """Any comparing function, either operand, and reshaped arrays are recognized."""
    tracked, comparisons = derivative()
    compare(tracked)
    assert len(comparisons) >= 1
    for entries, claim in comparisons:
        assert dict(zip(entries, claim, strict=True)) == {i: 10.0 + i for i in range(6)}


def test_part_of_a_derivative_keeps_its_entries() -> None:
    """A comparison of a column is a claim about the entries of that column."""
    tracked, comparisons = derivative()
    np.testing.assert_allclose(tracked[:, 1], CLAIM[:, 1], atol=10)
    assert comparisons[0] == ([1, 4], [11.0, 14.0])


def test_comparison_of_two_derivatives_is_not_recorded() -> None:
    """Neither is a comparison of a value that is computed from them."""
    tracked, comparisons = derivative()
    other, _ = derivative()
    assert np.allclose(tracked, other)
    np.testing.assert_allclose((4 * tracked - other) / 3, tracked)
    assert np.allclose(2 * tracked, CLAIM, atol=1) is False
    assert comparisons == []


def test_a_number_is_a_claim_about_every_entry() -> None:
    """An array of another size is a claim about none."""
    tracked, comparisons = derivative()
    np.isclose(tracked, 0.0)
    _ = tracked - CLAIM[0]
    assert comparisons == [([0, 1, 2, 3, 4, 5], [0.0] * 6)]
