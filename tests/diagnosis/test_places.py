"""Where in an array the wrong claims are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck.diagnosis.comparison import Comparison
from pytest_gradcheck.diagnosis.gradient import Floats
from pytest_gradcheck.diagnosis.places import Place, wrong_place
from tests.diagnosis.comparisons import TRUE, VALUE, compare

BORDER = np.ones((5, 4), dtype=np.bool_)
BORDER[1:-1, 1:-1] = False


def place_of(where: Any, shape: tuple[int, ...] = (5, 4)) -> Place | None:
    """Return the place of the wrong claims in the first rows and columns of an array."""
    part = tuple(slice(length) for length in shape)
    true, value = TRUE[part], VALUE[part]
    claim = true.copy()
    claim[where] *= -1.7
    return wrong_place(compare(claim, true, value))


@pytest.mark.parametrize(
    ("where", "words"),
    [
        (np.s_[3], "in W[3, :]"),
        (np.s_[-1], "in W[-1, :]"),
        (np.s_[:, ::2], "in W[:, [0, 2]]"),
        (np.s_[::2], "in W[::2, :]"),
        (np.s_[1:3, 2:], "in W[1:3, 2:]"),
        (BORDER, "on the border of W"),
        (~BORDER, "in the interior of W"),
        (VALUE < 0, "where W is negative"),
    ],
)
def test_place_in_words(where: Any, words: str) -> None:
    """It is evident: so many claims are not in one place by chance."""
    place = place_of(where)
    assert place is not None
    assert (place.words, place.is_evident) == (words, True)


def test_triangle_of_a_square_matrix_is_a_place() -> None:
    """With the diagonal, or without."""
    place = place_of(np.tril_indices(4, -1), (4, 4))
    assert place is not None
    assert place.words == "in the lower triangle of W"


@pytest.mark.parametrize(
    ("wrong", "zero", "words"),
    [
        (np.s_[3, 1:], np.s_[3, 0], "in W[3, :]"),
        (([0, 1, 4], [-1, -1, -1]), np.s_[2:4], "in W[:, -1]"),
    ],
)
def test_zeros_may_be_in_the_place(wrong: Any, zero: Any, words: str) -> None:
    """What vanishes as it should is no right claim elsewhere: a whole row is the simplest."""
    true = TRUE.copy()
    true[zero] = 0.0
    claim = true.copy()
    claim[wrong] *= -1.7
    place = wrong_place(_with_zeros(compare(claim, true), true))
    assert place is not None
    assert (place.words, place.is_evident) == (words, True)


def _with_zeros(comparison: Comparison, true: Floats) -> Comparison:
    """Return a comparison in which a zero is no right claim, as in that of a check."""
    return replace(comparison, is_right=comparison.is_right & (true.reshape(-1, 1) != 0))


def test_scattered_claims_have_no_place_in_words() -> None:
    """Only their number is said, and only beside a cause."""
    place = place_of(([0, 3, 2], [1, 0, 2]))
    assert place is not None
    assert (place.kind, place.wrong, place.right, place.is_evident) == ("places", 3, 17, False)


def test_one_claim_is_in_one_place_by_chance() -> None:
    """As every one is."""
    place = place_of((2, 1))
    assert place is not None
    assert not place.is_evident


@pytest.mark.parametrize("where", [np.s_[0], np.s_[:, 1], np.s_[:, :1]])
def test_tiny_array_has_no_place_in_words(where: Any) -> None:
    """Of four claims, two are in a row or in a column by chance."""
    place = place_of(where, (2, 2))
    assert place is not None
    assert place.kind == "places"


def test_claims_that_are_all_wrong_have_no_place() -> None:
    """Nothing is right elsewhere."""
    assert place_of(np.s_[:]) is None
