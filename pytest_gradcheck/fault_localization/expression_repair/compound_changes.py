"""Compound changes: a factor or a term that is missing, made of two values of the function.

There are too many products, quotients and differences of two values to execute backward with each
of them. But gradients depend linearly on most expressions of backward: one execution for each
entry of an expression tells how they respond to any change of it. So what makes them right is
found among thousands of compounds, and only that is executed.

It does not decide whether the gradients are right with a change.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, permutations
from types import FrameType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.fault_localization.execution.variables import is_array, is_number
from pytest_gradcheck.fault_localization.expression_repair.donor_code import Donor
from pytest_gradcheck.fault_localization.expression_repair.expression_changes import (
    ExpressionChange,
    escaped,
    is_broadcast,
    is_near_integer,
)
from pytest_gradcheck.fault_localization.expression_repair.probed_functions import (
    Change,
    Expression,
)

__all__ = ["CompoundChange", "compound_changes"]

Floats = NDArray[np.float64]

#: ``run(changes) -> ndarray or None`` returns what comes out of backward with changes.
Run = Callable[[Mapping[int, Change]], Floats | None]

#: The most entries of an expression, those of all its executions together.
MOST_ENTRIES = 256

#: The most values that compounds are made of.
MOST_VALUES = 48

#: In so many independent ways gradients have to respond: in fewer, many compounds are right.
FEWEST_RESPONSES = 3

#: Singular values below this share of the largest one are none.
SMALLEST = 1e-9

#: What a compound may leave unexplained before it is executed, and how many of them are.
ROUGHLY = 1e-4
MOST_TRIED = 4


@dataclass(frozen=True, slots=True)
class CompoundChange:
    """A change that is found, with its number.

    Attributes
    ----------
    part : int
        The number of the expression that is changed: a term of the whole, or the whole.
    change : ExpressionChange
        The change in words; executed as a change of the whole.
    number : float
        Its number.
    donors : int
        Of how many donors it is made.
    """

    part: int
    change: ExpressionChange
    number: float
    donors: int


@dataclass(frozen=True, slots=True)
class _Term:
    """A term of an expression.

    Attributes
    ----------
    node : ast.expr
        The term.
    sign : float
        With which it is a part of the whole.
    factors, divisors : tuple of ast.expr
        By which the sum that it is a part of is multiplied, and divided.
    """

    node: ast.expr
    sign: float = 1.0
    factors: tuple[ast.expr, ...] = ()
    divisors: tuple[ast.expr, ...] = ()


@dataclass(slots=True)
class _Executions:
    """What expressions and donors are at each execution of the whole.

    Attributes
    ----------
    expressions : dict of int to list of value
        By their numbers.
    donors : dict of str to list of ndarray
        By how they are written, in the shape of the whole.
    """

    expressions: dict[int, list[Any]] = field(default_factory=dict)
    donors: dict[str, list[Floats]] = field(default_factory=dict)


def compound_changes(
    whole: int,
    expressions: Sequence[Expression],
    donors: Sequence[Donor],
    run: Run,
    wanted: Floats,
) -> list[CompoundChange] | None:
    """Return compounds that may be missing in an expression, the most likely first.

    None where these are not known: for large expressions, and where too little responds.

    Parameters
    ----------
    whole : int
        The number of the expression: what a statement assigns, adds or returns.
    expressions : sequence of Expression
        All, by their numbers.
    donors : sequence of Donor
        What compounds are made of.
    run : callable
        Executes backward with changes.
    wanted : ndarray
        What has to come out.
    """
    own = [n for n, e in enumerate(expressions) if e.statement is expressions[whole].statement]
    seen, base = _recorded(whole, own, donors, run), run({})
    values = seen.expressions.get(whole, [])
    shapes = [np.shape(value) for value in values]
    size = sum(map(np.size, values))
    if base is None or not FEWEST_RESPONSES <= size <= MOST_ENTRIES:
        return None
    responses = _responses(whole, values, run, base)
    if responses is None or np.linalg.matrix_rank(responses, rtol=SMALLEST) < FEWEST_RESPONSES:
        return None
    single = {"1": np.ones(size)}
    for text, found in seen.donors.items():
        if [value.shape for value in found] == shapes and len(single) < MOST_VALUES:
            single[text] = _flat(found)
    products = dict(_products(single))
    changes = [
        CompoundChange(
            whole,
            _change(f"{{0}} + {{1}} * {escaped(text)}", 0.0, added, shapes),
            number,
            1 if text in single else 2,
        )
        for text, number, added in _fitting(responses, wanted - base, products)
    ]
    factors = products | dict(_sums(single))
    numbers = {id(expressions[n].node): n for n in own}
    for term in _terms(expressions[whole].node):
        part, now = numbers.get(id(term.node)), _values_of(term, numbers, seen, shapes)
        if part is None or now is None:
            continue
        scaled = {text: now * factor for text, factor in factors.items()}
        needed = wanted - base + responses @ now
        for text, number, instead in _fitting(responses, needed, scaled):
            is_one = is_near_integer(number) and round(number) == 1
            words = f"{'' if is_one else '{1} * '}{{0}} * {escaped(text)}"
            change = _change(words, 1.0, instead - now, shapes)
            count = 1 if text in single else 2
            changes.append(CompoundChange(part, change, number, count))
    return sorted(changes, key=lambda one: one.donors)[:MOST_TRIED]


def _recorded(whole: int, own: Sequence[int], donors: Sequence[Donor], run: Run) -> _Executions:
    """Return what is seen while backward is executed."""
    seen = _Executions()

    def keep(number: int) -> Change:
        def changed(value: Any, frame: FrameType) -> Any:
            if not (is_array(value) or is_number(value)):
                return value  # numpy would look for the end of `np.r_`, which has none
            seen.expressions.setdefault(number, []).append(np.array(value))
            if number == whole:
                for donor in donors:
                    for text, one in _views(donor, frame, np.shape(value)):
                        seen.donors.setdefault(text, []).append(one)
            return value

        return changed

    run({number: keep(number) for number in own})
    return seen


def _views(donor: Donor, frame: FrameType, shape: tuple[int, ...]) -> Iterator[tuple[str, Floats]]:
    """Yield a donor in some shape, as it is, with one axis more, transposed, or summed."""
    try:
        value = donor.evaluate(frame)
    except Exception:  # noqa: BLE001  # it has no value there
        return
    if not (is_array(value) or is_number(value)) or np.iscomplexobj(value):
        return
    array, text = np.asarray(value, dtype=np.float64), donor.text
    ways = [(text, array)]
    if array.ndim:
        ways.append((f"{text}[..., None]", array[..., None]))
    if array.ndim == 2:
        ways.append((f"{text}.T", array.T))
    if array.ndim > len(shape):
        ways += [(f"{text}.sum(axis={k})", array.sum(axis=k)) for k in range(array.ndim)]
    for words, one in ways:
        if is_broadcast(one.shape, shape):
            yield words, np.broadcast_to(one, shape).copy()


def _responses(whole: int, values: Sequence[Any], run: Run, base: Floats) -> Floats | None:
    """Return how what comes out responds to each entry, shape (what comes out, entries)."""
    columns = []
    for execution, value in enumerate(values):
        size = float(np.abs(value).max(initial=0.0)) or 1.0
        for entry in range(np.size(value)):
            added = [np.zeros(np.shape(one)) for one in values]
            added[execution].reshape(-1)[entry] = size
            found = run({whole: _adding(added)})
            if found is None:
                return None
            columns.append((found - base) / size)
    return np.array(columns).T


def _adding(added: Sequence[Floats]) -> Change:
    """Return the change that adds something at each execution."""
    left = iter(added)
    return lambda value, _: value + next(left, 0.0)


def _change(
    instead: str, start: float, added: Floats, shapes: Sequence[tuple[int, ...]]
) -> ExpressionChange:
    edges = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1]
    each = [one.reshape(shape) for one, shape in zip(np.split(added, edges), shapes, strict=True)]
    return ExpressionChange(instead, lambda _: _adding(each), start)


def _fitting(
    responses: Floats, needed: Floats, candidates: Mapping[str, Floats]
) -> Iterator[tuple[str, float, Floats]]:
    """Yield the candidates of which a multiple gives what is needed, with it; usual ones first."""
    texts, vectors = list(candidates), np.array(list(candidates.values()))
    found = vectors @ responses.T
    sizes = np.einsum("ij,ij->i", found, found)
    size = float(np.linalg.norm(needed))
    numbers = np.divide(found @ needed, sizes, out=np.zeros(len(texts)), where=sizes > 0)
    left = np.linalg.norm(needed - numbers[:, None] * found, axis=1)
    fitting = np.flatnonzero(left <= ROUGHLY * size) if size else ()
    for k in sorted(fitting, key=lambda k: not is_near_integer(float(numbers[k]))):
        yield texts[k], float(numbers[k]), numbers[k] * vectors[k]


def _products(single: Mapping[str, Floats]) -> Iterator[tuple[str, Floats]]:
    """Yield values, their products, and their quotients."""
    yield from single.items()
    for (one, a), (other, b) in combinations(single.items(), 2):
        if one != "1":
            yield f"{one} * {other}", a * b
    for (one, a), (other, b) in permutations(single.items(), 2):
        if b.all() and other != "1":
            yield f"({one} / {other})", a / b
    yield from ((f"{one}**2", a**2) for one, a in single.items() if one != "1")


def _sums(single: Mapping[str, Floats]) -> Iterator[tuple[str, Floats]]:
    """Yield differences and sums of values."""
    for (one, a), (other, b) in combinations(single.items(), 2):
        yield f"({one} - {other})", a - b
        yield f"({one} + {other})", a + b


def _terms(node: ast.expr) -> Iterator[_Term]:
    """Yield an expression, and the terms of the sums in it."""
    pending = [_Term(node)]
    yield pending[0]
    while pending:
        term = pending.pop()
        node, factors, divisors = term.node, term.factors, term.divisors
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            pending.append(_Term(node.operand, -term.sign, factors, divisors))
        elif isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
            sign = term.sign if isinstance(node.op, ast.Add) else -term.sign
            terms = [
                _Term(node.left, term.sign, factors, divisors),
                _Term(node.right, sign, factors, divisors),
            ]
            yield from terms
            pending += terms
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            pending.append(_Term(node.left, term.sign, (*factors, node.right), divisors))
            pending.append(_Term(node.right, term.sign, (*factors, node.left), divisors))
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            pending.append(_Term(node.left, term.sign, factors, (*divisors, node.right)))


def _values_of(
    term: _Term,
    numbers: Mapping[int, int],
    seen: _Executions,
    shapes: Sequence[tuple[int, ...]],
) -> Floats | None:
    """Return what a term adds to the whole, at all executions; None if that is not known."""
    each = [np.full(shape, term.sign) for shape in shapes]
    for node in (term.node, *term.factors, *term.divisors):
        values = seen.expressions.get(numbers.get(id(node), -1), [])
        if len(values) != len(shapes):
            return None
        combine = np.divide if node in term.divisors else np.multiply
        each = [combine(one, value) for one, value in zip(each, values, strict=True)]
    if [one.shape for one in each] != list(shapes):
        return None
    flat = _flat(each)
    return flat if np.isfinite(flat).all() else None


def _flat(values: Sequence[Floats]) -> Floats:
    return np.concatenate([value.reshape(-1) for value in values])
