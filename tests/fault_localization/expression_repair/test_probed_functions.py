"""Functions with probes around their expressions."""

from __future__ import annotations

import ast
import linecache
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck.fault_localization.expression_repair.probed_functions import (
    InterruptedExecutionError,
    ProbedFunctions,
    Watch,
)

X = np.array([[1.0, 2.0], [3.0, 4.0]])


def tangled(x: Any, items: Any, k: int = 1) -> Any:
    """Compute with most kinds of statements and expressions."""
    total, rows = np.zeros(2), [row for row in x if row.sum() > 0]
    for n, row in enumerate(rows):
        total[n - 0] += -row[k] * 2 if row[0] > 0 else row[-1]
        items["last"], items["n"] = row.T.copy(), n
    try:
        y = x[:, 1:].sum(axis=0) ** 2 / (len(rows) or 1)
    finally:
        items.update(done=True)
    return {"total": total, "y": (y, f"{y[0]:.1f}", max([3, k], key=lambda z: z + k))}


class Scaled:
    """An object whose method reads an attribute and the method of its base."""

    def __init__(self, factor: float) -> None:
        self.__factor = factor

    def backward(self, x: Any) -> Any:
        """Return a multiple."""
        return self.__factor * x


def numbers_of(functions: ProbedFunctions, source: str) -> list[int]:
    """Return the numbers of the expressions with some source."""
    return [k for k, e in enumerate(functions.expressions) if ast.unparse(e.node) == source]


def test_probed_function_returns_what_it_did() -> None:
    """The probe returns the value of each expression as it is."""
    functions, items, others = (
        ProbedFunctions([tangled.__code__]),
        dict[str, Any](),
        dict[str, Any](),
    )
    expected = tangled(X, items)
    with functions.in_place():
        found = tangled(X, others)
    np.testing.assert_equal(found, expected)
    np.testing.assert_equal(others, items)
    assert len(functions.expressions) > 20


def test_expression_has_another_value_as_long_as_it_is_changed() -> None:
    """Only the one with that number, each time that it is executed."""
    functions = ProbedFunctions([tangled.__code__])
    (number,) = numbers_of(functions, "-row[k] * 2")
    expected = tangled(X, {})["total"]
    with functions.in_place():
        functions.probe.changes = {number: lambda value, _: 10 * value}
        changed = tangled(X, {})
        functions.probe.changes = {}
        np.testing.assert_array_equal(tangled(X, {})["total"], expected)
    np.testing.assert_array_equal(changed["total"], 10 * expected)
    assert changed["y"][1] == "18.0"


def test_change_sees_the_variables_of_the_function() -> None:
    """It is given the frame in which the expression is evaluated."""
    functions = ProbedFunctions([tangled.__code__])
    (number,) = numbers_of(functions, "row.T.copy()")
    items: dict[str, Any] = {}
    with functions.in_place():
        functions.probe.changes = {number: lambda _, frame: frame.f_locals["n"]}
        tangled(X, items)
    assert items["last"] == 1


def test_function_has_its_own_code_again() -> None:
    """Also where something is raised."""
    code = tangled.__code__
    functions = ProbedFunctions([code])

    def interrupted() -> None:
        with functions.in_place():
            assert tangled.__code__ is not code
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert tangled.__code__ is code


def test_method_of_a_class_is_found() -> None:
    """Names that a class mangles, and closures of the enclosing function, stay what they are."""
    layer, inside = Scaled(3.0), _closure(5.0)
    functions = ProbedFunctions([Scaled.backward.__code__, inside.__code__])
    numbers = numbers_of(functions, "self.__factor") + numbers_of(functions, "factor")
    with functions.in_place():
        assert (layer.backward(2.0), inside(2.0)) == (6.0, 10.0)
        functions.probe.changes = dict.fromkeys(numbers, lambda value, _: -value)
        assert (layer.backward(2.0), inside(2.0)) == (-6.0, -10.0)


def _closure(factor: float) -> Callable[[float], float]:
    def scaled(x: float) -> float:
        return factor * x

    return scaled


def test_function_that_is_defined_while_another_runs_has_probes() -> None:
    """The one around it carries its code, and gets its own back afterwards."""
    own, inner = _nested.__code__, _nested(2.0)[0].__code__
    functions = ProbedFunctions([inner], around=[own])
    (number,) = numbers_of(functions, "factor * x")
    with functions.in_place():
        functions.probe.changes = {number: lambda value, _: -value}
        inside, offset = _nested(5.0)
        assert (inside(2.0), offset) == (-10.0, 6.0)
    assert _nested.__code__ is own
    assert _nested(5.0)[0].__code__ is inner
    assert not numbers_of(functions, "factor + 1")


def test_function_that_was_defined_meanwhile_does_what_it_did() -> None:
    """It keeps the probe, as a graph of operations may keep it, and nothing is changed by that."""
    functions = ProbedFunctions([_nested(2.0)[0].__code__], around=[_nested.__code__])
    with functions.in_place():
        inside, _ = _nested(5.0)
        numbers = range(len(functions.expressions))
        functions.probe.changes = dict.fromkeys(numbers, lambda value, _: -value)
        functions.probe.most_calls = 1
    assert [inside(2.0), inside(3.0)] == [10.0, 15.0]


def test_function_around_has_probes_as_well() -> None:
    """Where it is part of backward, too."""
    codes = [_nested.__code__, _nested(2.0)[0].__code__]
    functions = ProbedFunctions(codes, around=codes)
    numbers = [*numbers_of(functions, "factor * x"), *numbers_of(functions, "factor + 1")]
    assert len(numbers) == len(codes)
    with functions.in_place():
        functions.probe.changes = dict.fromkeys(numbers, lambda value, _: -value)
        inside, offset = _nested(5.0)
        assert (inside(2.0), offset) == (-10.0, -6.0)


def _nested(factor: float) -> tuple[Callable[[float], float], float]:
    def scaled(x: float) -> float:
        return factor * x

    offset = factor + 1
    return scaled, offset


def test_other_threads_see_the_function_as_it_is() -> None:
    """A test that calls it at the same time gets right values."""
    function = _closure(1.0)
    functions, found = ProbedFunctions([function.__code__]), list[float]()
    with functions.in_place():
        functions.probe.changes = dict.fromkeys(range(9), lambda value, _: value + 100)
        thread = threading.Thread(target=lambda: found.append(function(2.0)))
        thread.start()
        thread.join()
        assert function(2.0) > 100
    assert found == [2.0]


def test_function_with_a_very_long_expression_has_no_probes() -> None:
    """Such code is generated; the compiler gives up when calls are nested too deeply."""
    name = "<a very long sum>"
    source = f"def f(x):\n    return {' + '.join(['x'] * 900)}"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    namespace: dict[str, Any] = {}
    exec(compile(source, name, "exec"), namespace)  # noqa: S102  # a user's file
    functions = ProbedFunctions([namespace["f"].__code__])
    with functions.in_place():
        assert namespace["f"](2) == 1800


def test_function_without_source_has_no_probes() -> None:
    """Nor has a generator, whose frame lives on."""
    namespace: dict[str, Any] = {}
    exec("def f(x):\n    return 2 * x", namespace)  # noqa: S102  # has no source

    def generator(x: Any) -> Any:
        yield 2 * x

    functions = ProbedFunctions([namespace["f"].__code__, generator.__code__])
    with functions.in_place():
        assert namespace["f"](2) == 4
    assert functions.expressions == []


def test_execution_ends_after_the_value_that_it_is_for() -> None:
    """It is observed with its change, at the execution that is asked for."""
    functions, items = ProbedFunctions([tangled.__code__]), dict[str, Any]()
    (number,) = numbers_of(functions, "row.T.copy()")
    watch = Watch(number, 1, lambda value, frame: (value.tolist(), frame.f_locals["n"]))
    with functions.in_place():
        functions.probe.changes = {number: lambda value, _: -value}
        functions.probe.watch = watch
        with pytest.raises(InterruptedExecutionError):
            tangled(X, items)
    assert watch.observed == ([-3.0, -4.0], 1)
    assert items["n"] == 0
    assert functions.probe.watch is None
