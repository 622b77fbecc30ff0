"""Patterns of the wrong claims themselves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pytest_gradcheck.diagnosis.claim_patterns import (
    claim_patterns,
    frozen_claims,
    overwritten_claims,
    repeated_claims,
)
from pytest_gradcheck.diagnosis.gradient import ClaimedGradient, Floats
from tests.diagnosis.comparisons import TRUE, compare


def patterns(claim: Floats, accuracy: float = 1e-10) -> list[str]:
    """Return the patterns of a claim in words."""
    return [one.text for one in claim_patterns(compare(claim, accuracy=accuracy))]


def test_claims_of_zero_are_counted() -> None:
    """All of them, or some that were not written."""
    some = TRUE.copy()
    some[-1] = 0
    (every,), (few,) = patterns(0 * TRUE), patterns(some)
    assert every.endswith("does not vanish in 20 entries: a term missing?")
    assert few.endswith("does not vanish in 4 entries: never written?")


def test_zero_beside_other_wrong_claims_is_no_pattern() -> None:
    """Every wrong claim must be zero."""
    claim = TRUE.copy()
    claim[0], claim[1] = 0, 7.3
    assert patterns(claim) == []


def test_numbers_of_a_coarser_type_are_recognized() -> None:
    """Its roundings explain the differences."""
    (text,) = patterns(TRUE.astype(np.float16).astype(np.float64))
    assert "to 3 digits only" in text
    assert "float16" in text


def test_differences_beyond_the_roundings_of_a_type_are_no_lower_precision() -> None:
    """The claims are numbers of that type by chance, or for another reason."""
    assert patterns((1.1 * TRUE).astype(np.float16).astype(np.float64)) == []


def test_approximate_claims_have_a_few_digits() -> None:
    """Most of them differ, by a small share of the largest."""
    noise = np.random.default_rng(1).uniform(-1, 1, TRUE.shape)
    (text,) = patterns(TRUE + 1e-5 * noise)
    assert text.endswith("an approximation, or a lower precision inside?")


@pytest.mark.parametrize(("axis", "words"), [(0, "along axis 0"), (1, "along axis 1")])
def test_repeated_claims_are_the_same_along_an_axis(axis: int, words: str) -> None:
    """As those of a sum that is broadcast back."""
    claim = np.broadcast_to(TRUE.sum(axis=axis, keepdims=True), TRUE.shape)
    found = repeated_claims(compare(claim))
    assert found is not None
    assert words in found.text
    assert repeated_claims(compare(2 * TRUE)) is None


@pytest.mark.parametrize("accuracy", [1e-10, 1e-5])
def test_claims_may_be_repeated_where_the_gradient_is(accuracy: float) -> None:
    """As by a batch of equal rows: what is measured differs by its error only."""
    true = np.broadcast_to(TRUE[:, :1], TRUE.shape)
    claim = np.broadcast_to(TRUE[:, 1:2], TRUE.shape)
    assert repeated_claims(compare(claim, true, accuracy=accuracy)) is None


@pytest.mark.parametrize(("factor", "is_stale"), [(1.0, True), (1.01, False)])
def test_claims_that_stay_the_same_at_another_point_are_stale(
    factor: float, *, is_stale: bool
) -> None:
    """The very same, to all digits."""
    gradient = compare(TRUE).gradient
    elsewhere = replace(gradient, elsewhere=lambda: factor * gradient.claim)
    assert (frozen_claims(elsewhere) is not None) == is_stale


def test_claims_of_zero_are_not_stale() -> None:
    """They are the same everywhere because they are zero."""
    gradient: ClaimedGradient = compare(0 * TRUE).gradient
    assert frozen_claims(replace(gradient, elsewhere=lambda: gradient.claim)) is None


@pytest.mark.parametrize(("factor", "is_set"), [(1.0, True), (2.0, False), (1.5, False)])
def test_claims_of_two_uses_are_those_of_one_where_gradients_are_set(
    factor: float, *, is_set: bool
) -> None:
    """Where they are added to, two uses have the sum, whatever else is wrong."""
    gradient: ClaimedGradient = compare(3 * TRUE).gradient
    used = replace(gradient, of_two_uses=lambda: factor * gradient.claim)
    assert (overwritten_claims(used) is not None) == is_set
    assert overwritten_claims(gradient) is None
