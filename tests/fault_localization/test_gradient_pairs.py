"""Pairs of gradients and intermediate values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pytest_gradcheck.fault_localization.execution.recorded_values import Version
from pytest_gradcheck.fault_localization.execution.variables import Path
from pytest_gradcheck.fault_localization.gradient_pairs import fits
from tests.fault_localization.functions import W, X, two_layers, wrong_two_layers
from tests.fault_localization.searches import made_at, search_of


def test_gradient_is_found_by_its_value() -> None:
    """Whatever it is called; and a wrong one is that of nothing."""
    search = search_of(two_layers, wrong_two_layers, X, W, wrt="p")
    (pair,) = [p for p in search.pairs.of(made_at(search, "da1")) if not p.target.is_use]
    assert str(pair.target.path) == "a1"
    assert pair.factor == 1.0
    assert search.pairs.factor(made_at(search, "dz1")) is None


def test_multiple_of_a_gradient_has_a_factor() -> None:
    """The factor is known to many digits."""

    def f(w: Any) -> Any:
        r = X @ w
        return np.sum(r**3)

    def g(w: Any) -> Any:
        dr = 21 * (X @ w) ** 2
        return X.T @ dr

    search = search_of(f, g, np.ones(3))
    assert search.pairs.factor(made_at(search, "dr")) == pytest.approx(7.0, rel=1e-6)
    assert search.pairs.is_multiple(made_at(search, "dr"), (7.0,))


def test_derivative_through_one_use_is_a_part() -> None:
    """The value has another use, which it does not know of."""

    def f(w: Any) -> Any:
        r = X @ w
        s = np.sin(r)
        return np.sum(s * r)

    def g(w: Any) -> Any:
        r = X @ w
        ds = r
        part = ds * np.cos(r)
        dr = part + 2 * np.sin(r)
        return X.T @ dr

    search = search_of(f, g, np.ones(3))
    assert search.pairs.is_part(made_at(search, "part"))


@pytest.mark.parametrize(
    ("gradient", "value", "expected"),
    [
        (np.ones((2, 3)), np.ones((2, 3)), True),
        (np.ones((2, 1)), np.ones(2), True),
        (np.ones((3, 2)), np.ones((2, 3)), False),
        (np.ones(2, dtype=bool), np.ones(2), True),
        (np.ones(2), np.ones(2, dtype=int), False),
    ],
    ids=["same", "axis of length 1", "transposed", "mask", "derivative by integers"],
)
def test_shapes_and_types_tell_what_may_be_a_gradient(
    gradient: np.ndarray[Any, Any], value: np.ndarray[Any, Any], expected: bool
) -> None:
    """Axes of length one do not matter; integers have no derivative."""
    one, other = (Version(Path("v"), v, None, 1, 0) for v in (gradient, value))
    assert fits(one, other) is expected


def quadratic(a: Any) -> Any:
    """Return a function of a symmetric matrix, of which one triangle is read."""
    k = np.outer(a, a) + np.eye(3)
    return np.sum(np.log(np.diag(np.linalg.cholesky(k))))


def wrong_quadratic(a: Any) -> Any:
    """Return three times its gradient."""
    dk = np.linalg.inv(np.outer(a, a) + np.eye(3))
    return 3 * dk @ a


def test_gradient_by_a_symmetric_matrix_is_compared_along_symmetric_directions() -> None:
    """Forward may read one triangle; and formulas have twice the gradient on the way."""
    search = search_of(quadratic, wrong_quadratic, np.array([0.3, 0.5, 0.9]))
    dk = made_at(search, "dk")
    assert search.pairs.factor(dk) == pytest.approx(2.0)
    assert search.pairs.is_convention(dk)
    assert dk in search.usual_multiples()


def test_wrong_gradient_is_uneven_where_it_is_no_multiple() -> None:
    """A factor alone does not explain it."""

    def f(w: Any) -> Any:
        return np.sum(np.sin(X @ w))

    def doubled(w: Any) -> Any:
        return 2 * X.T @ np.cos(X @ w)

    def uneven(w: Any) -> Any:
        return X.T @ np.cos(X @ w) ** 2

    for backward, is_uneven in ((doubled, False), (uneven, True)):
        search = search_of(f, backward, np.ones(3))
        assert search.pairs.is_uneven("w", search.claims.wrong["w"]) is is_uneven
