"""The simplest causes that explain what was measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck.diagnosis.catalogue.kinds import KINDS
from pytest_gradcheck.diagnosis.comparison import Comparison
from pytest_gradcheck.diagnosis.diagnose import diagnose
from pytest_gradcheck.diagnosis.goodness_of_fit import Explanation, HypothesisTest
from pytest_gradcheck.diagnosis.gradient import (
    CheckedCall,
    Floats,
    OperandArray,
    OutputValues,
)
from pytest_gradcheck.diagnosis.hypothesis import Hypothesis
from pytest_gradcheck.diagnosis.named_numbers import NamedNumber
from tests.diagnosis.comparisons import TRUE, VALUE, causes, compare, sampled

NUMBERS = (NamedNumber("len(X)", 8, is_size=True), NamedNumber("reg", 0.1))
UPSTREAM = np.random.default_rng(3).normal(size=TRUE.shape)
MASK = np.random.default_rng(4).random(TRUE.shape) < 0.7
MATRIX = np.random.default_rng(5).normal(size=TRUE.shape)
LOWER = np.tril(np.ones((4, 4)), -1)
SQUARE = TRUE[:4] + TRUE[:4].T
SYMMETRIC = VALUE[:4] + VALUE[:4].T


def edited(index: Any, change: Any) -> Floats:
    """Return the true gradient with some entries replaced, or changed by a function."""
    claim = TRUE.copy()
    claim[index] = change(claim[index]) if callable(change) else change
    return claim


#: Claims, the kind of their diagnosis, and words that it has.
CLAIMS = {
    "8 x": (8 * TRUE, "factor", "a stray factor 8 = len(X)?"),
    "1/8 x": (TRUE / 8, "factor", "a factor 8 = len(X) missing?"),
    "1/63 x": (TRUE / 63, "factor", "a factor 63 missing?"),
    "odd factor": (1.0734123 * TRUE, "factor", "1.07341 x the true gradient"),
    "degrees": (TRUE * 180 / np.pi, "factor", "180 / pi"),
    "sign": (-TRUE, "factor", "a flipped sign?"),
    "sign and factor": (-2 * TRUE, "factor", "a stray factor 2 and a flipped sign?"),
    "by log W": (TRUE * VALUE, "value", "with respect to log W"),
    "by W**2": (TRUE / (2 * VALUE), "value", "with respect to W**2"),
    "by sqrt(W)": (2 * TRUE * np.sqrt(np.abs(VALUE)), "value", "with respect to sqrt(W)"),
    "by exp(W)": (TRUE * np.exp(-VALUE), "value", "with respect to exp(W)"),
    "by 1/W": (-TRUE * VALUE**2, "value", "with respect to 1/W"),
    "tanh' missing": (TRUE / (1 - np.tanh(VALUE) ** 2), "activation", "tanh missing"),
    "penalty missing": (TRUE - 0.2 * VALUE, "penalty", "2 reg x W"),
    "penalty added": (TRUE + 0.1 * VALUE, "penalty", "a stray 0.1 = reg x W"),
    "L1 missing": (TRUE - 0.1 * np.sign(VALUE), "penalty", "reg x sign(W)"),
    "data term": (8 * (TRUE - 0.2 * VALUE) + 0.2 * VALUE, "data-term", "2 reg x W"),
    "constant": (TRUE + 0.37, "constant", "a stray 0.37"),
    "direct connection": (TRUE - UPSTREAM, "upstream-term", "a direct connection"),
    "upstream ignored": (TRUE / UPSTREAM, "upstream-ignored", "ignored"),
    "upstream twice": (TRUE * UPSTREAM, "upstream-twice", "used twice"),
    "reshaped": (TRUE.T.reshape(TRUE.shape), "order", "memory order"),
    "reversed": (TRUE[::-1], "reversed", "along axis 0"),
    "kernel flipped": (TRUE[::-1, ::-1], "reversed", "a kernel flipped"),
    "rolled": (np.roll(TRUE, 1, axis=1), "roll", "rolled by 1 along axis 1"),
    "rolled in C order": (np.roll(TRUE, 1), "roll", "rolled by 1 in C order"),
    "zero": (0 * TRUE, "zero", "a term missing?"),
    "last entry": (edited((-1, -1), 0.0), "zero", "never written?"),
    "rows exchanged": (TRUE[[0, 3, 2, 1, 4]], "exchanged", "indices 1 and 3 of W"),
    "permuted": (np.sort(TRUE.ravel()).reshape(TRUE.shape), "permutation", "at other places"),
    "sum over rows": (np.broadcast_to(TRUE.sum(axis=0), (5, 4)), "repeated", "along axis 0"),
    "first row only": (np.broadcast_to(TRUE[0], (5, 4)), "repeated", "along axis 0"),
    "float16": (TRUE.astype(np.float16), "precision", "float16"),
}


def assert_cause(name: str, comparison: Comparison) -> None:
    """Assert that a claim has one cause, the expected one."""
    _, kind, words = CLAIMS[name]
    outputs = (OutputValues("output", VALUE, UPSTREAM),)
    call = CheckedCall((comparison.gradient,), outputs, NUMBERS)
    (diagnosis,) = causes(comparison, call)
    assert diagnosis.kind == kind
    assert words in diagnosis.text


@pytest.mark.parametrize("name", CLAIMS)
def test_cause_is_recognized(name: str) -> None:
    """It is the only one, and says what its words promise."""
    assert_cause(name, compare(CLAIMS[name][0]))


@pytest.mark.parametrize(
    "name", sorted(set(CLAIMS) - {"zero", "last entry", "permuted", "rows exchanged", "float16"})
)
def test_cause_is_recognized_from_few_entries_and_directions(name: str) -> None:
    """As a screen measures them."""
    assert_cause(name, sampled(compare(CLAIMS[name][0]), [6, 12, 19], directions=2))


@pytest.mark.parametrize(
    ("claim", "true", "kind"),
    [
        (TRUE[:4].T, TRUE[:4], "transpose"),
        (SQUARE, 2 * SQUARE * LOWER + SQUARE * np.eye(4), "symmetric"),
        (2 * SQUARE - SQUARE * np.eye(4), SQUARE, "triangle"),
        (LOWER * 2 * SQUARE + SQUARE * np.eye(4), SQUARE, "symmetric"),
    ],
)
def test_cause_of_square_matrices_is_recognized(claim: Floats, true: Floats, kind: str) -> None:
    """The parameter is symmetric."""
    assert [d.kind for d in causes(compare(claim, true, SYMMETRIC))] == [kind]


@pytest.mark.parametrize(
    ("claim", "place", "cause"),
    [
        (edited(3, lambda g: 2 * g), "in W[3, :] (4 entries), right in the other 16", "factor"),
        (edited(np.s_[:, 2], 0.0), "in W[:, 2] (5 entries)", "zero"),
        (edited(np.s_[1:], lambda g: -g), "in W[1:, :] (16 entries)", "factor"),
        (edited(VALUE < 0, 0.0), "where W is negative", "zero"),
        (edited(np.s_[1:4, :2], lambda g: g**2 + 1), "in W[1:4, :2] (6 entries)", None),
    ],
)
def test_place_is_said_with_the_cause_there(claim: Floats, place: str, cause: str | None) -> None:
    """The place comes first; without a cause it stands alone."""
    first, *others = causes(compare(claim))
    assert (first.kind, [d.kind for d in others]) == ("place", [cause] if cause else [])
    assert f"wrong only {place}" in first.text


@pytest.mark.parametrize("seed", range(20))
def test_noise_has_no_cause(seed: int) -> None:
    """Nothing explains arbitrary claims, of all entries or of some."""
    rng = np.random.default_rng([17, seed])
    noise = rng.normal(size=TRUE.shape)
    some = np.where(rng.random(TRUE.shape) < 0.3, noise, TRUE)
    for claim in (noise, TRUE + 0.1 * noise, TRUE * (1 + 0.01 * noise), some):
        assert causes(compare(claim)) == ()
        assert causes(sampled(compare(claim), [3, 8], directions=1)) == ()


def test_one_wrong_entry_has_no_cause() -> None:
    """Some factor and some term explain it, and so do many others."""
    assert causes(compare(edited((2, 1), lambda g: 1.01 * g))) == ()
    one = np.array([0.7])
    assert causes(compare(1.0734 * one, one, np.array([0.3]))) == ()


def test_one_number_may_have_a_simple_factor() -> None:
    """Twice the gradient is no chance, if it is known to many digits."""
    one = np.array([0.7])
    assert [d.kind for d in causes(compare(2 * one, one, np.array([0.3])))] == ["factor"]
    assert causes(compare(2 * one, one, np.array([0.3]), accuracy=1e-3)) == ()


def test_hypotheses_of_equal_simplicity_are_both_said() -> None:
    """Of two entries in reverse order it cannot be said whether they are rolled."""
    true, value = TRUE[0, :2], VALUE[0, :2]
    assert {d.kind for d in causes(compare(true[::-1], true, value))} >= {"reversed", "roll"}


def test_exchanged_parameters_are_recognized() -> None:
    """The claim is the gradient that was returned for the other one."""
    first, second = compare(TRUE, VALUE, name="A"), compare(VALUE, TRUE, name="B")
    found = diagnose([first, second], CheckedCall((first.gradient, second.gradient)))
    assert [[d.kind for d in own] for own in found.of_parameters] == [["exchanged"]] * 2
    assert "the gradient returned for B" in found.of_parameters[0][0].text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda g: -g, "backward is the negative of the gradient everywhere (40 entries"),
        (lambda g: 8 * g, "every gradient is consistent with 8 x the true one (40 entries"),
        (lambda g: g - 0.1 * VALUE, "without 0.1 = reg x its parameter"),
    ],
)
def test_cause_of_all_gradients_is_said_once(
    change: Callable[[Floats], Floats], words: str
) -> None:
    """It is no cause of a single parameter, and not said where one of them is right."""
    pair = [
        compare(change(true), true, name=name) for name, true in (("A", TRUE), ("B", TRUE[::-1]))
    ]
    call = CheckedCall(tuple(one.gradient for one in pair), numbers=NUMBERS)
    found = diagnose(pair, call)
    assert found.of_parameters == ((), ())
    (diagnosis,) = found.of_all
    assert words in diagnosis.text
    assert diagnose(pair, call, any_right=True).of_all == ()


def test_negative_gradient_of_the_only_parameter_may_be_a_force() -> None:
    """Backward is the negative everywhere then; where another gradient is right, it is not."""
    comparison = compare(-TRUE)
    call = CheckedCall((comparison.gradient,))
    (diagnosis,) = diagnose([comparison], call).of_all
    assert diagnosis.text == (
        "backward is the negative of the gradient everywhere (20 entries, to 9 digits): a force, "
        "or a flipped sign?"
    )
    found = diagnose([comparison], call, any_right=True)
    assert found.of_all == ()
    assert found.of_parameters[0][0].cause == "a flipped sign?"


def test_only_simpler_causes_are_tried_beside_a_certain_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A call of many parameters has as many complex hypotheses as pairs of them."""
    tested: list[Hypothesis] = []
    explain = HypothesisTest.explain

    def recorded(self: HypothesisTest, hypothesis: Hypothesis) -> Explanation | None:
        tested.append(hypothesis)
        return explain(self, hypothesis)

    monkeypatch.setattr(HypothesisTest, "explain", recorded)
    comparisons = [compare(8 * TRUE, name=f"p{number}") for number in range(3)]
    diagnose(comparisons, CheckedCall(tuple(one.gradient for one in comparisons)))
    assert {hypothesis.rank for hypothesis in tested} == {1}


def test_other_causes_are_not_said_of_all() -> None:
    """Two gradients with different factors have nothing in common."""
    pair = [compare(2 * TRUE, name="A"), compare(3 * TRUE, name="B")]
    found = diagnose(pair, CheckedCall(tuple(one.gradient for one in pair)))
    assert found.of_all == ()
    assert all(found.of_parameters)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ("jax", "the other convention? say convention='jax'"),
        (None, "a conj() missing, or one too many?"),
    ],
)
def test_conjugate_is_recognized(other: str | None, words: str) -> None:
    """Where the other convention explains it, that is proposed."""
    imaginary = np.broadcast_to([False, True], (5, 2))
    true = TRUE[:, :2]
    comparison = compare(np.where(imaginary, -true, true), true, VALUE[:, :2], imaginary=imaginary)
    call = CheckedCall((comparison.gradient,), other_convention=other)
    assert words in causes(comparison, call)[0].text


def test_unmeasured_entries_are_left_out() -> None:
    """Entries of value NaN, or with an infinite bound, are no evidence."""
    comparison = compare(2 * TRUE)
    comparison.value[0], comparison.bound[3] = np.nan, np.inf
    unknown = np.isnan(comparison.value) | np.isinf(comparison.bound)
    known = replace(comparison, is_wrong=comparison.is_wrong & ~unknown)
    (diagnosis,) = causes(known)
    assert diagnosis.evidence["entries"] == 18


def test_hypotheses_of_a_suite_are_tested_as_the_others_are() -> None:
    """One that explains the measurements is said, another one is not."""
    comparison = compare(np.cbrt(TRUE))
    claim = comparison.gradient.claim
    found = diagnose(
        [comparison],
        CheckedCall((comparison.gradient,)),
        suggest=lambda gradient, call: [
            Hypothesis("cube", "consistent with a cube root ({agreement})", offset=claim**3),
            Hypothesis("square", "consistent with a square root", offset=claim**2),
        ],
    )
    assert [d.kind for d in found.of_parameters[0]] == ["cube"]


def test_kinds_are_listed() -> None:
    """Every kind that a claim here has is in the list."""
    assert {kind for _, kind, _ in CLAIMS.values()} <= set(KINDS)


@pytest.mark.parametrize(
    ("claim", "true", "kind"),
    [
        (UPSTREAM, UPSTREAM * (VALUE > 0), "activation"),
        (UPSTREAM, UPSTREAM * np.where(VALUE > 0, 1, 0.1), "activation"),
        (UPSTREAM / 0.8, UPSTREAM * MASK / 0.8, "mask"),
        (UPSTREAM, UPSTREAM * MATRIX, "operand"),
        (TRUE * MATRIX, TRUE, "operand"),
        (TRUE + 0.3 * MATRIX, TRUE, "operand-term"),
    ],
)
def test_arrays_of_the_call_are_recognized(claim: Floats, true: Floats, kind: str) -> None:
    """Claims without a factor or a term that forward is given, or that it makes."""
    comparison = compare(claim, true)
    gradient = replace(comparison.gradient, output=VALUE[..., None])
    call = CheckedCall((gradient,), arrays=(OperandArray("mask", MASK), OperandArray("B", MATRIX)))
    assert [d.kind for d in causes(replace(comparison, gradient=gradient), call)] == [kind]


def test_cause_among_scattered_entries_is_said() -> None:
    """They have no place in words; one of them alone has no cause."""
    claim = TRUE.copy()
    claim[[0, 3, 2], [1, 0, 2]] *= 2
    first, second = causes(compare(claim))
    assert (first.kind, second.kind) == ("places", "factor")
    assert first.text == "wrong only in some of its entries (3 entries), right in the other 17"
    assert causes(compare(edited((2, 1), lambda g: 2 * g))) == ()


def test_backward_is_called_again_only_where_nothing_explains_the_claims() -> None:
    """For twice the upstream gradient, and at another point."""
    calls = list[str]()

    def asked(what: str) -> None:
        calls.append(what)

    def again(claim: Floats) -> None:
        comparison = compare(claim)
        gradient = replace(
            comparison.gradient,
            doubled=lambda: asked("doubled"),
            elsewhere=lambda: asked("elsewhere"),
        )
        causes(replace(comparison, gradient=gradient))

    again(2 * TRUE)
    assert calls == []
    again(np.cos(TRUE))
    assert calls == ["doubled", "elsewhere"]


def test_closer_measurements_show_a_cause_that_others_do_not() -> None:
    """They are asked for where nothing explains the claims, or only where they are wrong."""
    claim = edited(slice(None), lambda g: 8 * g)
    rough = compare(claim, accuracy=1e-3).of_entries(np.array([3]))
    assert causes(rough) == ()
    (found,) = causes(replace(rough, closer=lambda: compare(claim)))
    assert found.kind == "factor"
    row, doubled = edited(1, np.cos(TRUE[1])), edited(1, lambda g: 2 * g)
    place, found = causes(replace(compare(row), closer=lambda: compare(doubled)))
    assert (place.kind, found.kind) == ("place", "factor")


def test_nothing_is_measured_more_closely_where_a_cause_is_known() -> None:
    """Closer measurements cost evaluations."""
    calls = list[int]()
    causes(replace(compare(2 * TRUE), closer=lambda: calls.append(1)))
    assert calls == []
    causes(replace(compare(np.cos(TRUE)), closer=lambda: calls.append(1)))
    assert calls == [1]


def test_round_numbers_are_no_lower_precision() -> None:
    """They are numbers of float16, and of any other type."""
    true = np.round(TRUE, 1) + 0.003 * MATRIX
    assert causes(compare(np.round(true * 4) / 4, true)) == ()


def test_number_that_is_fitted_to_two_entries_is_a_cause_if_nothing_else_explains_them() -> None:
    """One entry is left to confirm it; of round numbers several functions do."""
    value, true = np.array([0.3, 1.7]), np.array([0.2, 0.4])
    assert [d.kind for d in causes(compare(1.2345 * true * value, true, value))] == ["value"]
    round_ones = np.array([1.0, -1.0])
    assert causes(compare(1.2345 * true * round_ones, true, round_ones)) == ()


def test_equal_entries_are_evidence_once() -> None:
    """Three zeros beside each other are one measurement, of which every function has a value."""
    value, true = np.array([0.0, 0.0, 0.0, 7.0]), np.array([0.4, 0.4, 0.4, 0.9])
    claim = true + np.array([0.2, 0.2, 0.2, 0.5])
    assert causes(compare(claim, true, value)) == ()


def test_simple_number_that_is_fitted_to_one_entry_is_no_cause() -> None:
    """Of round numbers, products are simple fractions."""
    value, true = np.array([0.5, 1.0]), np.array([0.4, 0.7])
    claim = np.array([0.4 * 0.5 * 0.5 * -3 / 4, 0.9])
    assert causes(compare(claim, true, value)) == ()


def test_cause_of_one_entry_is_said_if_nothing_else_explains_it() -> None:
    """All others are right, and of the value of another one: the claims have 15 digits."""
    value, true = np.array([31.415926535, 0.0, 0.0]), np.array([1.2345678, 0.31, -0.62])
    (found,) = causes(compare(true - 0.5 * value, true, value, accuracy=1e-12))
    assert found.kind == "penalty"


def test_cause_that_explains_far_less_is_chance() -> None:
    """Of values that hardly differ, a factor is nearly the derivative by their logarithms."""
    value, true = 1918 + 0.001 * MATRIX, TRUE
    (found,) = causes(compare(true * value, true, value, accuracy=1e-5))
    assert found.kind == "value"


def test_function_that_overflows_explains_nothing() -> None:
    """One that is one at zero, and infinite at a large value, agrees with what vanishes there."""
    value, true = np.array([0.0, 0.0, 1e4, 0.0]), np.array([0.3, 0.7, 0.0, -0.2])
    (found,) = causes(compare(true + 0.5, true, value))
    assert found.kind == "constant"


def test_tiny_array_has_a_cause_and_no_place() -> None:
    """Two of four entries are in one row by chance."""
    true, claim = TRUE[:2, :2], TRUE[:2, :2].copy()
    claim[0] *= 2
    first, second = causes(compare(claim, true, VALUE[:2, :2]))
    assert (first.kind, second.kind) == ("places", "factor")
