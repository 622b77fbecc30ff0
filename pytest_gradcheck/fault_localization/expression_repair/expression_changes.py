"""Changes of an expression: what may be there instead, with one unknown number or none.

A factor is the one unknown number; it includes the sign, a term too much, and a mean for a sum.
Without a number are a transpose, a power, a number or an index next to it, a mask inverted, two
neighbours exchanged, and something assigned for something added. If none of these makes the
gradients right, other code may belong in its place, or something may be missing: a factor or a
term, the derivative of an activation, a sum.

It does not execute anything.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise, product
from types import FrameType
from typing import Any

import numpy as np

from pytest_gradcheck.fault_localization.execution.variables import is_array, is_number
from pytest_gradcheck.fault_localization.expression_repair.donor_code import (
    NAMES,
    Donor,
    Donors,
    evaluation,
)
from pytest_gradcheck.fault_localization.expression_repair.probed_functions import (
    Change,
    Expression,
)

__all__ = [
    "FACTOR",
    "NO_FACTOR",
    "ROOT",
    "ExpressionChange",
    "KindOfChange",
    "changes",
    "changes_by_donors",
    "changes_of_names",
    "escaped",
    "is_broadcast",
    "is_floating",
    "is_near_integer",
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


@dataclass(frozen=True, slots=True)
class _Activation:
    """The derivative of an activation, given its values, and the range of these."""

    text: str
    derivative: Callable[[Any], Any]
    low: float
    high: float


#: Those of tanh, sigmoid and ReLU.
ACTIVATIONS = (
    _Activation("1 - value**2", lambda value: 1 - value**2, -1.0, 1.0),
    _Activation("value * (1 - value)", lambda value: value * (1 - value), 0.0, 1.0),
    _Activation("value > 0", lambda value: value > 0, -np.inf, np.inf),
)

#: A multiple of an expression, its root, and one in its place.
FACTOR = "{1} * {0}"
ROOT = "{0}**0.5"
NO_FACTOR = "1"

#: Numbers that differ from whole ones by less are these.
INTEGER = 1e-6


@dataclass(frozen=True, slots=True)
class ExpressionChange:
    """A change of an expression.

    Attributes
    ----------
    instead : str
        What there is instead, as code: ``{0}`` stands for the expression, ``{1}`` for the number.
    change : callable
        ``change(number) -> Change`` returns it for a number.
    start : float or None
        The number that leaves the expression as it is; None where the change has no number.
    """

    instead: str
    change: Callable[[float], Change]
    start: float | None = None

    @classmethod
    def without_number(cls, instead: str, change: Change) -> ExpressionChange:
        """Return a change that has no number."""
        return cls(instead, lambda _: change)

    def said_of(self, expression: Expression, number: float) -> str:
        """Return words for the change of an expression by a number.

        Examples
        --------
        >>> statement = ast.parse("d = x @ A + B").body[0]
        >>> one = Expression("nn.py", statement, statement.value.right, statement.value, "part")
        >>> transposed = ExpressionChange.without_number("{0}.T", lambda value, _: value.T)
        >>> transposed.said_of(one, 0.0)
        '`B.T` instead of `B`'
        >>> multiple = ExpressionChange(FACTOR, lambda number: lambda value, _: value * number)
        >>> multiple.said_of(one, -1.0)
        '`-B` instead of `B`'
        """
        text = ast.unparse(expression.node)
        operand = (
            text if isinstance(expression.node, (*NAMES, ast.Call, ast.Constant)) else f"({text})"
        )
        instead = self.instead
        if is_near_integer(number):
            number = round(number)
        if instead == FACTOR and number in {0, -1}:
            instead = "-{0}" if number else "0"
        elif instead == FACTOR and 0 < number < 1 and is_near_integer(1 / number):
            instead, number = "{0} / {1}", 1 / number
        said = instead.format(operand, f"{number:.6g}")
        said = said.replace(" + 1 * ", " + ").replace(" + -", " - ").replace(" - 1 * ", " - ")
        return f"`{said}` instead of `{text}`"


#: ``kind(expression, value, donors)`` yields the changes of one kind.
KindOfChange = Callable[[Expression, Any, Donors], Iterator[ExpressionChange]]


def is_floating(value: Any) -> bool:
    """Return whether a value is an array of floating numbers, or a number."""
    return (is_array(value) and value.dtype.kind == "f") or isinstance(value, (float, np.floating))


def changes(expression: Expression, value: Any, donors: Donors) -> Iterator[ExpressionChange]:
    """Yield changes of what is there.

    They are the first to be tried, since there are few of them.

    Parameters
    ----------
    expression : Expression
        The expression.
    value : Any
        What it was when it was first executed.
    donors : Donors
        What may be there instead; not looked at here.
    """
    del donors
    node = expression.node
    if takes_factor(expression, value):
        yield ExpressionChange(FACTOR, lambda factor: lambda value, _: value * factor, 1.0)
    if isinstance(node, ast.Constant) and _is_factor(expression) and value != 1:
        yield ExpressionChange.without_number(NO_FACTOR, lambda *_: 1)
    if expression.role == "whole" and is_whole_number(value):
        yield from _accumulations(expression.statement)
    if expression.role == "index" and _is_of_whole_numbers(value):
        yield from (_shift(expression, value, step) for step in NEAR)
    elif is_whole_number(value):
        if isinstance(node, ast.Constant):
            yield from (_shift(expression, value, step) for step in NEXT)
    elif is_array(value) and value.dtype.kind == "b" and expression.role != "index":
        yield ExpressionChange.without_number("~{0}", lambda value, _: ~value)
    elif type(value) is tuple:
        yield from _exchanges(value)
    elif is_floating(value):
        yield from _changes_of_floating(expression, value)


def _changes_of_floating(expression: Expression, value: Any) -> Iterator[ExpressionChange]:
    node, named = expression.node, ExpressionChange.without_number
    if expression.role == "whole":
        yield from _accumulations(expression.statement)
    if np.ndim(value) > 1:
        yield named("{0}.T", lambda value, _: value.T.copy())
    if np.ndim(value) > 2:
        for one, other in combinations(range(np.ndim(value)), 2):
            yield named(f"{{0}}.swapaxes({one}, {other})", _exchange_of_axes(one, other))
    if _is_factor(expression) and np.ndim(value):
        yield named(NO_FACTOR, lambda value, _: np.ones_like(value))
    if isinstance(node, NAMES):
        is_negative = np.any(value < 0)
        for power in POWERS:
            if power >= 1 or not is_negative:
                yield named(f"{{0}}**{power:g}", _power(power))


def changes_of_names(
    expression: Expression, value: Any, donors: Donors
) -> Iterator[ExpressionChange]:
    """Yield changes by other names in the place of an expression; of indices, sums with them.

    Parameters
    ----------
    expression, value, donors
        As for `changes`.
    """
    is_name, named = isinstance(expression.node, NAMES), ExpressionChange.without_number
    if expression.role == "index":
        for donor in donors(expression) if is_whole_number(value) else ():
            if donor.is_whole and is_name:
                yield named(escaped(donor.text), _replaced(donor))
            if donor.is_whole:
                yield named(f"{{0}} + {escaped(donor.text)}", _combined(donor, np.add))
    elif is_name and (is_floating(value) or is_number(value)):
        for donor in donors(expression):
            is_fitting = donor.shape == np.shape(value)
            if expression.role == "whole":  # what is returned fits by chance alone
                is_fitting = len(donor.shape) == np.ndim(value)
            if is_fitting and donor.is_name:
                yield named(escaped(donor.text), _replaced(donor))


def changes_by_donors(
    expression: Expression, value: Any, donors: Donors
) -> Iterator[ExpressionChange]:
    """Yield changes by something that is missing in an expression: a factor, a term, a sum.

    Parameters
    ----------
    expression, value, donors
        As for `changes`.
    """
    if expression.role == "index" or not (is_floating(value) or is_number(value)):
        return
    is_term = takes_factor(expression, value)
    for donor in donors(expression):
        if is_term or _is_summed(expression):
            yield from _missing_factors(donor, value)
        if is_term or _is_factor(expression):
            yield from _missing_terms(donor, value)
    if is_term or _is_factor(expression) or isinstance(expression.parent, ast.Subscript):
        yield from _missing_sums(value)


def _missing_terms(donor: Donor, value: Any) -> Iterator[ExpressionChange]:
    """Yield the sum with a multiple of a donor."""
    if is_broadcast(donor.shape, np.shape(value)):
        instead = f"{{0}} + {{1}} * {escaped(donor.text)}"
        yield ExpressionChange(instead, _multiple_added(donor), 0.0)


def _missing_sums(value: Any) -> Iterator[ExpressionChange]:
    for axis, keepdims in product(range(np.ndim(value)), (True, False)):
        change = _summed(axis, keepdims=keepdims)
        kept = ", keepdims=True" if keepdims and np.ndim(value) > 1 else ""
        yield ExpressionChange.without_number(f"{{0}}.sum(axis={axis}{kept})", change)


def _missing_factors(donor: Donor, value: Any) -> Iterator[ExpressionChange]:
    """Yield products with a donor, and with the derivatives of activations of a variable."""
    named, text = ExpressionChange.without_number, escaped(donor.text)
    if is_broadcast(donor.shape, np.shape(value)):
        yield named(f"{{0}} * {text}", _combined(donor, np.multiply))
        yield named(f"{{0}} / {text}", _combined(donor, np.divide))
        for one in ACTIVATIONS if donor.shape == np.shape(value) != () else ():
            if one.low <= donor.low and donor.high <= one.high:
                change = _combined(donor, _times(one.derivative))
                yield named("{0} * (" + one.text.replace("value", text) + ")", change)
    elif is_broadcast(np.shape(value), donor.shape):
        yield named(f"{{0}} * {text}", _combined(donor, np.multiply, grows=True))


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


def is_near_integer(number: float) -> bool:
    """Return whether a number is a whole one, but for the errors of differences."""
    return abs(number - round(number)) <= INTEGER * max(1.0, abs(number))


def escaped(text: str) -> str:
    """Return code as a part of a template, where braces stand for something."""
    return text.replace("{", "{{").replace("}", "}}")


def is_whole_number(value: Any) -> bool:
    """Return whether a value is a whole number, and no truth value."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _is_of_whole_numbers(value: Any) -> bool:
    return is_whole_number(value) or (is_array(value) and value.dtype.kind in "iu")


def _is_summed(expression: Expression) -> bool:
    """Return whether a factor of entries is not one of what the expression is a part of."""
    parent = expression.parent
    is_product = isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.MatMult)
    return is_product or isinstance(parent, (ast.Call, ast.Attribute))


def is_broadcast(shape: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Return whether an array of a shape can be broadcast to another one."""
    pairs = zip(reversed(shape), reversed(other), strict=False)
    return len(shape) <= len(other) and all(one in (1, two) for one, two in pairs)


def _exchanges(values: tuple[Any, ...]) -> Iterator[ExpressionChange]:
    """Yield that two neighbours in a tuple of arrays are in the wrong order."""
    for k, (one, other) in enumerate(pairwise(values)):
        if is_array(one) and is_array(other) and one.shape == other.shape:
            yield ExpressionChange.without_number("{0} with two values exchanged", _exchange(k))


def _exchange(k: int) -> Change:
    return lambda value, _: (*value[:k], value[k + 1], value[k], *value[k + 2 :])


def _is_factor(expression: Expression) -> bool:
    parent = expression.parent
    return isinstance(parent, ast.BinOp) and isinstance(parent.op, (ast.Mult, ast.Div))


def _shift(expression: Expression, value: Any, step: int) -> ExpressionChange:
    instead = f"{{0}} {'+' if step > 0 else '-'} {abs(step)}"
    if isinstance(expression.node, ast.Constant):
        instead = str(value + step)
    return ExpressionChange.without_number(instead, lambda value, _: value + step)


def _exchange_of_axes(one: int, other: int) -> Change:
    return lambda value, _: value.swapaxes(one, other).copy()


def _power(power: float) -> Change:
    return lambda value, _: value**power


def _summed(axis: int, *, keepdims: bool) -> Change:
    return lambda value, _: value.sum(axis=axis, keepdims=keepdims)


def _replaced(donor: Donor) -> Change:
    def changed(value: Any, frame: FrameType) -> Any:
        other = donor.evaluate(frame)
        return np.array(other) if np.ndim(value) else other

    return changed


def _combined(donor: Donor, combine: Callable[[Any, Any], Any], *, grows: bool = False) -> Change:
    """Return the change of a value to a combination with a donor, of the shape of one of both."""

    def changed(value: Any, frame: FrameType) -> Any:
        other = donor.evaluate(frame)
        if not (is_array(other) or is_number(other)):
            raise ValueError(donor.text)
        result = combine(value, other)
        if np.shape(result) != np.shape(other if grows else value):
            raise ValueError(donor.text)
        return result

    return changed


def _times(function: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda value, other: value * function(other)


def _multiple_added(donor: Donor) -> Callable[[float], Change]:
    return lambda number: _combined(donor, lambda value, other: value + number * other)


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
    evaluate = evaluation(target)

    def before(value: Any, frame: FrameType) -> Any:
        found = evaluate(frame)
        if np.broadcast_shapes(np.shape(found), np.shape(value)) != np.shape(found):
            raise ValueError
        return found

    if isinstance(statement, ast.Assign):
        yield named("+= {0}", lambda value, frame: before(value, frame) + value)
        yield named("-= {0}", lambda value, frame: before(value, frame) - value)
    else:
        yield named("= {0}", lambda value, frame: value - before(value, frame))
