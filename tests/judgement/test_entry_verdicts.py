"""The verdict on each entry, from claim, measurement and error bound."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_gradcheck.judgement import entry_verdicts
from pytest_gradcheck.judgement.entry_verdicts import (
    Judgement,
    VerdictCode,
    relative_deviation,
)
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
    unchanged: bool = False,
    rounding: float = EPS,
    rtol: float = 1e-6,
    scatter: Floats | float = 0.0,
) -> Judgement:
    """Judge a parameter; all of its derivatives leave forward unchanged, or none does."""
    return entry_verdicts.judge(
        claim,
        value,
        bound,
        kinks,
        unchanged=np.full(claim.shape, unchanged),
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
    unchanged: bool = False,
    rounding: float = EPS,
) -> Judgement:
    """Judge a parameter of one entry."""
    return judge(
        np.array([[claim]]),
        np.array([[value]]),
        np.array([[bound]]),
        kinks or {},
        natural=np.array([[natural]]),
        unchanged=unchanged,
        rounding=rounding,
    )


def verdict(claim: float, value: float, bound: float, kinks: Kinks | None = None) -> VerdictCode:
    """Return the verdict on one entry."""
    return VerdictCode(judge_one(claim, value, bound, kinks).codes.item())


def test_agreement_within_rtol_is_correct() -> None:
    """Errors below rtol are allowed."""
    assert verdict(1 + 0.9e-6, 1.0, 1e-12) is VerdictCode.CORRECT


def test_large_rtol_allows_errors_up_to_it() -> None:
    """An error that the user allows does not make a claim inconclusive."""
    one = np.ones((1, 1))
    judged = judge(1.04 * one, one, 1e-12 * one, {}, natural=one, rtol=0.05)
    assert judged.codes.item() == VerdictCode.CORRECT


def test_large_rtol_needs_no_smaller_bound() -> None:
    """Where an error of 1% is allowed, it suffices to detect an error of 1%."""
    claim, value, natural = np.array([[1.0]]), np.array([[1.003]]), np.ones((1, 1))
    codes = [
        judge(claim, value, np.array([[bound]]), {}, natural=natural, rtol=rtol).codes.item()
        for rtol, bound in ((1e-2, 4e-3), (1e-2, 6e-3), (1e-6, 4e-3))
    ]
    assert codes == [VerdictCode.CORRECT, VerdictCode.INCONCLUSIVE, VerdictCode.INCONCLUSIVE]
    judged = judge(claim, value, np.array([[4e-3]]), {}, natural=natural, rtol=1e-2)
    assert not judged.zeros.any()


def test_difference_beyond_rtol_and_bound_is_wrong() -> None:
    """A difference that neither rtol nor the bound explains is an error of the claim."""
    assert verdict(1 + 1.1e-6, 1.0, 1e-12) is VerdictCode.WRONG


def test_difference_within_the_bound_is_not_wrong() -> None:
    """A difference that the error of the measurement explains is no error of the claim."""
    assert verdict(1 + 3e-4, 1.0, 2e-4) is VerdictCode.CORRECT
    assert verdict(1.01, 1.0, 0.006) is VerdictCode.INCONCLUSIVE


@given(st.floats(-1, 1), st.floats(0, 3e-4), st.sampled_from([-1e-3, 1e-3]))
def test_error_of_a_thousandth_is_never_correct(share: float, bound: float, error: float) -> None:
    """The measurement may lie anywhere within its bound."""
    assert verdict(1 + error, 1 + share * bound, bound) is not VerdictCode.CORRECT


def test_bound_as_large_as_the_derivative_is_inconclusive() -> None:
    """A claim that agrees because almost every claim would is not correct."""
    assert verdict(1.0, 1.2, 0.5) is VerdictCode.INCONCLUSIVE


def test_wrong_takes_precedence_over_an_uninformative_bound() -> None:
    """A claim far outside a large bound is wrong."""
    assert verdict(100.0, 1.2, 0.5) is VerdictCode.WRONG


def test_unmeasured_entry_is_inconclusive() -> None:
    """Without a value or a bound there is no verdict."""
    assert verdict(1.0, np.nan, np.inf) is VerdictCode.INCONCLUSIVE
    assert verdict(1.0, 1.0, np.inf) is VerdictCode.INCONCLUSIVE


def test_subgradients_at_a_kink_are_correct() -> None:
    """The one-sided slopes and their mean are accepted, and the choice is stored."""
    for claim, found in (
        (0.0, SubgradientChoice.SLOPE),
        (0.5, SubgradientChoice.MEAN),
        (1.0, SubgradientChoice.SLOPE),
    ):
        judged = judge_one(claim, 0.5, 1e-12, {(0, 0): (0.0, 1.0)})
        assert judged.codes.item() == VerdictCode.CORRECT
        assert judged.subgradients == {(0, 0): found}
        assert judged.unclassified == ()


def test_claim_between_slopes_that_is_no_common_choice_is_inconclusive() -> None:
    """A value one percent from a slope is no choice that people make."""
    for claim in (0.99, 0.3, 0.501):
        judged = judge_one(claim, 0.5, 1e-12, {(0, 0): (0.0, 1.0)})
        assert judged.codes.item() == VerdictCode.INCONCLUSIVE
        assert judged.unclassified == ((0, 0),)
        assert judged.subgradients == {}


def test_unclassified_claims_at_kinks_can_be_decided() -> None:
    """Several kinks make a claim correct, one makes it wrong; others stay inconclusive."""
    claim, value = np.full((3, 1), 0.3), np.full((3, 1), 0.5)
    kinks = {(k, 0): (0.0, 1.0) for k in range(3)}
    bound = np.full((3, 1), 1e-12)
    judged = judge(claim, value, bound, kinks, natural=value, rtol=1e-6, rounding=EPS)
    decided = judged.decide_kinks([(0, 0)], [(1, 0)])
    assert decided.codes.ravel().tolist() == [
        VerdictCode.CORRECT,
        VerdictCode.WRONG,
        VerdictCode.INCONCLUSIVE,
    ]
    assert decided.subgradients == {(0, 0): SubgradientChoice.SEVERAL}
    assert decided.unclassified == ((2, 0),)
    assert judged.codes.ravel().tolist() == [VerdictCode.INCONCLUSIVE] * 3


def judge_scattered(claim: float, scatter: float, *, natural: float = 1.0) -> Judgement:
    """Judge a claim that scatters, about a derivative of 1e-6 next to one of 1."""
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


def test_scatter_of_a_claim_limits_its_precision() -> None:
    """The allowed error is 16 times the scatter; where it is large, the claim is inconclusive."""
    for error, scatter, expected in (
        (1e-10, 0.0, VerdictCode.WRONG),
        (1e-10, 6e-12, VerdictCode.WRONG),
        (1e-10, 7e-12, VerdictCode.CORRECT),
        (1e-8, 7e-12, VerdictCode.WRONG),
        (1e-8, 1e-9, VerdictCode.INCONCLUSIVE),
        (1e-8, 1e-18, VerdictCode.WRONG),
    ):
        judged = judge_scattered(1e-6 + error, scatter)
        assert judged.codes[1, 0] == expected, (error, scatter)
        assert judged.slightly_wrong.ravel().tolist() == [False, expected == VerdictCode.WRONG]
        assert judged.excused_by_rounding.ravel().tolist() == [
            False,
            expected != VerdictCode.WRONG,
        ]


def test_scatter_excuses_no_large_difference_and_no_discontinuity() -> None:
    """Both are larger than rounding errors."""
    assert judge_scattered(2e-6, 1e-5, natural=1e-6).codes[1, 0] == VerdictCode.WRONG
    assert judge_scattered(1.05e-6, 1e-5, natural=1e-6).codes[1, 0] == VerdictCode.WRONG
    assert judge_scattered(1.05e-6, 1e-8, natural=1e-6).codes[1, 0] == VerdictCode.INCONCLUSIVE


def test_scatter_verifies_a_claim_as_zero_where_forward_is_zero() -> None:
    """There is no natural slope; a claim that is large, or does not scatter, is wrong."""
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
        assert judged.codes[0, 0] == expected, (claim, scatter)
        assert judged.zeros[0, 0] == (expected == VerdictCode.CORRECT)


def test_scatter_does_not_change_a_correct_claim() -> None:
    """Scatter excuses differences, and does nothing else."""
    judged = judge_scattered(1e-6, 1e-8)
    assert judged.codes.ravel().tolist() == [VerdictCode.CORRECT] * 2
    assert not judged.excused_by_rounding.any()


def test_claim_outside_a_kink_is_wrong() -> None:
    """The claim is neither a one-sided slope nor between the two."""
    assert verdict(1.1, 0.5, 1e-12, {(0, 0): (0.0, 1.0)}) is VerdictCode.WRONG


def test_zero_among_large_entries_is_correct_at_its_resolution() -> None:
    """A claim of zero is verified to a millionth of the largest; a tiny claim is not verified."""
    claim = np.array([[1.0], [1e-10], [0.0], [0.0]])
    bound = np.array([[1e-12], [1e-11], [1e-7], [1e-6]])
    judged = judge(claim, claim, bound, {}, natural=np.ones_like(claim))
    expected = [
        VerdictCode.CORRECT,
        VerdictCode.INCONCLUSIVE,
        VerdictCode.CORRECT,
        VerdictCode.INCONCLUSIVE,
    ]
    assert judged.codes.ravel().tolist() == expected


def test_zero_is_judged_against_the_largest_entry_not_the_output() -> None:
    """Next to derivatives that are small for the output, a zero is measured as well as they."""
    claim = np.array([[1e-3], [0.0]])
    for bound, expected in ((1e-10, VerdictCode.CORRECT), (1e-8, VerdictCode.INCONCLUSIVE)):
        bounds = np.array([[1e-15], [bound]])
        judged = judge(claim, claim, bounds, {}, natural=np.ones((2, 1)))
        assert judged.codes.ravel().tolist() == [VerdictCode.CORRECT, expected]


def test_output_that_does_not_vary_has_no_natural_scale() -> None:
    """Without a natural slope, entries are compared with the largest entry."""
    claim = np.array([[1.0], [0.0]])
    judged = judge(claim, claim, 0 * claim, {}, natural=0 * claim)
    assert judged.codes.ravel().tolist() == [VerdictCode.CORRECT] * 2


def test_unmeasured_entries_and_subgradients_have_no_excess() -> None:
    """Neither is among the worst entries; every subgradient is counted."""
    claim, value = np.array([[0.5], [0.25], [1.0]]), np.array([[0.0], [0.0], [np.nan]])
    kinks = {(0, 0): (0.5, 1.0), (1, 0): (-1.0, 0.25)}
    bound = np.full((3, 1), 1e-12)
    judged = judge(claim, value, bound, kinks, natural=np.ones((3, 1)))
    assert judged.excess.ravel().tolist() == [0.0, 0.0, 0.0]
    assert len(judged.subgradients) == 2
    assert judged.codes.ravel().tolist() == [
        VerdictCode.CORRECT,
        VerdictCode.CORRECT,
        VerdictCode.INCONCLUSIVE,
    ]


def test_errors_that_float64_cannot_resolve_are_negligible() -> None:
    """An error of fifty roundings of the function is no error of the claim."""
    assert judge_one(1e-13, 1.05e-13, 4e-15).codes.item() == VerdictCode.CORRECT


def test_entries_with_units_of_their_own_are_judged_in_these() -> None:
    """The rounding error of 1e10 per metre does not excuse an error of 1e-4 per second."""
    claim, value = np.array([[1e10], [1.01e-4]]), np.array([[1e10], [1e-4]])
    bound, natural = 1e-12 * value, np.array([[1e10], [1e-4]])
    judged = judge(claim, value, bound, {}, natural=natural)
    assert judged.codes.ravel().tolist() == [VerdictCode.CORRECT, VerdictCode.WRONG]


def test_noise_dominated_entry_among_large_ones_is_inconclusive() -> None:
    """A bound that is large for the whole parameter could hide any error."""
    claim = np.array([[1.0], [1e-3]])
    bound = np.array([[1e-12], [1e-2]])
    judged = judge(claim, claim, bound, {}, natural=np.ones_like(claim))
    assert judged.codes.ravel().tolist() == [VerdictCode.CORRECT, VerdictCode.INCONCLUSIVE]


def test_float32_claim_may_have_the_rounding_error_of_float32() -> None:
    """A claim computed in float32 is not wrong because of rounding."""
    claim = float(np.float32(1 / 3)) * (1 + 8e-7)
    assert judge_one(claim, 1 / 3, 1e-12, rounding=1.2e-7).codes.item() == VerdictCode.CORRECT
    assert judge_one(claim, 1 / 3, 1e-12).codes.item() == VerdictCode.CORRECT
    assert judge_one(claim * (1 + 1e-6), 1 / 3, 1e-12).codes.item() == VerdictCode.WRONG


def test_zero_on_both_sides_is_correct() -> None:
    """A claim of zero for a gradient that vanishes is correct."""
    assert verdict(0.0, 0.0, 0.0) is VerdictCode.CORRECT


def test_vanishing_gradient_is_judged_against_the_natural_scale() -> None:
    """Where claim and measurement vanish, the bound must be small against the function."""
    assert verdict(0.0, 1e-12, 1e-10) is VerdictCode.CORRECT
    assert verdict(0.0, 1e-3, 1e-1) is VerdictCode.INCONCLUSIVE


def test_excess_is_the_distance_over_the_allowed_distance() -> None:
    """Errors are ranked by how far they exceed their own bound."""
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
    assert judge_one(claim, 0.5, bound).codes == scaled.codes


def outcome(judged: Judgement) -> tuple[list[VerdictCode], list[bool]]:
    """Return the verdicts, and which derivatives are verified to be zero and no more."""
    return [VerdictCode(m) for m in judged.codes.ravel().tolist()], judged.zeros.ravel().tolist()


@pytest.mark.parametrize("claim", [0.0, 1e-15, -1e-15, 1e-12, -1e-12])
@pytest.mark.parametrize("value", [0.0, 1e-15, -1e-12])
@pytest.mark.parametrize("bound", [1e-12, 1e-9, 1e-5])
def test_derivative_indistinguishable_from_zero_is_verified_as_zero(
    claim: float, value: float, bound: float
) -> None:
    """At an optimum all claims as small as rounding errors have the same verdict."""
    assert outcome(judge_one(claim, value, bound)) == ([VerdictCode.CORRECT], [True])


def test_zero_with_a_large_bound_is_inconclusive() -> None:
    """The variation of forward must be far above the bound."""
    assert outcome(judge_one(0.0, 0.0, 1e-4)) == ([VerdictCode.INCONCLUSIVE], [False])
    assert outcome(judge_one(0.0, 0.0, 1e-9, natural=1e-6)) == (
        [VerdictCode.INCONCLUSIVE],
        [False],
    )


def test_small_derivative_that_was_measured_well_is_tested() -> None:
    """Its magnitude does not matter, and a wrong claim is wrong."""
    assert outcome(judge_one(1e-9, 1e-9, 1e-14)) == ([VerdictCode.CORRECT], [False])
    assert outcome(judge_one(-1e-9, 1e-9, 1e-14)) == ([VerdictCode.WRONG], [False])
    assert outcome(judge_one(0.0, 1e-9, 1e-14)) == ([VerdictCode.WRONG], [False])


def test_small_derivative_that_was_measured_badly_is_verified_as_small() -> None:
    """Close to an optimum, a bound may be too large to test a claim, yet below a millionth."""
    assert outcome(judge_one(1e-9, 1.1e-9, 1e-10)) == ([VerdictCode.CORRECT], [True])
    assert outcome(judge_one(1e-5, 1.1e-5, 1e-6)) == ([VerdictCode.INCONCLUSIVE], [False])
    assert outcome(judge_one(-1e-9, 1.1e-9, 1e-10)) == ([VerdictCode.WRONG], [False])


def test_one_inconclusive_entry_leaves_the_others_verified() -> None:
    """Zeros stay verified next to an entry that is dominated by noise."""
    zero = np.zeros((2, 1))
    judged = judge(zero, zero, np.array([[1e-9], [1.0]]), {}, natural=np.ones((2, 1)))
    assert outcome(judged) == ([VerdictCode.CORRECT, VerdictCode.INCONCLUSIVE], [True, False])


def test_outputs_vanish_independently() -> None:
    """One output may be at its optimum, and another not."""
    claim = np.array([[2.0, 1e-9], [3.0, -1e-9]])
    bound = np.array([[1e-9, 1e-8], [1e-9, 1e-8]])
    judged = judge(claim, claim, bound, {}, natural=np.ones((2, 2)))
    assert outcome(judged) == ([VerdictCode.CORRECT] * 4, [False, True, False, True])


def test_structural_zero_is_marked_as_zero() -> None:
    """A zero next to other entries is correct, and marked as verified to be zero."""
    claim = np.array([[1.0], [0.0]])
    judged = judge(claim, claim, np.full((2, 1), 1e-9), {}, natural=np.ones((2, 1)))
    assert outcome(judged) == ([VerdictCode.CORRECT] * 2, [False, True])


def test_coordinate_that_leaves_forward_unchanged_needs_no_small_bound() -> None:
    """Noise along other coordinates is no noise along this one."""
    claim, bound = np.array([[1.0], [0.0]]), np.array([[1e-5], [1e-3]])
    for unchanged, code in ((True, VerdictCode.CORRECT), (False, VerdictCode.INCONCLUSIVE)):
        judged = judge(claim, claim, bound, {}, natural=np.ones((2, 1)), unchanged=unchanged)
        assert outcome(judged) == ([VerdictCode.CORRECT, code], [False, unchanged])
    judged = judge(claim, claim, bound, {}, natural=np.full((2, 1), 0.1), unchanged=True)
    assert outcome(judged) == ([VerdictCode.CORRECT, VerdictCode.INCONCLUSIVE], [False, False])


def test_zero_between_the_slopes_of_a_kink_is_not_verified_as_zero() -> None:
    """The one-sided slopes do not vanish."""
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
    """A derivative verified as zero is small against the natural slope, and is not wrong."""
    claim, value, bound = claim * 10.0**size, value * 10.0**size, bound * 10.0**width
    judged = judge_one(claim, value, bound)
    if judged.zeros.item():
        assert judged.codes.item() == VerdictCode.CORRECT
        assert abs(value) + bound <= 3e-4
        assert abs(claim - value) <= max(2 * bound, 1e-6 * max(abs(claim), abs(value)), 1e-14)
    flipped = judge_one(-claim, -value, bound)
    assert outcome(flipped) == outcome(judged)


@given(st.integers(0, 2**32))
def test_parameters_judged_at_once_have_the_same_verdicts_as_one_by_one(seed: int) -> None:
    """Each has its own largest derivative, and its own rounding error."""
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
    unchanged, rounding = rng.random(shape) < 0.2, np.array([EPS, 1e-7, EPS])
    joint = entry_verdicts.judge(
        claim,
        value,
        bound,
        {},
        unchanged=unchanged,
        natural=natural,
        rtol=1e-6,
        rounding=np.repeat(rounding, np.diff(edges))[:, None],
        starts=np.array(edges[:-1]),
    )
    for number, (start, stop) in enumerate(pairwise(edges)):
        rows = slice(start, stop)
        single = entry_verdicts.judge(
            claim[rows],
            value[rows],
            bound[rows],
            {},
            unchanged=unchanged[rows],
            natural=natural[rows],
            rtol=1e-6,
            rounding=float(rounding[number]),
        )
        part = joint.select_rows(rows, {}, ())
        for name in (
            "codes",
            "excess",
            "allowed",
            "zeros",
            "slightly_wrong",
            "excused_by_rounding",
        ):
            assert np.array_equal(getattr(part, name), getattr(single, name), equal_nan=True), name


@pytest.mark.parametrize("unit", [1e-290, 1e-308, 1e-310, 1e-315])
def test_large_errors_of_subnormal_derivatives_are_wrong(unit: float) -> None:
    """The allowed distance is a subnormal number itself, and no larger one takes its place."""
    bound = 1e-9 * unit
    assert judge_one(3 * unit, unit, bound, natural=unit).codes[0, 0] == VerdictCode.WRONG
    assert judge_one(unit, unit, bound, natural=unit).codes[0, 0] == VerdictCode.CORRECT


def test_roundings_of_subnormal_claims_are_allowed() -> None:
    """They are as large for small numbers as for larger ones, and hide what is as small."""
    least = 5e-324
    for claim, value in ((1003, 1000), (5, 2)):
        judged = judge_one(claim * least, value * least, 0.0, natural=value * least)
        assert judged.codes[0, 0] == VerdictCode.INCONCLUSIVE


@pytest.mark.parametrize(
    ("claim", "value", "bound", "deviation"),
    [
        (4.0, 1.0, 1e-9, 3.0),
        (-4.0, -1.0, 1e-9, 3.0),
        (0.0, -1.0, 1e-9, -1.0),
        (2.000001, 1.0, 1e-9, 1.0),
        (1e-3, 0.0, 1e-6, 1e3),
        (1e-3, 5e-7, 1e-6, 1e3),
        (-1.0, 0.0, 0.0, -np.inf),
        (1.0, 2.0, np.inf, -0.5),
        (0.0, 0.0, 0.0, 0.0),
        (1.0, np.nan, np.inf, 0.0),
        (1.0, np.inf, np.nan, 0.0),
    ],
)
def test_relative_deviation(claim: float, value: float, bound: float, deviation: float) -> None:
    """It is relative to the measurement, or to its bound where that may be zero."""
    arrays = (np.array([x]) for x in (claim, value, bound))
    assert relative_deviation(*arrays).tolist() == [pytest.approx(deviation, rel=1e-12)]
