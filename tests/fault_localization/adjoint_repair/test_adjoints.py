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


def wrong_gradient(x: Any) -> Any:
    """Return something in place of a gradient."""
    d = 2 * x
    return (d,)


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


def test_default_of_a_number_is_no_value_of_forward() -> None:
    """A function that forward calls has one, as the smallest variance."""

    def norm(z: Any, eps: float = 1e-5) -> Any:
        centred = z - z.mean()
        return centred / np.sqrt((centred**2).mean() + eps)

    def f(x: Any) -> Any:
        y = norm(np.sin(x))
        return np.sum(y**3)

    x = np.array([0.2, 0.5, 1.2])
    found = adjoints_in(f, wrong_gradient, x)
    assert found is not None
    (y,) = made_as(found, "y")
    assert np.allclose(found.totals[y], 3 * y.value**2)
    assert np.allclose(found.parameters["x"], slopes(f, x), rtol=1e-6)


def slopes(f: Any, x: Any) -> Any:
    """Return differences of a function of one vector."""
    changes = 1e-6 * np.eye(len(x))
    return np.array([(f(x + change) - f(x - change)) / 2e-6 for change in changes])


def scaled(a: Any) -> Any:
    """Return a function of an array, by a statement."""
    y = np.sin(a)
    return y * a


def of_generator(x: Any) -> Any:
    """Call a function of one's own in a generator expression that is unpacked."""
    q, k = (scaled(a) for a in np.split(x, 2))
    s = q * k
    return np.sum(s**2)


def of_list(x: Any) -> Any:
    """Call one in a list comprehension."""
    s = np.array([np.sum(scaled(c * x)) for c in (1.0, 2.0)])
    return np.sum(s**2)


def of_sum(x: Any) -> Any:
    """Call one in a sum of numbers."""
    s = sum(np.sum(scaled(c * x)) for c in (1.0, 2.0, 3.0))
    return s**2


@pytest.mark.parametrize("forward", [of_generator, of_list, of_sum])
def test_functions_in_comprehensions_are_called_again(forward: Any) -> None:
    """What they compute remains unknown, and all that is made of it is known."""
    x = np.array([0.3, -0.8, 1.1, 0.6])
    found = adjoints_in(forward, wrong_gradient, x)
    assert found is not None
    (s,) = made_as(found, "s")
    assert np.allclose(found.totals[s], 2 * s.value)
    assert np.allclose(found.parameters["x"], slopes(forward, x), rtol=1e-6)


def test_masked_entries_are_infinite() -> None:
    """They remain so, and have no influence."""
    mask = np.tri(3, dtype=bool)

    def f(x: Any) -> Any:
        scores = np.outer(x, x)
        masked = np.where(mask, scores, -np.inf)
        e = np.exp(masked - masked.max(axis=1, keepdims=True))
        p = e / e.sum(axis=1, keepdims=True)
        return np.sum(p**2)

    x = np.array([0.4, -0.7, 1.3])
    found = adjoints_in(f, wrong_gradient, x)
    assert found is not None
    (masked,), (p,) = made_as(found, "masked"), made_as(found, "p")
    dp = 2 * p.value
    expected = p.value * (dp - (dp * p.value).sum(axis=1, keepdims=True))
    assert np.allclose(found.totals[masked], expected)
    assert np.allclose(found.parameters["x"], slopes(f, x), rtol=1e-6)


class Node:
    """What a small engine computes with."""

    def __init__(self, data: Any) -> None:
        self.data = np.asarray(data)

    def sin(self) -> Node:
        """Return another one."""
        return Node(np.sin(self.data))

    def __mul__(self, other: Node) -> Node:
        return Node(self.data * other.data)


def test_arrays_in_objects_that_a_constructor_makes() -> None:
    """They are read of the objects."""

    def f(x: Any) -> Any:
        node = Node(x)
        y = node.sin() * node
        return np.sum(y.data**2)

    x = np.array([0.4, -0.7, 1.3])
    found = adjoints_in(f, wrong_gradient, x)
    assert found is not None
    expected = 2 * np.sin(x) * x * (np.sin(x) + np.cos(x) * x)
    assert np.allclose(found.parameters["x"], expected)
    products = [v for v in found.totals if v.is_floating and np.allclose(v.value, np.sin(x) * x)]
    assert any(np.allclose(found.totals[one], 2 * np.sin(x) * x) for one in products)


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


def test_cache_has_an_output_once_more() -> None:
    """It is one output all the same."""

    def f(x: Any) -> Any:
        y = np.sin(x)
        z = y**2
        return y, z, (x, y)

    def g(dy: Any, dz: Any, cache: Any) -> Any:
        x, y = cache
        return ((dy + dz * y) * np.cos(x),)

    x = np.array([0.3, 0.7])
    found = adjoints_in(f, g, x, has_cache=True)
    assert found is not None
    (y,) = made_as(found, "y")
    cotangents = [part.value for part in found.parts[y] if part.step is None]
    assert len(cotangents) == 1
    derivative = found.totals[y] * np.cos(x)
    assert np.allclose(found.parameters["x"], derivative, rtol=1e-8)


def test_diagonal_jacobians_take_four_reexecutions(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many entries there are, each of which depends on one only."""
    monkeypatch.setattr(local_jacobians, "MOST_REEXECUTIONS_OF_ALL", 60)

    def f(x: Any) -> Any:
        table = np.zeros(10)
        for k in range(3):
            table[k] += x[k]
        return table.sum() ** 2

    def g(x: Any) -> Any:
        d = 3 * x.sum() * np.ones_like(x)
        return (d,)

    x = np.array([0.3, 0.7, 0.4])
    found = adjoints_in(f, g, x)
    assert found is not None
    assert np.allclose(found.parameters["x"], 2 * x.sum(), rtol=1e-8)


@pytest.mark.parametrize("f", [np.cumsum, np.flip, np.linalg.norm, lambda x: x * x.max()])
def test_entries_that_depend_on_others_are_no_diagonal(f: Any) -> None:
    """Whatever the shape of what is made of them."""

    def forward(x: Any) -> Any:
        y = f(x)
        return np.sum(np.sin(y))

    x = np.array([0.3, 0.7, 0.4, 1.1])
    found = adjoints_in(forward, wrong_gradient, x)
    assert found is not None
    assert np.allclose(found.parameters["x"], slopes(forward, x), rtol=1e-6)


def test_array_whose_entries_are_not_set_is_filled_later() -> None:
    """What was in memory before is not taken for a value."""

    def forward(x: Any) -> Any:
        h = np.empty((2, x.size))
        k = np.empty_like(x)
        h[0] = np.sin(x)
        h[1] = h[0] ** 2
        k[:] = h[1] * x
        return np.sum(k)

    found = adjoints_in(forward, wrong_gradient, X[0])
    assert found is not None
    assert np.allclose(
        found.parameters["x"], np.sin(X[0]) ** 2 + X[0] * np.sin(2 * X[0]), rtol=1e-8
    )


class TwoLayers:
    """A model with its parameters in a list, too, and numbers among its attributes."""

    def __init__(self) -> None:
        self.first, self.second = Layer(W["W1"]), Layer(W["W2"])
        self.params = [self.first.params[0], self.second.params[0]]
        self.scale = 0.5

    def forward(self, x: Any) -> Any:
        """Return the sum of squares of the outputs."""
        h = self.first.forward(x)
        self.cache = (x, h)
        y = self.scale * self.second.forward(h)
        return np.sum(y**2)

    def backward(self) -> Any:
        """Return the gradients of the first layer only."""
        x, _ = self.cache
        dW1 = np.ones((x.shape[1], self.params[0].shape[1]))
        return dW1, np.ones_like(self.params[1])


class Layer:
    """An affine layer with a list of its parameters."""

    def __init__(self, W: Any) -> None:
        self.params = [W.copy()]

    def forward(self, x: Any) -> Any:
        """Return the outputs."""
        self.x = x
        return np.tanh(x @ self.params[0])


def test_parameter_has_several_names() -> None:
    """A list of all parameters has those of the layers."""
    model = TwoLayers()
    found = adjoints_in(model.forward, model.backward, X, wrt="self.params")
    assert found is not None
    h = np.tanh(X @ W["W1"])
    y = np.tanh(h @ W["W2"])
    dz = 0.5 * y * (1 - y**2)
    dz1 = dz @ W["W2"].T * (1 - h**2)
    assert np.allclose(found.parameters["self.params[1]"], (h.T @ dz).reshape(-1), rtol=1e-7)
    assert np.allclose(found.parameters["self.params[0]"], (X.T @ dz1).reshape(-1), rtol=1e-7)


def test_number_that_is_an_attribute_is_not_made_by_an_assignment_to_another_one() -> None:
    """It only becomes known there."""
    model = TwoLayers()
    found = adjoints_in(model.forward, model.backward, X, wrt="self.params")
    assert found is not None
    (scale,) = (v for v in found.totals if str(v.path) == "self.scale")
    assert scale.step is None


def test_numbers_that_a_loop_takes_out_of_an_array() -> None:
    """They are entries of it."""

    def forward(W: Any, x: Any) -> Any:
        total = 0.0
        for one, other in zip(W, x, strict=True):
            product = one * other
            total = total + np.sin(product)
        return total

    weights, x = np.array([0.31, 0.52, 0.73]), np.array([1.19, -0.27, 0.48])
    found = adjoints_in(forward, wrong_sweep, weights, x)
    assert found is not None
    np.testing.assert_allclose(found.parameters["W"], np.cos(x * weights) * x)
    np.testing.assert_allclose(found.parameters["x"], np.cos(x * weights) * weights)


def test_numbers_that_were_in_a_container() -> None:
    """They are the ones with the same digits that were computed before."""

    def simulated(x: Any) -> Any:
        history = []
        for row in X:
            cost, growth = np.sum(row * x) ** 2, 1 + row @ x
            history.append((cost, growth))
        return history

    def forward(x: Any) -> Any:
        total = 0.0
        for row, (cost, growth) in zip(X, simulated(x), strict=True):
            total = total + cost * growth + row @ x
        return total

    x = np.linspace(0.2, 0.7, X.shape[1])
    found = adjoints_in(forward, wrong_gradient, x)
    assert found is not None
    s = X @ x
    np.testing.assert_allclose(found.parameters["x"], (2 * s * (1 + s) + s**2 + 1) @ X)


def test_number_with_few_digits_may_be_another_one() -> None:
    """One half is often in a function, whatever it stands for."""

    def forward(x: Any) -> Any:
        half = x[0] * 2.0
        kept = [0.5]
        for scale in kept:
            half = half + scale * x[1]
        return half**2

    x = np.array([0.25, 3.0])
    found = adjoints_in(forward, wrong_gradient, x)
    assert found is not None
    np.testing.assert_allclose(found.parameters["x"], [8.0, 2.0])


def test_statement_that_is_executed_many_times() -> None:
    """Each of its values has a derivative, as the entries of a table."""

    def forward(x: Any) -> Any:
        table = np.zeros((10, 10))
        for i in range(10):
            for j in range(10):
                table[i, j] = x[i] * x[j] + i
        return np.sum(table**2)

    x = np.linspace(0.5, 1.5, 10)
    found = adjoints_in(forward, wrong_gradient, x)
    assert found is not None
    table = np.outer(x, x) + np.arange(10.0)[:, None]
    np.testing.assert_allclose(found.parameters["x"], 2 * (table + table.T) @ x)
