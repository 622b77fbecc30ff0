"""Whether a claimed gradient is the gradient of any function, from measured mixed derivatives."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_gradcheck.diagnosis.conservative_field import MixedDerivatives, diagnose_potential
from pytest_gradcheck.report.report_data import Diagnosis

SYMMETRIC = np.array([[4.0, 1.0, -2.0], [1.0, 5.0, 0.5], [-2.0, 0.5, 6.0]])


def diagnosed(
    value: np.ndarray, bound: float = 1e-9, relative_error: float = 0.5
) -> Diagnosis | None:
    """Return the diagnosis of products with as many directions."""
    size = np.ones(len(value))
    derivatives = MixedDerivatives(value, np.full(value.shape, bound), size, relative_error)
    return diagnose_potential(derivatives, "this gradient")


def kind(value: np.ndarray, bound: float = 1e-9, relative_error: float = 0.5) -> str | None:
    """Return the kind of the diagnosis."""
    found = diagnosed(value, bound, relative_error)
    return None if found is None else found.kind


def test_symmetric_products_are_those_of_a_gradient() -> None:
    """Backward is consistent in itself."""
    found = diagnosed(SYMMETRIC)
    assert found is not None
    assert found.kind == "consistent"
    assert found.cause == "the gradient of another function?"
    assert found.evidence == {"digits": 15}


@pytest.mark.parametrize("pair", [(0, 1), (0, 2), (1, 2)])
def test_one_pair_that_differs_is_enough(pair: tuple[int, int]) -> None:
    """No function has the gradient, whichever directions show it."""
    value = SYMMETRIC.copy()
    value[pair] *= 2
    found = diagnosed(value)
    assert found is not None
    assert found.kind == "no-potential"
    assert found.cause == "no function has this gradient"
    assert found.evidence == {"asymmetry": 0.5}


def test_a_difference_within_the_bounds_says_nothing() -> None:
    """Nor does it say that backward is consistent."""
    value = SYMMETRIC.copy()
    value[0, 1] *= 2
    assert kind(value, bound=0.3) is None
    assert kind(SYMMETRIC, bound=0.3) is None


def test_a_small_error_needs_small_bounds() -> None:
    """An error of a millionth makes products differ by a millionth."""
    assert kind(SYMMETRIC, bound=1e-6) == "consistent"
    assert kind(SYMMETRIC, bound=1e-6, relative_error=1e-6) is None


def test_an_asymmetry_far_below_the_error_says_nothing() -> None:
    """The gradient of an approximate solution is asymmetric by a little."""
    value = SYMMETRIC.copy()
    value[0, 1] *= 1 + 1e-4
    assert kind(value) is None
    assert kind(value, relative_error=1e-3) == "no-potential"


def test_claims_that_depend_on_no_other_entry_say_nothing() -> None:
    """Every diagonal Jacobian is symmetric."""
    assert kind(np.diag([4.0, 5.0, 6.0])) is None


def test_the_wrong_claim_must_depend_on_another_entry() -> None:
    """The others may be a gradient without it."""
    value = SYMMETRIC.copy()
    value[0, 1:] = value[1:, 0] = 0
    assert kind(value) is None


def test_other_entries_need_not_depend_on_each_other() -> None:
    """Where the wrong claim and others do, and nothing contradicts."""
    value = SYMMETRIC.copy()
    value[1, 2] = value[2, 1] = 0
    assert kind(value) == "consistent"


def test_vanishing_claims_say_nothing() -> None:
    """Nothing was measured."""
    assert kind(np.zeros((3, 3)), bound=0.0) is None
