"""Diagnosis: the pattern of a wrong gradient."""

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
    """A claim that is one number times the gradient is said to be, with a cause."""
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


def test_digits_say_how_well_the_factor_fits() -> None:
    """The agreement is limited by the measurement and stated."""
    value = VALUE * np.array([[1.0], [1 + 1e-9], [1.0], [1 - 2e-9]])
    (diagnosis,) = diagnose_constant_factor(2 * VALUE, value, 1e-8 * np.abs(VALUE) + 1e-14)
    assert diagnosis.evidence == {"factor": 2.0, "nonzero": 3, "digits": 8}


def test_one_entry_off_is_no_factor() -> None:
    """A factor must explain every entry."""
    claim = VALUE.copy()
    claim[0] *= 2
    assert diagnose_constant_factor(claim, VALUE, BOUND) == ()


def test_nonzero_claim_where_the_gradient_vanishes_is_no_factor() -> None:
    """No factor makes zero into something else."""
    claim = 2 * VALUE
    claim[2] = 1e-3
    assert diagnose_constant_factor(claim, VALUE, BOUND) == ()


def test_single_entry_needs_a_simple_factor() -> None:
    """Any wrong number is some factor; only a simple one is worth saying."""
    one, bound = np.array([[0.7]]), np.array([[1e-12]])
    assert diagnose_constant_factor(1.0734 * one, one, bound) == ()
    assert [d.kind for d in diagnose_constant_factor(2 * one, one, bound)] == ["factor"]


def test_unmeasured_entries_do_not_speak() -> None:
    """NaN and infinite bounds are left out of the evidence."""
    value = np.array([[1.0], [np.nan], [2.0]])
    bound = np.array([[1e-11], [np.inf], [1e-11]])
    (diagnosis,) = diagnose_constant_factor(np.array([[2.0], [7.0], [4.0]]), value, bound)
    assert diagnosis.evidence["nonzero"] == 2


def test_nothing_is_said_without_a_clear_entry() -> None:
    """Where every bound is as large as the derivative no pattern can be tested."""
    assert diagnose_constant_factor(VALUE, VALUE, 10 * np.abs(VALUE) + 1) == ()


@pytest.mark.parametrize(
    ("share", "factor", "text"),
    [
        (0.5, 2.0, "2 x the true gradient (along two directions, to 8 digits): a stray factor 2?"),
        (-1.0, 0.5, "1/2 x the true gradient (along two directions, to 8 digits): "
                    "a factor 2 missing?"),
        (2.0, -1.0, "-1 x the true gradient (along two directions, to 8 digits): "
                    "a flipped sign?"),
    ],
)  # fmt: skip
def test_share_that_is_too_much_is_a_factor(share: float, factor: float, text: str) -> None:
    """What is left of the claim is the gradient."""
    diagnosis = diagnose_relative_error(share, 9e-9 * abs(1 - share))
    assert diagnosis.kind == "factor"
    assert diagnosis.text == f"consistent with {text}"
    assert diagnosis.evidence == {"factor": factor, "digits": 8}


def test_share_that_makes_no_simple_factor_is_given_as_a_number() -> None:
    """With as many digits as are known of it, six at least."""
    near, far = (diagnose_relative_error(1 - 1 / 1.0734123456, doubt) for doubt in (9e-10, 9e-5))
    assert near.text == (
        "consistent with 1.07341235 x the true gradient (along two directions, to 9 digits): "
        "a stray factor?"
    )
    assert "with 1.07341 x" in far.text
    assert far.evidence == {"factor": pytest.approx(1.0734123456), "digits": 4}


def test_digits_of_a_share_are_those_of_what_is_left() -> None:
    """A factor of a hundred is known to a hundredth of the share; nine are the most."""
    assert diagnose_relative_error(0.99, 9e-10).evidence == {"factor": 100.0, "digits": 7}
    assert diagnose_relative_error(0.5, 0.0).evidence == {"factor": 2.0, "digits": 9}


def test_share_that_leaves_nothing_is_a_parameter_that_is_not_used() -> None:
    """All of the claim is too much, as well as that is known."""
    for share in (1.0, 1 - 9e-7, 1 + 9e-7):
        diagnosis = diagnose_relative_error(share, 1e-6)
        assert diagnosis.text == (
            "numerically zero along two directions: does forward use it at all?"
        )
        assert diagnosis.evidence == {"factor": float("inf")}
