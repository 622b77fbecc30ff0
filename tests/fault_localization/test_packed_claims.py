"""Gradients that are put together from others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import check_gradient
from tests.fault_localization.functions import X, line_of
from tests.fault_localization.searches import made_at, search_of

THETA = np.array([0.3, -0.2, 0.5, 0.1])


def model(theta: Any) -> Any:
    """Return the loss of a linear model with coefficients and intercept in one vector."""
    r = X @ theta[:3] + theta[3]
    return np.sum(np.sin(r))


def wrong_coefficients(theta: Any) -> Any:
    """Return its gradient, wrong for the coefficients."""
    dr = np.cos(X @ theta[:3] + theta[3])
    dw = 2 * X.T @ dr
    db = dr.sum(keepdims=True)
    return np.concatenate([dw, db])


def wrong_order(theta: Any) -> Any:
    """Return its gradient in the wrong order."""
    dr = np.cos(X @ theta[:3] + theta[3])
    dw = X.T @ dr
    db = dr.sum(keepdims=True)
    return np.concatenate([db, dw])


def test_parts_of_a_packed_gradient_are_claims_of_their_own() -> None:
    """They are right or wrong by themselves, and have the parameter's name in the report."""
    search = search_of(model, wrong_coefficients, THETA)
    (wrong,) = search.claims.wrong.items()
    (right,) = search.claims.right.items()
    assert wrong[0] == "theta 0:3"
    assert wrong[1].root is made_at(search, "dw")
    assert right[0] == "theta 3:4"
    assert right[1].root is made_at(search, "db")
    assert search.parameter("theta 0:3") == "theta"


@pytest.mark.parametrize("mode", ["full", "fast"])
def test_statement_that_makes_a_part_wrong_is_named(mode: str) -> None:
    """What puts the parts together is not to blame."""
    (line,) = check_gradient(model, wrong_coefficients, THETA, mode=mode).wrong_lines
    assert line.location.first_line == line_of(wrong_coefficients, "dw = ")
    assert line.parameters == ("theta",)


def test_gradient_that_is_no_packed_one_is_left_as_it_is() -> None:
    """Parts must follow one another, and make up all of it."""

    def halved(theta: Any) -> Any:
        return wrong_coefficients(theta) / 2

    search = search_of(model, halved, THETA)
    assert list(search.claims.wrong) == ["theta"]


def test_parts_in_the_wrong_order_are_not_blamed_on_what_made_them_alone() -> None:
    """Each of them is right, for another place."""
    wrong = line_of(wrong_order, "return")
    for line in check_gradient(model, wrong_order, THETA).wrong_lines:
        assert line.location.first_line <= wrong <= line.location.last_line
