"""Statements that make all gradients right when they make other values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import check_gradient
from pytest_gradcheck.fault_localization import locate_wrong_lines
from pytest_gradcheck.fault_localization.adjoint_repair import repairs
from pytest_gradcheck.fault_localization.blame import Suspicion
from pytest_gradcheck.fault_localization.search import Search
from tests.fault_localization.functions import X, line_of, rnn, rnn_backward
from tests.fault_localization.searches import returned_in_search

RNG = np.random.default_rng(3)
PARAMETERS = RNG.normal(size=(3, 2)), np.array([[0.5, 0.2], [-0.3, 0.4]])


def lines(forward: Any, backward: Any, *args: Any, **options: Any) -> list[int]:
    """Return the first lines of the statements that the repair of a failing check leaves."""
    _, suspicion = returned_in_search("repaired", forward, backward, *args, **options)
    return [] if suspicion is None else [s.first_line for s in suspicion.statements]


def state(x: Any, W: Any, b: Any) -> Any:
    """Return the sum of squares of the states of a recurrence, with its cache."""
    h, states, total = np.zeros(2), [], 0.0
    for row in x:
        previous = h
        h = np.tanh(W @ previous + row) + b
        states.append((previous, h))
        total = total + np.sum(h**2)
    return total, states


ARGS = (X[:, :2], PARAMETERS[1], np.array([0.1, -0.2]))


def test_statement_in_a_loop_is_named_though_all_later_values_are_wrong() -> None:
    """Its right values are the derivatives, from the last step to the first."""
    xs = X[:, :3]
    assert lines(rnn, rnn_backward, xs, *PARAMETERS, wrt=("Wx", "Wh")) == [
        line_of(rnn_backward, "dnext = dz @ Wh")
    ]


def test_sum_over_steps_is_right_after_each_of_them() -> None:
    """A sum that begins anew at each step is known by what it should be after the second."""

    def backward(x: Any, W: Any, b: Any, cache: Any) -> Any:
        dW, db, dh = np.zeros_like(W), np.zeros_like(b), np.zeros_like(b)
        for previous, h in reversed(cache):
            dh = dh + 2 * h
            db = 1 * dh
            dz = dh * (1 - (h - b) ** 2)
            dW += np.outer(dz, previous)
            dh = W.T @ dz
        return dW, db

    options = {"wrt": ("W", "b"), "has_cache": True}
    assert lines(state, backward, *ARGS, **options) == [line_of(backward, "db = 1")]


def test_sum_that_nothing_is_added_to_is_named_where_it_begins() -> None:
    """Whether it is returned, or another gradient is computed from it."""

    def unfilled(x: Any, W: Any, b: Any, cache: Any) -> Any:
        dW, db, dh = np.zeros_like(W), np.zeros_like(b), np.zeros_like(b)
        for _, h in reversed(cache):
            dh = dh + 2 * h
            db += dh
            dh = W.T @ (dh * (1 - (h - b) ** 2))
        return dW, db

    def computed(x: Any, W: Any, b: Any, cache: Any) -> Any:
        dW, dh = np.zeros_like(W), np.zeros_like(b)
        d_h = np.zeros_like(b)
        for previous, h in reversed(cache):
            dh = dh + 2 * h
            dz = dh * (1 - (h - b) ** 2)
            dW += np.outer(dz, previous)
            dh = W.T @ dz
        return dW, 2.0 * d_h

    options = {"wrt": ("W", "b"), "has_cache": True}
    assert lines(state, unfilled, *ARGS, **options) == [line_of(unfilled, "dW, db, dh")]
    assert lines(state, computed, *ARGS, **options) == [line_of(computed, "d_h =")]


def test_term_that_is_missing_in_a_step() -> None:
    """What is there is the derivative through other uses; it has to be that through all."""

    def backward(x: Any, W: Any, b: Any, cache: Any) -> Any:
        dW, db, dh = np.zeros_like(W), np.zeros_like(b), np.zeros_like(b)
        for previous, h in reversed(cache):
            dh = 2 * h
            db += dh
            dz = dh * (1 - (h - b) ** 2)
            dW += np.outer(dz, previous)
            dh = W.T @ dz
        return dW, db

    options = {"wrt": ("W", "b"), "has_cache": True}
    assert lines(state, backward, *ARGS, **options) == [line_of(backward, "dh = 2 * h")]


def test_what_is_added_in_a_step_may_be_wrong() -> None:
    """The sum before it is kept."""

    def backward(x: Any, W: Any, b: Any, cache: Any) -> Any:
        dW, db, dh = np.zeros_like(W), np.zeros_like(b), np.zeros_like(b)
        for previous, h in reversed(cache):
            dh += 2 * h
            db += dh
            dz = dh * (1 - (h - b) ** 2)
            dW += np.outer(previous, dz)
            dh = W.T @ dz
        return dW, db

    options = {"wrt": ("W", "b"), "has_cache": True}
    assert lines(state, backward, *ARGS, **options) == [line_of(backward, "dW +=")]


def test_unknown_value_that_a_statement_has_read_may_be_why() -> None:
    """No value of forward tells which of the two statements is wrong."""

    def f(w: Any) -> Any:
        y = np.sin(w) * np.cos(w)
        return np.sum(y)

    def g(w: Any) -> Any:
        half = 0.5 * (np.cos(w) ** 2 - np.sin(w) ** 2)
        dw = 4 * half
        return (dw,)

    assert lines(f, g, X) == [line_of(g, "dw ="), line_of(g, "half =")]


def test_right_gradient_that_is_not_returned() -> None:
    """The statement that returns something else is to blame."""

    def f(a: Any, b: Any) -> Any:
        y = np.sin(a) * b
        return np.sum(y)

    def g(a: Any, b: Any) -> Any:
        da = np.cos(a) * b
        db = np.sin(a)
        return db, da

    assert lines(f, g, X, X + 1) == [line_of(g, "return")]


def test_call_that_gives_a_function_something_wrong() -> None:
    """A function that is called once, and does not compute what is expected, is not blamed."""

    def product(dout: Any, x: Any) -> Any:
        dx = dout * np.cos(x)
        return dx * 1

    def f(w: Any) -> Any:
        u = w**2
        y = np.sin(u)
        return np.sum(y)

    def g(w: Any) -> Any:
        u = w**2
        du = product(np.ones_like(u), w)
        dw = 2 * w * du
        return (dw,)

    assert set(lines(f, g, X)) == {line_of(product, "dx ="), line_of(g, "du =")}


def test_number_of_entries_may_be_why() -> None:
    """A value is a multiple of what it should be, and was divided by a number."""

    def f(w: Any) -> Any:
        return np.mean(np.sin(w))

    def g(w: Any) -> Any:
        count = w.shape[0]
        dw = np.cos(w) / count
        return (dw,)

    assert set(lines(f, g, X)) == {line_of(g, "count ="), line_of(g, "dw =")}


def test_sum_to_which_a_statement_adds_may_be_wrong() -> None:
    """That the sum has to be right afterwards does not show that it was before."""

    def f(w: Any) -> Any:
        a, b, c = 2 * w, 3 * w, w**2
        return np.sum(np.sin(a) * np.cos(b) * c)

    def g(w: Any) -> Any:
        a, b, c = 2 * w, 3 * w, w**2
        dw = 2 * np.cos(a) * np.cos(b) * c * 1.5
        dw += 2 * w * np.sin(a) * np.cos(b) - 3 * np.sin(a) * np.sin(b) * c
        return (dw,)

    assert set(lines(f, g, X)) == {line_of(g, "dw = "), line_of(g, "dw +=")}


def squashed(z: Any) -> Any:
    """Return what forward and backward compute from their own arguments."""
    shifted = z - 0.5
    return np.tanh(shifted)


def test_statement_that_forward_executes_is_right() -> None:
    """What it is given by backward is wrong."""

    def f(w: Any) -> Any:
        y = squashed(w * 2)
        return np.sum(y**2)

    def g(w: Any) -> Any:
        y = squashed(w * 3)
        dw = 4 * y * (1 - y**2)
        return (dw,)

    assert line_of(squashed, "shifted =") not in lines(f, g, X)
    assert line_of(g, "y = ") in lines(f, g, X)


def test_value_that_a_condition_depends_on_may_be_wrong() -> None:
    """Statements are executed for other pairs than in forward."""
    places, cut = np.array([0.0, 0.9, 1.9, 3.2]), 2.5

    def f(x: Any) -> Any:
        total = 0.0
        for i in range(4):
            for j in range(i):
                d = x[i] - x[j]
                r2 = d**2
                if r2 > cut:
                    continue
                total = total + r2**2
        return total

    def g(x: Any) -> Any:
        dx = np.zeros(4)
        for i in range(4):
            for j in range(i):
                d = x[i] - x[j]
                r2 = 3 * d**2
                if r2 > cut:
                    continue
                part = 4 * d**3
                dx[i] += part
                dx[j] -= part
        return (dx,)

    assert line_of(g, "r2 = 3") in lines(f, g, places)


def test_something_is_missing_between_two_statements() -> None:
    """What is added is right, and so is what it is added to, as the derivative by a value."""

    def f(x: Any) -> Any:
        h = np.tanh(x)
        a = h + 1
        b = h**3
        c = np.exp(h)
        return np.sum(np.sin(a)) + np.sum(b**2) + np.sum(c**2)

    def g(x: Any) -> Any:
        h = np.tanh(x)
        da = np.cos(h + 1)
        db = 2 * h**3
        dh = da * 1
        dh += db * 3 * h**2
        dx = dh * (1 - h**2)
        return (dx,)

    assert lines(f, g, X) == [line_of(g, "dh = "), line_of(g, "dh +=")]


def test_most_similar_values_are_tried_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """A value is a multiple of what it should be more often than anything else."""

    def f(x: Any) -> Any:
        a = np.sin(x)
        b = a**2
        c = np.exp(b)
        e = np.cos(c)
        return np.sum(e**2)

    def g(x: Any) -> Any:
        a = np.sin(x)
        c = np.exp(a**2)
        t = -3 * np.cos(c) * np.sin(c)
        u = t * c
        return (2 * u * a * np.cos(x),)

    monkeypatch.setattr(repairs, "MOST_REPLACEMENTS", 1)
    assert lines(f, g, X) == [line_of(g, "t = ")]


def test_repairs_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """The budget of evaluations is that of the search."""
    monkeypatch.setattr(repairs, "MOST_REPAIRS", 0)
    assert not lines(rnn, rnn_backward, X[:, :3], *PARAMETERS, wrt=("Wx", "Wh"))


def test_nothing_is_named_that_the_rest_of_the_search_denies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of several statements that are left, the rest of the search may tell one."""

    def f(w: Any) -> Any:
        y = np.sin(w) * np.cos(w)
        return np.sum(y)

    def g(w: Any) -> Any:
        _other = np.abs(w)
        half = 0.5 * (np.cos(w) ** 2 - np.sin(w) ** 2)
        dw = 4 * half
        return (dw,)

    def of(text: str) -> list[tuple[int, int]]:
        def other(search: Search) -> list[Suspicion]:
            statements = [v.statement for v in search.roles.gradients if v.statement is not None]
            line = line_of(g, text)
            return [Suspicion(("w",), (next(s for s in statements if s.first_line == line),), ())]

        monkeypatch.setattr(locate_wrong_lines, "explained", other)
        places = [w.location for w in check_gradient(f, g, X).wrong_lines]
        return [(place.first_line, place.last_line) for place in places]

    half, dw = (line_of(g, text) for text in ("half =", "dw ="))
    assert of("half =") == [(half, half)]
    assert of("_other =") == [(half, dw)]


def scaled_sine(x: Any, s: Any) -> Any:
    """Return a function of a function, which is called with other names."""
    return np.sum(sine(x) * s)


def sine(z: Any) -> Any:
    """Return a product that is computed in one statement."""
    return np.sin(z) * z


def wrong_sine_vjp(z: Any, y_bar: Any) -> Any:
    """Return the derivative, with a mistake that no value of forward tells."""
    slope = np.cos(z) * z - np.sin(z)
    return y_bar * slope


def test_call_that_gives_a_function_what_it_has_to_is_not_why() -> None:
    """Its arguments are derivatives, or what arguments of these names are in forward."""

    def backward(x: Any, s: Any) -> Any:
        y_bar = s
        return wrong_sine_vjp(x, y_bar), sine(x)

    assert lines(scaled_sine, backward, X[0], X[1]) == [
        line_of(wrong_sine_vjp, "return y_bar"),
        line_of(wrong_sine_vjp, "slope ="),
    ]


def test_term_may_be_missing_in_what_a_sum_adds() -> None:
    """A derivative through one use only may have to be that through two."""

    def normalized(x: Any) -> Any:
        size = np.sqrt(np.mean(x * x))
        return x / size

    def normalized_vjp(x: Any, dy: Any) -> Any:
        size = np.sqrt(np.mean(x * x))
        return dy / size

    def forward(x: Any) -> Any:
        y = x + normalized(x)
        return np.sum(y**2)

    def backward(x: Any) -> Any:
        dy = 2 * (x + normalized(x))
        return dy + normalized_vjp(x, dy)

    found = lines(forward, backward, X[0])
    assert found == [line_of(backward, "return dy +"), line_of(normalized_vjp, "return dy")]


def test_zeros_that_nothing_is_added_to_may_be_why() -> None:
    """What is computed from them is zero, and no beginning of a sum."""

    def forward(m: Any) -> Any:
        kappa = np.exp(m)
        return np.sum(np.sin(kappa)) + np.sum(m[1:] ** 2)

    def backward(m: Any) -> Any:
        kappa_bar = np.zeros_like(m)
        g = kappa_bar * np.exp(m)
        g[1:] += 2 * m[1:]
        return g

    found = lines(forward, backward, X[0])
    assert line_of(backward, "kappa_bar =") in found
