"""Diagnosis of a gradient that is the complex conjugate of the true one."""

import numpy as np

from pytest_gradcheck.diagnosis.complex_conjugate import diagnose_conjugate
from pytest_gradcheck.report.records import Diagnosis

VALUE = np.array([[1.0], [-2.0], [0.5], [3.0]])
IMAGINARY = np.array([[False], [True], [False], [True]])
CONJUGATE = np.where(IMAGINARY, -VALUE, VALUE)
BOUND = np.full((4, 1), 1e-10)


def diagnose(claim: object, other: str | None = "jax", **changes: object) -> list[Diagnosis]:
    """Diagnose a claim about two complex entries."""
    data = {"value": VALUE, "bound": BOUND, "imaginary": IMAGINARY} | changes
    return list(diagnose_conjugate(claim, other=other, **data))  # type: ignore[arg-type]  # arrays


def test_conjugate_proposes_the_other_convention() -> None:
    """It does so if the claim is correct in that convention."""
    (diagnosis,) = diagnose(CONJUGATE)
    assert diagnosis == Diagnosis(
        "conjugate",
        "consistent with the complex conjugate of the true gradient: the other convention? say "
        "convention='jax'",
        {"imaginary": 2},
    )


def test_conjugate_of_a_holomorphic_derivative_has_no_convention() -> None:
    """The only likely cause is a conj()."""
    (diagnosis,) = diagnose(CONJUGATE, other=None)
    assert diagnosis.text == (
        "consistent with the complex conjugate of the true gradient: a conj() missing, or one "
        "too many?"
    )


def test_conjugate_must_explain_every_entry() -> None:
    """An entry that is wrong otherwise excludes the diagnosis, in either part."""
    for index in range(4):
        claim = CONJUGATE.copy()
        claim[index] *= 1.01
        assert diagnose(claim) == []


def test_real_gradient_is_no_conjugate() -> None:
    """The diagnosis needs an imaginary part that is measured well."""
    assert diagnose(CONJUGATE, imaginary=np.zeros((4, 1), dtype=bool)) == []
    assert diagnose(CONJUGATE, bound=np.abs(VALUE)) == []


def test_unmeasured_entries_are_left_out() -> None:
    """Entries of value NaN, or with an infinite bound, are no evidence."""
    value, bound = VALUE.copy(), BOUND.copy()
    value[0], bound[3] = np.nan, np.inf
    (diagnosis,) = diagnose(CONJUGATE, value=value, bound=bound)
    assert diagnosis.evidence == {"imaginary": 1}
