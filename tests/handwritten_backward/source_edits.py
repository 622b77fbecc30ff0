"""Edits of a backward: the mistakes that people make, in one expression of its source.

Every assignment and every returned expression is edited in turn, by every kind of edit that
applies to it. The text changes in that expression only, and no line moves except by the lines
that the expression loses. Whether an edit makes a gradient wrong is not decided here.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Any

import numpy as np

__all__ = ["KINDS", "Edit", "edits_of"]

#: The values of a function's variables by the expression that reads them.
Values = Mapping[str, Any]

#: Where backward begins in a function that computes the value as well.
BACKWARD_COMMENT = re.compile(r"\s*#\s*backward\b", re.IGNORECASE)

#: How many variables of the same shape are tried for each that is read.
WRONG_VARIABLES = 2

REDUCTIONS = {"sum": "mean", "mean": "sum"}
PRODUCTS = {"dot", "matmul", "outer"}
OPPOSITE = {ast.Gt: "<", ast.GtE: "<", ast.Lt: ">=", ast.LtE: ">", ast.Eq: "!="}


@dataclass(frozen=True)
class Edit:
    """An edit of one statement.

    Attributes
    ----------
    kind : str
        A key of `KINDS`.
    function : str
        Qualified name of the edited function.
    first_line, last_line : int
        The lines of the statement after the edit. Where the statement is left out, they begin
        with the one that bound its variable before: the mistake is that nothing follows it.
    before, after : str
        The statement before and after it.
    source : str
        The text of the whole file after it.
    """

    kind: str
    function: str
    first_line: int
    last_line: int
    before: str
    after: str
    source: str


@dataclass(frozen=True)
class Statement:
    """A statement of a function, and what is known of the function.

    Attributes
    ----------
    source : str
        The text of the file.
    node : ast.stmt
        The statement.
    function : str
        Qualified name of the function.
    values : mapping
        The values of the function's variables.
    names_of_forward : frozenset of str
        Variables that a function which computes the value as well binds for the value only.
    bound_at : int
        The line that bound the variable of the statement before; its own line if none did.
    """

    source: str
    node: ast.stmt
    function: str
    values: Values
    names_of_forward: frozenset[str]
    bound_at: int

    def text(self, node: ast.AST) -> str:
        """Return the text of a part, in parentheses where it needs them inside another one."""
        text = self.segment(node)
        compound = isinstance(node, (ast.BinOp, ast.UnaryOp, ast.Compare, ast.IfExp, ast.BoolOp))
        return f"({text})" if compound else text

    def segment(self, node: ast.AST) -> str:
        """Return the text of a part as it is written."""
        return ast.get_source_segment(self.source, node) or ""

    def value(self, node: ast.expr) -> Any:
        """Return the value that an expression has at the end of the function, or None."""
        try:
            return eval(self.segment(node), {"np": np}, dict(self.values))  # noqa: S307  # ours
        except Exception:  # noqa: BLE001  # not known any more at the end of the function
            return None


#: What stands for a statement that is left out.
LEFT_OUT = "pass"

#: A part of a statement and the text that replaces it.
Replacement = tuple[ast.AST, str]

#: ``kind(statement, part)`` yields the edits of one part of a statement.
KindOfEdit = Callable[[Statement, ast.AST], Iterator[Replacement]]


def edits_of(source: str, functions: Sequence[str], values: Mapping[str, Values]) -> list[Edit]:
    """Return all edits of some functions.

    Parameters
    ----------
    source : str
        The text of the file.
    functions : sequence of str
        Qualified names of the functions to edit.
    values : mapping of str to mapping
        The values of each function's variables.
    """
    edits: dict[str, Edit] = {}
    for function in functions:
        definition = _definition(ast.parse(source), function)
        begin = _backward_begins(source, definition)
        names_of_forward = _names_of_forward(definition, begin)
        for node in _statements(definition, begin):
            known = values.get(function, {})
            bound_at = _bound_before(definition, node)
            statement = Statement(source, node, function, known, names_of_forward, bound_at)
            for kind, (part, text) in _replacements(statement):
                edit = _edited(statement, kind, part, text)
                edits.setdefault(edit.source, edit)
    edits.pop(source, None)
    return list(edits.values())


def _definition(tree: ast.Module, qualified: str) -> ast.FunctionDef:
    body: list[ast.stmt] = tree.body
    for name in qualified.split("."):
        node = next(n for n in body if getattr(n, "name", None) == name)
        assert isinstance(node, (ast.FunctionDef, ast.ClassDef))
        body = node.body
    assert isinstance(node, ast.FunctionDef)
    return node


def _backward_begins(source: str, definition: ast.FunctionDef) -> int:
    """Return the first line of backward in a function that computes the value before, or 0."""
    lines = source.splitlines()[: definition.end_lineno]
    comments = [n for n, line in enumerate(lines, 1) if BACKWARD_COMMENT.match(line)]
    return next((n for n in comments if n > definition.lineno), 0)


def _statements(definition: ast.FunctionDef, begin: int) -> Iterator[ast.stmt]:
    """Yield the assignments, the calls for their effect, and the returns of backward."""
    for node in ast.walk(definition):
        if not isinstance(node, ast.stmt) or node.lineno < begin:
            continue
        is_call = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
        if is_call or isinstance(node, (ast.Assign, ast.AugAssign, ast.Return)):
            yield node


def _bound_before(definition: ast.FunctionDef, statement: ast.stmt) -> int:
    """Return the line of the last statement that binds the same variable before this one."""
    variables = set(_bound_variables(statement))
    lines = [
        node.lineno
        for node in ast.walk(definition)
        if isinstance(node, ast.stmt)
        and node.lineno < statement.lineno
        and variables & set(_bound_variables(node))
    ]
    return max(lines, default=statement.lineno)


def _bound_variables(statement: ast.stmt) -> Iterator[str]:
    """Yield the variables that an assignment binds or changes."""
    if not isinstance(statement, (ast.Assign, ast.AugAssign)):
        return
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    for target in targets:
        for part in target.elts if isinstance(target, ast.Tuple) else [target]:
            yield ast.unparse(part.value if isinstance(part, ast.Subscript) else part)


def _names_of_forward(definition: ast.FunctionDef, begin: int) -> frozenset[str]:
    """Return the variables that are bound before backward begins, and never after."""
    names = [n for n in ast.walk(definition) if isinstance(n, ast.Name)]
    bound = [n for n in names if isinstance(n.ctx, ast.Store)]
    before = {n.id for n in bound if n.lineno < begin}
    return frozenset(before - {n.id for n in bound if n.lineno >= begin})


def _replacements(statement: Statement) -> Iterator[tuple[str, Replacement]]:
    whole = [v for v in _values_of(statement.node) if not _is_value_of_forward(statement, v)]
    for kind, edit in WHOLE_VALUES.items():
        for value in whole:
            yield from ((kind, replacement) for replacement in edit(statement, value))
    for kind, edit in PARTS.items():
        for value in whole:
            for part in ast.walk(value):
                yield from ((kind, replacement) for replacement in edit(statement, part))
    for kind, edit in STATEMENTS.items():
        yield from ((kind, replacement) for replacement in edit(statement, statement.node))


def _is_value_of_forward(statement: Statement, value: ast.expr) -> bool:
    """Return whether a statement returns a value that forward has computed, beside gradients."""
    is_name = isinstance(value, ast.Name) and value.id in statement.names_of_forward
    return is_name and isinstance(statement.node, ast.Return)


def _values_of(node: ast.stmt) -> Iterator[ast.expr]:
    """Yield the expressions whose values a statement assigns, adds or returns."""
    if isinstance(node, ast.Expr):
        assert isinstance(node.value, ast.Call)
        yield from node.value.args[-1:]
        return
    assert isinstance(node, (ast.Assign, ast.AugAssign, ast.Return))
    value = node.value
    if isinstance(value, (ast.Tuple, ast.List)):
        yield from value.elts
    elif isinstance(value, ast.Dict):
        yield from value.values
    elif value is not None:
        yield value


def _edited(statement: Statement, kind: str, part: ast.AST, text: str) -> Edit:
    first, last = _offsets(statement.source, part)
    source = statement.source[:first] + text + statement.source[last:]
    node = statement.node
    lost = statement.source[first:last].count("\n") - text.count("\n")
    end = (node.end_lineno or node.lineno) - lost
    after = "\n".join(source.splitlines()[node.lineno - 1 : end]).strip()
    before = statement.segment(node)
    begin = statement.bound_at if text == LEFT_OUT else node.lineno
    return Edit(kind, statement.function, begin, end, before, after, source)


def _offsets(source: str, node: ast.AST) -> tuple[int, int]:
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    assert source.isascii()  # columns are counted in bytes
    begin = starts[node.lineno - 1] + node.col_offset  # type: ignore[attr-defined]  # has one
    end = starts[node.end_lineno - 1] + node.end_col_offset  # type: ignore[attr-defined]
    return begin, end


def _factor(statement: Statement, node: ast.AST) -> Iterator[Replacement]:
    if not _is_constant(node):
        yield node, f"2 * {statement.text(node)}"


def _sign(statement: Statement, node: ast.AST) -> Iterator[Replacement]:
    if not _is_constant(node):
        yield node, f"-{statement.text(node)}"


def _transposed_value(statement: Statement, node: ast.AST) -> Iterator[Replacement]:
    if not _is_constant(node):
        yield node, f"{statement.text(node)}.T"


def _opposite_sign(statement: Statement, node: ast.AST) -> Iterator[Replacement]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
        sign = "+" if isinstance(node.op, ast.Sub) else "-"
        yield node, f"({statement.segment(node.left)} {sign} {statement.text(node.right)})"


def _term_dropped(statement: Statement, node: ast.AST) -> Iterator[Replacement]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
        yield node, statement.text(node.left)
        minus = "-" if isinstance(node.op, ast.Sub) else ""
        yield node, f"{minus}{statement.text(node.right)}"


def _array_dropped(statement: Statement, node: ast.AST) -> Iterator[Replacement]:
    for dropped, kept in _factors(statement, node):
        if not _is_number(statement, dropped):
            yield node, kept


def _number_dropped(statement: Statement, node: ast.AST) -> Iterator[Replacement]:
    for dropped, kept in _factors(statement, node):
        if _is_number(statement, dropped):
            yield node, kept


def _factors(statement: Statement, node: ast.AST) -> Iterator[tuple[ast.expr, str]]:
    """Yield each factor of a product, with the text of the product without it."""
    left, right, operator = None, None, "*"
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.Div)):
        left, right = node.left, node.right
        operator = "*" if isinstance(node.op, ast.Mult) else "/"
    elif isinstance(node, ast.Call) and _called(node) == "multiply" and len(node.args) == 2:
        left, right = node.args
    if left is None or right is None:
        return
    yield right, statement.text(left)
    if not (operator == "/" and _is_constant(left)):
        kept = statement.text(right)
        yield left, kept if operator == "*" else f"(1 / {kept})"


def _sum_forgotten(statement: Statement, node: ast.AST) -> Iterator[Replacement]:
    found = _reduction(statement, node)
    if found is None or found[0] != "sum":
        return
    _, summed, axis, keeps = found
    first = {"0": "[:1]" if keeps else "[0]", "(0, 1)": "[0, 0]"}
    last = "[..., :1]" if keeps else "[..., 0]"
    whole = ".reshape(-1)[0]"
    yield node, f"{summed}{first.get(axis, last) if axis else whole}"
    yield node, summed


def _mean_for_sum(statement: Statement, node: ast.AST) -> Iterator[Replacement]:
    if isinstance(node, ast.Call) and _called(node) in REDUCTIONS:
        assert isinstance(node.func, ast.Attribute)
        owner, arguments = statement.segment(node.func.value), _arguments(statement, node)
        if isinstance(node.func.value, ast.BinOp):
            owner = f"({owner})"
        yield node, f"{owner}.{REDUCTIONS[node.func.attr]}({arguments})"


def _reduction(statement: Statement, node: ast.AST) -> tuple[str, str, str, bool] | None:
    """Return the name of a sum or mean, what it reduces, its axis and whether it keeps it."""
    if not isinstance(node, ast.Call) or _called(node) not in REDUCTIONS:
        return None
    assert isinstance(node.func, ast.Attribute)
    is_method = statement.segment(node.func.value) != "np"
    reduced = node.func.value if is_method else node.args[0]
    others = node.args if is_method else node.args[1:]
    named = {k.arg: statement.segment(k.value) for k in node.keywords if k.arg}
    axis = statement.segment(others[0]) if others else named.get("axis", "")
    return node.func.attr, statement.text(reduced), axis, named.get("keepdims") == "True"


def _arguments(statement: Statement, node: ast.Call) -> str:
    positional = [statement.segment(a) for a in node.args]
    return ", ".join([*positional, *(statement.segment(k) for k in node.keywords)])


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else ""


def _transposed(statement: Statement, node: ast.AST) -> Iterator[Replacement]:
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield node, statement.text(node.value)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        for left, right in _transposed_factors(statement, node.left, node.right):
            yield node, f"({left} @ {right})"
    elif isinstance(node, ast.Call) and _called(node) in PRODUCTS:
        assert isinstance(node.func, ast.Attribute)
        factors = node.args if len(node.args) == 2 else [node.func.value, *node.args]
        for left, right in _transposed_factors(statement, *factors):
            yield node, f"np.{node.func.attr}({left}, {right})"


def _transposed_factors(
    statement: Statement, left: ast.expr, right: ast.expr
) -> Iterator[tuple[str, str]]:
    first, second = statement.text(left), statement.text(right)
    yield second, first
    yield f"{first}.T", second
    yield first, f"{second}.T"


def _wrong_variable(statement: Statement, node: ast.AST) -> Iterator[Replacement]:
    """Replace a variable by those of the same shape whose names are most like its own."""
    if not isinstance(node, (ast.Name, ast.Attribute)):
        return
    name, values = statement.segment(node), statement.values
    shape = np.shape(values[name]) if _is_floating(values.get(name)) else ()
    if not shape:
        return
    alike = [
        other
        for other, value in values.items()
        if other != name and _is_floating(value) and np.shape(value) == shape
    ]
    alike.sort(key=lambda other: -SequenceMatcher(None, name, other).ratio())
    yield from ((node, other) for other in alike[:WRONG_VARIABLES])


def _power(statement: Statement, node: ast.AST) -> Iterator[Replacement]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        yield node, statement.text(node.left)
        yield node, f"{statement.text(node.left)} ** ({statement.segment(node.right)} + 1)"
    elif isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.Div)):
        for factor in (node.left, node.right):
            if isinstance(factor, (ast.Name, ast.Attribute)):
                yield factor, f"{statement.segment(factor)} ** 2"
    elif isinstance(node, ast.Call) and _called(node) == "sqrt":
        yield node, statement.text(node.args[0])


def _off_by_one(statement: Statement, node: ast.AST) -> Iterator[Replacement]:
    if not isinstance(node, ast.Subscript):
        return
    elements = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    for element in elements:
        bounds = (element.lower, element.upper) if isinstance(element, ast.Slice) else (element,)
        for bound in bounds:
            if bound is not None and not isinstance(statement.value(bound), str):
                yield bound, f"{statement.text(bound)} + 1"
                yield bound, f"{statement.text(bound)} - 1"


def _mask_inverted(statement: Statement, node: ast.AST) -> Iterator[Replacement]:
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in OPPOSITE:
        right = statement.segment(node.comparators[0])
        yield node, f"{statement.text(node.left)} {OPPOSITE[type(node.ops[0])]} {right}"


def _mask_in_subscript(statement: Statement, node: ast.AST) -> Iterator[Replacement]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            for part in ast.walk(target):
                yield from _mask_inverted(statement, part)


def _off_by_one_in_target(statement: Statement, node: ast.AST) -> Iterator[Replacement]:
    targets = {ast.Assign: "targets", ast.AugAssign: "target"}.get(type(node), "")
    found = getattr(node, targets, [])
    for target in found if isinstance(found, list) else [found]:
        for part in ast.walk(target):
            yield from _off_by_one(statement, part)


def _not_accumulated(statement: Statement, node: ast.AST) -> Iterator[Replacement]:
    if isinstance(node, ast.AugAssign):
        target, value = statement.segment(node.target), statement.segment(node.value)
        yield node, f"{target} = {value}"
        if isinstance(node.op, (ast.Add, ast.Sub)):
            return
        yield node, f"{target} += {value}"


def _accumulated_with_wrong_sign(statement: Statement, node: ast.AST) -> Iterator[Replacement]:
    if isinstance(node, ast.AugAssign) and isinstance(node.op, (ast.Add, ast.Sub)):
        sign = "+" if isinstance(node.op, ast.Sub) else "-"
        target, value = statement.segment(node.target), statement.segment(node.value)
        yield node, f"{target} {sign}= {value}"


def _left_out(statement: Statement, node: ast.AST) -> Iterator[Replacement]:
    """Leave out a statement that changes an array in place: a mask, a scale, a term."""
    masks = (
        isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Subscript)
        and _is_constant(node.value)
    )
    if masks or isinstance(node, ast.AugAssign):
        yield node, LEFT_OUT


def _wrong_order(statement: Statement, node: ast.AST) -> Iterator[Replacement]:
    """Exchange two neighbours of the same shape among unpacked or returned values."""
    sides: list[ast.AST] = []
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
        sides = [node.targets[0]]
    elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
        sides = [node.value]
    for side in sides:
        assert isinstance(side, ast.Tuple)
        for first, second in pairwise(side.elts):
            one, other = statement.value(first), statement.value(second)
            if not (_is_floating(one) and isinstance(other, np.ndarray)):
                continue
            if one.shape == other.shape != ():
                names = [statement.segment(e) for e in side.elts]
                i = side.elts.index(first)
                names[i], names[i + 1] = names[i + 1], names[i]
                text = ", ".join(names)
                parenthesised = statement.segment(side).startswith("(")
                yield side, f"({text})" if parenthesised else text


def _is_floating(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def _is_constant(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) or (
        isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant)
    )


def _is_number(statement: Statement, node: ast.expr) -> bool:
    """Return whether a factor is a number of the formula or of the data, as 1 / N is."""
    value = statement.value(node)
    return value is not None and np.ndim(value) == 0


#: Kinds of edit of a whole value, of any part of it, and of a statement.
WHOLE_VALUES: dict[str, KindOfEdit] = {
    "factor 2": _factor,
    "sign": _sign,
    "transposed": _transposed_value,
}
PARTS: dict[str, KindOfEdit] = {
    "sign": _opposite_sign,
    "term dropped": _term_dropped,
    "derivative or mask missing": _array_dropped,
    "number dropped": _number_dropped,
    "sum forgotten": _sum_forgotten,
    "mean for sum": _mean_for_sum,
    "transposed": _transposed,
    "wrong variable": _wrong_variable,
    "power": _power,
    "off by one": _off_by_one,
    "mask inverted": _mask_inverted,
}
STATEMENTS: dict[str, KindOfEdit] = {
    "mask inverted": _mask_in_subscript,
    "off by one": _off_by_one_in_target,
    "not accumulated": _not_accumulated,
    "sign": _accumulated_with_wrong_sign,
    "statement left out": _left_out,
    "wrong order": _wrong_order,
}

KINDS = list(dict.fromkeys([*WHOLE_VALUES, *PARTS, *STATEMENTS]))
