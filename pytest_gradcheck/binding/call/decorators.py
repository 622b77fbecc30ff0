"""Arguments that a decorator supplies: the signature of a decorated function as it is called.

`functools.wraps` gives a function the signature of the one that it wraps, although callers leave
out what the wrapper adds, as a random generator. It reads the source of the wrapper and calls
nothing.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from types import CellType
from typing import Any

from pytest_gradcheck.binding.values.user_attributes import attribute, has_attribute

__all__ = [
    "is_decorated",
    "is_variadic",
    "signature_through_wrapper",
    "unsupplied_signature",
    "unwrapped",
    "wrapper_signature",
]


@dataclass(frozen=True, slots=True)
class _Supplied:
    """What a wrapper adds to the arguments that it passes on.

    Attributes
    ----------
    before : frozenset of int
        Places of the positional arguments that are added before those that are passed on.
    after : int
        The number of those that are added after them.
    keywords : frozenset of str
        Keyword arguments.
    """

    before: frozenset[int]
    after: int
    keywords: frozenset[str]


def is_decorated(function: Callable[..., Any]) -> bool:
    """Return whether `function` says that it wraps another one."""
    return callable(attribute(function, "__wrapped__"))


def unwrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function that is wrapped by all others, as far as that is known."""
    innermost = function
    with suppress(Exception):  # objects that are called may compute what they wrap
        innermost = inspect.unwrap(function)
    return innermost


def unsupplied_signature(function: Callable[..., Any]) -> inspect.Signature | None:
    """Return the signature of a decorated function without what its wrapper supplies.

    Parameters
    ----------
    function : callable
        A function made by `functools.wraps`. Its wrapper passes on ``*args``, or has a signature
        of its own.

    Returns
    -------
    inspect.Signature or None
        None where it is not decorated, or its wrapper cannot be read.
    """
    if not is_decorated(function):
        return None
    outer = wrapper_signature(function)
    if outer is not None and not any(map(is_variadic, outer.parameters.values())):
        return outer
    wrapped = function.__wrapped__  # type: ignore[attr-defined]  # is_decorated() saw it
    supplied = _supplied_by(function)
    inner = unsupplied_signature(wrapped) or _signature(wrapped)
    if supplied is None or inner is None:
        return None
    parameters = [p for p in inner.parameters.values() if p.name not in supplied.keywords]
    by_position = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    others = parameters[len(by_position) :]
    last = len(by_position) - supplied.after
    remaining = [p for k, p in enumerate(by_position[:last]) if k not in supplied.before]
    if inspect.ismethod(function):
        remaining = remaining[1:]
    if supplied.after:
        # What is added at the end would otherwise take the place of what is passed by keyword.
        remaining = [p.replace(kind=p.POSITIONAL_ONLY) for p in remaining]
    return inner.replace(parameters=[*remaining, *others])


def signature_through_wrapper(
    function: Callable[..., Any], signature: inspect.Signature
) -> inspect.Signature:
    """Return the signature of a wrapped function as its wrapper lets one call it.

    Parameters whose keywords the wrapper does not take are positional only. Where it takes any
    arguments, those that are required are, too: it may ask for some of them by their places, as
    that of `jax.grad` does.
    """
    outer = wrapper_signature(function)
    if outer is None:
        return signature
    kinds = {parameter.kind for parameter in outer.parameters.values()}
    takes_keywords = inspect.Parameter.VAR_KEYWORD in kinds or all(
        name in outer.parameters for name in signature.parameters
    )
    takes_places = inspect.Parameter.VAR_POSITIONAL in kinds

    def is_placed(parameter: inspect.Parameter) -> bool:
        is_either = parameter.kind is parameter.POSITIONAL_OR_KEYWORD
        is_required = parameter.default is parameter.empty
        return is_either and (not takes_keywords or (takes_places and is_required))

    return signature.replace(
        parameters=[
            p.replace(kind=p.POSITIONAL_ONLY) if is_placed(p) else p
            for p in signature.parameters.values()
        ]
    )


def wrapper_signature(function: Callable[..., Any]) -> inspect.Signature | None:
    """Return the signature of the wrapper itself, None where it is not decorated."""
    return _signature(function, follow_wrapped=False) if is_decorated(function) else None


def is_variadic(parameter: inspect.Parameter) -> bool:
    """Return whether a parameter takes any number of arguments."""
    return parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)


def _signature(
    function: Callable[..., Any], *, follow_wrapped: bool = True
) -> inspect.Signature | None:
    try:
        return inspect.signature(function, follow_wrapped=follow_wrapped)
    except Exception:  # noqa: BLE001  # objects that are called may compute it
        return None


def _supplied_by(function: Callable[..., Any]) -> _Supplied | None:
    """Return what the source of a wrapper adds, None where calls in it differ or are unclear."""
    try:
        is_object = not has_attribute(function, "__code__")
        wrapper = type(function).__call__ if is_object else function
        # The code, since of a function inspect returns the source of what it wraps.
        source = textwrap.dedent(inspect.getsource(wrapper.__code__))
        definition = ast.parse(source).body[0]
    except Exception:  # noqa: BLE001  # no source, no code, or none that is a definition
        return None
    if not isinstance(definition, ast.FunctionDef) or definition.args.vararg is None:
        return None
    arguments = definition.args
    own = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]
    own = own[1:] if is_object else own
    names = _names_of_wrapped(function)
    found = {
        added
        for node in ast.walk(definition)
        if isinstance(node, ast.Call)
        and (not names or (isinstance(node.func, ast.Name) and node.func.id in names))
        and (added := _added(node, own, definition.args.vararg.arg)) is not None
    }
    if len(found) != 1:
        return None
    (added,) = found
    keywords = arguments.kwarg.arg if arguments.kwarg else None
    return replace(added, keywords=added.keywords | _assigned_keys(definition, keywords))


def _names_of_wrapped(function: Callable[..., Any]) -> set[str]:
    """Return the variables by which a wrapper knows the function that it wraps."""
    plain: Any = attribute(function, "__func__", function)
    code, cells = attribute(plain, "__code__"), attribute(plain, "__closure__")
    if code is None or cells is None:
        return set()
    known = zip(code.co_freevars, cells, strict=True)
    return {name for name, cell in known if _content(cell) is plain.__wrapped__}


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # it is not set yet
        return None


def _added(call: ast.Call, own: Sequence[str], passed: str) -> _Supplied | None:
    """Return what a call adds to the arguments of its wrapper, None where it passes none on.

    Parameters
    ----------
    call : ast.Call
        A call in the wrapper.
    own : sequence of str
        The arguments of the wrapper that have names.
    passed : str
        The name of the others, ``*args``.
    """
    names = [
        node.value.id if isinstance(node, ast.Starred) and isinstance(node.value, ast.Name) else ""
        for node in call.args
    ]
    if names.count(passed) != 1:
        return None
    place = names.index(passed)
    kept = [node.id for node in call.args[:place] if isinstance(node, ast.Name) and node.id in own]
    if kept != list(own):
        return None  # it takes an argument itself, or passes them on in another order
    before = frozenset(
        k
        for k, node in enumerate(call.args[:place])
        if not (isinstance(node, ast.Name) and node.id in own)
    )
    keywords = frozenset(keyword.arg for keyword in call.keywords if keyword.arg is not None)
    return _Supplied(before, len(call.args) - place - 1, keywords)


def _assigned_keys(definition: ast.FunctionDef, keywords: str | None) -> frozenset[str]:
    """Return the keys that a wrapper sets in its ``**keywords``."""
    found = set()
    for node in ast.walk(definition):
        key: ast.expr | None = None
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            holder, key = node.value, node.slice
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            holder, key = node.func.value, node.args[0]
            key = key if node.func.attr == "setdefault" else None
        if isinstance(key, ast.Constant) and isinstance(holder, ast.Name):
            found |= {key.value} if holder.id == keywords and isinstance(key.value, str) else set()
    return frozenset(found)
