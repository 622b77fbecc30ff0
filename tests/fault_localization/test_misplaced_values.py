"""Values under the names, or in the places, of others."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_gradcheck.fault_localization.execution.execution_steps import Step
from pytest_gradcheck.fault_localization.execution.recorded_values import Binding, Version
from pytest_gradcheck.fault_localization.execution.statements import Statement
from pytest_gradcheck.fault_localization.execution.variables import Path
from pytest_gradcheck.fault_localization.misplaced_values import (
    exchanged_names,
    first_name,
    is_named,
    misnamed,
)

STATEMENT = Statement("f.py", 3, 3, "f", (), (), frozenset(), {}, False, False)
STEP = Step(STATEMENT, 0)


def value(name: str, number: float, original: Version | None = None) -> Version:
    """Return a value that a step of forward made, or another name of one."""
    path = Path(name)
    return Version(path, np.full(3, number), STEP, 1, 0, original=original)


def outside(name: str, number: float) -> Version:
    """Return a value that forward was given."""
    return Version(Path(name), np.full(3, number), None, 1, 0)


@pytest.mark.parametrize(
    ("path", "parameter", "expected"),
    [
        (Path("dW"), "W", True),
        (Path("grads").item("W1"), "params['W1']", True),
        (Path("self").attribute("db"), "self.b", True),
        (Path("dW"), "b", False),
    ],
)
def test_last_name_tells_the_parameter(path: Path, parameter: str, expected: bool) -> None:
    """Whatever the containers are called."""
    assert is_named(path, parameter) is expected


def test_names_that_are_exchanged_are_found() -> None:
    """One statement binds both."""
    a, b = value("a", 1.0), value("b", 2.0)
    bindings = [
        Binding(STEP, 1, "a", a, "f"),
        Binding(STEP, 1, "b", b, "f"),
        Binding(STEP, 2, "a", b, "f"),
        Binding(STEP, 2, "b", a, "f"),
    ]
    assert list(exchanged_names(bindings)) == [(STATEMENT, {a, b})]


def test_value_of_forward_is_misnamed_as_a_gradient() -> None:
    """Or as another value of forward."""
    a, b = value("a", 1.0), value("b", 2.0)
    known = [Binding(STEP, 1, "a", a, "f"), Binding(STEP, 1, "b", b, "f")]
    wrong = [Binding(STEP, 2, "a", b, "f"), Binding(STEP, 2, "db", a, "f")]
    assert list(misnamed([*known, *wrong], {a, b})) == [("a", b), ("db", a)]


def test_argument_of_forward_is_misnamed_as_another_one() -> None:
    """Where backward assigns it to that name, and not where a function calls it so."""
    x, w = outside("x", 1.0), outside("w", 2.0)
    known = [Binding(None, 1, "x", x, "f"), Binding(None, 1, "w", w, "f")]
    assert list(misnamed([*known, Binding(STEP, 2, "w", x, "g")], {x, w})) == [("w", x)]
    assert list(misnamed([*known, Binding(None, 2, "w", x, "g")], {x, w})) == []


def test_argument_may_be_named_after_what_it_is_the_gradient_of() -> None:
    """As in a helper function that forward calls, too."""
    a, gradient = value("a", 1.0), value("da", 3.0)
    bindings = [Binding(STEP, 1, "a", a, "f"), Binding(None, 2, "a", gradient, "f")]
    assert list(misnamed(bindings, {a})) == []


def test_first_name_of_a_value_is_where_the_others_come_from() -> None:
    """A name of a name leads back to it."""
    a = value("a", 1.0)
    first = value("b", 1.0, a)
    assert first_name(value("c", 1.0, first)) is first
