"""Values in the local variables of a frame: how to reach them, without running user code.

A path is a variable, followed by attributes and keys. It does not know what the values mean.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.fault_localization.execution.statements import Chain

__all__ = [
    "MISSING",
    "Path",
    "Scope",
    "is_array",
    "is_number",
    "leaves",
    "resolve",
    "resolve_chain",
    "written_entries",
]

#: Containers are searched to this depth, and for so many values.
DEPTH = 4
MOST_VALUES = 500

NUMBERS = (float, int, np.number)
CONTAINERS = (dict, list, tuple)

#: Objects whose attributes are not data.
OPAQUE = (ModuleType, FunctionType, type, str, bytes, np.random.Generator, np.dtype)

MISSING = object()

#: Expressions in square brackets that are evaluated; all of them are about numbers and text,
#: or slices by numbers.
SAFE = (
    ast.Expression,
    ast.Constant,
    ast.Name,
    ast.Load,
    ast.BinOp,
    ast.UnaryOp,
    ast.operator,
    ast.unaryop,
    ast.JoinedStr,
    ast.FormattedValue,
)
SLICES = (ast.Slice, ast.Tuple)


@dataclass(frozen=True, slots=True)
class Path:
    """A variable, followed by ``("attribute", name)`` and ``("key", key)``."""

    name: str
    accessors: tuple[tuple[str, Any], ...] = ()

    def attribute(self, name: str) -> Path:
        """Return the path of an attribute."""
        return Path(self.name, (*self.accessors, ("attribute", name)))

    def item(self, key: Any) -> Path:
        """Return the path of an element."""
        return Path(self.name, (*self.accessors, ("key", key)))

    @property
    def last(self) -> str:
        """The last name in it."""
        return str(self.accessors[-1][1]) if self.accessors else self.name

    @property
    def names(self) -> str:
        """The names in it, without the numbers by which steps of a loop are told apart."""
        names = (str(key) for _, key in self.accessors if isinstance(key, str))
        return ".".join([self.name, *names])

    def __str__(self) -> str:
        parts = (
            f".{key}" if kind == "attribute" else f"[{key!r}]" for kind, key in self.accessors
        )
        return self.name + "".join(parts)


def is_array(value: Any) -> bool:
    """Return whether a value is an array of numbers, none of them masked."""
    return (
        isinstance(value, np.ndarray)
        and value.dtype.kind in "biufc"
        and not isinstance(value, np.ma.MaskedArray)
    )


def is_number(value: Any) -> bool:
    """Return whether a value is a number of Python or numpy."""
    return isinstance(value, NUMBERS) and not isinstance(value, (bool, np.bool_))


class Scope(Protocol):
    """Local variables, and those around them, as a frame has them."""

    @property
    def f_locals(self) -> Any:
        """The local ones."""

    @property
    def f_globals(self) -> Any:
        """The others."""


def lookup(frame: Scope, name: str) -> Any:
    """Return the value of a variable as a statement of a frame would read it."""
    local = frame.f_locals
    if name in local:
        return local[name]
    return frame.f_globals.get(name, MISSING)


def resolve(frame: Scope, path: Path) -> Any:
    """Return what is at a path, `MISSING` where there is nothing."""
    value = lookup(frame, path.name)
    for kind, key in path.accessors:
        value = attributes(value).get(key, MISSING) if kind == "attribute" else _item(value, key)
    return value


def resolve_chain(frame: Scope, chain: Chain) -> tuple[Path, Any]:
    """Follow a chain up to an array, a number or what is no data; return where that is."""
    path, value = Path(chain.name), lookup(frame, chain.name)
    for accessor in chain.accessors:
        if isinstance(accessor, str):
            inside = attributes(value)
            if accessor not in inside:
                break
            path, value = path.attribute(accessor), inside[accessor]
            continue
        if type(value) not in CONTAINERS and not isinstance(value, dict):
            break
        key = _key(frame, accessor)
        found = _item(value, key)
        if found is MISSING:
            break
        path, value = path.item(key), found
    return path, value


def attributes(value: Any) -> Mapping[str, Any]:
    """Return the attributes that an object of the user's stores."""
    if isinstance(value, (np.ndarray, *CONTAINERS, *NUMBERS, *OPAQUE)) or value is MISSING:
        return {}
    try:
        inside = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return inside if isinstance(inside, dict) else {}


def leaves(path: Path, value: Any, depth: int = DEPTH) -> Iterator[tuple[Path, Any]]:
    """Yield the arrays and numbers in a value, with their paths."""
    pending, count = [(path, value, depth)], 0
    while pending and count < MOST_VALUES:
        path, value, depth = pending.pop()
        count += 1
        if is_array(value) or is_number(value):
            yield path, value
        elif depth and isinstance(value, dict):
            pending += [(path.item(k), v, depth - 1) for k, v in dict.items(value)]
        elif depth and isinstance(value, (list, tuple)):
            pending += [(path.item(k), v, depth - 1) for k, v in enumerate(value)]
        elif depth:
            inside = attributes(value).items()
            pending += [(path.attribute(k), v, depth - 1) for k, v in inside]


def _item(value: Any, key: Any) -> Any:
    try:
        if isinstance(value, dict):
            return dict.get(value, key, MISSING)
        if type(value) in (list, tuple) and isinstance(key, (int, np.integer)):
            return value[key]
    except (IndexError, TypeError):
        pass
    return MISSING


def written_entries(
    frame: Scope, chain: Chain, path: Path, array: NDArray[Any]
) -> NDArray[np.bool_] | None:
    """Return which entries of an array a statement is about to assign to.

    Parameters
    ----------
    frame : frame
        Where the statement is executed next.
    chain : Chain
        What it assigns to.
    path : Path
        How far the chain leads to the array.
    array : ndarray
        The array.

    Returns
    -------
    ndarray of bool or None
        None where the expression in square brackets is not about numbers.
    """
    rest = chain.accessors[len(path.accessors) :]
    if len(rest) != 1 or isinstance(rest[0], str):
        return None
    index = _key(frame, rest[0], SLICES)
    mask = np.zeros(array.shape, dtype=bool)
    try:
        mask[index] = True
    except (IndexError, TypeError, ValueError):
        return None
    return mask


def _key(frame: Scope, expression: ast.expr, others: tuple[type[ast.AST], ...] = ()) -> Any:
    """Return the value of an expression of numbers and text, else `MISSING`."""
    nodes = list(ast.walk(expression))
    names: dict[str, Any] = {}
    for node in nodes:
        if isinstance(node, ast.Call):
            is_text = isinstance(node.func, ast.Name) and node.func.id == "str"
            if not is_text or len(node.args) != 1 or node.keywords:
                return MISSING
        elif not isinstance(node, (*SAFE, *others)):
            return MISSING
        if isinstance(node, ast.Name) and node.id != "str":
            value = lookup(frame, node.id)
            if not isinstance(value, (int, str, np.integer)):
                return MISSING
            names[node.id] = value
    try:
        code = compile(ast.Expression(expression), "<key>", "eval")
        return eval(code, {"__builtins__": {"str": str}}, names)  # noqa: S307  # see SAFE
    except Exception:  # noqa: BLE001  # a key that cannot be computed is not known
        return MISSING
