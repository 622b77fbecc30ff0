"""Changes of an expression: what may be there instead, with one unknown number or none.

A factor is the one unknown number; it includes the sign, a term too much, and a mean for a sum.
Without a number are a transpose, a power, a number or an index next to it, a mask inverted, two
neighbours exchanged, and something assigned for something added. If none of these makes the
gradients right, another variable may be in its place, or something may be missing: a variable as
a factor or a term, the derivative of an activation, a sum.

What is missing in wrong code is somewhere else in it, as a rule: the plastic surgery hypothesis,
E. T. Barr et al., FSE 2014. It does not execute anything.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import FrameType
from typing import Any, Protocol

import numpy as np

from pytest_gradcheck.fault_localization.execution.variables import (
    Path,
    is_array,
    is_number,
    resolve,
)
from pytest_gradcheck.fault_localization.expression_repair.probed_functions import (
    Change,
    Expression,
)

__all__ = [
    "ExpressionChange",
    "KindOfChange",
    "Variables",
    "changes",
    "changes_by_variables",
    "is_floating",
]

#: Functions that are linear in their arguments.
LINEAR = frozenset(
    (
        *("dot", "matmul", "outer", "multiply", "tensordot", "einsum", "inner", "sum", "mean"),
        *("reshape", "transpose", "swapaxes", "ravel", "flatten", "squeeze", "expand_dims"),
        *("diff", "diag", "copy", "astype", "moveaxis", "roll", "pad", "flip", "repeat", "tile"),
        *("broadcast_to", "asarray", "array", "trace", "cumsum"),
    )
)

#: Powers that people write; roots are those of values that are never negative.
POWERS = (2.0, 3.0, 0.5)

#: How far whole numbers are off, and indices.
NEXT = (1, -1)
NEAR = (1, -1, 2, -2)

#: The derivatives of activations, given their values: of tanh, sigmoid and ReLU.
ACTIVATIONS: tuple[Callable[[Any], Any], ...] = (
    lambda value: 1 - value**2,
    lambda value: value * (1 - value),
    lambda value: value > 0,
)

#: What an expression consists of that can be evaluated twice.
NAMES = (ast.Name, ast.Attribute, ast.Subscript)


@dataclass(frozen=True, slots=True)
class ExpressionChange:
    """A change of an expression.

    Attributes
    ----------
    name : str
        A word for it.
    change : callable
        ``change(number) -> Change`` returns it for a number.
    start : float or None
        The number that leaves the expression as it is; None where the change has no number.
    """

    name: str
    change: Callable[[float], Change]
    start: float | None = None

    @classmethod
    def without_number(cls, name: str, change: Change) -> ExpressionChange:
        """Return a change that has no number."""
        return cls(name, lambda _: change)


class Variables(Protocol):
    """What knows the variables of a function."""

    def __call__(
        self, expression: Expression, shape: tuple[int, ...], /, *, is_broadcast: bool
    ) -> Sequence[Path]:
        """Return those that have a shape, or can be broadcast to it."""


#: ``kind(expression, value, variables)`` yields the changes of one kind.
KindOfChange = Callable[[Expression, Any, Variables], Iterator[ExpressionChange]]


def is_floating(value: Any) -> bool:
    """Return whether a value is an array of floating numbers, or a number."""
    return (is_array(value) and value.dtype.kind == "f") or isinstance(value, (float, np.floating))


def changes(
    expression: Expression, value: Any, variables: Variables
) -> Iterator[ExpressionChange]:
    """Yield changes of what is there.

    They are the first to be tried, since there are few of them.

    Parameters
    ----------
    expression : Expression
        The expression.
    value : Any
        What it was when it was first executed.
    variables : Variables
        What may be there instead; not looked at here.
    """
    del variables
    node = expression.node
    if takes_factor(expression, value):
        yield ExpressionChange("factor", lambda factor: lambda value, _: value * factor, 1.0)
    if is_whole_number(value):
        if expression.role == "index":
            yield from (_shift("index", step) for step in NEAR)
        elif isinstance(node, ast.Constant):
            yield from (_shift("number", step) for step in NEXT)
    elif is_array(value) and value.dtype.kind == "b" and expression.role != "index":
        yield ExpressionChange.without_number("inverted", lambda value, _: ~value)
    elif type(value) is tuple:
        yield from _exchanges(value)
    elif is_floating(value):
        yield from _changes_of_floating(expression, value)


def _changes_of_floating(expression: Expression, value: Any) -> Iterator[ExpressionChange]:
    node, named = expression.node, ExpressionChange.without_number
    if expression.role == "whole":
        yield from _accumulations(expression.statement)
    if np.ndim(value) == 2:
        yield named("transposed", lambda value, _: value.T.copy())
    if _is_factor(expression) and np.ndim(value):
        yield named("left out", lambda value, _: np.ones_like(value))
    if isinstance(node, NAMES):
        is_negative = np.any(value < 0)
        for power in POWERS:
            if power >= 1 or not is_negative:
                yield named("power", _power(power))


def changes_by_variables(
    expression: Expression, value: Any, variables: Variables
) -> Iterator[ExpressionChange]:
    """Yield changes by another variable in the place of one, and by something that is missing.

    They are tried together: what one variable may be in the place of, another may be missing in.

    Parameters
    ----------
    expression, value, variables
        As for `changes`.
    """
    if is_floating(value) and expression.role != "index":
        yield from _other_variables(expression, value, variables)
        if np.ndim(value):
            yield from _what_is_missing(expression, value, variables)


def _other_variables(
    expression: Expression, value: Any, variables: Variables
) -> Iterator[ExpressionChange]:
    if isinstance(expression.node, NAMES):
        for path in variables(expression, np.shape(value), is_broadcast=False):
            if str(path) != ast.unparse(expression.node):
                yield ExpressionChange.without_number(str(path), _variable(path))


def _what_is_missing(
    expression: Expression, value: Any, variables: Variables
) -> Iterator[ExpressionChange]:
    named, is_term = ExpressionChange.without_number, takes_factor(expression, value)
    if is_term or _is_in_product_of_matrices(expression):
        for path in variables(expression, np.shape(value), is_broadcast=True):
            yield named(f"* {path}", _combined(path, np.multiply))
            yield named(f"/ {path}", _combined(path, np.divide))
            for derivative in ACTIVATIONS:
                yield named(f"* f'({path})", _combined(path, _times(derivative)))
    if is_term:
        for path in variables(expression, np.shape(value), is_broadcast=False):
            yield ExpressionChange(f"+ {path}", _multiple_added(path), 0.0)
        for axis in range(np.ndim(value)):
            for keepdims in (True, False):
                yield named("summed", _summed(axis, keepdims=keepdims))


def takes_factor(expression: Expression, value: Any) -> bool:
    """Return whether a multiple of an expression makes no multiple of what it is a part of.

    One that does need not be tried: the whole takes the same factor.
    """
    if expression.role == "index" or not (is_floating(value) or is_number(value)):
        return False
    parent, node = expression.parent, expression.node
    if isinstance(parent, ast.BinOp):
        is_exponent = isinstance(parent.op, ast.Pow) and node is parent.right
        return not is_exponent and not isinstance(parent.op, (ast.Mult, ast.Div, ast.MatMult))
    if isinstance(parent, ast.Call):
        called = parent.func.attr if isinstance(parent.func, ast.Attribute) else ""
        return called not in LINEAR and (is_floating(value) or not parent.args[1:])
    return not isinstance(parent, (ast.UnaryOp, ast.Attribute, ast.Subscript))


def is_whole_number(value: Any) -> bool:
    """Return whether a value is a whole number, and no truth value."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _is_in_product_of_matrices(expression: Expression) -> bool:
    """Return whether a factor of entries is not one of what the expression is a part of."""
    parent = expression.parent
    is_product = isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.MatMult)
    return is_product or isinstance(parent, ast.Call)


def _exchanges(values: tuple[Any, ...]) -> Iterator[ExpressionChange]:
    """Yield that two neighbours in a tuple of arrays are in the wrong order."""
    for k, (one, other) in enumerate(pairwise(values)):
        if is_array(one) and is_array(other) and one.shape == other.shape:
            yield ExpressionChange.without_number("exchanged", _exchange(k))


def _exchange(k: int) -> Change:
    return lambda value, _: (*value[:k], value[k + 1], value[k], *value[k + 2 :])


def _is_factor(expression: Expression) -> bool:
    parent = expression.parent
    return isinstance(parent, ast.BinOp) and isinstance(parent.op, (ast.Mult, ast.Div))


def _shift(name: str, step: int) -> ExpressionChange:
    return ExpressionChange.without_number(name, lambda value, _: value + step)


def _power(power: float) -> Change:
    return lambda value, _: value**power


def _summed(axis: int, *, keepdims: bool) -> Change:
    return lambda value, _: value.sum(axis=axis, keepdims=keepdims)


def _variable(path: Path) -> Change:
    def changed(value: Any, frame: FrameType) -> Any:
        other = resolve(frame, path)
        if np.shape(other) != np.shape(value):
            raise ValueError(path)
        return np.array(other, dtype=np.asarray(other).dtype)

    return changed


def _combined(path: Path, combine: Callable[[Any, Any], Any]) -> Change:
    """Return the change of a value to a combination with a variable, of the same shape."""

    def changed(value: Any, frame: FrameType) -> Any:
        other = resolve(frame, path)
        if not (is_array(other) or is_number(other)):
            raise ValueError(path)
        result = combine(value, other)
        if np.shape(result) != np.shape(value):
            raise ValueError(path)
        return result

    return changed


def _times(function: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda value, other: value * function(other)


def _multiple_added(path: Path) -> Callable[[float], Change]:
    return lambda number: _combined(path, lambda value, other: value + number * other)


def _accumulations(statement: ast.stmt) -> Iterator[ExpressionChange]:
    """Yield that something is added to what was there, or subtracted; or assigned instead."""
    target: ast.expr
    named = ExpressionChange.without_number
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
    elif isinstance(statement, ast.AugAssign) and isinstance(statement.op, ast.Add):
        target = statement.target
    else:
        return
    if not isinstance(target, NAMES):
        return
    before = _evaluated(target)
    if isinstance(statement, ast.Assign):
        yield named("added", lambda value, frame: before(value, frame) + value)
        yield named("subtracted", lambda value, frame: before(value, frame) - value)
    else:
        yield named("assigned", lambda value, frame: value - before(value, frame))


def _evaluated(node: ast.expr) -> Change:
    """Return the change to what another expression is, of the same shape."""
    code = compile(ast.unparse(node), "<expression>", "eval")

    def changed(value: Any, frame: FrameType) -> Any:
        other = eval(code, frame.f_globals, dict(frame.f_locals))  # noqa: S307  # the user's own
        if np.shape(other) != np.shape(value):
            raise ValueError
        return other

    return changed
