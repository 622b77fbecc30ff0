"""Statements of which a small change makes all gradients right."""

from __future__ import annotations

import linecache
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck.fault_localization.execution.statements import Statement
from pytest_gradcheck.fault_localization.expression_repair import expression_repairs
from pytest_gradcheck.fault_localization.search import BUDGET
from tests.fault_localization.functions import X, line_of
from tests.fault_localization.searches import returned_in_search

RNG = np.random.default_rng(5)
W, B = RNG.normal(size=(3, 2)), RNG.normal(size=2)


def changed(
    forward: Any, backward: Any, *args: Any, **options: Any
) -> frozenset[Statement] | None:
    """Return what is found for a failing check."""
    search, statements = returned_in_search("changed", forward, backward, *args, **options)
    assert search.evaluations() <= BUDGET
    found: frozenset[Statement] | None = statements
    return found


def lines(forward: Any, backward: Any, *args: Any, **options: Any) -> list[int]:
    """Return the first lines of the statements that are found for a failing check."""
    statements = changed(forward, backward, *args, **options)
    return sorted(statement.first_line for statement in statements or ())


def forward(x: Any, w: Any, b: Any) -> Any:
    """Return the mean of cubes of centred values."""
    z = np.tanh(x @ w + b)
    y = (z - z.mean(axis=0)) * 2.0
    return np.mean(y**3)


def backward_with(line: str, instead: str) -> Callable[..., Any]:
    """Return a backward of `forward` in which one line is another one."""
    source = BACKWARD.replace(line, instead)
    assert source != BACKWARD
    return _defined_by(source)


BACKWARD = """
import numpy as np

def backward(x, w, b):
    z = np.tanh(x @ w + b)
    centred = z - z.mean(axis=0)
    y = centred * 2.0
    scale = 3 / y.size
    t = y**2 * scale * 2.0
    u = t.mean(axis=0)
    t = t - u
    s = t * (1 - z**2)
    dw = x.T @ s
    db = s.sum(axis=0)
    return dw, db
"""


def _defined_by(source: str) -> Callable[..., Any]:
    """Return the function that some source defines, as if it came from a file."""
    name = f"<backward {hash(source)}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    namespace: dict[str, Any] = {}
    exec(compile(source, name, "exec", dont_inherit=True), namespace)  # noqa: S102  # a user's file
    function: Callable[..., Any] = namespace["backward"]
    return function


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        pytest.param("t = t - u", "t = t + u", id="sign of a term"),
        pytest.param("t = t - u", "t = t - 2 * u", id="factor of a term"),
        pytest.param("(1 - z**2)", "(1 - z)", id="power"),
        pytest.param("s = t * (1 - z**2)", "s = y * (1 - z**2)", id="variable"),
        pytest.param("return dw, db", "return dw, 2 * db", id="factor of what is returned"),
        pytest.param("db = s.sum(axis=0)", "db = t.sum(axis=0)", id="variable of a method"),
        pytest.param("dw = x.T @ s", "dw = (x.T @ s) ** 3", id="nothing"),
    ],
)
def test_statement_with_a_mistake_is_found(line: str, instead: str) -> None:
    """It is the only one, or none is where no small change helps."""
    backward = backward_with(line, instead)
    number = BACKWARD.splitlines().index(next(one for one in BACKWARD.splitlines() if line in one))
    expected = [] if "** 3" in instead else [number + 1]
    if "t = t" in line:  # the other sign of `u` would make up for it
        expected.insert(0, number)
    assert lines(forward, backward, X, W, B, wrt=("w", "b")) == expected


def test_all_statements_of_a_chain_are_found_that_make_up_for_a_factor() -> None:
    """Nothing tells which of them is wrong, unless one of them is verified."""
    backward = backward_with("scale = 3 / y.size", "scale = 1 / y.size")
    source = BACKWARD.replace("3 / y", "1 / y").splitlines()
    places = lines(forward, backward, X, W, B, wrt=("w", "b"))
    found = [source[place - 1].strip() for place in places]
    assert "scale = 1 / y.size" in found
    assert "t = y**2 * scale * 2.0" in found
    assert "centred = z - z.mean(axis=0)" in found


def test_index_that_is_off_by_one_is_found() -> None:
    """A recurrence reads the state of a wrong step."""

    def chain(x: Any) -> Any:
        h = np.zeros(5)
        for k in range(4):
            h[k + 1] = np.tanh(h[k] + x[k])
        return np.sum(h**2)

    def chain_backward(x: Any) -> Any:
        h = np.zeros(5)
        for k in range(4):
            h[k + 1] = np.tanh(h[k] + x[k])
        g, dx = 0.0, np.zeros(4)
        for k in (3, 2, 1, 0):
            g = (g + 2 * h[k]) * (1 - h[k + 1] ** 2)
            dx[k] = g
        return dx

    line = line_of(chain_backward, "2 * h[k])")
    assert lines(chain, chain_backward, np.array([0.3, -0.5, 0.8, 0.2])) == [line]


def test_comprehension_before_a_statement_may_be_wrong_as_well() -> None:
    """What is inside of it is not changed, so nothing tells that it is right."""

    def f(w: Any) -> Any:
        return sum(np.sum(np.sin(row @ w)) for row in X)

    def f_backward(w: Any) -> Any:
        parts = [2 * np.outer(row, np.cos(row @ w)) for row in X]
        total = np.sum(parts, axis=0)
        return total + 0

    found = lines(f, f_backward, W)
    assert line_of(f_backward, "parts = [") in found
    assert line_of(f_backward, "total = np") in found


def test_one_wrong_entry_shows_nothing() -> None:
    """Any statement could be changed by some factor so that a single number is right."""

    def f(x: float) -> float:
        return x**3

    def derivative(x: float) -> float:
        square = x * x
        return 2 * square

    assert lines(f, derivative, 1.5) == []


@pytest.mark.parametrize(
    ("limit", "value", "expected"),
    [("MOST_RUNS", 5, None), ("MOST_SECONDS", 0.0, None), ("MOST_RUNS", 1200, frozenset())],
)
def test_search_that_ends_too_early_says_nothing(
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
    value: float,
    expected: frozenset[Statement] | None,
) -> None:
    """A change that was not tried may be the one that helps."""
    monkeypatch.setattr(expression_repairs, limit, value)
    backward = backward_with("dw = x.T @ s", "dw = (x.T @ s) ** 3")
    assert changed(forward, backward, X, W, B, wrt=("w", "b")) == expected


def test_change_without_which_a_loop_ends_is_given_up() -> None:
    """A counter that is no longer counted down would keep the test running for ever."""

    def powers(x: Any) -> Any:
        return np.sum(x**4)

    def powers_backward(x: Any) -> Any:
        dx, left = np.ones_like(x), 3
        while left > 0:
            dx = dx * x
            left -= 1
        return np.sin(dx)

    assert lines(powers, powers_backward, X) == []


def test_lists_of_arrays_of_several_shapes_are_not_exchanged() -> None:
    """They have no shape of their own."""

    def squares(x: Any) -> Any:
        return np.sum(x**2)

    def squares_backward(x: Any) -> Any:
        kept = [x, np.ones(7)]
        y, cache = x, kept
        return np.sin(y) ** 3 * cache[0]

    assert lines(squares, squares_backward, X) == []


def test_function_that_returns_value_and_gradients_is_searched_too() -> None:
    """There each claim costs a call of forward, which the evaluations of the search leave out."""

    def loss(w: Any) -> Any:
        z = X @ w
        a = np.tanh(z)
        dz = 2 * a * (1 - a) / 2
        dz = dz * 2
        return np.sum(a**2), X.T @ dz

    assert len(lines(loss, True, W)) <= 2
