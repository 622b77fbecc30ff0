"""What is counted, and out of how much."""

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


def counted(heading: tuple[object, ...], *trials: ClaimResult) -> list[tuple[int, int]]:
    """Return number and total of every line under a heading."""
    counts = [count(line, trials) for line in heading]  # type: ignore[arg-type]  # they are lines
    return [(each.number, each.total) for each in counts]


def test_false_alarms_are_verdicts_and_refusals() -> None:
    """A correct gradient must be neither called wrong nor refused."""
    trials = [
        claim_result(),
        claim_result(verdict="wrong", passed=False),
        claim_result(verdict="refused", passed=False),
        claim_result(mutant="sign", error=2.0, visible=True, verdict="wrong", passed=False),
    ]
    assert counted(CORRECT, *trials)[0] == (2, 3)


def test_inconclusive_claims_are_counted_by_the_family_s_noise() -> None:
    """Where noise is built in, undecided is honest; elsewhere it is a shortcoming."""
    trials = [
        claim_result(verdict="inconclusive"),
        claim_result(family="float32_network", verdict="inconclusive", passed=False),
        claim_result(family="float32_network"),
    ]
    assert counted(CORRECT, *trials)[2:] == [(1, 1), (1, 2), (1, 3)]


def test_failing_is_counted_whatever_the_verdict() -> None:
    """A correct gradient that fails is one, whether it is called wrong or undecided."""
    trials = [
        claim_result(),
        claim_result(verdict="wrong", passed=False),
        claim_result(verdict="inconclusive", passed=False),
        claim_result(verdict="inconclusive"),
    ]
    assert counted(CORRECT, *trials)[1] == (2, 4)


def test_wrong_gradients_are_counted_once_each() -> None:
    """Invisible ones are left out; missed, passed in part and failing are told apart."""
    outcomes = [("correct", True), ("inconclusive", True), ("inconclusive", False)]
    trials = [
        claim_result(mutant="sign", error=2.0, visible=True, verdict=verdict, passed=passed)
        for verdict, passed in [*outcomes, ("wrong", False)]
    ]
    trials.append(claim_result(mutant="swap", error=0.5, visible=False))
    assert counted(COARSE, *trials) == [(1, 5), (1, 4), (1, 4), (1, 4)]


def test_small_errors_are_counted_apart() -> None:
    """An error of 1e-4 that passes is no miss of 0.1%."""
    missed = claim_result(mutant="entry 1e-4 off", error=1e-4, visible=True)
    assert counted(COARSE, missed) == [(0, 0)] * 4
    assert counted(FINE, missed) == [(0, 1), (1, 1), (0, 1), (0, 1)]


def test_bounds_are_counted_by_the_derivative() -> None:
    """Whether a bound holds is asked of every derivative, whatever was claimed about it."""
    trials = [
        claim_result(outside=2, overturned=1),
        claim_result(mutant="sign", error=2.0, outside=1),
    ]
    assert counted(ENTRIES, *trials) == [(3, 8), (1, 8)]


def test_cost_is_counted_of_smooth_functions() -> None:
    """A kink and an edge may cost more; a smooth function may not."""
    dear = {"evaluations": 39, "entries": 4}
    trials = [
        claim_result(**dear),
        claim_result(family="relu_at", **dear),
        claim_result(evaluations=38),
    ]
    assert counted(COSTS, *trials) == [(1, 2)]
    assert list(map(evaluations_beyond_pairs, correct_smooth(trials))) == [31, 30]


def test_families_are_named_most_first() -> None:
    """A count says where it happened."""
    names = ["quadratic_form", "rosenbrock", "rosenbrock"]
    trials = [claim_result(family=name, verdict="wrong", passed=False) for name in names]
    line = CORRECT[0]
    assert count(line, trials) == Count(3, 3, (("rosenbrock", 2), ("quadratic_form", 1)))


def test_shares_of_nothing_are_no_shares() -> None:
    """A total of zero says nothing."""
    nothing = Count(0, 0)
    assert (percent(nothing), one_in(nothing), per_ten_thousand(nothing)) == ("-", "0 in 0", "-")


def test_shares_in_their_scales() -> None:
    """Each share is said as its reader wants it."""
    some = Count(3, 12_000)
    said = (percent(some), one_in(some), per_ten_thousand(some))
    assert said == ("0.03%", "1 in 4,000", "2.50 per 10,000")
