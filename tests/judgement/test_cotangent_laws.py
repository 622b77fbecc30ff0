"""The laws of a VJP, judged on claims alone."""

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


def broken(
    vjp: Callable[[Any], Any], rounding: float = EPS, rtol: float = 1e-6
) -> list[LawViolation]:
    """Judge a VJP of four coordinates."""
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


def test_linear_map_breaks_no_law() -> None:
    """Rounding aside."""
    assert broken(lambda c: A @ c) == []


def test_all_zero_claims_break_no_law() -> None:
    """Zero is linear."""
    assert broken(lambda c: 0 * (A @ c)) == []


def test_no_coordinates_break_no_law() -> None:
    """An empty parameter has nothing to break it with."""
    assert broken(lambda c: np.zeros(0)) == []


def test_term_without_the_cotangent_breaks_zero_alone() -> None:
    """It is left out of the test for linearity; the place where it is largest is named."""
    (law,) = broken(lambda c: A @ c + np.array([0.1, 0.0, -0.4, 0.0]))
    assert (law.kind, law.coordinate, law.found) == ("zero", 2, -0.4)
    assert law.describe("f_backward", "W[2]") == (
        "f_backward(0) is not 0: a term of W[2], -0.4, does not depend on the cotangent"
    )


def test_wrong_for_zero_alone_breaks_zero_alone() -> None:
    """What is linear everywhere else is not called nonlinear as well."""
    assert [law.kind for law in broken(lambda c: A @ c if c.any() else np.ones(4))] == ["zero"]


def test_ignored_cotangent_breaks_zero_alone() -> None:
    """A gradient that is the same for every cotangent."""
    assert [law.kind for law in broken(lambda c: np.ones(4))] == ["zero"]


@pytest.mark.parametrize(
    "vjp",
    [
        lambda c: A @ np.maximum(c, 0),
        lambda c: A @ c * np.sum(c),
        lambda c: np.abs(A @ c),
        lambda c: A @ (c / np.linalg.norm(c)) if c.any() else np.zeros(4),
    ],
)
def test_nonlinear_map_breaks_linearity(vjp: Callable[[Any], Any]) -> None:
    """A mask by the sign of the cotangent, the cotangent twice, a norm."""
    assert [law.kind for law in broken(vjp)] == ["linear"]


def test_both_laws_can_be_broken() -> None:
    """Each for its own reason."""
    laws = broken(lambda c: A @ np.maximum(c, 0) + 1)
    assert [law.kind for law in laws] == ["zero", "linear"]


def test_nonlinearity_says_what_was_found_and_expected() -> None:
    """Both numbers, and no minus in front of a zero."""
    law = LawViolation("linear", 1, 0.0, -1.25)
    assert law.describe("f_backward", "x[1]") == (
        "f_backward is not linear in the cotangent: x[1] is 0, not -1.25"
    )
    (law,) = broken(lambda c: -0.0 * c if c[0] == (FIRST - 2.5 * SECOND)[0] else c)
    assert str(law.found) == "0.0"


def test_claims_that_are_not_finite_for_zero_break_zero() -> None:
    """0 / 0 is not 0."""
    (law,) = broken(lambda c: A @ c if c.any() else np.full(4, np.nan))
    assert law.describe("f_backward", "x[0]") == (
        "f_backward(0) is not 0: x[0] is not finite for a zero cotangent"
    )


def test_float32_rounding_breaks_no_law() -> None:
    """What is allowed follows the type of the claims."""
    rounding = float(np.finfo(np.float32).eps)

    def single(c: Any) -> Any:
        return (A.astype(np.float32) @ c.astype(np.float32)).astype(np.float64)

    assert broken(single, rounding) == []
    assert [law.kind for law in broken(lambda c: A @ c + 0.01, rounding)] == ["zero"]


def test_solver_that_stops_early_is_allowed_what_its_claims_are() -> None:
    """The relative error that a check allows is allowed of its laws."""

    def coarse(c: Any) -> Any:
        return np.round(A @ c, 3)

    assert [law.kind for law in broken(coarse)] == ["linear"]
    assert broken(coarse, rtol=1e-3) == []


@pytest.mark.parametrize(
    ("combined", "stands"), [(3.0, True), (2.4, True), (1.9, False), (4.1, False), (-1.0, False)]
)
def test_law_stands_where_it_is_broken_by_as_much_again(combined: float, stands: bool) -> None:
    """To within half of it, the term without the cotangent left out."""
    law = LawViolation("linear", 1, found=3.5, expected=1.5)
    again = is_violated_nearby(
        law,
        np.array([9.0, 6.0]),
        zero=np.array([np.nan, 1.0]),
        second=np.array([9.0, 3.0]),
        combined=np.array([9.0, combined]),
        weight=-2.5,
    )
    assert again is stands


def test_law_stands_though_zero_gave_nothing() -> None:
    """What is not finite for a zero cotangent is no term to leave out."""
    law = LawViolation("linear", 0, found=2.0, expected=0.0)
    one, nothing = np.ones(1), np.array([np.nan])
    assert is_violated_nearby(law, one, zero=nothing, second=one, combined=0.5 * one, weight=-2.5)
