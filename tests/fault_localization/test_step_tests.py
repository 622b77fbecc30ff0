"""Tests of single steps of backward."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.fault_localization.functions import W, X, two_layers, wrong_two_layers
from tests.fault_localization.searches import made_at, search_of


def test_step_that_is_right_follows_from_a_wrong_value() -> None:
    """The product with a response is the same before and after it."""
    search = search_of(two_layers, wrong_two_layers, X, W, wrt="p")
    claim, read = made_at(search, "dW1"), made_at(search, "dz1")
    assert search.tests.follows(claim, [read], frozenset({1.0}))


def test_step_that_is_wrong_does_not_follow() -> None:
    """Though what it reads is right."""
    search = search_of(two_layers, wrong_two_layers, X, W, wrt="p")
    assert not search.tests.follows(
        made_at(search, "dz1"), [made_at(search, "da1")], frozenset({1.0})
    )


def test_several_steps_are_tested_at_once() -> None:
    """Where a value between them is the gradient of no variable of forward."""

    def f(w: Any) -> Any:
        r = X @ w
        s = np.sin(np.cos(r))
        return np.sum(s**2)

    def g(w: Any) -> Any:
        r = X @ w
        ds = 3 * np.sin(np.cos(r)) * r
        between = ds * np.cos(np.cos(r))
        dr = -between * np.sin(r)
        return X.T @ dr

    search = search_of(f, g, np.array([0.3, -0.2, 0.5]))
    dr, between = made_at(search, "dr"), made_at(search, "between")
    assert search.tests.follows(dr, [between], frozenset({1.0}))
    assert search.tests.has_passed(between)


def test_copy_does_not_follow() -> None:
    """It may lack the derivative of what forward has done."""

    def f(w: Any) -> Any:
        r = X @ w
        s = np.sin(r)
        return np.sum(s**2)

    def g(w: Any) -> Any:
        ds = 3 * np.sin(X @ w) ** 2
        dr = ds * 1.0
        return X.T @ dr

    search = search_of(f, g, np.ones(3))
    assert not search.tests.follows(
        made_at(search, "dr"), [made_at(search, "ds")], frozenset({1.0})
    )
