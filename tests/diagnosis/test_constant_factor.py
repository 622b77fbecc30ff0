"""Diagnosis of a gradient that is a constant multiple of the true one."""

import numpy as np
import pytest

from pytest_gradcheck.diagnosis.constant_factor import (
    diagnose_constant_factor,
    diagnose_relative_error,
)

VALUE = np.array([[1.0], [-2.5], [0.0], [3e-4]])
BOUND = np.full((4, 1), 1e-11)


@pytest.mark.parametrize(
    ("factor", "text"),
    [
        (4.0, ("consistent with 4 x the true gradient (3 of 3 nonzero entries, to 15 digits): "
              "a stray factor 4?")),
        (0.5, ("consistent with 1/2 x the true gradient (3 of 3 nonzero entries, to 15 digits): "
              "a factor 2 missing?")),
        (-1.0, ("consistent with -1 x the true gradient (3 of 3 nonzero entries, to 15 digits): "
               "a flipped sign?")),
        (-2.0, ("consistent with -2 x the true gradient (3 of 3 nonzero entries, to 15 digits): "
               "a stray factor 2 and a flipped sign?")),
        (0.015625, ("consistent with 1/64 x the true gradient (3 of 3 nonzero entries, "
                   "to 15 digits): a factor 64 missing?")),
        (1.5, ("consistent with 3/2 x the true gradient (3 of 3 nonzero entries, to 15 digits): "
              "a stray factor 3/2?")),
        (0.0, "backward gives zero, the gradient does not vanish in 3 entries: a term missing?"),
    ],
)  # fmt: skip
def test_constant_factor_is_named(factor: float, text: str) -> None:
    """A claim that is a multiple of the gradient is diagnosed, with a likely cause."""
    (diagnosis,) = diagnose_constant_factor(factor * VALUE, VALUE, BOUND)
    assert diagnosis.text == text
    assert diagnosis.evidence["factor"] == factor


def test_odd_factor_is_given_as_a_number() -> None:
    """A factor that is no simple fraction is printed to six digits."""
    (diagnosis,) = diagnose_constant_factor(1.0734123 * VALUE, VALUE, BOUND)
    assert diagnosis.text == (
        "consistent with 1.07341 x the true gradient (3 of 3 nonzero entries, to 15 digits): "
        "a stray factor?"
    )


def test_digits_are_the_accuracy_of_the_factor() -> None:
    """The measurement limits the agreement, which the diagnosis states."""
    value = VALUE * np.array([[1.0], [1 + 1e-9], [1.0], [1 - 2e-9]])
    (diagnosis,) = diagnose_constant_factor(2 * VALUE, value, 1e-8 * np.abs(VALUE) + 1e-14)
    assert diagnosis.evidence == {"factor": 2.0, "nonzero": 3, "digits": 8}


def test_one_wrong_entry_is_no_factor() -> None:
    """A factor must explain every entry."""
    claim = VALUE.copy()
    claim[0] *= 2
    assert diagnose_constant_factor(claim, VALUE, BOUND) == ()


def test_nonzero_claim_where_the_gradient_vanishes_is_no_factor() -> None:
    """No factor turns zero into another number."""
    claim = 2 * VALUE
    claim[2] = 1e-3
    assert diagnose_constant_factor(claim, VALUE, BOUND) == ()


def test_single_entry_needs_a_simple_factor() -> None:
    """Every wrong number is some multiple; only a simple factor is a diagnosis."""
    one, bound = np.array([[0.7]]), np.array([[1e-12]])
    assert diagnose_constant_factor(1.0734 * one, one, bound) == ()
    assert [d.kind for d in diagnose_constant_factor(2 * one, one, bound)] == ["factor"]


def test_unmeasured_entries_are_left_out() -> None:
    """Entries of value NaN, or with an infinite bound, are no evidence."""
    value = np.array([[1.0], [np.nan], [2.0]])
    bound = np.array([[1e-11], [np.inf], [1e-11]])
    (diagnosis,) = diagnose_constant_factor(np.array([[2.0], [7.0], [4.0]]), value, bound)
    assert diagnosis.evidence["nonzero"] == 2


def test_there_is_no_diagnosis_without_a_well_measured_entry() -> None:
    """Bounds as large as the derivatives allow no test of a pattern."""
    assert diagnose_constant_factor(VALUE, VALUE, 10 * np.abs(VALUE) + 1) == ()


@pytest.mark.parametrize(
    ("relative_error", "factor", "text"),
    [
        (0.5, 2.0, "2 x the true gradient (along two directions, to 8 digits): a stray factor 2?"),
        (-1.0, 0.5, "1/2 x the true gradient (along two directions, to 8 digits): "
                    "a factor 2 missing?"),
        (2.0, -1.0, "-1 x the true gradient (along two directions, to 8 digits): "
                    "a flipped sign?"),
    ],
)  # fmt: skip
def test_relative_error_is_diagnosed_as_a_factor(
    relative_error: float, factor: float, text: str
) -> None:
    """The factor is 1 / (1 - relative error)."""
    diagnosis = diagnose_relative_error(relative_error, 9e-9 * abs(1 - relative_error))
    assert diagnosis.kind == "factor"
    assert diagnosis.text == f"consistent with {text}"
    assert diagnosis.evidence == {"factor": factor, "digits": 8}


def test_factor_of_a_relative_error_that_is_no_fraction_is_given_as_a_number() -> None:
    """It has as many digits as are certain, and at least six."""
    error = 1 - 1 / 1.0734123456
    certain, uncertain = (
        diagnose_relative_error(error, uncertainty) for uncertainty in (9e-10, 9e-5)
    )
    assert certain.text == (
        "consistent with 1.07341235 x the true gradient (along two directions, to 9 digits): "
        "a stray factor?"
    )
    assert "with 1.07341 x" in uncertain.text
    assert uncertain.evidence == {"factor": pytest.approx(1.0734123456), "digits": 4}


def test_digits_follow_from_the_uncertainty_of_the_factor() -> None:
    """The uncertainty of a factor of 100 is 100 times larger; there are at most nine digits."""
    assert diagnose_relative_error(0.99, 9e-10).evidence == {"factor": 100.0, "digits": 7}
    assert diagnose_relative_error(0.5, 0.0).evidence == {"factor": 2.0, "digits": 9}


def test_relative_error_of_one_is_an_unused_parameter() -> None:
    """The gradient is zero within the uncertainty."""
    for relative_error in (1.0, 1 - 9e-7, 1 + 9e-7):
        diagnosis = diagnose_relative_error(relative_error, 1e-6)
        assert diagnosis.text == (
            "numerically zero along two directions: does forward use it at all?"
        )
        assert diagnosis.evidence == {"factor": float("inf")}
