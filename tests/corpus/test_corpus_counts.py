"""Counts of results over the corpus."""

from tests.corpus.claim_check import ClaimResult
from tests.corpus.corpus_counts import (
    COUNTED_OUTCOMES,
    Count,
    correct_smooth,
    count,
    evaluations_beyond_pairs,
    one_in,
    per_ten_thousand,
    percent,
)
from tests.corpus.result_builder import claim_result

CORRECT, COARSE, FINE, ENTRIES, COSTS = COUNTED_OUTCOMES.values()


def counted(heading: tuple[object, ...], *results: ClaimResult) -> list[tuple[int, int]]:
    """Return the number and the total of every outcome under a heading."""
    counts = [count(outcome, results) for outcome in heading]  # type: ignore[arg-type]  # outcomes
    return [(each.number, each.total) for each in counts]


def test_false_alarms_are_wrong_verdicts_and_refusals() -> None:
    """A correct gradient that is called wrong or refused is a false alarm."""
    results = [
        claim_result(),
        claim_result(verdict="wrong", passed=False),
        claim_result(verdict="refused", passed=False),
        claim_result(mutant="sign", error=2.0, visible=True, verdict="wrong", passed=False),
    ]
    assert counted(CORRECT, *results)[0] == (2, 3)


def test_inconclusive_claims_are_counted_by_the_family_s_noise() -> None:
    """Noisy families are counted separately: there, an inconclusive verdict may be right."""
    results = [
        claim_result(verdict="inconclusive"),
        claim_result(family="float32_network", verdict="inconclusive", passed=False),
        claim_result(family="float32_network"),
    ]
    assert counted(CORRECT, *results)[2:] == [(1, 1), (1, 2), (1, 3)]


def test_failures_are_counted_whatever_the_verdict() -> None:
    """A correct gradient that fails counts, whether it is called wrong or inconclusive."""
    results = [
        claim_result(),
        claim_result(verdict="wrong", passed=False),
        claim_result(verdict="inconclusive", passed=False),
        claim_result(verdict="inconclusive"),
    ]
    assert counted(CORRECT, *results)[1] == (2, 4)


def test_wrong_gradients_are_counted_once_each() -> None:
    """Missed, partly verified and failing are exclusive; invisible errors are left out."""
    outcomes = [("correct", True), ("inconclusive", True), ("inconclusive", False)]
    results = [
        claim_result(mutant="sign", error=2.0, visible=True, verdict=verdict, passed=passed)
        for verdict, passed in [*outcomes, ("wrong", False)]
    ]
    results.append(claim_result(mutant="swap", error=0.5, visible=False))
    assert counted(COARSE, *results) == [(1, 5), (1, 4), (1, 4), (1, 4)]


def test_small_errors_are_counted_separately() -> None:
    """An error of 1e-4 that passes is not counted as a missed error of 0.1%."""
    missed = claim_result(mutant="entry 1e-4 off", error=1e-4, visible=True)
    assert counted(COARSE, missed) == [(0, 0)] * 4
    assert counted(FINE, missed) == [(0, 1), (1, 1), (0, 1), (0, 1)]


def test_violated_bounds_are_counted_for_each_derivative() -> None:
    """The bound of every derivative counts, whatever was claimed about it."""
    results = [
        claim_result(outside=2, overturned=1),
        claim_result(mutant="sign", error=2.0, outside=1),
    ]
    assert counted(ENTRIES, *results) == [(3, 8), (1, 8)]


def test_costs_are_counted_for_smooth_functions_only() -> None:
    """A check at a kink or an edge may take more evaluations."""
    costly = {"evaluations": 39, "entries": 4}
    results = [
        claim_result(**costly),
        claim_result(family="relu_at", **costly),
        claim_result(evaluations=38),
    ]
    assert counted(COSTS, *results) == [(1, 2)]
    assert list(map(evaluations_beyond_pairs, correct_smooth(results))) == [31, 30]


def test_families_of_a_count_are_sorted_by_frequency() -> None:
    """A count names the families that contribute to it."""
    names = ["quadratic_form", "rosenbrock", "rosenbrock"]
    results = [claim_result(family=name, verdict="wrong", passed=False) for name in names]
    assert count(CORRECT[0], results) == Count(3, 3, (("rosenbrock", 2), ("quadratic_form", 1)))


def test_share_of_an_empty_total_is_a_dash() -> None:
    """There is no division by zero."""
    nothing = Count(0, 0)
    assert (percent(nothing), one_in(nothing), per_ten_thousand(nothing)) == ("-", "0 in 0", "-")


def test_formats_of_shares() -> None:
    """A share is formatted in percent, as one in so many, or per 10,000."""
    some = Count(3, 12_000)
    formatted = (percent(some), one_in(some), per_ten_thousand(some))
    assert formatted == ("0.03%", "1 in 4,000", "2.50 per 10,000")
