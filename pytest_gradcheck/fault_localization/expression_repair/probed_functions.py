"""Probed functions: the user's functions with a probe around each expression of numbers.

The source of a function is parsed, each expression whose value may matter is put into a call of a
probe, and the result is compiled. While a context lasts, the function objects have that code. The
probe returns what it is given, so that functions do what they did, in other threads too; in its
own thread it may change the value of one expression. It does not know what to change.
"""

from __future__ import annotations

import ast
import copy
import gc
import operator
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR
from types import CodeType, FrameType, FunctionType
from typing import Any, Literal

from pytest_gradcheck.fault_localization.execution.statements import syntax_tree

__all__ = ["Change", "Expression", "InterruptedExecutionError", "ProbedFunctions", "Watch"]

#: ``change(value, frame) -> value`` returns what an expression has instead of its value.
Change = Callable[[Any, FrameType], Any]

#: What an expression is: the whole of what a statement assigns, adds or returns; a part of that;
#: an index; or a variable wherever it is read after a statement that has changed it in place.
Role = Literal["whole", "part", "index", "variable"]

#: Functions whose execution is suspended have frames of their own.
SUSPENDED = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR

#: The operands of expressions.
OPERANDS: dict[type[ast.expr], tuple[str, ...]] = {
    ast.BinOp: ("left", "right"),
    ast.UnaryOp: ("operand",),
    ast.Compare: ("left",),
    ast.IfExp: ("body", "orelse"),
    ast.Subscript: ("value",),
}

#: Expressions that are left as they are.
OPAQUE = (ast.Starred, ast.JoinedStr, ast.Lambda, ast.Await, ast.Yield, ast.YieldFrom)

#: Names of modules by convention; their attributes are functions.
MODULES = ("np", "numpy", "math", "scipy")

#: What stands for the probe before a function is compiled.
SENTINEL = "pytest-gradcheck probe"


@dataclass(frozen=True, slots=True, eq=False)
class Expression:
    """An expression in a statement of a function.

    Attributes
    ----------
    file : str
        Where it is.
    statement : ast.stmt
        The statement.
    node : ast.expr
        The expression as it is written.
    parent : ast.AST
        What it is an operand or an argument of; its statement if it is the whole of it.
    role : {"whole", "part", "index", "variable"}
        What it is.
    """

    file: str
    statement: ast.stmt
    node: ast.expr
    parent: ast.AST
    role: Role


class InterruptedExecutionError(Exception):
    """An execution takes much longer with a change than without, or what it is for is known."""


@dataclass(slots=True, eq=False)
class Watch:
    """Which value of an expression an execution is for: it need not go on.

    Attributes
    ----------
    number : int
        The number of the expression.
    occurrence : int
        How often it is executed before.
    observe : callable
        ``observe(value, frame) -> value`` returns what is observed of it.
    observed : Any
        What was observed; None if nothing was.
    """

    number: int
    occurrence: int
    observe: Callable[[Any, FrameType], Any]
    observed: Any = None
    _executions: int = 0

    def take(self, value: Any, frame: FrameType) -> None:
        """Take a value of the expression; raises after the one that is observed."""
        self._executions += 1
        if self._executions > self.occurrence:
            self.observed = self.observe(value, frame)
            raise InterruptedExecutionError


@dataclass(slots=True, eq=False)  # a constant of code, which is hashed by its constants
class Probe:
    """What compiled functions call with the number of an expression, and its value.

    Attributes
    ----------
    changes : dict of int to Change
        By the number of the expression.
    values : dict of int to value, or None
        Where the first value of each expression is recorded, if it is.
    calls : int
        How often it was called.
    most_calls : int or None
        After so many calls it raises: a loop may not end where an expression is changed.
    watch : Watch or None
        What the execution is for, if it is not for what backward returns.
    """

    changes: dict[int, Change] = field(default_factory=dict)
    values: dict[int, Any] | None = None
    calls: int = 0
    most_calls: int | None = None
    watch: Watch | None = None
    _thread: int = field(default_factory=threading.get_ident)

    def __call__(self, number: int, value: Any) -> Any:
        """Return the value of an expression, changed if it is to be."""
        if threading.get_ident() != self._thread:
            return value
        self.calls += 1
        if self.most_calls is not None and self.calls > self.most_calls:
            raise InterruptedExecutionError
        if self.values is not None:
            self.values.setdefault(number, value)
        change = self.changes.get(number)
        if change is not None:
            value = change(value, sys._getframe(1))
        if self.watch is not None and self.watch.number == number:
            self.watch.take(value, sys._getframe(1))
        return value


class ProbedFunctions:
    """Functions with probes.

    Parameters
    ----------
    codes : collection of code
        The code of the functions, as they are. Those whose source is not there, or whose
        execution is suspended, have no probes.
    around : collection of code
        The code of other functions, in which functions with probes may be defined.

    Attributes
    ----------
    expressions : list of Expression
        By their numbers.
    probe : Probe
        What is called.
    """

    def __init__(self, codes: Collection[CodeType], around: Collection[CodeType] = ()) -> None:
        self.expressions: list[Expression] = []
        self.probe = Probe()
        self._codes: dict[CodeType, CodeType] = {}
        for code in codes:
            probed = None if code.co_flags & SUSPENDED else self._probed(code)
            if probed is not None:
                self._codes[code] = probed
        probed_codes = {_definition(code): one for code, one in self._codes.items()}
        for code in (*codes, *around):
            carrying = _with_inner(self._codes.get(code, code), probed_codes)
            if carrying is not code:
                self._codes[code] = carrying

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Let the functions have the probed code for as long as the context lasts.

        They must not be in place twice at a time, in another thread: each would put back what it
        has found.
        """
        functions = [
            (one, one.__code__)
            for one in gc.get_referrers(*self._codes)
            if isinstance(one, FunctionType) and one.__code__ in self._codes
        ]
        try:
            for function, code in functions:
                function.__code__ = self._codes[code]
            yield
        finally:
            for function, code in functions:
                function.__code__ = code
            # Functions that were defined meanwhile keep the probe.
            self.probe.changes, self.probe.values, self.probe.most_calls = {}, None, None
            self.probe.watch = None

    def _probed(self, code: CodeType) -> CodeType | None:
        """Return the code of a function with probes, None where its source is not there."""
        path = _path_to(code)
        if path is None:
            return None
        *around, function = path
        probing = _Probing(code.co_filename, self.expressions)
        try:
            probed: Any = _with_body(function, probing.block(function.body))
            inner: ast.AST = function
            for outer in reversed(around):
                probed = _with_body(outer, _body_around(outer, inner, probed))
                inner = outer
            tree = ast.fix_missing_locations(probed)
            module = compile(tree, code.co_filename, "exec", dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError):
            return None
        found = _code_like(code, module)
        if found is None or found.co_freevars != code.co_freevars:
            return None
        constants = (self.probe if one == SENTINEL else one for one in found.co_consts)
        return found.replace(co_consts=tuple(constants))


_Scope = ast.Module | ast.ClassDef | ast.FunctionDef


def _path_to(code: CodeType) -> list[Any] | None:
    """Return the syntax tree of a function, after the trees that it is inside of."""
    pending: list[list[_Scope]] = [[syntax_tree(code.co_filename)]]
    while pending:
        path = pending.pop()
        for node in path[-1].body:
            if isinstance(node, ast.FunctionDef):
                lines = (node.lineno, *(d.lineno for d in node.decorator_list))
                if node.name == code.co_name and code.co_firstlineno in lines:
                    return [*path, node]
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                pending.append([*path, node])
    return None


def _body_around(outer: _Scope, inner: ast.AST, probed: Any) -> list[ast.stmt]:
    """Return what has to be around a function for it to be compiled as it was.

    The variables of a function around it may be its own; of a module, only what is imported from
    the future matters.
    """
    if isinstance(outer, ast.FunctionDef):
        return [probed if node is inner else node for node in outer.body]
    imports = (node for node in outer.body if isinstance(node, ast.ImportFrom))
    return [*(node for node in imports if node.module == "__future__"), probed]


def _with_body(node: Any, body: list[ast.stmt]) -> Any:
    twin = copy.copy(node)
    twin.body = body
    return twin


def _code_like(code: CodeType, module: CodeType) -> CodeType | None:
    """Return the code in a module of the function that some code is of."""
    for constant in module.co_consts:
        if isinstance(constant, CodeType):
            if constant.co_name == code.co_name and constant.co_firstlineno == code.co_firstlineno:
                return constant
            inner = _code_like(code, constant)
            if inner is not None:
                return inner
    return None


def _definition(code: CodeType) -> tuple[str, str, int]:
    """Return what identifies where a function is defined."""
    return code.co_filename, code.co_name, code.co_firstlineno


def _with_inner(code: CodeType, instead: Mapping[tuple[str, str, int], CodeType]) -> CodeType:
    """Return code with other code of the functions that it defines; itself if it defines none."""
    constants = [
        _with_inner(instead.get(_definition(one), one), instead)
        if isinstance(one, CodeType)
        else one
        for one in code.co_consts
    ]
    if all(map(operator.is_, constants, code.co_consts)):
        return code
    return code.replace(co_consts=tuple(constants))


class _Probing:
    """Puts expressions into calls of a probe.

    Parameters
    ----------
    file : str
        Where they are.
    expressions : list of Expression
        Where they are added.
    """

    def __init__(self, file: str, expressions: list[Expression]) -> None:
        self._file, self._expressions = file, expressions
        self._statement: ast.stmt = ast.Pass()

    def block(self, body: Sequence[ast.stmt]) -> list[ast.stmt]:
        """Return statements with probes; the headers of compound ones stay as they are."""
        return [self._of_statement(node) for node in body]

    def _of_statement(self, node: ast.stmt) -> ast.stmt:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            return node
        twin: Any = copy.copy(node)
        for name in ("body", "orelse", "finalbody"):
            if getattr(node, name, None):
                setattr(twin, name, self.block(getattr(node, name)))
        self._statement = node
        if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Return)):
            if node.value is not None:
                twin.value = self._whole(node.value)
            if isinstance(node, ast.Assign):
                twin.targets = [self._target(target) for target in node.targets]
            elif isinstance(node, ast.AugAssign):
                twin.target = self._target(node.target)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            twin.value = self._inside(node.value)
        return twin  # type: ignore[no-any-return]  # a copy has the type of its original

    def _target(self, node: Any) -> Any:
        if not isinstance(node, ast.Subscript):
            return node
        twin = copy.copy(node)
        twin.slice = self._index(node.slice, node)
        return twin

    def _whole(self, node: ast.expr) -> ast.expr:
        """Return what a statement assigns or returns with probes: a value, or several."""
        twin: Any = copy.copy(node)
        if isinstance(node, (ast.Tuple, ast.List)):
            twin.elts = [self._whole(one) for one in node.elts]
            twin = self._call(node, twin, self._statement, "whole")
        elif isinstance(node, ast.Dict):
            twin.values = [self._whole(one) for one in node.values]
        else:
            twin = self._value(node, self._statement, "whole")
        return twin  # type: ignore[no-any-return]  # a copy has the type of its original

    def _value(self, node: ast.expr, parent: ast.AST, role: Role = "part") -> ast.expr:
        """Return an expression in a call of the probe, and its parts in calls of their own."""
        if isinstance(node, OPAQUE) or (
            isinstance(node, ast.Constant) and type(node.value) not in (int, float)
        ):
            return node
        if isinstance(node, (ast.Tuple, ast.List)):
            twin = copy.copy(node)
            twin.elts = [self._value(one, node) for one in node.elts]
            return twin
        return self._call(node, self._inside(node), parent, role)

    def _call(self, node: ast.expr, inside: ast.expr, parent: ast.AST, role: Role) -> ast.expr:
        """Return the call of the probe with an expression whose parts have their own."""
        number = len(self._expressions)
        self._expressions.append(Expression(self._file, self._statement, node, parent, role))
        # Of a constant that is called as such, Python would warn.
        probe = ast.IfExp(ast.Constant(1), ast.Constant(SENTINEL), ast.Constant(None))
        return ast.copy_location(ast.Call(probe, [ast.Constant(number), inside], []), node)

    def _inside(self, node: ast.expr) -> ast.expr:
        """Return an expression with its parts in calls of the probe."""
        twin: Any = copy.copy(node)
        for name in OPERANDS.get(type(node), ()):
            setattr(twin, name, self._value(getattr(node, name), node))
        if isinstance(node, ast.Call):
            twin.args = [self._value(one, node) for one in node.args]
            if isinstance(node.func, ast.Attribute):
                twin.func = self._attribute(node.func)
        elif isinstance(node, ast.Attribute):
            twin = self._attribute(node)
        elif isinstance(node, ast.Subscript):
            twin.slice = self._index(node.slice, node)
        return twin  # type: ignore[no-any-return]  # a copy has the type of its original

    def _attribute(self, node: ast.Attribute) -> ast.Attribute:
        """Return an attribute of a probed value, or of a module as it is."""
        inner: ast.expr = node.value
        while isinstance(inner, ast.Attribute):
            inner = inner.value
        if isinstance(inner, ast.Name) and inner.id in MODULES:
            return node
        twin = copy.copy(node)
        twin.value = self._value(node.value, node)
        return twin

    def _index(self, node: ast.expr, parent: ast.AST) -> ast.expr:
        """Return an index with its numbers in calls of the probe."""
        twin: Any = copy.copy(node)
        if isinstance(node, ast.Tuple):
            twin.elts = [self._index(one, parent) for one in node.elts]
        elif isinstance(node, ast.Slice):
            for name in ("lower", "upper"):
                if getattr(node, name) is not None:
                    setattr(twin, name, self._index(getattr(node, name), parent))
        elif not isinstance(node, ast.Constant) or type(node.value) is int:
            twin = self._value(node, parent, "index")
        return twin  # type: ignore[no-any-return]  # a copy has the type of its original
