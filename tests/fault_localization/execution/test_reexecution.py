"""Statements executed once more by themselves."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np

from pytest_gradcheck.fault_localization.execution.reexecution import (
    Variables,
    calls_in,
    reexecution_of_arguments,
    reexecution_of_statement,
)
from pytest_gradcheck.fault_localization.execution.statements import Statement, statements_of
from pytest_gradcheck.fault_localization.execution.variables import Path, resolve
from tests.fault_localization.functions import line_of


def example(f: Any, x: Any, cache: Any) -> Any:
    """Compute something by statements of several kinds."""
    y = f(x + 1) * f(2 * x)
    x += y
    cache["y"] = [y for _ in range(2)]
    np.add.at(x, [0], 1.0)
    return x @ y, cache


def statement(text: str) -> Statement:
    """Return the statement of the example with some text."""
    return statements_of(__file__)[line_of(example, text)]


def variables(**values: Any) -> Variables:
    """Return local variables, and numpy around them."""
    return Variables(values, {"np": np})


def test_results_are_those_of_the_changed_value() -> None:
    """A value is returned under a name of its own."""
    reexecution = reexecution_of_statement(
        statement("return"), variables(x=np.ones(2), y=np.ones(2), cache={}), [], []
    )
    assert reexecution is not None
    run = reexecution.run(Path("x"), np.array([3.0, 4.0]))
    assert run is not None
    assert resolve(run, Path("return").item(0)) == 7


def test_what_is_changed_in_place_stays_as_it_is() -> None:
    """Whether by an operator, an assignment to a part, or a call."""
    x, cache = np.ones(2), dict[str, Any]()
    for text in ("x +=", "cache[", "np.add"):
        given = variables(x=x, y=np.ones(2), cache=cache)
        reexecution = reexecution_of_statement(statement(text), given, [], [])
        assert reexecution is not None
        assert reexecution.run() is not None
    assert (x == 1).all()
    assert not cache


def test_reexecution_that_raises_has_no_results() -> None:
    """A change may be too large."""
    given = variables(x=np.ones(2), y=np.ones(3), cache={})
    reexecution = reexecution_of_statement(statement("return"), given, [], [])
    assert reexecution is not None
    assert reexecution.run() is None


def test_calls_are_known_by_the_order_in_which_they_are_made() -> None:
    """If other functions were called as well, they are not known."""
    calls = calls_in(statement("y = "), ["f", "f"])
    assert calls is not None
    assert [ast.unparse(call) for call in calls] == ["f(x + 1)", "f(2 * x)"]
    assert calls_in(statement("y = "), ["f"]) is None


def test_what_functions_have_returned_stands_for_their_calls() -> None:
    """They are not called again, and their arguments are executed again by themselves."""
    calls = calls_in(statement("y = "), ["f", "f"])
    assert calls is not None
    given = variables(x=2.0)  # without `f`
    reexecution = reexecution_of_statement(statement("y = "), given, calls, [3.0, 5.0])
    arguments = reexecution_of_arguments(given, calls[1], calls[:1], [3.0])
    assert reexecution is not None
    assert arguments is not None
    run, inner = reexecution.run(), arguments.run()
    assert run is not None
    assert inner is not None
    assert resolve(run, Path("y")) == 15
    assert [value for _, value in arguments.results(inner)] == [4.0]


def test_functions_of_numpy_are_told_from_others() -> None:
    """The time that others take is not known."""
    for text, is_numpy in (("np.add", True), ("y = ", False), ("cache[", True)):
        given = variables(x=np.ones(2), y=np.ones(2), cache={}, f=line_of)
        reexecution = reexecution_of_statement(statement(text), given, [], [])
        assert reexecution is not None
        assert reexecution.is_numpy is is_numpy


class Layer:
    """An object that keeps what it was given."""

    def forward(self, x: Any) -> Any:
        """Return the sum of squares."""
        self.cache = (x, 2 * x)
        y = x * 2
        return np.sum(y * x)


def layer_statement(text: str) -> Statement:
    """Return the statement of `Layer.forward` with some text."""
    return statements_of(__file__)[line_of(Layer.forward, text)]


def test_attribute_stays_what_it_is_where_a_tuple_is_assigned_to_it() -> None:
    """Backward would read what belongs to another point."""
    layer, x = Layer(), np.ones(2)
    layer.forward(x)
    cache = layer.cache
    given = variables(self=layer, x=x)
    reexecution = reexecution_of_statement(layer_statement("self.cache"), given, [], [])
    assert reexecution is not None
    assert reexecution.run(Path("x"), np.zeros(2)) is not None
    assert layer.cache is cache


def test_attribute_of_an_earlier_call_is_no_result() -> None:
    """It may have the very values that the statement makes."""
    layer, x = Layer(), np.ones(2)
    layer.forward(x)
    given = variables(self=layer, x=x)
    reexecution = reexecution_of_statement(layer_statement("y ="), given, [], [])
    assert reexecution is not None
    run = reexecution.run()
    assert run is not None
    assert [path for path, _ in reexecution.results(run)] == [Path("y")]
