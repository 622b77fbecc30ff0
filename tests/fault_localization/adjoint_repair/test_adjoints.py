"""Derivatives by all values of forward, from the Jacobians of its statements."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck.fault_localization.adjoint_repair import local_jacobians
from pytest_gradcheck.fault_localization.adjoint_repair.adjoints import Adjoints
from pytest_gradcheck.fault_localization.execution.recorded_values import Version
from tests.fault_localization.functions import W, X, two_layers, wrong_two_layers
from tests.fault_localization.searches import search_of


def adjoints_in(*args: Any, **options: Any) -> Adjoints | None:
    """Return the adjoints that the search of a failing check finds."""
    return search_of(*args, **options).adjoints()


def made_as(found: Adjoints, name: str) -> list[Version]:
    """Return the values of a variable of forward, in order."""
    versions = [v for v in found.totals if v.path.name == name and v.is_floating]
    return sorted(versions, key=lambda version: version.number)


def sweep(W: Any, x: Any) -> Any:
    """Return the sum of squares of the states of a recurrence."""
    h, total = x, 0.0
    for row in X:
        h = step(W, h) + row
        total = total + np.sum(h**2)
    return total


def step(W: Any, h: Any) -> Any:
    """Return the next state but for its input."""
    z = W @ h
    return np.tanh(z)


def wrong_sweep(W: Any, x: Any) -> Any:
    """Return nothing but ones in place of its gradients."""
    return np.ones_like(W), np.ones_like(x)


def test_derivatives_by_intermediate_values() -> None:
    """By all of their entries."""
    found = adjoints_in(two_layers, wrong_two_layers, X, W, wrt="p")
    assert found is not None
    (z1,), (z2,) = made_as(found, "z1"), made_as(found, "z2")
    dz2 = 2 * np.tanh(X @ W["W1"]) @ W["W2"]
    dz1 = dz2 @ W["W2"].T * (1 - np.tanh(X @ W["W1"]) ** 2)
    assert np.allclose(found.totals[z2], dz2, rtol=1e-8)
    assert np.allclose(found.totals[z1], dz1, rtol=1e-8)
    assert np.allclose(found.parameters["p['W2']"], (np.tanh(z1.value).T @ dz2).reshape(-1))


def test_functions_that_forward_calls_are_followed() -> None:
    """Values inside of them have derivatives, too."""
    weights, x = np.diag([0.5, 0.4, 0.3]), np.array([0.1, 0.2, 0.3])
    found = adjoints_in(sweep, wrong_sweep, weights, x)
    assert found is not None
    states, inner = made_as(found, "h"), made_as(found, "z")
    last = 2 * states[-1].value
    assert np.allclose(found.totals[states[-1]], last)
    assert np.allclose(found.totals[inner[-1]], last * (1 - np.tanh(inner[-1].value) ** 2))


def test_parts_are_those_of_single_uses_the_last_first() -> None:
    """They add up to the derivative."""
    weights, x = np.diag([0.5, 0.4, 0.3]), np.array([0.1, 0.2, 0.3])
    found = adjoints_in(sweep, wrong_sweep, weights, x)
    assert found is not None
    (matrix,) = made_as(found, "W")[:1]
    parts = found.parts[matrix]
    assert [part.step.occurrence for part in parts if part.step] == [3, 2, 1, 0]
    assert np.allclose(sum(part.value for part in parts), found.totals[matrix])


def test_small_entries_beside_large_ones_are_changed_by_less() -> None:
    """As probabilities close to zero have to be."""

    def f(x: Any) -> Any:
        p = np.exp(x)
        return np.sum(np.log(p))

    def g(x: Any) -> Any:
        d = 2 * np.ones_like(x)
        return (d,)

    found = adjoints_in(f, g, np.array([0.0, -1.0, -14.0]))
    assert found is not None
    assert np.allclose(found.parameters["x"], 1, rtol=1e-5)


def test_what_disagrees_with_forward_is_not_used() -> None:
    """A value may come from where it is not seen."""

    class Box:
        __slots__ = ("value",)

        value: Any

    def f(x: Any) -> Any:
        box = Box()
        box.value = np.sin(x)
        y = box.value * x
        return np.sum(y)

    def g(x: Any) -> Any:
        d = np.cos(x) + x
        return (d,)

    assert adjoints_in(f, g, np.array([0.3, 0.4])) is None


def test_statements_are_repeated_so_often_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else nothing is found."""
    monkeypatch.setattr(local_jacobians, "MOST_REEXECUTIONS_OF_ALL", 10)
    assert adjoints_in(two_layers, wrong_two_layers, X, W, wrt="p") is None


def test_unknown_functions_are_repeated_less_often() -> None:
    """They may take long."""
    size = local_jacobians.MOST_REEXECUTIONS

    def f(x: Any) -> Any:
        y = operator.mul(x, x)
        return np.sum(y)

    def g(x: Any) -> Any:
        d = 3 * x
        return (d,)

    assert adjoints_in(f, g, np.linspace(1, 2, 4)) is not None
    assert adjoints_in(f, g, np.linspace(1, 2, size)) is None


def test_seeds_are_the_cotangents() -> None:
    """Of one output, or several in order."""

    def f(x: Any) -> Any:
        return np.sin(x), 3 * x

    def g(x: Any, dy: Any, dz: Any) -> Any:
        return dy * np.sin(x) + 3 * dz

    search = search_of(f, g, np.array([0.2, 0.7]))
    found = search.adjoints()
    cotangent = search.problem.cotangent
    assert found is not None
    assert cotangent is not None
    expected = cotangent[:2] * np.cos([0.2, 0.7]) + 3 * cotangent[2:]
    assert np.allclose(found.parameters["x"], expected)
