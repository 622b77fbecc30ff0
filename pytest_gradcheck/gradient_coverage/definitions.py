"""The definitions of derivatives in source code, which is read and not imported.

A definition is a function, a method or a lambda with a name. One that only declares does not
count: an abstract method, an overload, or a body without statements. ``# pragma: no gradcheck`` at
a definition or at its class excludes it. This module does not know files.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_gradcheck.gradient_coverage.name_patterns import NamePatterns

__all__ = ["Definition", "definitions_in"]

EXCLUDED = re.compile(r"#\s*pragma:\s*no\s*gradcheck\b")

WORD = re.compile(r"\w+")

#: Decorators of definitions that compute nothing, or that are not called for a derivative.
DECLARING = ("overload", "abstractmethod", "abstractproperty", "setter", "deleter")

_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Definition:
    """The definition of a derivative.

    Attributes
    ----------
    name : str
        The module and the qualified name, without ``<locals>``: ``nn.layers:Affine.backward``.
    line : int
        The line of its ``def`` or ``lambda``.
    first_line : int
        The line of its first decorator, or the same: the first line of its code.
    """

    name: str
    line: int
    first_line: int


def definitions_in(source: str, module: str, names: NamePatterns) -> list[Definition]:
    """Return the definitions of derivatives in the source code of a module.

    Parameters
    ----------
    source : str
        The source code.
    module : str
        The name of the module.
    names : NamePatterns
        The names of derivatives.

    Raises
    ------
    SyntaxError
        If it is not Python.
    """
    lines = source.splitlines()
    if not any(map(names.may_match, _words_at_definitions(lines))):
        return []  # parsing takes long
    found = _in_body(ast.parse(source).body, (), lines)
    return [
        Definition(f"{module}:{'.'.join(path)}", line, first_line)
        for path, line, first_line in found
        if names.match(".".join((module, *path)))
    ]


def _words_at_definitions(lines: list[str]) -> set[str]:
    """Return the words of lines that may give a function its name, or a lambda below one."""
    chosen = set[str]()
    for above, line in itertools.pairwise(("", *lines)):
        if "def " in line or "lambda" in line:
            chosen.update((above, line))
    return {word for line in chosen for word in WORD.findall(line)}


def _in_body(
    body: Sequence[ast.AST], path: tuple[str, ...], lines: list[str]
) -> Iterator[tuple[tuple[str, ...], int, int]]:
    """Yield the path of names, the line and the first line of each definition, in their order."""
    for node in body:
        if isinstance(node, (ast.ClassDef, _Function)):
            if _is_excluded(node, lines):
                continue
            inside = (*path, node.name)
            if isinstance(node, _Function) and not _only_declares(node):
                yield inside, node.lineno, _first_line(node)
            yield from _in_body(node.body, inside, lines)
        else:
            for name, function in _named_lambdas(node):
                if not EXCLUDED.search(lines[function.lineno - 1]):
                    yield (*path, name), function.lineno, function.lineno
            yield from _in_body(list(ast.iter_child_nodes(node)), path, lines)


def _named_lambdas(node: ast.AST) -> Iterator[tuple[str, ast.Lambda]]:
    """Yield the lambdas that a statement gives a name."""
    if not isinstance(node, (ast.Assign, ast.AnnAssign)) or not isinstance(node.value, ast.Lambda):
        return
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    for target in targets:
        if isinstance(target, (ast.Name, ast.Attribute)):
            yield _last_name(target), node.value


def _first_line(node: ast.ClassDef | _Function) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def _is_excluded(node: ast.ClassDef | _Function, lines: list[str]) -> bool:
    """Return whether the pragma is on a line before the body, or on the only line."""
    last = max(node.lineno, node.body[0].lineno - 1)
    return any(EXCLUDED.search(line) for line in lines[_first_line(node) - 1 : last])


def _only_declares(node: _Function) -> bool:
    names = {_last_name(decorator) for decorator in node.decorator_list}
    return not names.isdisjoint(DECLARING) or all(map(_does_nothing, node.body))


def _last_name(expression: ast.expr) -> str:
    """Return the last part of a name, empty if the expression is none."""
    if isinstance(expression, ast.Attribute):
        return expression.attr
    return expression.id if isinstance(expression, ast.Name) else ""


def _does_nothing(statement: ast.stmt) -> bool:
    """Return whether a statement is a docstring, ``...``, ``pass`` or of a NotImplementedError."""
    if isinstance(statement, ast.Raise):
        return _is_not_implemented(statement.exc)
    if isinstance(statement, ast.Return):
        return _is_not_implemented(statement.value)
    is_constant = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return isinstance(statement, ast.Pass) or is_constant


def _is_not_implemented(expression: ast.expr | None) -> bool:
    named = expression.func if isinstance(expression, ast.Call) else expression
    return isinstance(named, ast.Name) and named.id in {"NotImplementedError", "NotImplemented"}
