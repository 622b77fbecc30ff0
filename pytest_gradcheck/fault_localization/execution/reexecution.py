"""Re-execution: one statement executed once more by itself, with something that it read changed.

It is executed in copies of the variables that it met, so that nothing of the user's changes. The
functions of the user's that it called are not called again: what they have returned stands for
the calls, and can be changed as well.
"""

from __future__ import annotations

import ast
import builtins
import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import CodeType, FrameType, ModuleType
from typing import Any

import numpy as np

from pytest_gradcheck.fault_localization.execution.statements import Statement
from pytest_gradcheck.fault_localization.execution.variables import (
    MISSING,
    Path,
    attributes,
    is_array,
    is_number,
    leaves,
    lookup,
    resolve,
    resolve_chain,
)

__all__ = [
    "Reexecution",
    "Variables",
    "calls_in",
    "reexecution_of_arguments",
    "reexecution_of_statement",
    "returned_name",
]

#: The variables that a reexecution binds for what a function has returned, and for arguments.
RETURNED = "return"
ARGUMENTS = "arguments"


@dataclass(frozen=True, slots=True)
class Variables:
    """Variables as a frame has them; stands for one where paths are followed."""

    f_locals: dict[str, Any]
    f_globals: Mapping[str, Any]

    @classmethod
    def before(cls, frame: FrameType, statement: Statement) -> Variables:
        """Return those of a frame before a statement, with copies of what it may change."""
        variables = cls(dict(frame.f_locals), frame.f_globals)
        for path in _changed_paths(statement, variables):
            variables = variables.with_value(path, _copied(_at(variables, path)))
        return variables

    def with_value(self, path: Path, value: Any) -> Variables:
        """Return the same with another value at a path, in copies of what holds it."""
        before = self.f_locals.get(path.name, self.f_globals.get(path.name))
        changed = _replaced(before, path.accessors, value)
        return Variables({**self.f_locals, path.name: changed}, self.f_globals)


@dataclass(frozen=True, slots=True)
class Reexecution:
    """A statement, or the arguments of a call in it, to be executed by itself.

    Attributes
    ----------
    code : code
        What is executed.
    variables : Variables
        Those that it meets.
    changed : tuple of Path
        Arrays that it may change in place.
    names : tuple of str
        The variables in which its results are.
    is_numpy : bool
        Whether it calls functions of numpy only, and builtin ones.
    """

    code: CodeType
    variables: Variables
    changed: tuple[Path, ...]
    names: tuple[str, ...]
    is_numpy: bool

    def run(self, path: Path | None = None, value: Any = None) -> Variables | None:
        """Execute it where there is another value at a path; None where it raises."""
        variables = self.variables
        for place in self.changed:
            variables = variables.with_value(place, _copied(_at(variables, place)))
        if path is not None:
            variables = variables.with_value(path, value)
        # One namespace only: functions that are defined in it would not see local variables.
        namespace = {**variables.f_globals, **variables.f_locals}
        try:
            with np.errstate(all="ignore"):
                exec(self.code, namespace)  # noqa: S102  # the statement is the user's
        except Exception:  # noqa: BLE001  # then it cannot be executed by itself
            return None
        return Variables(namespace, variables.f_globals)

    def results(self, variables: Variables) -> list[tuple[Path, Any]]:
        """Return the arrays and numbers that a run has left in the variables of results.

        What was there before is none of them: an attribute may have the same values from an
        earlier call.
        """
        return [
            (path, value)
            for name in self.names
            if name in variables.f_locals
            for path, value in leaves(Path(name), variables.f_locals[name])
            if resolve(self.variables, path) is not value
        ]


def _changed_paths(statement: Statement, variables: Variables) -> Iterator[Path]:
    """Yield where a statement may change an array, a container or an object."""
    is_call = any(isinstance(node, ast.Expr) for node in statement.nodes)
    for chain in (*statement.changes, *(statement.reads if is_call else ())):
        path, value = resolve_chain(variables, chain)
        is_inside = bool(path.accessors)  # what holds it is copied, be it another one's attribute
        if chain.name in variables.f_locals and (is_inside or value is not _copied(value)):
            yield path
    for name in sorted(statement.binds):  # as `h += ...` does
        if is_array(variables.f_locals.get(name)):
            yield Path(name)


SIMPLE = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.Return)


def calls_in(statement: Statement, called: Sequence[str]) -> list[ast.Call] | None:
    """Return the calls of functions of some names in the order in which they are executed.

    Returns
    -------
    list of ast.Call or None
        None where these are not all calls that were made.
    """
    if any(not isinstance(node, SIMPLE) for node in statement.nodes):
        return None
    calls = [
        node
        for root in statement.nodes
        for node in _in_order(root)
        if isinstance(node, ast.Call) and _called(node) in called
    ]
    return calls if [_called(call) for call in calls] == list(called) else None


def reexecution_of_statement(
    statement: Statement, variables: Variables, calls: Sequence[ast.Call], returned: Sequence[Any]
) -> Reexecution | None:
    """Return the reexecution of a statement in which some calls have returned something."""
    if not statement.nodes or any(not isinstance(node, SIMPLE) for node in statement.nodes):
        return None
    body = [_without_calls(_as_assignment(node), calls) for node in statement.nodes]
    return Reexecution(
        _compiled(body),
        _with_returned(variables, returned),
        tuple(_changed_paths(statement, variables)),
        (*sorted(statement.names), RETURNED),
        _is_numpy(body, variables),
    )


def reexecution_of_arguments(
    variables: Variables, call: ast.Call, calls: Sequence[ast.Call], returned: Sequence[Any]
) -> Reexecution | None:
    """Return the reexecution of the arguments of a call, where calls before it have returned."""
    values = [*call.args, *(keyword.value for keyword in call.keywords)]
    if any(isinstance(value, ast.Starred) for value in values):
        return None
    twins = [copy.deepcopy(value) for value in values]
    node = ast.Assign([ast.Name(ARGUMENTS, ast.Store())], ast.Tuple(twins, ast.Load()))
    numbers = {c: k for k, c in enumerate(calls)}
    inner = {
        twin: numbers[own]
        for own, twin in zip(_calls_of(values), _calls_of(twins), strict=True)
        if own in numbers
    }
    body = [_Substitution(inner).visit(node)]
    known = _with_returned(variables, returned)
    return Reexecution(_compiled(body), known, (), (ARGUMENTS,), _is_numpy(body, variables))


def returned_name(k: int) -> str:
    """Return the variable that stands for what the k-th call has returned."""
    return f"{RETURNED} {k}"


def _with_returned(variables: Variables, returned: Sequence[Any]) -> Variables:
    known = {returned_name(k): value for k, value in enumerate(returned)}
    return Variables({**variables.f_locals, **known}, variables.f_globals)


def _calls_of(nodes: Sequence[ast.AST]) -> list[ast.Call]:
    return [n for node in nodes for n in ast.walk(node) if isinstance(n, ast.Call)]


def _as_assignment(node: ast.stmt) -> ast.stmt:
    if isinstance(node, ast.Return):
        value = node.value or ast.Constant(None)
        return ast.Assign([ast.Name(RETURNED, ast.Store())], value)
    return node


def _without_calls(node: ast.stmt, calls: Sequence[ast.Call]) -> ast.stmt:
    """Return a copy of a statement with variables in the place of calls."""
    twin = copy.deepcopy(node)
    twins = dict(zip(_calls_of([node]), _calls_of([twin]), strict=True))
    numbers = {twins[call]: k for k, call in enumerate(calls) if call in twins}
    result: ast.stmt = _Substitution(numbers).visit(twin)
    return result


class _Substitution(ast.NodeTransformer):
    """Puts variables in the place of calls."""

    def __init__(self, numbers: Mapping[ast.Call, int]) -> None:
        self._numbers = numbers

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Replace a call."""
        if node in self._numbers:
            return ast.Name(returned_name(self._numbers[node]), ast.Load())
        return self.generic_visit(node)


def _is_numpy(body: Sequence[ast.stmt], variables: Variables) -> bool:
    """Return whether statements call only functions of numpy, builtin ones, methods of arrays."""
    return all(_is_numpy_call(call.func, variables) for call in _calls_of(body))


def _is_numpy_call(function: ast.expr, variables: Variables) -> bool:
    names = list[str]()
    while isinstance(function, ast.Attribute):
        names.insert(0, function.attr)
        function = function.value
    if not isinstance(function, ast.Name):
        return bool(names)  # a method of what was computed
    value = lookup(variables, function.id)
    if value is MISSING:
        return hasattr(builtins, function.id)
    for name in names[:-1]:  # attributes of an object that it stores
        value = attributes(value).get(name, value)
    if is_array(value) or is_number(value) or isinstance(value, np.ufunc):
        return True
    owner = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", "")
    return str(owner).split(".")[0] in ("numpy", "builtins")


def _compiled(body: list[ast.stmt]) -> CodeType:
    module = ast.fix_missing_locations(ast.Module(body, []))
    return compile(module, "<reexecution>", "exec")


def _in_order(node: ast.AST) -> list[ast.AST]:
    """Return the parts of a syntax tree, those inside others first."""
    parts = [part for child in ast.iter_child_nodes(node) for part in _in_order(child)]
    return [*parts, node]


def _called(call: ast.Call) -> str:
    """Return the last name of what is called."""
    function = call.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _at(variables: Variables, path: Path) -> Any:
    value = variables.f_locals[path.name]
    for kind, key in path.accessors:
        value = attributes(value)[key] if kind == "attribute" else value[key]
    return value


def _replaced(holder: Any, accessors: Sequence[tuple[str, Any]], value: Any) -> Any:
    """Return a copy of nested containers and objects with another value inside."""
    if not accessors:
        return value
    (kind, key), *rest = accessors
    if kind == "attribute":
        changed = object.__new__(type(holder))
        changed.__dict__.update(holder.__dict__)
        changed.__dict__[key] = _replaced(holder.__dict__[key], rest, value)
        return changed
    if isinstance(holder, tuple):
        return tuple(_replaced(v, rest, value) if k == key else v for k, v in enumerate(holder))
    items: Any = dict(holder) if isinstance(holder, dict) else list(holder)
    items[key] = _replaced(holder[key], rest, value)
    return items


def _copied(value: Any) -> Any:
    """Return a copy of an array, or of the container or object itself."""
    if is_array(value):
        return value.copy()
    if type(value) in (dict, list):
        return value.copy()
    if attributes(value):
        twin = object.__new__(type(value))
        twin.__dict__.update(value.__dict__)
        return twin
    return value
