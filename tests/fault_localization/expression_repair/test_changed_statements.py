"""Statements of which a small change makes all gradients right."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck.fault_localization import search
from pytest_gradcheck.fault_localization.execution.statements import Statement
from pytest_gradcheck.fault_localization.expression_repair import expression_repairs
from pytest_gradcheck.fault_localization.expression_repair.expression_changes import (
    ExpressionChange,
)
from pytest_gradcheck.fault_localization.expression_repair.probed_functions import Expression
from pytest_gradcheck.fault_localization.search import BUDGET
from tests.fault_localization.functions import X, line_of
from tests.fault_localization.searches import returned_in_search

RNG = np.random.default_rng(5)
W, B = RNG.normal(size=(3, 2)), RNG.normal(size=2)


def changed(
    forward: Any, backward: Any, *args: Any, **options: Any
) -> dict[Statement, str] | None:
    """Return what is found for a failing check."""
    done, statements = returned_in_search("changed", forward, backward, *args, **options)
    assert done.evaluations() <= BUDGET
    found: dict[Statement, str] | None = statements
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
    assert "centred = z - z.mean(axis=0)" not in found  # `y` has the value that it has in forward


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


@pytest.mark.parametrize(("number", "is_found"), [(2, True), (1.7, False)])
def test_one_wrong_entry_shows_usual_numbers_only(number: float, *, is_found: bool) -> None:
    """Any statement could be changed by some factor so that a single number is right."""

    def f(x: float) -> float:
        return x**3

    def derivative(x: float) -> float:
        square = x * x
        return number * square if number != 2 else 2 * square

    expected = [line_of(derivative, "return")] if is_found else []
    assert lines(f, derivative, 1.3) == expected


@pytest.mark.parametrize(
    ("limit", "value", "expected"),
    [("MOST_RUNS", 5, None), ("MOST_SECONDS", 0.0, None), ("MOST_RUNS", 1200, {})],
)
def test_search_that_ends_too_early_says_nothing(
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
    value: float,
    expected: dict[Statement, str] | None,
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


@pytest.fixture
def without_adjoints(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let derivatives by values of forward be unknown."""
    monkeypatch.setattr(search, "adjoints_of", lambda *_: None)


@pytest.mark.usefixtures("without_adjoints")
@pytest.mark.parametrize(
    ("line", "instead"),
    [("(1 - z**2)", "(1 - z)"), ("db = s.sum(axis=0)", "db = t.sum(axis=0)")],
)
def test_directions_are_enough(line: str, instead: str) -> None:
    """Backward has to have right products with them."""
    backward = backward_with(line, instead)
    rows = BACKWARD.splitlines()
    number = rows.index(next(one for one in rows if line in one)) + 1
    assert lines(forward, backward, X, W, B, wrt=("w", "b")) == [number]


@pytest.mark.usefixtures("without_adjoints")
def test_one_wrong_entry_shows_no_other_number_along_directions_either() -> None:
    """However many there are."""

    def f(x: Any) -> Any:
        return x**3 * 1.0

    def derivative(x: Any) -> Any:
        square = x * x
        return 1.7 * square

    assert not changed(f, derivative, np.float64(1.3))


def test_factor_that_is_written_is_likelier_than_one_that_is_missing() -> None:
    """That a two is there which makes up for the mistake of another statement is chance."""

    def f(w: Any, b: Any) -> Any:
        z = X @ w + b
        return np.sum(z**3)

    def f_backward(w: Any, b: Any) -> Any:
        z = X @ w + b
        square = 2 * z**2
        dz = square * 3
        return X.T @ dz, dz.sum(axis=0)

    assert lines(f, f_backward, W, B) == [line_of(f_backward, "square =")]


def test_sign_is_wrong_where_a_derivative_gets_another_one() -> None:
    """The name tells it, though the derivative is divided by the number of rows later only."""

    def f(w: Any, b: Any) -> Any:
        z = X @ w + b
        y = np.tanh(z)
        return np.sum(y**4) / len(X)

    def f_backward(w: Any, b: Any) -> Any:
        z = X @ w + b
        y = np.tanh(z)
        dy = 4 * y**3
        dz = -dy * (1 - y**2)
        dw = X.T @ dz / len(X)
        db = dz.sum(axis=0) / len(X)
        return dw, db

    assert lines(f, f_backward, W, B) == [line_of(f_backward, "dz = -dy")]


def test_multiple_of_a_value_of_forward_is_wrong_under_its_name() -> None:
    """What is made of it could have the other sign, but the name says what it is."""

    def f(w: Any, b: Any) -> Any:
        y = np.tanh(X @ w + b)
        return np.sum(y**2)

    def f_backward(w: Any, b: Any) -> Any:
        y = -np.tanh(X @ w + b)
        dy = 2 * y
        dz = dy * (1 - y**2)
        return X.T @ dz, dz.sum(axis=0)

    assert lines(f, f_backward, W, B) == [line_of(f_backward, "y = -np")]


def test_what_is_missing_after_an_array_is_changed_in_place() -> None:
    """It is read in two places, none of which is wrong by itself."""

    def f(w: Any, b: Any) -> Any:
        z = X @ w + b
        p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        return -np.mean(np.log(p[:, 0])) + np.mean(z[:, 0] ** 2)

    def f_backward(w: Any, b: Any) -> Any:
        z = X @ w + b
        dz = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        dz[:, 0] -= 1 - 2 * z[:, 0]
        dw = X.T @ dz
        db = np.sum(dz, axis=0)
        return dw, db

    found = changed(f, f_backward, W, B)
    assert found is not None
    said = {statement.first_line: repair for statement, repair in found.items()}
    assert said == {line_of(f_backward, "dz[:, 0]"): f"`dz / {len(X)}` instead of `dz`"}


def test_comprehension_that_forward_has_as_well_is_right() -> None:
    """It computes the same, though nothing in it is tried."""

    def f(w: Any, b: Any) -> Any:
        rows = [np.tanh(row) for row in X]
        total = 0.0
        for row in rows:
            total = total + np.sum((row @ w + b) ** 2)
        return total

    def f_backward(w: Any, b: Any) -> Any:
        rows = [np.tanh(row) for row in X]
        dw, db = np.zeros_like(w), np.zeros_like(b)
        for row in rows:
            d = 2 * (row @ w + b)
            dw += np.outer(d, row).T
            db -= d
        return dw, db

    assert lines(f, f_backward, W, B) == [line_of(f_backward, "db -= d")]


@pytest.mark.usefixtures("without_adjoints")
def test_statement_that_returns_value_and_gradients_may_be_wrong() -> None:
    """Forward executes it, too."""

    def both(w: Any) -> Any:
        z = X @ w
        value = np.sum(z**7)
        dz = 7 * z**6
        dw = X.T @ dz
        return value / len(X), dw

    found = lines(both, True, W)
    assert line_of(both, "return value") in found


def test_usual_number_is_preferred() -> None:
    """A statement that is right with a 3 is found, and not the one before it with 1.85."""

    def f(w: Any, b: Any) -> Any:
        z = X @ w + b
        return np.sum(z**3)

    def f_backward(w: Any, b: Any) -> Any:
        z = X @ w + b
        square = z**2 * 1.2345
        dz = square * (2 / 1.2345)
        return X.T @ dz, dz.sum(axis=0)

    found = changed(f, f_backward, W, B)
    assert found is not None
    said = {statement.first_line: repair for statement, repair in found.items()}
    assert said == {line_of(f_backward, "dz ="): "`3` instead of `2`"}


@pytest.mark.parametrize(
    ("number", "is_usual"), [(3.0, True), (-1.0, True), (-0.25, True), (0.37, False), (1.5, False)]
)
def test_usual_numbers_are_whole_or_one_by_a_whole_one(number: float, *, is_usual: bool) -> None:
    """A change without a number is usual, whatever it is."""
    node = ast.parse("a", mode="eval").body
    one = Expression("file.py", ast.parse("d = a").body[0], node, node, "whole")
    factor = ExpressionChange("{1} * {0}", lambda by: lambda value, _: by * value, 1.0)
    assert expression_repairs.Repair(one, factor, number).is_usual == is_usual
    fixed = ExpressionChange.without_number("{0}.T", lambda value, _: value.T)
    assert expression_repairs.Repair(one, fixed, number).is_usual


def test_statement_that_makes_what_is_verified_is_not_found() -> None:
    """A factor that it has too few could make up for that of a later statement."""

    def f(w: Any) -> Any:
        z = X @ w
        a = np.tanh(z)
        return np.sum(a**2)

    def f_backward(w: Any) -> Any:
        z = X @ w
        a = np.tanh(z)
        thrice = 3 * a
        da = thrice * 2 / 3
        dz = da * (1 - a**2) * 2
        return X.T @ dz

    found = lines(f, f_backward, W)
    assert line_of(f_backward, "dz =") in found
    assert line_of(f_backward, "thrice =") not in found
    assert line_of(f_backward, "da =") not in found


def test_names_of_values_of_forward_may_be_exchanged() -> None:
    """The statement that unpacks the cache is wrong, and computes nothing."""

    def f(x: Any, w: Any, v: Any) -> Any:
        Z1 = x @ w
        A1 = np.tanh(Z1)
        Z2 = A1 @ v
        A2 = np.tanh(Z2)
        return np.sum(A2**2), (x, A1, Z2, A2, v)

    def f_backward(cache: Any) -> Any:
        x, A1, A2, Z2, v = cache
        dA2 = 2 * A2
        dZ2 = dA2 * (1 - np.tanh(Z2) ** 2)
        dv = A1.T @ dZ2
        dA1 = dZ2 @ v.T
        dw = x.T @ (dA1 * (1 - A1**2))
        return dw, dv

    V = np.array([[0.4, -0.3], [0.8, 0.5]])
    options = {"wrt": ("w", "v"), "has_cache": True}
    assert lines(f, f_backward, X, W, V, **options) == [line_of(f_backward, "Z2, v = cache")]


def test_array_that_was_changed_in_place_before_it_is_returned() -> None:
    """Nothing tells whether the change of it, or a statement after it, is wrong."""

    def f(w: Any) -> Any:
        z = rows @ w
        return np.sum(np.sin(z)) + np.sum(w**2)

    rows = RNG.normal(size=(7, 3))  # the number of rows is not usual

    def f_backward(w: Any) -> Any:
        dw = np.zeros_like(w)
        for row in rows:
            dw[:] += np.outer(row, np.cos(row @ w))
        return dw

    found = lines(f, f_backward, W)
    assert {line_of(f_backward, "dw[:] += "), line_of(f_backward, "return dw")} <= set(found)


def test_factor_may_be_missing_after_what_is_changed_in_place() -> None:
    """Which is as likely as that the array was made with another one."""

    def loss(x: Any) -> Any:
        return np.sum(np.maximum(x - 0.1, 0.0) ** 2 + np.sin(x)) / x.size

    def gradient(x: Any) -> Any:
        g = np.maximum(x - 0.1, 0.0)
        g *= 2
        g += np.cos(x)
        return g

    places = lines(loss, gradient, X)
    assert line_of(gradient, "g += ") in places


def test_statement_of_which_only_signs_are_read_is_changed() -> None:
    """A small change of its value shows nothing."""

    def relu(x: Any) -> Any:
        y = np.maximum(x, 0)
        return np.sum(y**2 + y)

    def gradient(x: Any) -> Any:
        z = -x
        mask = z > 0
        return (2 * np.maximum(x, 0) + 1) * mask

    assert line_of(gradient, "z = -x") in lines(relu, gradient, X)
