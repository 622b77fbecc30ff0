"""The test of hypotheses on what was measured."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from pytest_gradcheck.diagnosis.comparison import Comparison
from pytest_gradcheck.diagnosis.goodness_of_fit import Explanation, HypothesisTest
from pytest_gradcheck.diagnosis.hypothesis import Factor, Hypothesis
from pytest_gradcheck.diagnosis.lazy_arrays import Elementwise
from pytest_gradcheck.diagnosis.named_numbers import NamedNumber, Numbers
from tests.diagnosis.comparisons import TRUE, compare, sampled

NUMBERS = Numbers([NamedNumber("len(X)", 8, is_size=True)])


def explained(comparison: Comparison, hypothesis: Hypothesis) -> Explanation | None:
    """Return how a hypothesis explains a comparison."""
    return HypothesisTest(comparison, NUMBERS).explain(hypothesis)


def test_factor_is_fitted_and_named() -> None:
    """It agrees with all entries, to the digits to which they were measured."""
    comparison = compare(8 * TRUE)
    found = explained(comparison, Factor("factor", "", slope=comparison.gradient.claim))
    assert found is not None
    assert str(found.agreement.number) == "8 = len(X)"
    assert found.agreement.count == 20
    assert found.agreement.digits >= 9


def test_number_without_a_name_costs_a_measurement() -> None:
    """The others confirm it; it makes the explanation more complex."""
    named, unnamed = compare(8 * TRUE), compare(8.1234567 * TRUE)
    simple = explained(named, Factor("factor", "", slope=named.gradient.claim))
    fitted = explained(unnamed, Factor("factor", "", slope=unnamed.gradient.claim))
    assert simple is not None
    assert fitted is not None
    assert (simple.rank, fitted.rank) == (1, 2)
    assert fitted.evidence < simple.evidence - 5


def test_one_entry_that_disagrees_refutes() -> None:
    """Its bound says how far it may be off."""
    claim = 8 * TRUE
    claim[2, 2] *= 1 + 1e-6
    comparison = compare(claim)
    assert explained(comparison, Factor("factor", "", slope=comparison.gradient.claim)) is None


def test_entry_that_the_verdict_excuses_does_not_refute() -> None:
    """A claim that is off by its own rounding is not wrong, nor is a prediction of it."""
    claim = TRUE.copy()
    claim[0], claim[4] = TRUE[4], TRUE[0]
    claim[2, 2] *= 1 + 1e-4
    comparison, predicted = compare(claim), claim[[4, 1, 2, 3, 0], :, None]
    assert explained(comparison, Hypothesis("exchanged", "", predicted)) is None
    is_wrong = comparison.is_wrong.copy()
    is_wrong[2 * 4 + 2] = False
    excused = replace(comparison, is_wrong=is_wrong)
    found = explained(excused, Hypothesis("exchanged", "", predicted))
    assert found is not None
    assert found.agreement.count == 8


def test_entries_without_a_prediction_are_left_out() -> None:
    """A prediction of NaN says nothing of them; of all, it explains nothing."""
    comparison = compare(2 * TRUE)
    half = comparison.gradient.claim / 2
    half[0] = np.nan
    found = explained(comparison, Hypothesis("half", "", half))
    assert found is not None
    assert found.agreement.count == 16
    assert explained(comparison, Hypothesis("none", "", np.full_like(half, np.nan))) is None


def test_right_claims_are_no_evidence() -> None:
    """A hypothesis that agrees with them alone explains nothing."""
    comparison = compare(TRUE)
    assert explained(comparison, Hypothesis("right", "", comparison.gradient.claim)) is None


def test_few_entries_refute_what_is_never_computed_everywhere() -> None:
    """Of many entries, as of a few beside directions."""
    rng, sizes = np.random.default_rng(2), list[int]()

    def recorded(claim: Any) -> Any:
        sizes.append(claim.size)
        return claim**2

    true = rng.normal(size=(40, 50))
    for comparison in (
        compare(2 * true, true, true),
        sampled(compare(2 * true, true, true), [5, 700], directions=2),
    ):
        claim = comparison.gradient.claim
        assert (
            explained(comparison, Factor("f", "", slope=Elementwise(recorded, (claim,)))) is None
        )
    assert max(sizes) <= 64


def test_entries_that_determine_no_number_refute_nothing() -> None:
    """Directions may, where entries were measured coarsely."""
    comparison = sampled(compare(TRUE + 1e-3), [5, 12], directions=2)
    bound = np.concatenate([np.full((2, 1), 1e-3), comparison.bound[2:]])
    claim = comparison.gradient.claim
    hypothesis = Hypothesis("constant", "", claim, np.ones(1))
    found = explained(replace(comparison, bound=bound), hypothesis)
    assert found is not None
    assert found.agreement.number is not None
    assert np.isclose(found.agreement.number.value, -1e-3)


def test_entry_that_was_measured_twice_counts_as_it_is_known_best() -> None:
    """The coarser measurement is no evidence of its own, and hides none."""
    exact = sampled(compare(2 * TRUE), [3], 0)
    coarse = replace(exact, bound=1e6 * exact.bound)
    hypothesis = Factor("factor", "", slope=exact.gradient.claim)
    found, alone = explained(coarse.joined(exact), hypothesis), explained(exact, hypothesis)
    assert found is not None
    assert alone is not None
    assert (found.evidence, found.distinct) == (alone.evidence, 1)
