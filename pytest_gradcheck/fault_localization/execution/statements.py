"""The statements of source files: their lines, and the variables that each reads and binds.

A statement is a simple one, or the header of a compound one. Several on one line are one. What
it reads is kept as chains, such as ``cache["W"][0]`` or ``self.h``, which can be followed in a
frame without running any of the user's code. It does not execute anything of a file.
"""

from __future__ import annotations

import ast
import linecache
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from pytest_gradcheck.report.report_data import SourceLocation

__all__ = ["Chain", "Statement", "location_of", "statements_of", "syntax_tree"]

#: An attribute, or the expression in square brackets.
Accessor = str | ast.expr

#: The name of a file that `exec` gives to code from a string.
OF_EXEC = "<string>"

#: The files whose statements are kept.
KEPT_FILES = 8

#: Functions of numpy that make an array whose entries are not set.
UNINITIALIZED = ("empty", "empty_like")

COMPOUND = (
    ast.For,
    ast.While,
    ast.If,
    ast.With,
    ast.Try,
    ast.FunctionDef,
    ast.ClassDef,
    ast.AsyncFunctionDef,
    ast.Match,
)


@dataclass(frozen=True, slots=True)
class Chain:
    """A variable, followed by attributes and subscripts.

    Attributes
    ----------
    name : str
        The variable.
    accessors : tuple of str or ast.expr
        Names of attributes, and expressions in square brackets.
    """

    name: str
    accessors: tuple[Accessor, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """A statement, or several on the same lines.

    Attributes
    ----------
    file : str
        Where it is.
    first_line, last_line : int
        Its lines; of a compound statement those of its header.
    function : str
        Name of the function that it belongs to.
    reads : tuple of Chain
        What it reads.
    changes : tuple of Chain
        What it assigns to parts of: arrays, containers, objects.
    binds : frozenset of str
        Variables that it binds.
    elements : mapping of Any to frozenset of Chain
        What is read for each element of a tuple, list or dict that it writes out, by its index,
        its key, or the variable that is bound to it; empty where it writes out none.
    is_alias : bool
        Whether it binds a variable to the value of another one.
    is_header : bool
        Whether it is the header of a compound statement.
    nodes : tuple of ast.stmt
        Its syntax trees; those of headers with what is inside them.
    """

    file: str
    first_line: int
    last_line: int
    function: str
    reads: tuple[Chain, ...]
    changes: tuple[Chain, ...]
    binds: frozenset[str]
    elements: Mapping[Any, frozenset[Chain]]
    is_alias: bool
    is_header: bool
    nodes: tuple[ast.stmt, ...] = ()

    @property
    def source(self) -> str:
        """What is written there, whatever the line breaks and comments."""
        return "\n".join(map(ast.unparse, self.nodes))

    @property
    def is_sum(self) -> bool:
        """Whether it adds something to a variable, or subtracts it, or binds it to a sum."""
        return all(
            isinstance(node, (ast.Assign, ast.AugAssign)) and _is_sum(node) for node in self.nodes
        )

    @property
    def is_uninitialized(self) -> bool:
        """Whether it binds a variable to an array whose entries are not set."""
        return all(
            isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Call)
            and isinstance(node.value.func, ast.Attribute)
            and node.value.func.attr in UNINITIALIZED
            for node in self.nodes
        )

    @property
    def is_condition(self) -> bool:
        """Whether it decides what else is executed."""
        return any(isinstance(node, (ast.If, ast.While)) for node in self.nodes)

    @property
    def names(self) -> frozenset[str]:
        """All variables that occur in it."""
        return self.binds | {chain.name for chain in (*self.reads, *self.changes)}


def _is_sum(node: ast.Assign | ast.AugAssign) -> bool:
    operation = node if isinstance(node, ast.AugAssign) else node.value
    operator = getattr(operation, "op", None)
    return isinstance(operator, (ast.Add, ast.Sub))


def statements_of(file: str) -> Mapping[int, Statement]:
    """Return the statements of a file by each of their lines; none where it has no source.

    They are kept, since the tests of one file may have many failing checks.
    """
    return _statements(file, syntax_tree(file))


def syntax_tree(file: str) -> ast.Module:
    """Return the syntax tree of a file, not to be changed; an empty one if it has no source."""
    # Python 3.13 keeps the code of its option -c under the name that `exec` gives to any other.
    return _parsed("" if file == OF_EXEC else "".join(linecache.getlines(file)))


@lru_cache(maxsize=KEPT_FILES)
def _parsed(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError):
        return ast.Module([], [])


@lru_cache(maxsize=KEPT_FILES)
def _statements(file: str, tree: ast.Module) -> dict[int, Statement]:
    found: dict[int, list[_Part]] = {}
    for part in _parts(tree, ""):
        found.setdefault(part.first_line, []).append(part)
    result: dict[int, Statement] = {}
    for parts in found.values():
        statement = _statement(file, parts)
        for line in range(statement.first_line, statement.last_line + 1):
            result.setdefault(line, statement)
    return result


def location_of(statements: list[Statement], root: Path, until: int = 0) -> SourceLocation:
    """Return the lines of neighbouring statements of one file.

    Parameters
    ----------
    statements : list of Statement
        At least one.
    root : Path
        A file inside it is named relative to it.
    until : int
        The last line, if it is after these statements.
    """
    first = min(s.first_line for s in statements)
    last = max(until, *(s.last_line for s in statements))
    file = statements[0].file
    return SourceLocation(
        relative(file, root), first, last, statements[0].function, _source(file, first, last)
    )


def relative(file: str, root: Path) -> str:
    """Return a path relative to a directory if it is inside, else as it is."""
    path = Path(file)
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else file


def _source(file: str, first: int, last: int) -> str:
    return textwrap.dedent("".join(linecache.getlines(file)[first - 1 : last])).rstrip()


@dataclass(slots=True)
class _Part:
    """One simple statement or header, not yet joined with others on its lines."""

    first_line: int
    last_line: int
    function: str
    node: ast.stmt | None = None
    reads: list[Chain] = field(default_factory=list)
    changes: list[Chain] = field(default_factory=list)
    binds: set[str] = field(default_factory=set)
    elements: dict[Any, frozenset[Chain]] = field(default_factory=dict)
    is_alias: bool = False
    is_header: bool = False


def _statement(file: str, parts: list[_Part]) -> Statement:
    return Statement(
        file,
        parts[0].first_line,
        max(part.last_line for part in parts),
        parts[0].function,
        tuple(dict.fromkeys(chain for part in parts for chain in part.reads)),
        tuple(dict.fromkeys(chain for part in parts for chain in part.changes)),
        frozenset(name for part in parts for name in part.binds),
        parts[0].elements if len(parts) == 1 else {},
        len(parts) == 1 and parts[0].is_alias,
        all(part.is_header for part in parts),
        tuple(part.node for part in parts if part.node is not None),
    )


def _parts(node: ast.AST, function: str) -> Iterator[_Part]:
    for child in ast.iter_child_nodes(node):
        inside = function
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            inside = f"{function}.{child.name}" if function else child.name
        elif isinstance(child, ast.stmt):
            yield _part(child, function)
        if isinstance(child, (ast.stmt, ast.ExceptHandler, ast.match_case)):
            yield from _parts(child, inside)


def _part(node: ast.stmt, function: str) -> _Part:
    part = _Part(node.lineno, node.end_lineno or node.lineno, function, node)
    expressions: list[ast.AST] = [node]
    if isinstance(node, COMPOUND):
        expressions = [
            value
            for name, value in ast.iter_fields(node)
            if name in ("test", "iter", "target", "subject") and isinstance(value, ast.AST)
        ]
        if isinstance(node, ast.With):
            expressions = list(node.items)
        body = getattr(node, "body", None)
        last = max(
            [node.lineno, *(e.end_lineno or 0 for e in expressions if isinstance(e, ast.expr))]
        )
        part.last_line = min(last, body[0].lineno) if body else last
        part.is_header = True
    for expression in expressions:
        _collect(expression, part)
    if isinstance(node, (ast.Assign, ast.Return)) and node.value is not None:
        targets = node.targets if isinstance(node, ast.Assign) else []
        part.elements = dict(_elements(node.value, targets))
        is_bound = len(targets) == 1 and isinstance(targets[0], ast.Name)
        part.is_alias = is_bound and isinstance(node.value, ast.Name)
    return part


def _elements(value: ast.expr, targets: list[ast.expr]) -> Iterator[tuple[Any, frozenset[Chain]]]:
    """Yield what is read for each element of a tuple, list or dict that is written out."""
    if isinstance(value, ast.Dict):
        for key, element in zip(value.keys, value.values, strict=True):
            if isinstance(key, ast.Constant):
                yield key.value, _read(element)
    elif isinstance(value, (ast.Tuple, ast.List)):
        for k, element in enumerate(value.elts):
            yield k, _read(element)
            for target in targets:
                if isinstance(target, (ast.Tuple, ast.List)) and len(target.elts) == len(
                    value.elts
                ):
                    name = target.elts[k]
                    if isinstance(name, ast.Name):
                        yield name.id, _read(element)


def _read(expression: ast.expr) -> frozenset[Chain]:
    part = _Part(0, 0, "")
    _collect(expression, part)
    return frozenset(part.reads)


def _collect(node: ast.AST, part: _Part) -> None:
    """Add to a part what an expression or statement reads, changes and binds."""
    if isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)):
        _collect_chain(node, part)
        return
    if isinstance(node, ast.AugAssign):
        target = _chain(node.target)
        if target is not None:
            part.reads.append(target)
    for child in ast.iter_child_nodes(node):
        _collect(child, part)


def _collect_chain(node: ast.Name | ast.Attribute | ast.Subscript, part: _Part) -> None:
    chain = _chain(node)
    if chain is not None and isinstance(node.ctx, ast.Load):
        part.reads.append(chain)
    elif chain is not None and chain.accessors:
        part.changes.append(chain)
    elif chain is not None:
        part.binds.add(chain.name)
    inner: ast.expr = node
    while isinstance(inner, (ast.Attribute, ast.Subscript)):
        if isinstance(inner, ast.Subscript):
            _collect(inner.slice, part)
        inner = inner.value
    if not isinstance(inner, ast.Name):
        _collect(inner, part)


def _chain(node: ast.AST) -> Chain | None:
    """Return the chain of an expression, up to where it is called."""
    accessors: list[Accessor] = []
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        accessors.append(node.attr if isinstance(node, ast.Attribute) else node.slice)
        node = node.value
    return Chain(node.id, tuple(reversed(accessors))) if isinstance(node, ast.Name) else None
