"""Donor code: what may be missing in an expression, or belong in its place.

What is missing in wrong code is somewhere else in it, as a rule: the plastic surgery hypothesis,
E. T. Barr et al., FSE 2014. Donors are the variables of a function, what is inside of
them, the names, attributes and subscripts that are written in it, and its arrays with the index
of another one beside them. It
does not know what they are tried for.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

import numpy as np

from pytest_gradcheck.fault_localization.execution.statements import Statement
from pytest_gradcheck.fault_localization.execution.variables import (
    Path,
    is_array,
    is_number,
    leaves,
    resolve,
)
from pytest_gradcheck.fault_localization.expression_repair.probed_functions import Expression

__all__ = ["NAMES", "Donor", "DonorCode", "Donors", "evaluation"]

#: What an expression consists of that can be evaluated twice.
NAMES = (ast.Name, ast.Attribute, ast.Subscript)

#: The most donors for one expression.
MOST_DONORS = 80


@dataclass(frozen=True, slots=True)
class Donor:
    """An expression of the user's that has a value where another one is.

    Attributes
    ----------
    text : str
        As it is written.
    shape : tuple of int
        Of the value, where it was seen.
    evaluate : callable
        ``evaluate(frame) -> value``; raises where there is none.
    low, high : float
        The range of the value, where it was first seen.
    is_whole : bool
        Whether it is a whole number.
    is_name : bool
        Whether it is a name, or a part of what has one.
    """

    text: str
    shape: tuple[int, ...]
    evaluate: Callable[[FrameType], Any]
    low: float = -np.inf
    high: float = np.inf
    is_whole: bool = False
    is_name: bool = True


#: ``donors(expression)`` returns what may be missing in an expression, or be in its place.
Donors = Callable[[Expression], Sequence[Donor]]


class DonorCode:
    """The donors of all expressions.

    Parameters
    ----------
    expressions : sequence of Expression
        Those with probes.
    values : mapping of int to value
        Their first values, by their numbers.
    statement_of : callable
        ``statement_of(expression) -> Statement or None`` returns where an expression is.
    variables : callable
        ``variables(expression)`` returns the variables that are in its scope, with their shapes.
    """

    def __init__(
        self,
        expressions: Sequence[Expression],
        values: Mapping[int, Any],
        statement_of: Callable[[Expression], Statement | None],
        variables: Callable[[Expression], Sequence[tuple[Path, tuple[int, ...]]]],
    ) -> None:
        self._statement_of, self._variables = statement_of, variables
        self._written: dict[str, list[tuple[Expression, Any]]] = {}
        for number, value in values.items():
            one = expressions[number]
            is_own = isinstance(one.node, NAMES) and is_array(value)
            is_own |= isinstance(one.node, (*NAMES, ast.BinOp)) and is_number(value)
            if is_own and not _calls(one.node):
                self._written.setdefault(self._function(one), []).append((one, value))
        self._inside: dict[str, list[Donor]] = {}
        for number, value in values.items():
            node, function = expressions[number].node, self._function(expressions[number])
            if isinstance(node, ast.Name) and not is_array(value):
                self._inside.setdefault(function, []).extend(_inside(node.id, value))
        self._found: dict[tuple[ast.stmt, type[ast.expr]], list[Donor]] = {}

    def __call__(self, expression: Expression) -> list[Donor]:
        """Return what may be missing in an expression, or be in the place of it."""
        key = expression.statement, type(expression.node)
        if key not in self._found:
            found: dict[tuple[str, tuple[int, ...]], Donor] = {}  # a name may change its shape
            for donor in self._all(expression):
                found.setdefault((donor.text, donor.shape), donor)
            self._found[key] = list(found.values())[:MOST_DONORS]
        own = ast.unparse(expression.node)
        return [donor for donor in self._found[key] if donor.text != own]

    def _all(self, expression: Expression) -> Iterator[Donor]:
        written = self._written.get(self._function(expression), [])
        for one, value in written:
            yield _donor(one.node, value)
        for path, shape in self._variables(expression):
            yield Donor(str(path), shape, _resolution(path))
        yield from self._inside.get(self._function(expression), ())
        arrays = {one.node.id: value for one, value in written if isinstance(one.node, ast.Name)}
        for one, value in written:
            node = one.node
            if one.statement is expression.statement and isinstance(node, ast.Subscript):
                owner = arrays.get(ast.unparse(node.value))
                for name, other in arrays.items():
                    if owner is not None and np.shape(other) == np.shape(owner):
                        twin = ast.Subscript(ast.Name(name, ast.Load()), node.slice, ast.Load())
                        yield Donor(ast.unparse(twin), np.shape(value), evaluation(twin))

    def _function(self, expression: Expression) -> str:
        statement = self._statement_of(expression)
        return "" if statement is None else f"{statement.file} {statement.function}"


def evaluation(node: ast.expr) -> Callable[[FrameType], Any]:
    """Return what evaluates an expression of the user's in a frame."""
    code = compile(ast.unparse(node), "<expression>", "eval")

    def evaluated(frame: FrameType) -> Any:
        return eval(code, frame.f_globals, dict(frame.f_locals))  # noqa: S307  # the user's own

    return evaluated


def _donor(node: ast.expr, value: Any) -> Donor:
    low, high = (np.min(value), np.max(value)) if np.size(value) else (0.0, 0.0)
    text, is_whole = ast.unparse(node), np.asarray(value).dtype.kind in "iu" and not np.ndim(value)
    if isinstance(node, ast.BinOp):
        text = f"({text})"
    evaluate = evaluation(node)
    return Donor(
        text,
        np.shape(value),
        evaluate,
        float(low),
        float(high),
        is_whole=is_whole,
        is_name=isinstance(node, NAMES),
    )


def _inside(name: str, value: Any) -> Iterator[Donor]:
    """Yield the attributes of an object, or the elements of a container."""
    for path, leaf in leaves(Path(name), value, depth=1):
        if path.accessors:
            yield Donor(str(path), np.shape(leaf), _resolution(path))


def _resolution(path: Path) -> Callable[[FrameType], Any]:
    return lambda frame: resolve(frame, path)


def _calls(node: ast.expr) -> bool:
    """Return whether an expression calls something."""
    return any(isinstance(one, ast.Call) for one in ast.walk(node))
