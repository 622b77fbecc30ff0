"""Wrong claims that are right at other places among the wrong ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pytest_gradcheck.diagnosis.exchanged_entries import exchanged_entries
from pytest_gradcheck.diagnosis.gradient import Floats
from tests.diagnosis.comparisons import TRUE, compare
from tests.diagnosis.predictions import predicts

MIDDLE = np.roll(TRUE[1:4], 1, axis=0)


@pytest.mark.parametrize(
    ("claim", "kind", "words"),
    [
        (TRUE[[0, 3, 2, 1, 4]], "exchanged", "indices 1 and 3 of W exchanged along axis 0"),
        (TRUE[:, [0, 2, 1, 3]], "exchanged", "indices 1 and 2 of W exchanged along axis 1"),
        (TRUE[[0, 4, 3, 2, 1]], "reversed", "W from index 1 to 4 in reverse order"),
        (np.vstack([TRUE[:1], MIDDLE, TRUE[4:]]), "roll", "W from index 1 to 3 rolled by 1"),
    ],
)
def test_slices_at_other_places_are_predicted(claim: Floats, kind: str, words: str) -> None:
    """The wrong indices of an axis, in another order."""
    comparison = compare(claim)
    found = predicts(exchanged_entries(comparison), comparison.gradient, TRUE, kind)
    assert words in found


def test_entry_of_which_nothing_is_known_may_be_exchanged() -> None:
    """Where the function jumps beside an entry, its claim is not known to be wrong."""
    true = np.array([1.4, 0.2, -0.7, 0.9, 0.0])
    comparison = compare(true[[4, 1, 2, 3, 0]], true, np.ones(5))
    bound, is_wrong = comparison.bound.copy(), comparison.is_wrong.copy()
    bound[0], is_wrong[0] = 47.0, False
    comparison = replace(
        comparison, bound=bound, is_wrong=is_wrong, suspects=is_wrong.reshape(5, 1)
    )
    found = predicts(exchanged_entries(comparison), comparison.gradient, true, "exchanged")
    assert "indices 0 and 4 of W exchanged" in found


def test_permuted_entries_are_sorted_as_the_measurements() -> None:
    """Which costs the digits of choosing among all orders."""
    claim = np.sort(TRUE.ravel()).reshape(TRUE.shape)
    comparison = compare(claim)
    permutation = next(h for h in exchanged_entries(comparison) if h.kind == "permutation")
    assert np.allclose(np.asarray(permutation.offset)[..., 0], TRUE)
    count = np.count_nonzero(comparison.is_wrong)
    assert permutation.cost == pytest.approx(np.log10(np.arange(1.0, count + 1)).sum())


def test_claims_that_all_agree_are_not_permuted() -> None:
    """Any order of them is the same."""
    comparison = compare(np.ones_like(TRUE))
    assert not list(exchanged_entries(comparison))


def test_entries_left_out_have_no_axes() -> None:
    """A constraint may leave entries out."""
    comparison = compare(TRUE[[0, 3, 2, 1, 4]])
    partial = replace(comparison, gradient=replace(comparison.gradient, is_array=False))
    assert not list(exchanged_entries(partial))


def test_exchanged_rows_with_a_suspect_between_them_are_exchanged() -> None:
    """A screen knows the wrong rows roughly."""
    comparison = compare(TRUE[[0, 3, 2, 1, 4]])
    suspects = comparison.suspects.copy()
    suspects[2] = True
    words = predicts(
        exchanged_entries(replace(comparison, suspects=suspects)),
        comparison.gradient,
        TRUE,
        "exchanged",
    )
    assert "indices 1 and 3 of W exchanged" in words
