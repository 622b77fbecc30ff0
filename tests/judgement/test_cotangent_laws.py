"""The laws of a vector-Jacobian product, judged on claims alone."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck.judgement.cotangent_laws import (
    LawViolation,
    is_violated_nearby,
    violated_laws,
)

RNG = np.random.default_rng(0)
A = RNG.normal(size=(4, 3))
FIRST, SECOND = RNG.normal(size=3), RNG.normal(size=3)
EPS = 2.2e-16


def violations(
    vjp: Callable[[Any], Any], rounding: float = EPS, rtol: float = 1e-6
) -> list[LawViolation]:
    """Return the violations of a VJP of four coordinates."""
    return list(
        violated_laws(
            vjp(FIRST),
            zero=vjp(0 * FIRST),
            second=vjp(SECOND),
            combined=vjp(FIRST - 2.5 * SECOND),
            weight=-2.5,
            rtol=rtol,
            rounding=rounding,
        )
    )


def test_linear_map_violates_no_law() -> None:
    """Rounding errors are allowed."""
    assert violations(lambda c: A @ c) == []


def test_all_zero_claims_violate_no_law() -> None:
    """The zero map is linear."""
    assert violations(lambda c: 0 * (A @ c)) == []


def test_empty_parameter_violates_no_law() -> None:
    """There are no claims to compare."""
    assert violations(lambda c: np.zeros(0)) == []


def test_constant_term_violates_the_law_of_zero_alone() -> None:
    """It is left out of the test for linearity; the violation names its largest entry."""
    (law,) = violations(lambda c: A @ c + np.array([0.1, 0.0, -0.4, 0.0]))
    assert (law.kind, law.coordinate, law.found) == ("zero", 2, -0.4)
    assert law.describe("f_backward", "W[2]") == (
        "f_backward(0) is not 0: a term of W[2], -0.4, does not depend on the cotangent"
    )


def test_wrong_claim_for_zero_violates_the_law_of_zero_alone() -> None:
    """A VJP that is linear elsewhere is not reported as nonlinear."""
    assert [law.kind for law in violations(lambda c: A @ c if c.any() else np.ones(4))] == ["zero"]


def test_ignored_cotangent_violates_the_law_of_zero_alone() -> None:
    """The gradient is the same for every cotangent."""
    assert [law.kind for law in violations(lambda c: np.ones(4))] == ["zero"]


@pytest.mark.parametrize(
    "vjp",
    [
        lambda c: A @ np.maximum(c, 0),
        lambda c: A @ c * np.sum(c),
        lambda c: np.abs(A @ c),
        lambda c: A @ (c / np.linalg.norm(c)) if c.any() else np.zeros(4),
    ],
)
def test_nonlinear_map_violates_linearity(vjp: Callable[[Any], Any]) -> None:
    """A mask by sign, a product of cotangents, and a norm are not linear."""
    assert [law.kind for law in violations(vjp)] == ["linear"]


def test_both_laws_can_be_violated() -> None:
    """Each law is reported for its own reason."""
    laws = violations(lambda c: A @ np.maximum(c, 0) + 1)
    assert [law.kind for law in laws] == ["zero", "linear"]


def test_nonlinearity_is_reported_with_claim_and_expectation() -> None:
    """The sentence has both numbers, and no minus in front of a zero."""
    law = LawViolation("linear", 1, 0.0, -1.25)
    assert law.describe("f_backward", "x[1]") == (
        "f_backward is not linear in the cotangent: x[1] is 0, not -1.25"
    )
    (law,) = violations(lambda c: -0.0 * c if c[0] == (FIRST - 2.5 * SECOND)[0] else c)
    assert str(law.found) == "0.0"


def test_claims_that_are_not_finite_for_zero_violate_the_law_of_zero() -> None:
    """A VJP that divides by the cotangent returns 0 / 0."""
    (law,) = violations(lambda c: A @ c if c.any() else np.full(4, np.nan))
    assert law.describe("f_backward", "x[0]") == (
        "f_backward(0) is not 0: x[0] is not finite for a zero cotangent"
    )


def test_float32_rounding_violates_no_law() -> None:
    """The allowed error depends on the type of the claims."""
    rounding = float(np.finfo(np.float32).eps)

    def single(c: Any) -> Any:
        return (A.astype(np.float32) @ c.astype(np.float32)).astype(np.float64)

    assert violations(single, rounding) == []
    assert [law.kind for law in violations(lambda c: A @ c + 0.01, rounding)] == ["zero"]


def test_solver_that_stops_early_violates_no_law_within_rtol() -> None:
    """The relative error that a check allows applies to the laws as well."""

    def coarse(c: Any) -> Any:
        return np.round(A @ c, 3)

    assert [law.kind for law in violations(coarse)] == ["linear"]
    assert violations(coarse, rtol=1e-3) == []


@pytest.mark.parametrize(
    ("combined", "is_repeated"),
    [(3.0, True), (2.4, True), (1.9, False), (4.1, False), (-1.0, False)],
)
def test_violation_is_repeated_if_its_size_is_the_same_nearby(
    combined: float, is_repeated: bool
) -> None:
    """The size may differ by half; a constant term is left out."""
    law = LawViolation("linear", 1, found=3.5, expected=1.5)
    nearby = is_violated_nearby(
        law,
        np.array([9.0, 6.0]),
        zero=np.array([np.nan, 1.0]),
        second=np.array([9.0, 3.0]),
        combined=np.array([9.0, combined]),
        weight=-2.5,
    )
    assert nearby is is_repeated


def test_violation_is_repeated_without_finite_claims_for_zero() -> None:
    """Claims that are not finite for a zero cotangent are no constant term."""
    law = LawViolation("linear", 0, found=2.0, expected=0.0)
    one, nothing = np.ones(1), np.array([np.nan])
    assert is_violated_nearby(law, one, zero=nothing, second=one, combined=0.5 * one, weight=-2.5)
