"""Verdicts: what claim and measurement say together."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_gradcheck.judgement import entry_verdicts
from pytest_gradcheck.judgement.entry_verdicts import Judgement, VerdictCode
from pytest_gradcheck.judgement.subgradients import SubgradientChoice
from pytest_gradcheck.numerics.measurement import Floats

EPS = 2.2e-16
Kinks = dict[tuple[int, int], tuple[float, float]]


def judge(
    claim: Floats,
    value: Floats,
    bound: Floats,
    kinks: Kinks,
    *,
    natural: Floats,
    still: bool = False,
    rounding: float = EPS,
    rtol: float = 1e-6,
    scatter: Floats | float = 0.0,
) -> Judgement:
    """Judge a parameter all of whose derivatives stand still, or none."""
    return entry_verdicts.judge(
        claim,
        value,
        bound,
        kinks,
        still=np.full(claim.shape, still),
        natural=natural,
        rtol=rtol,
        rounding=rounding,
        scatter=scatter,
    )


def judge_one(
    claim: float,
    value: float,
    bound: float,
    kinks: Kinks | None = None,
    *,
    natural: float = 1.0,
    still: bool = False,
    rounding: float = EPS,
) -> Judgement:
    """Judge a parameter of one entry."""
    return judge(
        np.array([[claim]]),
        np.array([[value]]),
        np.array([[bound]]),
        kinks or {},
        natural=np.array([[natural]]),
        still=still,
        rounding=rounding,
    )


def mark(claim: float, value: float, bound: float, kinks: Kinks | None = None) -> VerdictCode:
    """Return the verdict on one entry."""
    return VerdictCode(judge_one(claim, value, bound, kinks).marks.item())


def test_agreement_within_rtol_is_correct() -> None:
    """Errors below rtol pass by design."""
    assert mark(1 + 0.9e-6, 1.0, 1e-12) is VerdictCode.CORRECT


def test_large_rtol_allows_what_it_says() -> None:
    """What the user allows is not taken for what the measurement cannot see."""
    one = np.ones((1, 1))
    judged = judge(1.04 * one, one, 1e-12 * one, {}, natural=one, rtol=0.05)
    assert judged.marks.item() == VerdictCode.CORRECT


def test_large_rtol_needs_no_bound_that_shows_less() -> None:
    """Where an error of 1% is allowed anyway it is enough that one of 1% would be seen."""
    claim, value, natural = np.array([[1.0]]), np.array([[1.003]]), np.ones((1, 1))
    marks = [
        judge(claim, value, np.array([[bound]]), {}, natural=natural, rtol=rtol).marks.item()
        for rtol, bound in ((1e-2, 4e-3), (1e-2, 6e-3), (1e-6, 4e-3))
    ]
    assert marks == [VerdictCode.CORRECT, VerdictCode.INCONCLUSIVE, VerdictCode.INCONCLUSIVE]
    judged = judge(claim, value, np.array([[4e-3]]), {}, natural=natural, rtol=1e-2)
    assert not judged.zeros.any()


def test_difference_beyond_rtol_and_bound_is_wrong() -> None:
    """A difference that neither rtol nor the bound explains is an error."""
    assert mark(1 + 1.1e-6, 1.0, 1e-12) is VerdictCode.WRONG


def test_difference_within_the_bound_is_not_accused() -> None:
    """What the measurement's own error explains is no error of the claim."""
    assert mark(1 + 3e-4, 1.0, 2e-4) is VerdictCode.CORRECT
    assert mark(1.01, 1.0, 0.006) is VerdictCode.INCONCLUSIVE


@given(st.floats(-1, 1), st.floats(0, 3e-4), st.sampled_from([-1e-3, 1e-3]))
def test_error_of_a_thousandth_is_never_correct(off: float, bound: float, error: float) -> None:
    """Wherever within its bound the measurement lies."""
    assert mark(1 + error, 1 + off * bound, bound) is not VerdictCode.CORRECT


def test_bound_as_large_as_the_derivative_is_inconclusive() -> None:
    """A claim that agrees only because anything would is not called correct."""
    assert mark(1.0, 1.2, 0.5) is VerdictCode.INCONCLUSIVE


def test_wrong_beats_an_uninformative_bound() -> None:
    """A claim far outside even a large bound is wrong."""
    assert mark(100.0, 1.2, 0.5) is VerdictCode.WRONG


def test_unmeasured_entry_is_inconclusive() -> None:
    """Without a value or a bound nothing is said."""
    assert mark(1.0, np.nan, np.inf) is VerdictCode.INCONCLUSIVE
    assert mark(1.0, 1.0, np.inf) is VerdictCode.INCONCLUSIVE


def test_subgradients_at_a_kink_are_correct() -> None:
    """The slopes left and right and their mean are accepted, and it is said as what."""
    for claim, found in (
        (0.0, SubgradientChoice.SLOPE),
        (0.5, SubgradientChoice.MEAN),
        (1.0, SubgradientChoice.SLOPE),
    ):
        judged = judge_one(claim, 0.5, 1e-12, {(0, 0): (0.0, 1.0)})
        assert judged.marks.item() == VerdictCode.CORRECT
        assert judged.conventions == {(0, 0): found}
        assert judged.unexplained == ()


def test_claim_between_slopes_that_is_neither_is_left_open() -> None:
    """One percent off a slope is nothing that anyone writes there."""
    for claim in (0.99, 0.3, 0.501):
        judged = judge_one(claim, 0.5, 1e-12, {(0, 0): (0.0, 1.0)})
        assert judged.marks.item() == VerdictCode.INCONCLUSIVE
        assert judged.unexplained == ((0, 0),)
        assert judged.conventions == {}


def test_open_claims_at_kinks_are_settled_by_those_beside() -> None:
    """Several kinks at once make a claim right, one alone makes it wrong; others stay open."""
    claim, value = np.full((3, 1), 0.3), np.full((3, 1), 0.5)
    kinks = {(k, 0): (0.0, 1.0) for k in range(3)}
    bound = np.full((3, 1), 1e-12)
    judged = judge(claim, value, bound, kinks, natural=value, rtol=1e-6, rounding=EPS)
    settled = judged.settle([(0, 0)], [(1, 0)])
    assert settled.marks.ravel().tolist() == [
        VerdictCode.CORRECT,
        VerdictCode.WRONG,
        VerdictCode.INCONCLUSIVE,
    ]
    assert settled.conventions == {(0, 0): SubgradientChoice.SEVERAL}
    assert settled.unexplained == ((2, 0),)
    assert judged.marks.ravel().tolist() == [VerdictCode.INCONCLUSIVE] * 3


def rounded(claim: float, scatter: float, *, natural: float = 1.0) -> Judgement:
    """Judge a claim about a derivative of 1e-6 that scatters, beside one of 1."""
    return judge(
        np.array([[1.0], [claim]]),
        np.array([[1.0], [1e-6]]),
        np.full((2, 1), 1e-16),
        {},
        natural=np.full((2, 1), natural),
        rtol=1e-6,
        rounding=EPS,
        scatter=np.array([[0.0], [scatter]]),
    )


def test_scatter_of_a_claim_is_its_precision() -> None:
    """Sixteen times that may be its error; what could hide in it is inconclusive."""
    for error, scatter, expected in (
        (1e-10, 0.0, VerdictCode.WRONG),
        (1e-10, 6e-12, VerdictCode.WRONG),
        (1e-10, 7e-12, VerdictCode.CORRECT),
        (1e-8, 7e-12, VerdictCode.WRONG),
        (1e-8, 1e-9, VerdictCode.INCONCLUSIVE),
        (1e-8, 1e-18, VerdictCode.WRONG),
    ):
        judged = rounded(1e-6 + error, scatter)
        assert judged.marks[1, 0] == expected, (error, scatter)
        assert judged.slight.ravel().tolist() == [False, expected == VerdictCode.WRONG]
        assert judged.rounded.ravel().tolist() == [False, expected != VerdictCode.WRONG]


def test_no_scatter_excuses_a_large_difference_or_a_jump() -> None:
    """Both are more than rounding does."""
    assert rounded(2e-6, 1e-5, natural=1e-6).marks[1, 0] == VerdictCode.WRONG
    assert rounded(1.05e-6, 1e-5, natural=1e-6).marks[1, 0] == VerdictCode.WRONG
    assert rounded(1.05e-6, 1e-8, natural=1e-6).marks[1, 0] == VerdictCode.INCONCLUSIVE


def test_scatter_tells_that_a_claim_is_zero_where_forward_is() -> None:
    """There is nothing that it is small against; what is large or smooth is wrong."""
    for claim, scatter, expected in (
        (1e-13, 2e-14, VerdictCode.CORRECT),
        (1e-13, 1e-29, VerdictCode.WRONG),
        (0.5, 0.1, VerdictCode.WRONG),
    ):
        judged = judge(
            np.array([[claim]]),
            np.zeros((1, 1)),
            np.zeros((1, 1)),
            {},
            natural=np.full((1, 1), 1e-308),
            scatter=np.array([[scatter]]),
        )
        assert judged.marks[0, 0] == expected, (claim, scatter)
        assert judged.zeros[0, 0] == (expected == VerdictCode.CORRECT)


def test_what_is_right_anyway_is_no_worse_for_its_scatter() -> None:
    """Scatter is an excuse, and nothing else."""
    judged = rounded(1e-6, 1e-8)
    assert judged.marks.ravel().tolist() == [VerdictCode.CORRECT] * 2
    assert not judged.rounded.any()


def test_claim_outside_a_kink_is_wrong() -> None:
    """No slope of either side and nothing between."""
    assert mark(1.1, 0.5, 1e-12, {(0, 0): (0.0, 1.0)}) is VerdictCode.WRONG


def test_zero_among_large_entries_is_correct_at_its_resolution() -> None:
    """A claim of zero is verified to a millionth of the largest; a tiny one is not at all."""
    claim = np.array([[1.0], [1e-10], [0.0], [0.0]])
    bound = np.array([[1e-12], [1e-11], [1e-7], [1e-6]])
    judged = judge(claim, claim, bound, {}, natural=np.ones_like(claim))
    expected = [
        VerdictCode.CORRECT,
        VerdictCode.INCONCLUSIVE,
        VerdictCode.CORRECT,
        VerdictCode.INCONCLUSIVE,
    ]
    assert judged.marks.ravel().tolist() == expected


def test_zero_is_judged_against_the_largest_entry_not_the_output() -> None:
    """A zero beside derivatives that are small for the output must be known as well as they."""
    claim = np.array([[1e-3], [0.0]])
    for bound, expected in ((1e-10, VerdictCode.CORRECT), (1e-8, VerdictCode.INCONCLUSIVE)):
        bounds = np.array([[1e-15], [bound]])
        judged = judge(claim, claim, bounds, {}, natural=np.ones((2, 1)))
        assert judged.marks.ravel().tolist() == [VerdictCode.CORRECT, expected]


def test_output_that_never_varies_is_no_unit() -> None:
    """Where nothing is natural the largest entry is what it is."""
    claim = np.array([[1.0], [0.0]])
    judged = judge(claim, claim, 0 * claim, {}, natural=0 * claim)
    assert judged.marks.ravel().tolist() == [VerdictCode.CORRECT] * 2


def test_unmeasured_entries_and_subgradients_exceed_nothing() -> None:
    """Neither leads the list of the worst; every subgradient is counted."""
    claim, value = np.array([[0.5], [0.25], [1.0]]), np.array([[0.0], [0.0], [np.nan]])
    kinks = {(0, 0): (0.5, 1.0), (1, 0): (-1.0, 0.25)}
    bound = np.full((3, 1), 1e-12)
    judged = judge(claim, value, bound, kinks, natural=np.ones((3, 1)))
    assert judged.excess.ravel().tolist() == [0.0, 0.0, 0.0]
    assert len(judged.conventions) == 2
    assert judged.marks.ravel().tolist() == [
        VerdictCode.CORRECT,
        VerdictCode.CORRECT,
        VerdictCode.INCONCLUSIVE,
    ]


def test_what_float64_cannot_show_is_negligible() -> None:
    """An error of fifty roundings of the function is nobody's."""
    assert judge_one(1e-13, 1.05e-13, 4e-15).marks.item() == VerdictCode.CORRECT


def test_entries_with_units_of_their_own_are_not_excused_by_large_ones() -> None:
    """A rounding of 1e10 per metre is no rounding of 1e-4 per second."""
    claim, value = np.array([[1e10], [1.01e-4]]), np.array([[1e10], [1e-4]])
    bound, natural = 1e-12 * value, np.array([[1e10], [1e-4]])
    judged = judge(claim, value, bound, {}, natural=natural)
    assert judged.marks.ravel().tolist() == [VerdictCode.CORRECT, VerdictCode.WRONG]


def test_drowned_entry_among_large_ones_is_inconclusive() -> None:
    """An entry whose bound is large for the whole parameter could hide anything."""
    claim = np.array([[1.0], [1e-3]])
    bound = np.array([[1e-12], [1e-2]])
    judged = judge(claim, claim, bound, {}, natural=np.ones_like(claim))
    assert judged.marks.ravel().tolist() == [VerdictCode.CORRECT, VerdictCode.INCONCLUSIVE]


def test_float32_claim_is_allowed_its_own_rounding() -> None:
    """A claim computed in float32 is not accused of float32's rounding."""
    claim = float(np.float32(1 / 3)) * (1 + 8e-7)
    assert judge_one(claim, 1 / 3, 1e-12, rounding=1.2e-7).marks.item() == VerdictCode.CORRECT
    assert judge_one(claim, 1 / 3, 1e-12).marks.item() == VerdictCode.CORRECT
    assert judge_one(claim * (1 + 1e-6), 1 / 3, 1e-12).marks.item() == VerdictCode.WRONG


def test_zero_on_both_sides_is_correct() -> None:
    """A gradient that vanishes and is claimed to vanish is correct."""
    assert mark(0.0, 0.0, 0.0) is VerdictCode.CORRECT


def test_vanishing_gradient_is_judged_against_what_is_natural() -> None:
    """Where claim and measurement vanish, a bound is small against the function itself."""
    assert mark(0.0, 1e-12, 1e-10) is VerdictCode.CORRECT
    assert mark(0.0, 1e-3, 1e-1) is VerdictCode.INCONCLUSIVE


def test_excess_is_the_distance_in_units_of_what_is_allowed() -> None:
    """The ranking of errors is by how far beyond their own bound they are."""
    judged = judge_one(3.0, 1.0, 1e-3)
    assert judged.allowed.item() == 2e-3
    assert judged.excess.item() == 1000.0


@given(
    st.floats(-1e300, 1e300),
    st.floats(1e-300, 1e300),
    st.floats(0, 1e300),
)
def test_verdict_does_not_depend_on_units(claim: float, unit: float, bound: float) -> None:
    """Scaling claim, measurement and bound by a power of two changes no verdict."""
    claim, bound = claim / 1e300, bound / 1e300
    factor = 2.0 ** np.floor(np.log2(unit) / 2)
    scaled = judge_one(claim * factor, 0.5 * factor, bound * factor, natural=factor)
    assert judge_one(claim, 0.5, bound).marks == scaled.marks


def outcome(judged: Judgement) -> tuple[list[VerdictCode], list[bool]]:
    """Return verdicts, and which of them say no more than that a derivative vanishes."""
    return [VerdictCode(m) for m in judged.marks.ravel().tolist()], judged.zeros.ravel().tolist()


@pytest.mark.parametrize("claim", [0.0, 1e-15, -1e-15, 1e-12, -1e-12])
@pytest.mark.parametrize("value", [0.0, 1e-15, -1e-12])
@pytest.mark.parametrize("bound", [1e-12, 1e-9, 1e-5])
def test_what_cannot_be_told_from_zero_is_verified_as_zero(
    claim: float, value: float, bound: float
) -> None:
    """At an optimum all claims of rounding size have one outcome, whatever their sign."""
    assert outcome(judge_one(claim, value, bound)) == ([VerdictCode.CORRECT], [True])


def test_zero_that_could_hide_much_is_inconclusive() -> None:
    """What forward varies by must be far above what could hide."""
    assert outcome(judge_one(0.0, 0.0, 1e-4)) == ([VerdictCode.INCONCLUSIVE], [False])
    assert outcome(judge_one(0.0, 0.0, 1e-9, natural=1e-6)) == (
        [VerdictCode.INCONCLUSIVE],
        [False],
    )


def test_small_derivative_that_was_seen_well_was_tested() -> None:
    """How small it is does not matter, nor is a wrong one excused."""
    assert outcome(judge_one(1e-9, 1e-9, 1e-14)) == ([VerdictCode.CORRECT], [False])
    assert outcome(judge_one(-1e-9, 1e-9, 1e-14)) == ([VerdictCode.WRONG], [False])
    assert outcome(judge_one(0.0, 1e-9, 1e-14)) == ([VerdictCode.WRONG], [False])


def test_small_derivative_that_was_seen_badly_is_verified_as_small() -> None:
    """Next to an optimum: not told well enough to be tested, and yet below a millionth."""
    assert outcome(judge_one(1e-9, 1.1e-9, 1e-10)) == ([VerdictCode.CORRECT], [True])
    assert outcome(judge_one(1e-5, 1.1e-5, 1e-6)) == ([VerdictCode.INCONCLUSIVE], [False])
    assert outcome(judge_one(-1e-9, 1.1e-9, 1e-10)) == ([VerdictCode.WRONG], [False])


def test_one_entry_that_says_little_leaves_the_others_verified() -> None:
    """Zeros stay zeros beside one that drowns."""
    zero = np.zeros((2, 1))
    judged = judge(zero, zero, np.array([[1e-9], [1.0]]), {}, natural=np.ones((2, 1)))
    assert outcome(judged) == ([VerdictCode.CORRECT, VerdictCode.INCONCLUSIVE], [True, False])


def test_outputs_vanish_one_by_one() -> None:
    """One output at its optimum beside another that is not."""
    claim = np.array([[2.0, 1e-9], [3.0, -1e-9]])
    bound = np.array([[1e-9, 1e-8], [1e-9, 1e-8]])
    judged = judge(claim, claim, bound, {}, natural=np.ones((2, 2)))
    assert outcome(judged) == ([VerdictCode.CORRECT] * 4, [False, True, False, True])


def test_structural_zero_is_said_to_be_one() -> None:
    """Zeros beside entries that are not are verified, and known as no more."""
    claim = np.array([[1.0], [0.0]])
    judged = judge(claim, claim, np.full((2, 1), 1e-9), {}, natural=np.ones((2, 1)))
    assert outcome(judged) == ([VerdictCode.CORRECT] * 2, [False, True])


def test_coordinate_that_does_nothing_needs_no_better_bound_than_noise_allows() -> None:
    """Float32 beside it is no noise along it: not a bit moved."""
    claim, bound = np.array([[1.0], [0.0]]), np.array([[1e-5], [1e-3]])
    for still, mark in ((True, VerdictCode.CORRECT), (False, VerdictCode.INCONCLUSIVE)):
        judged = judge(claim, claim, bound, {}, natural=np.ones((2, 1)), still=still)
        assert outcome(judged) == ([VerdictCode.CORRECT, mark], [False, still])
    judged = judge(claim, claim, bound, {}, natural=np.full((2, 1), 0.1), still=True)
    assert outcome(judged) == ([VerdictCode.CORRECT, VerdictCode.INCONCLUSIVE], [False, False])


def test_zero_between_the_slopes_of_a_kink_is_no_vanishing_derivative() -> None:
    """Slopes to both sides were compared."""
    assert outcome(judge_one(0.0, 0.0, 1e-12, {(0, 0): (-1.0, 1.0)})) == (
        [VerdictCode.CORRECT],
        [False],
    )


@given(
    st.floats(-1, 1), st.floats(-1, 1), st.floats(0, 1), st.integers(-16, 0), st.integers(-16, 0)
)
def test_zeros_are_small_and_not_wrong(
    claim: float, value: float, bound: float, size: int, width: int
) -> None:
    """Whatever is verified as zero is so against what is natural, and a wrong one never is."""
    claim, value, bound = claim * 10.0**size, value * 10.0**size, bound * 10.0**width
    judged = judge_one(claim, value, bound)
    if judged.zeros.item():
        assert judged.marks.item() == VerdictCode.CORRECT
        assert abs(value) + bound <= 3e-4
        assert abs(claim - value) <= max(2 * bound, 1e-6 * max(abs(claim), abs(value)), 1e-14)
    flipped = judge_one(-claim, -value, bound)
    assert outcome(flipped) == outcome(judged)


@given(st.integers(0, 2**32))
def test_several_parameters_at_once_are_judged_as_one_by_one(seed: int) -> None:
    """Each by its own largest derivative, and by its own rounding."""
    rng = np.random.default_rng(seed)
    edges = [0, 1, 4, 9]
    shape = (edges[-1], 2)
    value = rng.normal(size=shape) * 10.0 ** rng.integers(-14, 3, size=(9, 1))
    value[rng.random(shape) < 0.2] = 0.0
    value[rng.random(shape) < 0.1] = np.nan
    claim = np.where(rng.random(shape) < 0.6, value, value * (1 + 10.0 ** rng.uniform(-12, 0)))
    claim = np.nan_to_num(claim)
    bound = 10.0 ** rng.uniform(-18, 0, size=shape)
    natural = 10.0 ** rng.uniform(-6, 3, size=shape)
    still, rounding = rng.random(shape) < 0.2, np.array([EPS, 1e-7, EPS])
    together = entry_verdicts.judge(
        claim,
        value,
        bound,
        {},
        still=still,
        natural=natural,
        rtol=1e-6,
        rounding=np.repeat(rounding, np.diff(edges))[:, None],
        starts=np.array(edges[:-1]),
    )
    for number, (start, stop) in enumerate(pairwise(edges)):
        rows = slice(start, stop)
        alone = entry_verdicts.judge(
            claim[rows],
            value[rows],
            bound[rows],
            {},
            still=still[rows],
            natural=natural[rows],
            rtol=1e-6,
            rounding=float(rounding[number]),
        )
        part = together.part(rows, {}, ())
        for name in ("marks", "excess", "allowed", "zeros", "slight", "rounded"):
            assert np.array_equal(getattr(part, name), getattr(alone, name), equal_nan=True), name
