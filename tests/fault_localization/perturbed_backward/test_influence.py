"""What values of backward influence."""

from __future__ import annotations

from typing import Any

import numpy as np

from pytest_gradcheck.fault_localization.perturbed_backward.influence import CHANGE
from tests.fault_localization.functions import W, X, two_layers, wrong_two_layers
from tests.fault_localization.searches import made_at, search_of


def test_response_is_what_changes_with_a_value() -> None:
    """By how much, and what backward claims then."""
    search = search_of(two_layers, wrong_two_layers, X, W, wrt="p")
    dz1, dW1, dW2 = (made_at(search, name) for name in ("dz1", "dW1", "dW2"))
    response = search.influence.response(dz1, CHANGE * dz1.value)
    assert np.allclose(response.differences[dW1], CHANGE * dW1.value)
    assert dW2 not in response.differences
    assert response.claim is not None


def test_verified_gradient_that_depends_on_a_value_shows_that_it_is_right() -> None:
    """One that does not depend on it shows nothing."""
    search = search_of(two_layers, wrong_two_layers, X, W, wrt="p")
    dz2, da1, dW2 = (made_at(search, name) for name in ("dz2", "da1", "dW2"))
    assert search.influence.shows(dz2, [dW2], is_multiple=False)
    assert not search.influence.shows(da1, [dW2], is_multiple=False)


def test_exchange_of_entries_is_hidden_in_their_sum() -> None:
    """A sum has fewer entries than what it was computed from."""

    def f(w: Any, b: Any) -> Any:
        return np.sum(np.sin(X * w + b))

    def g(w: Any, b: Any) -> Any:
        d = np.cos(X * w + b)
        db = np.sum(d)
        dw = 2 * np.sum(d * X)
        return dw, db

    search = search_of(f, g, 0.3, 0.2)
    d, db = made_at(search, "d"), search.claims.right["b"]
    assert not search.influence.shows(d, [db], is_multiple=False)
    assert search.influence.shows(d, [db], is_multiple=True)


def test_weighted_sum_tells_entries_apart() -> None:
    """Neighbours in each row and column have effects of their own."""

    def f(a: Any, b: Any) -> Any:
        return np.sum(np.sin(a @ b))

    def g(a: Any, b: Any) -> Any:
        c = 1.0 * a
        r = c @ b
        s = c.sum(axis=0)
        return 2 * np.outer(np.cos(r), b), c.T @ np.cos(r) + 0 * s

    search = search_of(f, g, np.arange(9.0).reshape(3, 3) / 9 + 0.1, X[0])
    c, r, s = (made_at(search, name) for name in "crs")
    assert search.influence.shows(c, [r], is_multiple=False)
    assert not search.influence.shows(c, [s], is_multiple=False)


def test_square_does_not_show_the_sign() -> None:
    """What depends on the value itself does."""

    def f(a: Any) -> Any:
        return np.sum(np.sin(a**2))

    def g(a: Any) -> Any:
        c = 1.0 * a
        r = c**2
        s = c**3
        return 3 * c * np.cos(r) + 0 * s

    search = search_of(f, g, X[0])
    c, r, s = (made_at(search, name) for name in "crs")
    assert search.influence.shows(c, [r], is_multiple=False)
    assert not search.influence.shows_sign(c, [r])
    assert search.influence.shows_sign(c, [r, s])
