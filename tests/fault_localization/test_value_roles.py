"""The roles of the values that were recorded."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.fault_localization.functions import Layer, X
from tests.fault_localization.searches import made_at, search_of


def test_upstream_gradient_belongs_to_its_output() -> None:
    """What is computed from it may be a gradient."""
    layer = Layer()
    search = search_of(layer.forward, layer.backward, X, wrt=("x", "self.W", "self.b"))
    ((cotangent, output),) = search.roles.cotangents.items()
    assert str(cotangent.path) == "dout"
    assert str(output.path) == "self.h"
    assert search.roles.descendants is not None
    assert made_at(search, "dz") in search.roles.descendants


def test_claims_are_told_by_what_the_check_found() -> None:
    """The value that was returned for each parameter."""

    def f(w: Any, b: Any) -> Any:
        return np.sum(np.sin(X @ w + b))

    def g(w: Any, b: Any) -> Any:
        d = np.cos(X @ w + b)
        return 2 * X.T @ d, d

    search = search_of(f, g, np.ones(3), np.ones(4))
    assert set(search.claims.wrong) == {"w"}
    assert search.claims.right["b"] is made_at(search, "d")


def test_what_forward_has_too_is_recomputed() -> None:
    """In a loop, all values of the name must be there in the same order."""

    def f(w: Any) -> Any:
        total = 0.0
        for row in X:
            size = row * 2
            total = total + np.sum(np.sin(size * w))
        return total

    def g(w: Any) -> Any:
        dw = np.zeros_like(w)
        twice = 2 * w
        for row in X[::-1]:
            size = row * 2
            dw += np.cos(size * w) * row
        return dw + 0 * twice

    search = search_of(f, g, np.ones(3))
    assert made_at(search, "size") not in search.roles.recomputed
    (zeros,) = [v for v in search.roles.initial if str(v.path) == "dw"]
    assert not zeros.value.any()


def test_value_that_is_never_read_is_unused() -> None:
    """Neither is it returned."""

    def f(w: Any) -> Any:
        return np.sum(np.sin(X @ w))

    def g(w: Any) -> Any:
        d = np.cos(X @ w)
        right = X.T @ d
        assert right is not None
        return 2 * X.T @ d

    search = search_of(f, g, np.ones(3))
    assert made_at(search, "d") not in search.roles.unused


def test_what_forward_computes_otherwise_is_recomputed_but_for_rounding() -> None:
    """Under its name, whatever it was computed from; other values only from data alone."""

    def f(w: Any) -> Any:
        r = np.sqrt(np.sum(w**2))
        s = (w / r) ** 3
        return np.sum(s)

    def g(w: Any) -> Any:
        r2 = w @ w
        u = w / r2**0.5
        s = u * u * u
        t = u * u**2
        return 2 * (3 * s / w - 3 * np.sum(t) * w / r2)

    search = search_of(f, g, X[0])
    assert made_at(search, "s") in search.roles.recomputed
    assert made_at(search, "t") not in search.roles.recomputed
    assert made_at(search, "u") not in search.roles.recomputed


def test_all_values_of_a_loop_in_order_are_recomputed_under_any_name() -> None:
    """A single number under another name may be equal by chance."""

    def f(w: Any) -> Any:
        total = np.sum(w) / 4
        for i in range(2):
            d = np.sqrt(np.sum((w[i + 1] - w[i]) ** 2))
            total += d**3
        return total

    def g(w: Any) -> Any:
        out = np.full_like(w, 0.25)
        for i in range(2):
            delta = w[i + 1] - w[i]
            dist = np.linalg.norm(delta)
            out[i + 1] += 2 * dist * delta
            out[i] -= 2 * dist * delta
        return out

    search = search_of(f, g, X)
    distances = [v for v in search.roles.gradients if str(v.path) == "dist"]
    assert len(distances) == 2
    assert search.roles.recomputed.issuperset(distances)
